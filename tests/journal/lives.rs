//! Random lives against a simple model: decisions recorded and carried through random steps, the journal closed and
//! opened at random points. After each step the journal holds exactly what the model says.

use crate::support::{at, intent, outcomes, place, resolution, run, sample_try};
use aegis_console::domain::{Outcome, Try};
use aegis_console::journal::{Entry, Intent, Journal, Progress, Stage, Step};
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Debug, Clone)]
enum Op {
    /// That many decisions with keys from a few, some of them held.
    Record(Vec<(u8, bool)>),
    /// A step of some decision: one that the model allows where `allowed`, else any.
    Note {
        which: Index,
        step: Index,
        allowed: bool,
    },
    /// Several steps in one call.
    Many(Vec<(Index, Index)>),
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => prop::collection::vec((0..6_u8, any::<bool>()), 1..4).prop_map(Op::Record),
        12 => (any::<Index>(), any::<Index>(), prop::bool::weighted(0.8))
            .prop_map(|(which, step, allowed)| Op::Note { which, step, allowed }),
        2 => prop::collection::vec((any::<Index>(), any::<Index>()), 1..4).prop_map(Op::Many),
        1 => Just(Op::Reopen),
    ]
}

#[derive(Clone)]
struct Life {
    intent: Intent,
    now: Progress,
    tries: Vec<Try>,
}

#[derive(Clone, Default)]
struct Model {
    lives: Vec<Life>,
}

impl Model {
    fn record(&mut self, wanted: &[(u8, bool)]) -> (Vec<Intent>, bool) {
        let first = self.lives.len() as u64;
        let intents: Vec<_> = wanted
            .iter()
            .zip(first..)
            .map(|((key, held), n)| Intent {
                key: format!("key-{key}"),
                hold_until: held.then(|| at(3)),
                ..intent(n)
            })
            .collect();
        let taken = |key: &str| self.lives.iter().any(|life| life.intent.key == key && life.now.holds_key());
        let twice = |at: usize| intents[..at].iter().any(|other| other.key == intents[at].key);
        let fine = (0..intents.len()).all(|at| !twice(at) && !taken(&intents[at].key));
        if fine {
            let lives = intents.iter().map(|intent| Life {
                intent: intent.clone(),
                now: Progress::new(intent.hold_until.is_some()),
                tries: Vec::new(),
            });
            self.lives.extend(lives);
        }
        (intents, fine)
    }

    fn note(&mut self, which: usize, step: &Step) -> bool {
        let life = &self.lives[which];
        let Some(after) = life.now.after(step) else { return false };
        let rival = |(at, other): (usize, &Life)| {
            at != which && other.intent.key == life.intent.key && other.now.holds_key()
        };
        if after.holds_key() && !life.now.holds_key() && self.lives.iter().enumerate().any(rival) {
            return false;
        }
        says_nothing_untrue(&life.now, &after);
        let life = &mut self.lives[which];
        life.now = after;
        if let Step::Tried(one, _) = step {
            life.tries.push(one.clone());
        }
        true
    }

    fn reopen(&mut self) {
        for life in self.lives.iter_mut().filter(|life| life.now.stage == Stage::Sending) {
            (life.now.maybe, life.now.in_flight) = (true, false);
        }
    }

    /// Every step that could be noted of it.
    fn steps(&self, which: usize) -> Vec<Step> {
        let life = &self.lives[which];
        let mut steps = vec![
            Step::Released,
            Step::Dropped,
            Step::Returned("it expired".into()),
            Step::Sending { try_number: 1, at: at(5) },
            Step::Tried(sample_try(1), false),
            Step::Tried(sample_try(2), true),
            Step::Waiting { next_at: at(7) },
            Step::Doubtful { next_at: at(8) },
            Step::Retried,
            Step::Acknowledged,
        ];
        for outcome in outcomes() {
            steps.push(Step::Ended(resolution(&life.intent, outcome.clone())));
            steps.push(Step::Refined(resolution(&life.intent, outcome)));
        }
        steps
    }
}

/// What must hold of any step, whatever the table says.
fn says_nothing_untrue(before: &Progress, after: &Progress) {
    let outcome = |now: &Progress| now.resolution.as_ref().map(|end| end.outcome.clone());
    let (was, is) = (outcome(before), outcome(after));
    if before.maybe && before.stage != Stage::Ended {
        let denied = matches!(is, Some(Outcome::NotSent | Outcome::Refused | Outcome::Quota { .. }));
        assert!(!denied, "it may have landed: {before:?} to {after:?}");
        assert!(!matches!(after.stage, Stage::Dropped | Stage::Returned), "{before:?} to {after:?}");
        assert!(after.maybe || after.stage == Stage::Ended, "doubt went by itself: {before:?} to {after:?}");
    }
    if matches!(was, Some(Outcome::Committed | Outcome::Same | Outcome::Conflict)) {
        assert_eq!(was, is, "a final outcome changed");
    }
    if matches!(before.stage, Stage::Dropped | Stage::Returned) {
        assert_eq!(before.stage, after.stage, "what was given up is never sent");
    }
    assert!(after.tries >= before.tries);
    assert!(!after.in_flight || after.stage == Stage::Sending);
}

fn agrees(journal: &Journal, model: &Model) {
    let mut found = journal.recent(usize::MAX).unwrap();
    found.reverse();
    let expected: Vec<_> = model
        .lives
        .iter()
        .zip(&found)
        .map(|(life, found)| Entry {
            intent: life.intent.clone(),
            stage: life.now.stage,
            maybe: life.now.maybe,
            reached_at: life.now.reached_at,
            tries: life.now.tries,
            next_at: life.now.next_at,
            resolution: life.now.resolution.clone(),
            acknowledged: life.now.acknowledged,
            returned: life.now.returned.clone(),
            updated_at: found.updated_at,
        })
        .collect();
    assert_eq!(found.len(), model.lives.len());
    assert_eq!(found, expected);
    let open: Vec<_> = expected.into_iter().filter(|entry| entry.stage.is_open()).collect();
    assert_eq!(journal.open_entries().unwrap(), open);
    for life in &model.lives {
        assert_eq!(journal.tries(life.intent.id).unwrap(), life.tries);
    }
}

fn live(ops: Vec<Op>) {
    let (_directory, path) = place();
    let mut journal = Journal::open(&path).unwrap();
    let mut model = Model::default();
    for op in ops {
        match op {
            Op::Record(wanted) => {
                let (intents, fine) = model.record(&wanted);
                assert_eq!(run(journal.record(intents)).is_ok(), fine, "{wanted:?}");
            }
            Op::Note { .. } | Op::Many(_) if model.lives.is_empty() => {}
            Op::Note { which, step, allowed } => {
                let which = which.index(model.lives.len());
                let mut steps = model.steps(which);
                if allowed {
                    steps.retain(|step| model.clone().note(which, step));
                }
                if steps.is_empty() {
                    continue;
                }
                let step = step.get(&steps).clone();
                let fine = model.note(which, &step);
                let id = model.lives[which].intent.id;
                assert_eq!(run(journal.note(id, step.clone())).is_ok(), fine, "{step:?}");
            }
            Op::Many(wanted) => {
                let mut after = model.clone();
                let mut fine = true;
                let mut steps = Vec::new();
                for (which, step) in wanted {
                    let which = which.index(model.lives.len());
                    let step = step.get(&model.steps(which)).clone();
                    fine = fine && after.note(which, &step);
                    steps.push((model.lives[which].intent.id, step));
                }
                assert_eq!(run(journal.note_many(steps.clone())).is_ok(), fine, "{steps:?}");
                if fine {
                    model = after;
                }
            }
            Op::Reopen => {
                drop(journal);
                journal = Journal::open(&path).unwrap();
                assert!(journal.is_dispatcher());
                model.reopen();
            }
        }
        agrees(&journal, &model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_journal_is_what_the_model_says(ops in prop::collection::vec(op(), 1..50)) {
        live(ops);
    }
}
