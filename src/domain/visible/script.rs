//! Letters of another script inside a word: `pаypal` with a Cyrillic `а`. By the augmented script sets of UTS #39,
//! section 5.1. Says which letters are odd ones out; knows nothing of words that look alike.

use super::property::{is_of_a_word, only_script};
use icu_properties::props::Script;
use std::ops::Range;
use unicode_security::mixed_script::AugmentedScriptSet;

/// Where in the text letters stand that are not of their word's script, one range for each letter, in order.
pub(super) fn odd_letters(text: &str) -> Vec<Range<usize>> {
    let mut odd = Vec::new();
    let mut word: Option<Word> = None;
    for (at, c) in text.char_indices() {
        if is_of_a_word(c) {
            word.get_or_insert(Word { start: at, script: None, is_one: true }).add(c);
        } else if let Some(word) = word.take().filter(|word| !word.is_one) {
            odd_in(text, word.start..at, &mut odd);
        }
    }
    if let Some(word) = word.filter(|word| !word.is_one) {
        odd_in(text, word.start..text.len(), &mut odd);
    }
    odd
}

/// A word that is being read. Most are of one script, which is quickly seen.
struct Word {
    start: usize,
    script: Option<Script>,
    is_one: bool,
}

impl Word {
    fn add(&mut self, c: char) {
        let script = only_script(c);
        // What several scripts share may still not be shared by this word's.
        self.is_one &= match (self.script, script) {
            (_, None) => c.is_ascii(),
            (None, Some(_)) => true,
            (Some(word), Some(script)) => word == script,
        };
        self.script = self.script.or(script);
    }
}

fn odd_in(text: &str, word: Range<usize>, odd: &mut Vec<Range<usize>>) {
    let start = word.start;
    let letters = || {
        text[word.clone()].char_indices().filter_map(move |(at, c)| {
            let scripts = AugmentedScriptSet::for_char(c);
            (!scripts.is_all()).then_some((start + at, c, scripts))
        })
    };
    let latin = AugmentedScriptSet::for_char('a');
    // Latin stands beside Han, Kana, Hangul and Bopomofo in ordinary words (UTS #39, section 5.2, Highly Restrictive).
    let is_usual = |scripts: AugmentedScriptSet| {
        scripts.hanb || scripts.jpan || scripts.kore || !common(scripts, latin).is_empty()
    };
    let Some((_, _, first)) = letters().next() else { return };
    let is_latin = is_usual(first) || letters().any(|(_, c, _)| c.is_ascii_alphabetic());
    let mut main = first;
    for (at, c, scripts) in letters() {
        let shared = common(main, scripts);
        let fits = if is_latin { is_usual(scripts) } else { !shared.is_empty() };
        match fits {
            true if is_latin => {}
            true => main = shared,
            false => odd.push(at..at + c.len_utf8()),
        }
    }
}

fn common(mut a: AugmentedScriptSet, b: AugmentedScriptSet) -> AugmentedScriptSet {
    a.intersect_with(b);
    a
}
