//! Which positions of a stream have been on screen, as ranges: sorted, apart, never touching.

use std::ops::Range;

/// Positions that a reader has had on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    ranges: Vec<Range<u32>>,
}

impl Coverage {
    /// Takes in that these positions have been on the screen; `true` where that is news.
    pub fn add(&mut self, range: Range<u32>) -> bool {
        if range.is_empty() {
            return false;
        }
        // Those that it touches become one with it.
        let first = self.ranges.partition_point(|seen| seen.end < range.start);
        let last = self.ranges.partition_point(|seen| seen.start <= range.end);
        let news = !self.contains(&range);
        let touched = &self.ranges[first..last];
        let start = touched.first().map_or(range.start, |seen| seen.start.min(range.start));
        let end = touched.last().map_or(range.end, |seen| seen.end.max(range.end));
        self.ranges.splice(first..last, std::iter::once(start..end));
        news
    }

    /// Whether all of these positions have been on the screen.
    pub fn contains(&self, range: &Range<u32>) -> bool {
        let seen = self.ranges.get(self.ranges.partition_point(|seen| seen.end < range.end));
        range.is_empty() || seen.is_some_and(|seen| seen.start <= range.start)
    }

    /// The positions before `end` that have not been on the screen, in order.
    pub fn gaps(&self, end: u32) -> impl Iterator<Item = Range<u32>> + '_ {
        let starts = std::iter::once(0).chain(self.ranges.iter().map(|seen| seen.end));
        let ends = self.ranges.iter().map(|seen| seen.start).chain(std::iter::once(end));
        starts.zip(ends).map(move |(start, stop)| start..stop.min(end)).filter(|gap| !gap.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_that_touch_become_one() {
        let mut seen = Coverage::default();
        assert!(seen.add(10..20) && seen.add(30..40) && seen.add(20..30));
        assert!(seen.ranges.iter().cloned().eq(std::iter::once(10..40)));
        assert!(!seen.add(15..35));
        assert_eq!(seen.gaps(50).collect::<Vec<_>>(), [0..10, 40..50]);
        assert!(seen.gaps(12).eq(std::iter::once(0..10)));
    }

    proptest! {
        #[test]
        fn it_knows_what_a_table_of_positions_knows(added in proptest::collection::vec((0u32..60, 0u32..12), 0..40)) {
            let (mut seen, mut table) = (Coverage::default(), [false; 64]);
            for (start, length) in added {
                let range = start..(start + length).min(64);
                let cells = &mut table[range.start as usize..range.end as usize];
                let news = cells.contains(&false);
                cells.fill(true);
                prop_assert_eq!(seen.add(range), news);
            }
            prop_assert!(seen.ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
            let unseen: Vec<u32> = seen.gaps(64).flatten().collect();
            let expected: Vec<u32> = (0u32..64).filter(|at| !table[*at as usize]).collect();
            prop_assert_eq!(unseen, expected);
        }
    }
}
