//! What a row says of other reviewers: how many have approved, who, and who looks at it now. In the longest form that
//! its place takes: `1 of 2: alice · bob looks`, `1/2 alice @bob`, `1/2 @`.

use crate::console::theme::{Role, Symbols};
use crate::console::widgets::RoleLine;
use crate::domain::{Review, Untrusted};

/// Columns of a name.
const NAME: usize = 12;
/// Names that are said; how many more there are is counted.
const NAMES: usize = 3;

/// The note in at most so many columns; nothing where not even the shortest form has room.
pub(super) fn note(
    review: Option<&Review>,
    looking: &[Untrusted],
    symbols: &Symbols,
    columns: usize,
) -> RoleLine {
    let dot = format!(" {} ", symbols.dot);
    let count = |form| review.map(|review| counted(review, form)).unwrap_or_default();
    let look = |form| looks(looking, form);
    let forms = [
        (count(Form::Long), dot.as_str(), look(Form::Long)),
        (count(Form::Long), " ", look(Form::Middle)),
        (count(Form::Middle), " ", look(Form::Middle)),
        (count(Form::Middle), " ", look(Form::Short)),
        (count(Form::Short), " ", look(Form::Short)),
        (count(Form::Short), "", RoleLine::default()),
    ];
    let whole = forms.into_iter().map(|(count, between, look)| {
        let between = if count.is_empty() || look.is_empty() { "" } else { between };
        count.with(Role::Text, between).followed_by(Some(look))
    });
    whole.into_iter().find(|line| line.width() <= columns).unwrap_or_default()
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Long,
    Middle,
    Short,
}

/// `1 of 2: alice`, `1/2 alice`, `1/2`.
fn counted(review: &Review, form: Form) -> RoleLine {
    let (count, needed) = (review.count(), review.needed);
    let names = || review.approvals.iter().map(|approval| &approval.reviewer);
    let (head, tail) = match form {
        Form::Long => (format!("{count} of {needed}"), ": "),
        Form::Middle => (format!("{count}/{needed}"), " "),
        Form::Short => return RoleLine::of(Role::Notice, format!("{count}/{needed}")),
    };
    let line = RoleLine::of(Role::Notice, head);
    if count == 0 { line } else { line.with(Role::Notice, tail).followed_by(Some(listed(names()))) }
}

/// `bob looks`, `bob, eve look`, `@bob`, `@`.
fn looks(looking: &[Untrusted], form: Form) -> RoleLine {
    match (looking, form) {
        ([], _) => RoleLine::default(),
        (_, Form::Short) => RoleLine::of(Role::Doubt, "@"),
        ([first, rest @ ..], Form::Middle) => {
            let line = RoleLine::of(Role::Doubt, "@").foreign(&first.name().cut(NAME));
            let more = if rest.is_empty() { String::new() } else { format!("+{}", rest.len()) };
            line.with(Role::Doubt, more)
        }
        (_, Form::Long) => {
            let verb = if looking.len() == 1 { " looks" } else { " look" };
            listed(looking.iter()).with(Role::Doubt, verb)
        }
    }
}

/// `alice, bob, carol and 2 more`.
fn listed<'n>(names: impl ExactSizeIterator<Item = &'n Untrusted>) -> RoleLine {
    let more = names.len().saturating_sub(NAMES);
    let mut line = RoleLine::default();
    for name in names.take(NAMES) {
        line.push(Role::Text, if line.is_empty() { "" } else { ", " });
        line.push_foreign(Role::Foreign, &name.name().cut(NAME));
    }
    if more > 0 { line.with(Role::Text, format!(" and {more} more")) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::Theme;
    use crate::domain::Approval;

    fn review(needed: u32, names: &[&str]) -> Review {
        let decided_at = "2026-11-23T12:03:11Z".parse().unwrap();
        let approval = |name: &&str| Approval { reviewer: (*name).into(), decided_at, reason: None };
        Review { needed, approvals: names.iter().map(approval).collect(), until: None }
    }

    fn said(review: Option<&Review>, looking: &[&str], columns: usize) -> String {
        let looking: Vec<_> = looking.iter().map(|name| Untrusted::from(*name)).collect();
        note(review, &looking, &Theme::named().symbols, columns).text()
    }

    #[test]
    fn the_longest_form_that_fits_is_said() {
        let one = review(2, &["alice"]);
        for (columns, words) in [
            (60, "1 of 2: alice · bob looks"),
            (24, "1 of 2: alice @bob"),
            (17, "1/2 alice @bob"),
            (13, "1/2 alice @"),
            (10, "1/2 @"),
            (4, "1/2"),
            (2, ""),
        ] {
            assert_eq!(said(Some(&one), &["bob"], columns), words, "{columns}");
        }
        assert_eq!(said(Some(&review(2, &[])), &[], 60), "0 of 2");
        assert_eq!(said(Some(&review(2, &[])), &[], 5), "0/2");
        assert_eq!(said(None, &["bob", "eve"], 60), "bob, eve look");
        assert_eq!(said(None, &["bob", "eve"], 8), "@bob+1");
        assert_eq!(said(None, &[], 60), "");
    }

    #[test]
    fn names_neither_act_nor_run_over() {
        let hostile = ["a\u{1b}[2J", "\u{202e}eve", "x, y: 2 of 2", &"漢".repeat(40), "e"];
        let review = review(9, &hostile);
        for columns in 0..120 {
            let line = said(Some(&review), &hostile, columns);
            assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line}");
            let width = crate::domain::visible::columns_of(&line);
            assert!(width <= columns, "{columns}: {line}");
        }
        assert!(said(Some(&review), &[], 200).contains("and 2 more"), "{}", said(Some(&review), &[], 200));
        assert!(said(Some(&review), &[], 200).contains("\"x, y: 2 o"), "{}", said(Some(&review), &[], 200));
    }
}
