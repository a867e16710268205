//! Going over all that an action shows, text by text, and over its JSON without recursion.

use super::{Finding, FindingKind, is_exact, opaque};
use crate::domain::action::Action;
use crate::domain::json::{Kind, Member, Value};
use crate::domain::visible::{Cause, FoldKind, Run, is_blank, runs, runs_of_block};
use crate::domain::{Untrusted, visible};

/// What is found in an action that has been read; `payload` and `others` are its JSON.
pub(in crate::domain) fn of<'v>(
    action: &Action,
    payload: &'v Value,
    others: impl Iterator<Item = &'v Member>,
) -> Vec<Finding> {
    let mut search = Search::default();
    search.json("payload", payload);
    for (place, text) in [("summary", &action.summary), ("rationale", &action.rationale)] {
        search.text(place, text.as_ref().map_or("", Untrusted::raw), Setting::Block, &mut || None);
    }
    let server = action.server.as_ref().map_or("", Untrusted::raw);
    for (place, text) in [
        ("action", action.name.raw()),
        ("server", server),
        ("agent", action.agent.raw()),
        ("thread", action.thread_id.raw()),
        ("tenant", action.tenant_id.raw()),
    ] {
        search.field(place, text);
    }
    for (name, value) in &action.labels {
        search.field("label", name.raw());
        search.field("label", value.raw());
    }
    for reason in &action.risk_reasons {
        search.text("risk reasons", reason.raw(), Setting::Block, &mut || None);
    }
    for Member { name, value, .. } in others {
        let place = if name == "claims" { "claims" } else { "other members" };
        search.field(place, name);
        search.json(place, value);
    }
    search.findings
}

/// What is found in an action of which only the text can be shown.
pub(in crate::domain) fn of_text(action: &Action) -> Vec<Finding> {
    let mut search = Search::default();
    search.text("text", action.payload(), Setting::Block, &mut || None);
    search.findings
}

/// How a text is shown.
#[derive(Clone, Copy, PartialEq)]
enum Setting {
    /// Beside others on its line.
    Field,
    /// On lines of its own: a line feed and a tab are what they are in running text.
    Block,
}

#[derive(Default)]
struct Search {
    findings: Vec<Finding>,
}

impl Search {
    fn add(
        &mut self,
        kind: FindingKind,
        count: usize,
        place: &'static str,
        first: &mut dyn FnMut() -> Option<String>,
    ) {
        let same = |finding: &&mut Finding| finding.kind == kind && finding.place == place;
        match self.findings.iter_mut().find(same) {
            Some(finding) => finding.count += count,
            None => self.findings.push(Finding { kind, count, place, first: first().map(Untrusted::from) }),
        }
    }

    fn field(&mut self, place: &'static str, text: &str) {
        self.text(place, text, Setting::Field, &mut || None);
    }

    fn text(
        &mut self,
        place: &'static str,
        text: &str,
        setting: Setting,
        first: &mut dyn FnMut() -> Option<String>,
    ) {
        if is_plain(text) {
            return;
        }
        let runs: visible::Runs<'_> = match setting {
            Setting::Field => runs(text),
            Setting::Block => runs_of_block(text),
        };
        for run in runs {
            let Some(cause) = run.cause() else { continue };
            let source = run.source();
            let kind = match cause {
                Cause::Hidden if setting == Setting::Block && matches!(source, "\n" | "\t") => continue,
                Cause::Hidden => FindingKind::Hidden,
                Cause::Tags => FindingKind::TagText,
                Cause::Marks => FindingKind::Marks,
                Cause::Blanks => FindingKind::Blanks,
                Cause::RightToLeft => FindingKind::RightToLeft,
                Cause::OtherScript => FindingKind::MixedScripts,
            };
            let mut count = source.chars().count();
            if matches!(run, Run::Fold { kind: FoldKind::BlanksAndHidden, .. }) {
                let blanks = source.chars().filter(|&c| is_blank(c)).count();
                self.add(FindingKind::Hidden, count - blanks, place, first);
                count = blanks;
            }
            self.add(kind, count, place, first);
        }
    }

    fn json(&mut self, place: &'static str, value: &Value) {
        // Where each container stands: its own container, and the key or the number there.
        let mut path: Vec<(usize, Segment<'_>)> = vec![(0, Segment::Top)];
        let mut values = vec![(value, 0)];
        while let Some((value, at)) = values.pop() {
            let mut here = || Some(pointer(&path, at));
            match &value.kind {
                Kind::Null | Kind::Bool(_) => {}
                Kind::Number(text) if is_exact(text) => {}
                Kind::Number(_) => self.add(FindingKind::UnsafeNumber, 1, place, &mut here),
                Kind::String(text) => {
                    self.text(place, text, Setting::Block, &mut here);
                    let blobs = opaque(text).count();
                    if blobs > 0 {
                        self.add(FindingKind::OpaqueBlob, blobs, place, &mut here);
                    }
                }
                Kind::Array(elements) => {
                    for (number, element) in elements.iter().enumerate().rev() {
                        path.push((at, Segment::Element(number)));
                        values.push((element, path.len() - 1));
                    }
                }
                Kind::Object(members) => {
                    for member in members.iter().rev() {
                        path.push((at, Segment::Key(&member.name)));
                        values.push((&member.value, path.len() - 1));
                    }
                    for (member, at) in members.iter().zip((path.len() - members.len()..path.len()).rev()) {
                        let mut here = || Some(pointer(&path, at));
                        self.text(place, &member.name, Setting::Field, &mut here);
                        if member.duplicate {
                            self.add(FindingKind::DuplicateKey, 1, place, &mut here);
                        }
                    }
                }
            }
        }
    }
}

/// Whether nothing can be found in the characters of a text: printable ASCII, and no blanks that would be folded. Nearly
/// all texts are such, and there are many.
fn is_plain(text: &str) -> bool {
    let mut blanks = 0;
    text.bytes().all(|byte| {
        blanks = if byte == b' ' { blanks + 1 } else { 0 };
        matches!(byte, b' '..=b'~') && blanks < 8
    })
}

/// A step of a path into JSON.
enum Segment<'v> {
    Top,
    Element(usize),
    Key(&'v str),
}

/// RFC 6901.
fn pointer(path: &[(usize, Segment<'_>)], mut at: usize) -> String {
    let mut segments = Vec::new();
    while let Some((parent, segment)) = path.get(at).filter(|_| at > 0) {
        segments.push(match segment {
            Segment::Top => String::new(),
            Segment::Element(number) => number.to_string(),
            Segment::Key(key) => key.replace('~', "~0").replace('/', "~1"),
        });
        at = *parent;
    }
    segments.iter().rev().fold(String::new(), |pointer, segment| pointer + "/" + segment)
}
