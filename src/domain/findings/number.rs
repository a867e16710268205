//! Whether a double gives a JSON number back. Most programs read numbers as doubles: what they then act on is another
//! number than the one that was written.

/// Whether the number given, which must be a JSON number, is what comes out again: for an integer the very value of the
/// nearest double, for all else its shortest text. `1.10`, `1e2` and `9007199254740992` are; `9007199254740993`, `1e400`
/// and `0.1000000000000000055` are not.
pub fn is_exact(number: &str) -> bool {
    // Fifteen digits always fit, and nearly every number is as short as that.
    let is_of = |others: &[u8]| number.bytes().all(|byte| byte.is_ascii_digit() || others.contains(&byte));
    if number.len() <= 15 && is_of(b"-.") {
        return true;
    }
    let Ok(double) = number.parse::<f64>() else { return false };
    if !double.is_finite() {
        return false;
    }
    if is_of(b"-") {
        return format!("{double:.0}") == number;
    }
    decimal(number) == decimal(&format!("{double:e}"))
}

/// The digits without zeros at either end, and the power of ten of the last one. Zero has no digits.
fn decimal(number: &str) -> Option<(bool, String, i128)> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = i128::try_from(digits.len() - significant.len()).ok()?;
    let fraction = i128::try_from(fraction.len()).ok()?;
    // An exponent that is no i64 is beyond every double.
    let exponent = i128::from(exponent.parse::<i64>().ok()?);
    Some((sign, significant.to_owned(), exponent - fraction + zeros))
}
