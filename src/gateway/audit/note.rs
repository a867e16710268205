//! Checkpoints: the size and the root of the log as a signed note (C2SP signed-note and tlog-checkpoint, Ed25519), which
//! the tools of transparency logs read too. Signing, reading and checking; where notes are kept is not seen to here.

use super::head::Head;
use super::key::{PublicKey, SecretKey, hex, is_name};
use super::tree::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a signature line begins with.
const SIGNATURE: &str = "\u{2014} ";
/// What a checkpoint on one line begins with, for logs that have no other form.
const ONE_LINE: &str = "aegis-audit-checkpoint ";
/// The longest note that is read.
const LONGEST: usize = 16 * 1024;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of the key that its gateway signs with.
    pub origin: String,
    /// Over how many rows.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        (!origin.is_empty()).then(|| Self { origin: origin.to_owned(), size: number, root })
    }
}

/// The signed note over the log as it ends there.
pub fn sign(key: &SecretKey, head: &Head) -> String {
    let origin = key.public().name().to_owned();
    let text = Checkpoint { origin, size: head.size(), root: head.root() }.text();
    format!("{text}\n{SIGNATURE}{} {}\n", key.public().name(), STANDARD.encode(key.sign(&text)))
}

/// A note as it was read: nothing in it is to be believed before [`Note::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub checkpoint: Checkpoint,
    text: String,
    signatures: Vec<(String, [u8; 4], [u8; 64])>,
}

/// Why a note counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// None of the keys that are known signed it.
    #[error("it is signed by a key that is not known here, {0}")]
    UnknownKey(String),
    /// A known key's signature is not over this text.
    #[error("its signature does not hold")]
    Broken,
}

impl Note {
    /// Reads one note.
    pub fn parse(note: &str) -> Option<Self> {
        if note.len() > LONGEST {
            return None;
        }
        if let Some(fields) = note.strip_prefix(ONE_LINE) {
            return Self::parse_line(fields);
        }
        let (text, signatures) = note.split_once("\n\n")?;
        let text = format!("{text}\n");
        let signature = |line: &str| {
            let (name, bytes) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
            Self::signature(name, bytes)
        };
        let signatures = signatures.strip_suffix('\n')?.split('\n').map(signature);
        let signatures: Vec<_> = signatures.collect::<Option<_>>()?;
        Some(Self { checkpoint: Checkpoint::parse(&text)?, text, signatures })
    }

    fn signature(name: &str, bytes: &str) -> Option<(String, [u8; 4], [u8; 64])> {
        let bytes: [u8; 68] = STANDARD.decode(bytes).ok()?.try_into().ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        is_name(name).then_some((name.to_owned(), *id, signature.try_into().ok()?))
    }

    /// On one line, in plain ASCII, for logs that keep lines.
    pub fn line(note: &str) -> Option<String> {
        let read = Self::parse(note)?;
        let (name, id, signature) = read.signatures.first()?;
        let Checkpoint { origin, size, root } = &read.checkpoint;
        let bytes = STANDARD.encode([id.as_slice(), signature.as_slice()].concat());
        let root = STANDARD.encode(root);
        Some(format!("{ONE_LINE}origin={origin} size={size} root={root} key={name} sig={bytes}"))
    }

    fn parse_line(fields: &str) -> Option<Self> {
        let mut words = fields.split_ascii_whitespace();
        let mut next = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
        let (origin, size, root) = (next("origin")?, next("size")?, next("root")?);
        let (name, bytes) = (next("key")?, next("sig")?);
        let text = format!("{origin}\n{size}\n{root}\n");
        let checkpoint = Checkpoint::parse(&text)?;
        Some(Self { checkpoint, text, signatures: vec![Self::signature(name, bytes)?] })
    }

    /// Every note in a text: notes one after another, with or without blank lines between, or lines of a log that hold
    /// one each. What is neither is returned as `None`, in its place.
    pub fn all(text: &str) -> Vec<Option<Self>> {
        let mut notes = Vec::new();
        let mut pending = String::new();
        let end = |pending: &mut String, notes: &mut Vec<Option<Self>>| {
            if !pending.trim().is_empty() {
                notes.extend(Self::behind(pending));
            }
            pending.clear();
        };
        for line in text.split_inclusive('\n') {
            let is_signature = line.starts_with(SIGNATURE);
            let signed = pending.contains(&format!("\n{SIGNATURE}"));
            if let Some(at) = line.find(ONE_LINE) {
                end(&mut pending, &mut notes);
                notes.push(Self::parse(line[at..].trim_end()));
            } else if signed && !is_signature {
                end(&mut pending, &mut notes);
                pending.push_str(line.trim_start_matches('\n'));
            } else if !(pending.is_empty() && line == "\n") {
                pending.push_str(line);
            }
        }
        end(&mut pending, &mut notes);
        notes
    }

    /// A note, or one that stands behind another that was cut short.
    fn behind(text: &str) -> Vec<Option<Self>> {
        if let Some(note) = Self::parse(text) {
            return vec![Some(note)];
        }
        let whole = text.match_indices('\n').find_map(|(at, _)| Self::parse(&text[at + 1..]));
        std::iter::once(None).chain(whole.map(Some)).collect()
    }

    /// Whether one of the keys signed it, and which.
    ///
    /// # Errors
    /// [`Unsigned`], where none did.
    pub fn check<'k>(&self, keys: &'k [PublicKey]) -> Result<&'k PublicKey, Unsigned> {
        let mut known = false;
        for (name, id, signature) in &self.signatures {
            for key in keys.iter().filter(|key| key.name() == name && key.id() == *id) {
                known = true;
                // Whoever signs for a log signs under its name.
                if key.name() == self.checkpoint.origin && key.holds(&self.text, signature) {
                    return Ok(key);
                }
            }
        }
        match self.signatures.first() {
            Some((name, id, _)) if !known => Err(Unsigned::UnknownKey(format!("{name}+{}", hex(*id)))),
            _ => Err(Unsigned::Broken),
        }
    }
}

#[cfg(test)]
mod tests;
