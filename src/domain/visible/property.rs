//! What a character is, by Unicode property. Knows of single characters only, never of what stands around them.

use icu_properties::props::{BidiClass, DefaultIgnorableCodePoint, GeneralCategory, Script, WhiteSpace};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_width::UnicodeWidthChar;

pub(super) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Whether the character draws nothing, or something that terminals and readers disagree about: controls, format and
/// default-ignorable characters (bidirectional controls and tags among them), separators other than the blank,
/// private-use and unassigned code points, and what takes no column without being a mark (half a Hangul syllable).
pub(super) fn is_hidden(c: char) -> bool {
    use GeneralCategory as Category;
    if matches!(c, ' '..='~') {
        return false;
    }
    match category(c) {
        Category::Control
        | Category::Format
        | Category::PrivateUse
        | Category::Unassigned
        | Category::Surrogate
        | Category::LineSeparator
        | Category::ParagraphSeparator
        | Category::SpaceSeparator => true,
        _ if is_ignorable(c) || is_empty_glyph(c) => true,
        Category::NonspacingMark | Category::EnclosingMark | Category::SpacingMark => false,
        _ => c.width().is_none_or(|columns| columns == 0),
    }
}

pub(super) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// What is assigned a glyph that is empty. Unicode has a name for each of these and no property.
fn is_empty_glyph(c: char) -> bool {
    matches!(
        c,
        '\u{2800}' // BRAILLE PATTERN BLANK
            | '\u{13441}' // EGYPTIAN HIEROGLYPH FULL BLANK
            | '\u{13442}' // EGYPTIAN HIEROGLYPH HALF BLANK
            | '\u{16fe4}' // KHITAN SMALL SCRIPT FILLER
            | '\u{1d159}' // MUSICAL SYMBOL NULL NOTEHEAD
    )
}

/// Whether the character takes room and draws nothing: white space, fillers (letters that may be ignored), empty glyphs.
pub(in crate::domain) fn is_blank(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' ' | '\t'..='\r');
    }
    CodePointSetData::new::<WhiteSpace>().contains(c)
        || is_empty_glyph(c)
        || is_ignorable(c) && category(c) == GeneralCategory::OtherLetter
}

/// Whether the character draws nothing and takes no room: what may stand among blanks unseen.
pub(super) fn is_nothing(c: char) -> bool {
    !c.is_ascii() && (is_ignorable(c) || category(c) == GeneralCategory::Format)
}

/// Whether the character ends a line somewhere (UAX #14: LF, VT, FF, CR, NEL, LS, PS).
pub(super) fn ends_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the character combines with the one before it.
pub(super) fn is_mark(c: char) -> bool {
    use GeneralCategory as Category;
    !c.is_ascii()
        && matches!(category(c), Category::NonspacingMark | Category::EnclosingMark | Category::SpacingMark)
}

/// Whether a terminal that orders by UAX #9 would run the character from right to left, or move it among those that do.
pub(super) fn is_right_to_left(c: char) -> bool {
    // Nothing before the Hebrew block is.
    c >= '\u{590}'
        && matches!(
            CodePointMapData::<BidiClass>::new().get(c),
            BidiClass::RightToLeft | BidiClass::ArabicLetter | BidiClass::ArabicNumber
        )
}

/// Whether the character is a digit, or counts as one where a terminal orders by UAX #9.
pub(super) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    category(c) == GeneralCategory::DecimalNumber
        || CodePointMapData::<BidiClass>::new().get(c) == BidiClass::EuropeanNumber
}

/// Whether the character has a direction of its own, from left to right.
pub(super) fn is_left_to_right(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    CodePointMapData::<BidiClass>::new().get(c) == BidiClass::LeftToRight
}

/// Whether the character is part of a word: letters, marks, digits, and what draws nothing between them.
pub(super) fn is_of_a_word(c: char) -> bool {
    use GeneralCategory as Category;
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    match category(c) {
        Category::UppercaseLetter
        | Category::LowercaseLetter
        | Category::TitlecaseLetter
        | Category::ModifierLetter
        | Category::OtherLetter
        | Category::NonspacingMark
        | Category::EnclosingMark
        | Category::SpacingMark
        | Category::DecimalNumber
        | Category::Format => true,
        _ => c.is_alphabetic() || is_ignorable(c),
    }
}

/// The script that the character belongs to, where it is but one.
pub(super) fn only_script(c: char) -> Option<Script> {
    if c.is_ascii() {
        return c.is_ascii_alphabetic().then_some(Script::Latin);
    }
    let script = CodePointMapData::<Script>::new().get(c);
    (script != Script::Common && script != Script::Inherited).then_some(script)
}

/// The ASCII character that a tag character hides.
pub(super) fn hidden_ascii(c: char) -> Option<char> {
    match c {
        '\u{e0020}'..='\u{e007e}' => char::from_u32(u32::from(c) - 0xe0000),
        _ => None,
    }
}
