//! Sealed texts on disk instead of in memory: in files without a name, which only this process can read and which are gone
//! with it; and in the queue file itself, where the queue is one.
//!
//! What is read back is compared with its digest by whoever asks ([`Texts`]), so a file that changes meanwhile changes no
//! action.

use crate::domain::{Kept, Texts};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes after which another file is begun: the disk is free again once all that a file holds is settled.
const SEGMENT: u64 = 16 * 1024 * 1024;

/// Where texts are put one after the other.
#[derive(Debug, Default)]
pub(super) struct Spool {
    current: Option<(Arc<Segment>, u64)>,
    /// Told once: a disk that is full stays full for a while.
    failed: bool,
}

impl Spool {
    /// Puts a text on disk; `None` where that cannot be done, and then it has to stay in memory.
    pub(super) fn keep(&mut self, text: &str) -> Option<Kept> {
        let length = u32::try_from(text.len()).ok()?;
        match self.write(text) {
            Ok((segment, at)) => Some(Kept::There { texts: segment, at, length }),
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::warn!(%error, "no temporary file can be written: actions stay in memory");
                }
                None
            }
        }
    }

    fn write(&mut self, text: &str) -> io::Result<(Arc<Segment>, u64)> {
        if self.current.as_ref().is_none_or(|(_, end)| *end >= SEGMENT) {
            self.current = Some((Arc::new(Segment { file: tempfile::tempfile()? }), 0));
        }
        let Some((segment, end)) = &mut self.current else { return Err(io::ErrorKind::Other.into()) };
        segment.file.write_all_at(text.as_bytes(), *end)?;
        let at = *end;
        *end += text.len() as u64;
        Ok((Arc::clone(segment), at))
    }
}

/// A file in which texts stand.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
}

impl Segment {
    /// A file that is there already.
    pub(super) fn of(file: File) -> Self {
        Self { file }
    }
}

impl Texts for Segment {
    fn text(&self, at: u64, length: u32) -> Result<String, String> {
        let mut bytes = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
        self.file.read_exact_at(&mut bytes, at).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "it is no longer UTF-8".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_back_from_its_place_and_a_file_goes_with_its_last_text() {
        let mut spool = Spool::default();
        let texts: Vec<_> = (0..40).map(|n| format!("{n} é").repeat(200_000 + n)).collect();
        let kept: Vec<_> = texts.iter().map(|text| spool.keep(text).unwrap()).collect();
        let mut segments = Vec::new();
        for (kept, text) in kept.iter().zip(&texts) {
            let Kept::There { texts, at, length } = kept else { panic!("in memory") };
            assert_eq!(texts.text(*at, *length).as_deref(), Ok(text.as_str()));
            segments.push(Arc::downgrade(texts));
        }
        drop(kept);
        let alive = segments.iter().filter(|segment| segment.upgrade().is_some()).count();
        assert!(alive > 0 && alive < segments.len() / 2, "only the file that is written to is left: {alive}");
    }
}
