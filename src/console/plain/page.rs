//! Lines that fit the width. The console's own words begin at the left edge; whatever somebody else wrote never does:
//! it stands behind a label, and where a line is broken the rest of it is indented. So nothing that is quoted can be
//! taken for a line of the console's.

use crate::console::theme::Role;
use crate::console::widgets::RoleLine;

/// Columns by which the rest of a broken line is indented.
const HANGING: usize = 4;
/// Columns that the number of a line takes at least.
const NUMBER: usize = 4;

/// Lines to be printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// Columns that a line may take.
    columns: usize,
    lines: Vec<String>,
}

impl Page {
    /// An empty page for a terminal of so many columns.
    pub(super) fn new(columns: u16) -> Self {
        let mut page = Self::default();
        page.resize(columns);
        page
    }

    /// From here on lines may take so many columns. The last one stays free: terminals that count a character as wider
    /// than we do must not break the line themselves.
    pub(super) fn resize(&mut self, columns: u16) {
        self.columns = usize::from(columns).saturating_sub(1).max(NUMBER * 4);
    }

    /// The console's own words.
    pub(super) fn own(&mut self, words: impl Into<String>) {
        let lines = RoleLine::of(Role::Text, words).wrap_words(self.columns, HANGING);
        self.lines.extend(lines.iter().map(RoleLine::text));
    }

    /// The console's own words that quote somebody; they begin with the console's. Blanks at a break are not printed,
    /// where they would not be seen either.
    pub(super) fn quoting(&mut self, line: &RoleLine) {
        self.lines.extend(line.wrap_words(self.columns, HANGING).iter().map(RoleLine::text));
    }

    /// A line of what somebody else wrote, with its number in front.
    pub(super) fn foreign(&mut self, number: usize, line: &RoleLine) {
        self.lines.push(format!("{number:NUMBER$}| {}", line.text()));
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The lines.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
