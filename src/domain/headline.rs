//! What a list holds of an action: enough to show a row, to sort and to filter, and where the rest can be had. So a
//! hundred thousand can wait without a hundred thousand payloads in memory.
//!
//! The text itself is found again by its digest: what comes back is what was sealed, or it is not shown as such.

use super::action::{Silence, UnreadableAction};
use super::json::{self, Limits, Value};
use super::lookalike::Name;
use super::shape::Shape;
use super::{Action, ActionState, Decision, Digest, Execution, Queued, Review, Risk, Untrusted, Visible};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;

/// Bytes of a summary, or of a payload in its place, that a list holds: a row shows far less.
const WORDS: usize = 512;
/// Bytes of each other text that a list holds.
const NAME: usize = 256;

/// Where sealed texts are kept. What is read there is compared with its digest, so that it cannot be anything else.
pub trait Texts: Send + Sync + fmt::Debug {
    /// The text of that many bytes at that place.
    ///
    /// # Errors
    /// Why it cannot be had, in plain words.
    fn text(&self, at: u64, length: u32) -> Result<String, String>;
}

/// Where the whole of an action is.
#[derive(Debug, Clone)]
pub enum Kept {
    /// In memory.
    Here(Arc<Action>),
    /// Where it can be read back.
    There {
        /// What keeps it.
        texts: Arc<dyn Texts>,
        /// The place of its first byte.
        at: u64,
        /// Bytes.
        length: u32,
    },
}

/// The texts of a headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// What the agent wants to do.
    Action,
    /// The agent's credential.
    Agent,
    /// The agent's words on it; where there are none, the payload.
    Summary,
    /// The conversation, run or order.
    Thread,
    /// `name=value`, a line each.
    Labels,
    /// The first reason for its risk.
    Reason,
}

impl Field {
    /// Every field, in the order in which a filter looks at them.
    pub const ALL: [Self; 6] =
        [Self::Action, Self::Agent, Self::Summary, Self::Thread, Self::Labels, Self::Reason];
}

/// What a list holds of an action.
#[derive(Clone)]
pub struct Headline {
    /// The id, then the fields in their order. One allocation, because there are many of these.
    texts: Box<str>,
    /// Where each of them ends.
    ends: [u16; 7],
    /// The digest of the sealed bytes.
    pub digest: Digest,
    /// As of the action.
    pub risk: Risk,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Undecided at this time, it expires.
    pub expires_at: Timestamp,
    /// What happens when nobody decides.
    pub silence: Silence,
    /// What its payload is like.
    pub shape: Shape,
    kept: Kept,
}

impl Headline {
    /// The headline of an action; `payload` is its JSON, where it has any.
    pub fn of(action: &Action, payload: Option<&Value>, kept: Kept) -> Self {
        let mut texts = action.id.clone();
        let mut ends = [0; 7];
        let mut end = |texts: &String, number: usize| {
            ends[number] = u16::try_from(texts.len()).unwrap_or(u16::MAX);
        };
        end(&texts, 0);
        let words = action.summary.as_ref().map_or(action.payload(), Untrusted::raw);
        for (number, (text, most)) in [
            (action.name.raw(), NAME),
            (action.agent.raw(), NAME),
            (words, WORDS),
            (action.thread_id.raw(), NAME),
        ]
        .into_iter()
        .enumerate()
        {
            texts.push_str(beginning(text, most));
            end(&texts, number + 1);
        }
        let labels = texts.len();
        for (name, value) in &action.labels {
            let line = format!("{}={}\n", beginning(name.raw(), NAME), beginning(value.raw(), NAME));
            if texts.len() - labels + line.len() <= WORDS {
                texts.push_str(&line);
            }
        }
        end(&texts, 5);
        let reason = action.risk_reasons.first();
        texts.push_str(beginning(reason.map_or("", Untrusted::raw), NAME));
        end(&texts, 6);
        Self {
            texts: texts.into(),
            ends,
            digest: action.digest,
            risk: action.risk,
            created_at: action.created_at,
            expires_at: action.expires_at,
            silence: action.silence(),
            shape: payload.map(|payload| Shape::of(payload, &action.sealed)).unwrap_or_default(),
            kept,
        }
    }

    /// The action's id.
    pub fn id(&self) -> &str {
        &self.texts[..usize::from(self.ends[0])]
    }

    /// A text as it came, for comparison and for filters. Never for a screen.
    pub fn raw(&self, field: Field) -> &str {
        let number = field as usize;
        &self.texts[usize::from(self.ends[number])..usize::from(self.ends[number + 1])]
    }

    /// As much of a text of an action as a headline holds of it.
    pub fn held(field: Field, text: &str) -> &str {
        beginning(text, if field == Field::Summary { WORDS } else { NAME })
    }

    /// What may be drawn of the beginning of a text: see [`Visible::head`].
    pub fn head(&self, field: Field, columns: usize) -> Visible {
        Visible::head(self.raw(field), columns)
    }

    /// The name of the agent's credential.
    pub fn agent(&self) -> Untrusted {
        self.raw(Field::Agent).into()
    }

    /// The action is to be had from there from now on.
    pub fn keep(&mut self, kept: Kept) {
        self.kept = kept;
    }

    /// The action itself. Where its text can no longer be had as it was sealed it comes as one that cannot be read and
    /// about which nothing can be decided, under its id and digest.
    pub fn action(&self) -> Arc<Action> {
        let (texts, at, length) = match &self.kept {
            Kept::Here(action) => return Arc::clone(action),
            Kept::There { texts, at, length } => (texts, *at, *length),
        };
        let read = texts.text(at, length).and_then(|text| {
            let action = Action::read(text).map_err(|error| error.to_string())?;
            let same = action.digest == self.digest;
            if same { Ok(action) } else { Err("it is no longer the text that was read first".to_owned()) }
        });
        Arc::new(read.unwrap_or_else(|why| {
            let mut lost = Action::unreadable(b"", &UnreadableAction::Lost(why), self.created_at);
            (lost.id, lost.digest, lost.expires_at) = (self.id().to_owned(), self.digest, self.expires_at);
            lost
        }))
    }
}

impl fmt::Debug for Headline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headline")
            .field("id", &self.id())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Headline {
    fn eq(&self, other: &Self) -> bool {
        (self.id(), self.digest) == (other.id(), other.digest)
    }
}

/// At most so many bytes of it, whole characters.
fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// One entry of the queue as a list takes it in.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What was asked.
    pub headline: Headline,
    /// Its names, to be compared with those seen before.
    pub names: Vec<Name>,
    /// Whether it still waits.
    pub state: ActionState,
    /// The decision on record.
    pub decision: Option<Decision>,
    /// What became of it at the agent.
    pub execution: Option<Execution>,
    /// How far it is, where it needs more than one reviewer.
    pub review: Option<Arc<Review>>,
}

impl Listed {
    /// A sealed text that waits, kept where the caller says. One that cannot be read is kept in memory, since nothing but
    /// its text can be shown.
    ///
    /// # Errors
    /// [`UnreadableAction`]
    pub fn read(sealed: &str, kept: Kept) -> Result<Self, UnreadableAction> {
        let (action, value) = Action::read_value(sealed)?;
        let payload = value.get("payload");
        Ok(Self {
            headline: Headline::of(&action, payload, kept),
            names: Name::all(&action, payload),
            state: ActionState::Pending,
            decision: None,
            execution: None,
            review: None,
        })
    }

    /// An entry whose text is put where the caller says.
    pub fn keeping(queued: Queued, kept: Kept) -> Self {
        let Queued { action, state, decision, execution, review } = queued;
        let value = json::parse(action.sealed.as_bytes(), Limits::SEALED).ok();
        let payload =
            value.as_ref().filter(|_| action.unreadable.is_none()).and_then(|value| value.get("payload"));
        let headline = Headline::of(&action, payload, kept);
        Self { headline, names: Name::all(&action, payload), state, decision, execution, review }
    }

    /// The entry with its action in full.
    pub fn queued(&self) -> Queued {
        let (state, decision, execution) = (self.state, self.decision.clone(), self.execution.clone());
        Queued { action: self.headline.action(), state, decision, execution, review: self.review.clone() }
    }
}

impl From<Queued> for Listed {
    fn from(queued: Queued) -> Self {
        let kept = Kept::Here(Arc::clone(&queued.action));
        Self::keeping(queued, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const SEALED: &str = r#"{"v":1,"id":"a-1","tenant_id":"t","thread_id":"order-42","idempotency_key":"k","agent":"billing","action":"refund","payload":{"n":1e400},"labels":{"env":"prod","team":"b"},"risk_reasons":["rule \"prod\"","x"],"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;

    #[derive(Debug)]
    struct Memory(Mutex<Result<String, String>>);

    impl Texts for Memory {
        fn text(&self, at: u64, length: u32) -> Result<String, String> {
            assert_eq!((at, length as usize), (7, SEALED.len()));
            self.0.lock().unwrap().clone()
        }
    }

    fn there(text: Result<&str, &str>) -> (Headline, Arc<Memory>) {
        let text = text.map(str::to_owned).map_err(str::to_owned);
        let memory = Arc::new(Memory(Mutex::new(text)));
        let length = u32::try_from(SEALED.len()).unwrap();
        let kept = Kept::There { texts: Arc::clone(&memory) as Arc<dyn Texts>, at: 7, length };
        (Listed::read(SEALED, kept).unwrap().headline, memory)
    }

    #[test]
    fn a_headline_has_every_text_that_a_list_looks_at() {
        let (headline, _) = there(Ok(SEALED));
        let texts = Field::ALL.map(|field| headline.raw(field));
        let labels = "env=prod\nteam=b\n";
        assert_eq!(texts, ["refund", "billing", r#"{"n":1e400}"#, "order-42", labels, "rule \"prod\""]);
        assert_eq!((headline.id(), headline.risk), ("a-1", Risk::Medium));
    }

    #[test]
    fn what_is_read_back_is_the_action_and_nothing_else_passes_for_it() {
        let (headline, memory) = there(Ok(SEALED));
        assert_eq!(*headline.action(), Action::read(SEALED).unwrap());
        for other in [Err("the file is gone"), Ok(""), Ok(&*SEALED.replace("order-42", "order-43"))] {
            *memory.0.lock().unwrap() = other.map(str::to_owned).map_err(str::to_owned);
            let action = headline.action();
            assert_eq!(
                (action.id.as_str(), action.digest, action.risk),
                ("a-1", headline.digest, Risk::Unreadable)
            );
            assert!(!action.unreadable.as_ref().unwrap().can_be_rejected, "{other:?}");
        }
    }

    #[test]
    fn long_texts_are_held_as_far_as_a_row_could_show_them() {
        let long = SEALED.replace("\"billing\"", &format!("\"{}\"", "é".repeat(5_000)));
        let headline = Listed::from(Queued::pending(Action::read(long).unwrap())).headline;
        assert_eq!(headline.raw(Field::Agent), "é".repeat(NAME / 2));
        assert_eq!(headline.raw(Field::Thread), "order-42");
    }
}
