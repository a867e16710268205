//! What the demo's agents ask for: the templates of `assets/demo/`, filled in from the seed.
//!
//! This file must not ask anybody and must not know who decides.

use crate::agent::Submission;
use crate::domain::json::{self, Limits, Value};
use anyhow::{Context as _, bail};
use fastrand::Rng;

/// One file for each kind of action; each holds an array of templates.
const SOURCES: &[(&str, &str)] = &[
    ("bash", include_str!("../../../assets/demo/bash.json")),
    ("create_user", include_str!("../../../assets/demo/create_user.json")),
    ("delete_user", include_str!("../../../assets/demo/delete_user.json")),
    ("deploy", include_str!("../../../assets/demo/deploy.json")),
    ("drop_table", include_str!("../../../assets/demo/drop_table.json")),
    ("execute_trade", include_str!("../../../assets/demo/execute_trade.json")),
    ("http_request", include_str!("../../../assets/demo/http_request.json")),
    ("kubectl_scale", include_str!("../../../assets/demo/kubectl_scale.json")),
    ("publish_post", include_str!("../../../assets/demo/publish_post.json")),
    ("rebalance_portfolio", include_str!("../../../assets/demo/rebalance_portfolio.json")),
    ("rebook_flight", include_str!("../../../assets/demo/rebook_flight.json")),
    ("refund", include_str!("../../../assets/demo/refund.json")),
    ("rotate_key", include_str!("../../../assets/demo/rotate_key.json")),
    ("send_email", include_str!("../../../assets/demo/send_email.json")),
    ("terraform_apply", include_str!("../../../assets/demo/terraform_apply.json")),
    ("wire_transfer", include_str!("../../../assets/demo/wire_transfer.json")),
    ("write_file", include_str!("../../../assets/demo/write_file.json")),
];

/// How many actions come at once at the start; among them every level of risk and one with hidden characters.
pub(super) const OPENING: usize = 9;

/// One action that an agent is about to ask for.
#[derive(Debug)]
pub(super) struct Wish {
    /// Which agent asks for such things.
    pub(super) role: String,
    /// What it asks.
    pub(super) submission: Submission,
    /// The agent's words once it went well.
    pub(super) succeeded: String,
    /// The agent's words once it did not.
    pub(super) failed: String,
    risk: String,
    hides: bool,
}

/// All templates, dealt like cards: each comes once before any comes again.
#[derive(Debug)]
pub(super) struct Deck {
    rng: Rng,
    templates: Vec<(usize, usize)>,
    left: Vec<(usize, usize)>,
}

impl Deck {
    /// Shuffles the templates by the seed, with something of everything on top.
    pub(super) fn new(seed: u64) -> anyhow::Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let mut templates = Vec::new();
        for (source, (name, text)) in SOURCES.iter().enumerate() {
            let filled = Facts::draw(&mut rng).fill(text);
            let value = json::parse_unique(filled.as_bytes(), Limits::DOOR)
                .with_context(|| format!("assets/demo/{name}.json"))?;
            let count = value.as_array().map_or(0, <[_]>::len);
            templates.extend((0..count).map(|index| (source, index)));
        }
        let mut deck = Self { rng, left: templates.clone(), templates };
        deck.rng.shuffle(&mut deck.left);
        deck.put_one_of_each_on_top()?;
        Ok(deck)
    }

    /// The next action.
    pub(super) fn draw(&mut self) -> anyhow::Result<Wish> {
        if self.left.is_empty() {
            self.left.clone_from(&self.templates);
            self.rng.shuffle(&mut self.left);
        }
        let (source, index) = self.left.pop().context("assets/demo holds no action")?;
        fill(source, index, &mut self.rng)
    }

    fn put_one_of_each_on_top(&mut self) -> anyhow::Result<()> {
        let wishes: Vec<Wish> = self
            .left
            .iter()
            .map(|&(source, index)| fill(source, index, &mut self.rng))
            .collect::<Result<_, _>>()?;
        let mut top: Vec<usize> = Vec::new();
        for risk in ["low", "medium", "high", "critical"] {
            top.extend(wishes.iter().position(|wish| wish.risk == risk && !wish.hides));
        }
        top.extend(wishes.iter().position(|wish| wish.hides));
        let rest = (0..wishes.len()).filter(|index| !top.contains(index)).collect::<Vec<_>>();
        let missing = OPENING.saturating_sub(top.len());
        top.extend(rest.iter().take(missing));
        self.rng.shuffle(&mut top);
        // Dealt from the end.
        let order = rest.into_iter().skip(missing).chain(top);
        self.left = order.map(|index| self.left[index]).collect();
        Ok(())
    }
}

fn fill(source: usize, index: usize, rng: &mut Rng) -> anyhow::Result<Wish> {
    let (name, text) = SOURCES[source];
    let filled = Facts::draw(rng).fill(text);
    read(&filled, index).with_context(|| format!("assets/demo/{name}.json, action {}", index + 1))
}

fn read(text: &str, index: usize) -> anyhow::Result<Wish> {
    let value = json::parse_unique(text.as_bytes(), Limits::DOOR)?;
    let template = value.as_array().and_then(|all| all.get(index)).context("it is not in the file")?;
    let word = |name: &str| template.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let object = |name: &str| match template.get(name) {
        Some(value) if value.as_object().is_some() => Ok(compact(value.text(text))),
        _ => bail!("{name} must be an object"),
    };
    let (arguments, context) = (object("arguments")?, object("context")?);
    let hides = arguments.contains("\\u");
    let risk = template.get("context").and_then(|context| context.get("risk")).and_then(Value::as_str);
    Ok(Wish {
        role: word("role"),
        submission: Submission::new(word("tool"), arguments)?
            .server(word("server"))
            .timeout(word("timeout"))
            .reasoning(word("reasoning"))
            .context(context)?,
        succeeded: word("succeeded"),
        failed: word("failed"),
        risk: risk.unwrap_or_default().to_owned(),
        hides,
    })
}

/// The same JSON without the blanks between its tokens, as agents send it. Numbers and strings keep their text.
fn compact(json: &str) -> String {
    let (mut out, mut in_string, mut escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if in_string || !c.is_ascii_whitespace() {
            out.push(c);
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
    }
    out
}

/// What the placeholders of one action stand for; the same all through it.
struct Facts([(&'static str, String); 14]);

impl Facts {
    fn draw(rng: &mut Rng) -> Self {
        let pick = |rng: &mut Rng, words: &[&str]| words[rng.usize(..words.len())].to_owned();
        let hex = |rng: &mut Rng, digits: usize| {
            (0..digits).map(|_| char::from(b"0123456789abcdef"[rng.usize(..16)])).collect::<String>()
        };
        let first = pick(
            rng,
            &["Amara", "Bruno", "Chloe", "Deniz", "Elif", "Jonas", "Mei", "Noor", "Pavel", "Sofia"],
        );
        let last = pick(
            rng,
            &["Adeyemi", "Brandt", "Costa", "Fischer", "Haddad", "Ito", "Novak", "Okafor", "Rossi"],
        );
        let email = format!("{first}.{last}@example.com").to_lowercase();
        let uuid =
            format!("{}-{}-4{}-a{}-{}", hex(rng, 8), hex(rng, 4), hex(rng, 3), hex(rng, 3), hex(rng, 12));
        let version = format!("2.{}.{}", rng.u32(18..30), rng.u32(0..10));
        let amount = format!("{}.{:02}", rng.u32(11..900), rng.u32(0..10) * 10);
        let price = format!("{}.{:02}", rng.u32(90..160), rng.u32(0..100));
        let iban = format!("LT{}3250{:011}", rng.u32(10..98), rng.u64(..100_000_000_000));
        Self([
            ("first", first),
            ("last", last),
            ("email", email),
            ("uuid", uuid),
            ("version", version),
            ("amount", amount),
            ("price", price),
            ("iban", iban),
            ("order", rng.u32(10_000..99_999).to_string()),
            ("ticket", rng.u32(1_000..9_999).to_string()),
            ("n", rng.u32(120..980).to_string()),
            ("short", hex(rng, 8)),
            ("sha", hex(rng, 40)),
            ("sha256", hex(rng, 64)),
        ])
    }

    fn fill(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_asked_and_no_placeholder_is_left() {
        let mut deck = Deck::new(7).unwrap();
        let all = deck.templates.len();
        assert!(all >= 20, "{all}");
        for _ in 0..all {
            let wish = deck.draw().unwrap();
            let body = wish.submission.body();
            assert!(!body.contains("{{"), "{body}");
            let body = json::parse_unique(body.as_bytes(), Limits::DOOR).unwrap();
            assert!(body.get("context").unwrap().get("thread_id").is_some());
            assert!(!wish.role.is_empty() && !wish.succeeded.is_empty() && !wish.failed.is_empty());
            assert!(["low", "medium", "high", "critical"].contains(&wish.risk.as_str()), "{}", wish.risk);
        }
    }

    #[test]
    fn the_opening_has_something_of_everything_and_the_seed_decides() {
        for seed in 0..50 {
            let draw = || {
                let mut deck = Deck::new(seed).unwrap();
                (0..OPENING).map(|_| deck.draw().unwrap()).collect::<Vec<_>>()
            };
            let opening = draw();
            for risk in ["low", "medium", "high", "critical"] {
                assert!(opening.iter().any(|wish| wish.risk == risk), "seed {seed}: no {risk}");
            }
            assert!(opening.iter().any(|wish| wish.hides), "seed {seed}: nothing hidden");
            let bodies =
                |wishes: &[Wish]| wishes.iter().map(|wish| wish.submission.body()).collect::<Vec<_>>();
            assert_eq!(bodies(&opening), bodies(&draw()));
        }
        let first = |seed| Deck::new(seed).unwrap().draw().unwrap().submission.body();
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn compacting_touches_blanks_between_tokens_only() {
        assert_eq!(
            compact("{ \"a b\" : [ 1.10 ,\n\t\"x \\\" y\\\\\" , \" \" ] }"),
            "{\"a b\":[1.10,\"x \\\" y\\\\\",\" \"]}"
        );
    }
}
