//! Numbers compared as the decimal texts that they are: exactly, whatever their size. `9007199254740993` is more than
//! `9007199254740992`, `1.10` is `1.1`, `1e400` is less than `1e401`. Nothing here rounds, or grows with an exponent.

use std::cmp::Ordering;

/// An exponent beyond this counts as this. What a rule may compare with ([`Decimal::of_rule`]) is far below it, so the
/// order is the exact one.
const FARTHEST: i64 = 1_000_000_000_000_000_000;
/// The digits and the exponent that a number in a rule may have.
const RULE: (usize, i64) = (100, 10_000);

/// A decimal number: 0.DIGITS × 10^`top`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    top: i64,
}

impl Decimal {
    /// Reads a JSON number.
    pub(super) fn of(number: &str) -> Option<Self> {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (negative, mantissa) = signed(mantissa);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let zeros = all.len() - significant.len();
        let digits = significant.trim_end_matches('0').to_owned();
        let (less, power) = signed(exponent);
        if power.is_empty() || !is_digits(power) {
            return None;
        }
        let power = power.trim_start_matches('0');
        // Eighteen digits always fit.
        let power = if power.len() > 18 { FARTHEST } else { format!("0{power}").parse().ok()? };
        let shift = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        let top = if less { -power } else { power } + shift;
        let is_zero = digits.is_empty();
        Some(Self { negative: negative && !is_zero, digits, top: if is_zero { 0 } else { top } })
    }

    /// Reads a number of a rule, which has a limit to it.
    pub(super) fn of_rule(number: &str) -> Option<Self> {
        let (digits, exponent) = RULE;
        Self::of(number).filter(|read| read.digits.len() <= digits && read.top.abs() <= exponent)
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        // Digits without zeros at the end stand in the order of their text.
        let size = || (self.top, &self.digits).cmp(&(other.top, &other.digits));
        sign(self).cmp(&sign(other)).then_with(|| if self.negative { size().reverse() } else { size() })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        Decimal::of(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn each_is_less_than_the_next() {
        let huge = format!("1e{}", "9".repeat(1_000));
        let tiny = format!("1e-{}", "9".repeat(1_000));
        let rising = [
            &format!("-{huge}"),
            "-1e401",
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-1.1",
            "-1.09",
            "-0.0001",
            "0",
            &tiny,
            "1e-400",
            "0.0001",
            "0.00011",
            "0.1",
            "1",
            "1.0000000000000000001",
            "9",
            "10",
            "11",
            "9007199254740992",
            "9007199254740992.5",
            "9007199254740993",
            "1e399",
            "9.99e399",
            "1e400",
            &huge,
        ];
        for (at, one) in rising.iter().enumerate() {
            for (other_at, other) in rising.iter().enumerate() {
                assert_eq!(number(one).cmp(&number(other)), at.cmp(&other_at), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_the_same_number_is_equal() {
        for (a, b) in [
            ("1.10", "1.1"),
            ("1e2", "100"),
            ("1E+2", "100.000"),
            ("0.001e3", "1"),
            ("-0", "0"),
            ("0e999999999999999999999", "0"),
            ("-0.0e-5", "0"),
            ("120e-1", "12"),
            ("1e0000000000000000000000000000002", "100"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn a_rules_number_has_a_limit_and_what_is_no_number_is_none() {
        for text in ["", "-", "1e", "e5", ".5", "1x", "0x10", "inf", "nan", "1e+", "1.2.3"] {
            assert_eq!(Decimal::of(text), None, "{text}");
        }
        assert!(Decimal::of_rule("1e9999").is_some() && Decimal::of_rule(&"9".repeat(100)).is_some());
        for text in ["1e10001".to_owned(), "1e-10002".into(), "9".repeat(101)] {
            assert_eq!(Decimal::of_rule(&text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_in_the_order_of_integers(a in any::<i128>(), b in any::<i128>()) {
            prop_assert_eq!(number(&a.to_string()).cmp(&number(&b.to_string())), a.cmp(&b));
        }

        #[test]
        fn moving_the_point_is_a_power_of_ten(digits in "[1-9][0-9]{0,30}", places in 0..40_usize) {
            let zeros = "0".repeat(places);
            prop_assert_eq!(number(&format!("{digits}e{places}")), number(&format!("{digits}{zeros}")));
            prop_assert_eq!(number(&format!("{digits}{zeros}e-{places}")), number(&digits));
            prop_assert_eq!(number(&format!("0.{zeros}{digits}e{places}")), number(&format!("0.{digits}")));
        }
    }
}
