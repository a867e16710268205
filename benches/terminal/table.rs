//! The lines that are printed, as a Markdown table, and what becomes of many measured values: middle, upper end, ratio.

use std::time::Duration;

/// What is to be reached: a value, or where the bare list gives one, a multiple of its.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Goal {
    /// No more than this.
    pub(crate) value: Option<f64>,
    /// Or no more than this many times the bare list's.
    pub(crate) times: Option<f64>,
}

impl Goal {
    /// Nothing is asked for.
    pub(crate) const NONE: Self = Self { value: None, times: None };

    /// A value only.
    pub(crate) const fn value(value: f64) -> Self {
        Self { value: Some(value), times: None }
    }

    /// A value or a multiple.
    pub(crate) const fn or(value: f64, times: f64) -> Self {
        Self { value: Some(value), times: Some(times) }
    }
}

/// Prints line by line, as the values come.
pub(crate) struct Table {
    part: &'static str,
}

impl Table {
    pub(crate) const HEAD: &str =
        "| part | figure | console | bare list | ratio | to reach | |\n|---|---|---:|---:|---:|---:|---|";

    /// Of one part.
    pub(crate) fn new(part: &'static str) -> Self {
        Self { part }
    }

    /// One line; `unit` stands behind the values.
    pub(crate) fn line(
        &mut self,
        figure: &str,
        unit: &str,
        ours: Option<f64>,
        bare: Option<f64>,
        goal: Goal,
    ) {
        let shown = |value: Option<f64>| {
            value.map_or("–".into(), |value| format!("{} {unit}", number(value)).trim().to_owned())
        };
        let ratio = ours.zip(bare).filter(|(_, bare)| *bare > 0.0).map(|(ours, bare)| ours / bare);
        let asked = [
            goal.value.map(|value| format!("{} {unit}", number(value)).trim().to_owned()),
            goal.times.map(|times| format!("{times} ×")),
        ];
        let asked = asked.into_iter().flatten().collect::<Vec<_>>().join(" or ");
        let met = |ours: f64| {
            goal.value.is_some_and(|value| ours <= value)
                || goal.times.zip(ratio).is_some_and(|(times, ratio)| ratio <= times)
        };
        let verdict = match ours {
            Some(ours) if !asked.is_empty() => {
                if met(ours) {
                    "yes"
                } else {
                    "**no**"
                }
            }
            _ => "",
        };
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        println!(
            "| {} | {figure} | {} | {} | {ratio} | {asked} | {verdict} |",
            self.part,
            shown(ours),
            shown(bare)
        );
    }
}

fn number(value: f64) -> String {
    match value {
        _ if value == value.trunc() && value.abs() < 1e9 => format!("{value}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Many values of one thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(Vec<f64>);

impl Values {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn all(&self) -> &[f64] {
        &self.0
    }

    /// The value that so many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(((sorted.len() * percent).div_ceil(100)).saturating_sub(1)).copied()
    }

    pub(crate) fn median(&self) -> Option<f64> {
        self.percentile(50)
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.percentile(100)
    }
}

impl FromIterator<f64> for Values {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}
