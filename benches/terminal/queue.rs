//! The test data: actions of about 1 KiB, the same in every run but for their times, which lie around now.
//!
//! A [`Kind::Series`] is what an agent's series looks like: one shape, and what differs are names, numbers and ids. In
//! [`Kind::Mixed`] each action has another shape and other words than its neighbours, so that the whole detail changes
//! from row to row.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The tools that are asked for. A row that shows one of these names is a row of an action.
pub(crate) const TOOLS: [&str; 8] = [
    "send_email",
    "issue_refund",
    "deploy_api",
    "run_query",
    "wire_money",
    "close_ticket",
    "rotate_key",
    "post_reply",
];
const AGENTS: [&str; 24] = [
    "billing", "support", "release", "ledger", "mailer", "ops-eu", "ops-us", "ops-ap", "search", "crm",
    "legal", "payroll", "stock", "fleet", "claims", "growth", "audit", "intake", "dns", "vault", "backup",
    "triage", "quotes", "returns",
];
const PEOPLE: [&str; 12] =
    ["Noor", "Ada", "Marek", "Ines", "Tomas", "Yuki", "Priya", "Olu", "Lena", "Samir", "Chloe", "Ivan"];
const WORDS: [&str; 32] = [
    "invoice",
    "customer",
    "parcel",
    "contract",
    "region",
    "cluster",
    "balance",
    "meeting",
    "approval",
    "window",
    "schedule",
    "warehouse",
    "delivery",
    "account",
    "update",
    "payment",
    "request",
    "service",
    "report",
    "deadline",
    "address",
    "machine",
    "version",
    "support",
    "capacity",
    "license",
    "signature",
    "transfer",
    "archive",
    "quarter",
    "exception",
    "forecast",
];

/// How alike neighbours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One shape; names, numbers and ids differ.
    Series,
    /// Shapes and words differ.
    Mixed,
}

/// When the actions expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadlines {
    /// In more than a year: nothing on a row changes while anybody looks.
    Far,
    /// The first in half an hour, so that its row and the detail count seconds; the others as far as above.
    OneNear,
    /// A screen full of them within the hour, each counting seconds.
    AllNear,
}

/// A number that depends on nothing but its arguments.
fn draw(number: usize, salt: u64) -> u64 {
    let mut x = (number as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn pick<'a>(from: &[&'a str], number: usize, salt: u64) -> &'a str {
    from[usize::try_from(draw(number, salt) % from.len() as u64).unwrap()]
}

/// What a tool is asked for.
pub(crate) struct Ask {
    pub(crate) tool: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) thread: String,
    pub(crate) summary: String,
    pub(crate) risk: &'static str,
    pub(crate) labels: Value,
    pub(crate) arguments: Value,
}

/// The ask of that number.
pub(crate) fn ask(number: usize, kind: Kind) -> Ask {
    let tool = pick(&TOOLS, number, 1);
    let person = pick(&PEOPLE, number, 2);
    let order = 10_000 + draw(number, 3) % 80_000;
    let word = pick(&WORDS, number, 4);
    Ask {
        tool,
        agent: pick(&AGENTS, number, 5),
        thread: format!("order-{order}"),
        summary: format!("{word} of {person} for order {order}"),
        risk: pick(&["low", "low", "medium", "medium", "high"], number, 6),
        labels: json!({"region": pick(&["eu", "us", "ap"], number, 7), "team": pick(&["red", "blue"], number, 8)}),
        arguments: match kind {
            Kind::Series => series(number, person, order),
            Kind::Mixed => mixed(number, person, order),
        },
    }
}

fn series(number: usize, person: &str, order: u64) -> Value {
    json!({
        "to": format!("{}@example.com", person.to_lowercase()),
        "order": order,
        "amount": (draw(number, 9) % 90_000) as f64 / 100.0,
        "items": [{"sku": format!("A-{}", draw(number, 10) % 9_000), "count": 1 + draw(number, 11) % 9}],
        "body": "We have looked into your order and found that one of its parcels was returned to our warehouse by \
            the carrier, because nobody could be met at the address that we had been given. The amount that you paid \
            for it goes back to the account that it came from; this takes three to five working days, depending on \
            your bank. If you would rather have the parcel sent once more, answer this message within two days and \
            tell us an address at which somebody is at home between nine and five. The parcel is kept for two weeks \
            from today. We are sorry for the trouble, and we have told the carrier. Your order number is enough to \
            reach us by telephone as well, from Monday to Friday, at the number that stands at the foot of the page.",
    })
}

fn mixed(number: usize, person: &str, order: u64) -> Value {
    let words = |count: usize, salt: u64| {
        let words: Vec<_> = (0..count as u64).map(|at| pick(&WORDS, number, salt + at)).collect();
        words.join(" ")
    };
    let amount = (draw(number, 12) % 5_000_000) as f64 / 100.0;
    match draw(number, 1) % 4 {
        0 => json!({"to": [format!("{}@example.com", person.to_lowercase())], "subject": words(5, 100),
            "body": words(95, 200), "attachments": [], "priority": draw(number, 13) % 5}),
        1 => json!({"amount": amount, "currency": pick(&["EUR", "USD", "JPY"], number, 14), "order": order,
            "lines": (0..8u64).map(|line| json!({"sku": words(1, 300 + line), "count": line + draw(number, 15) % 9,
                "note": words(6, 400 + 10 * line)})).collect::<Vec<_>>()}),
        2 => {
            json!({"service": words(1, 500), "version": format!("{}.{}.{}", draw(number, 16) % 9, draw(number, 17) % 40, order % 10),
            "hosts": (0..10u64).map(|host| format!("{}-{}.example.com", words(1, 600 + host), draw(number, 700 + host) % 99)).collect::<Vec<_>>(),
            "env": {"A": words(3, 800), "B": words(4, 810), "LIMIT": draw(number, 18) % 4096}, "notes": words(55, 900)})
        }
        _ => {
            json!({"query": format!("select {} from {} where id = {order}", words(2, 1_000).replace(' ', ", "), words(1, 1_010)),
            "reason": words(90, 1_100), "limit": draw(number, 19) % 1000, "dry_run": order.is_multiple_of(2)})
        }
    }
}

/// Writes a queue file of that many actions and, beside it, one of as many plain lines for the bare list.
pub(crate) struct Files {
    pub(crate) queue: PathBuf,
    pub(crate) lines: PathBuf,
}

/// See [`Files`]. Nobody asks more than a few times a minute, so that no row stands for a flood.
pub(crate) fn write(folder: &Path, count: usize, kind: Kind, deadlines: Deadlines) -> Files {
    let name = format!("{kind:?}-{deadlines:?}-{count}").to_lowercase();
    let files =
        Files { queue: folder.join(format!("{name}.jsonl")), lines: folder.join(format!("{name}.lines")) };
    if files.queue.exists() {
        return files;
    }
    let now = Timestamp::now();
    let at = |seconds: i64| now + SignedDuration::from_secs(seconds);
    let day = 24 * 60 * 60;
    let mut queue = BufWriter::new(std::fs::File::create(&files.queue).unwrap());
    let mut lines = BufWriter::new(std::fs::File::create(&files.lines).unwrap());
    for number in 0..count {
        let ask = ask(number, kind);
        let far = 400 * day + i64::try_from(draw(number, 20) % (400 * day) as u64).unwrap();
        let (near, of_near) = (25 * 60 + i64::try_from(number).unwrap(), number < 60);
        let left = match deadlines {
            Deadlines::OneNear if number == 0 => near,
            Deadlines::AllNear if of_near => near,
            _ => far,
        };
        let ago = 3 * day + i64::try_from(draw(number, 21) % (30 * day) as u64).unwrap();
        let sealed = json!({
            "v": 1, "id": format!("{:016x}", draw(number, 22)), "tenant_id": "acme", "thread_id": ask.thread,
            "idempotency_key": format!("key-{number}"), "agent": ask.agent, "action": ask.tool,
            "summary": ask.summary, "risk": ask.risk, "labels": ask.labels, "payload": ask.arguments,
            "created_at": at(-ago).to_string(), "expires_at": at(left).to_string(),
        });
        writeln!(queue, "{sealed}").unwrap();
        writeln!(
            lines,
            "{:<6} {:<12} {:<10} {:<40} {}d",
            ask.risk,
            ask.tool,
            ask.agent,
            ask.summary,
            left / day
        )
        .unwrap();
    }
    queue.flush().unwrap();
    lines.flush().unwrap();
    files
}
