//! Numbers as decimal text of one spelling, because Terraform compares them so: `0.1` sent as a
//! 64-bit float equals `0.1` sent as text, and sent as a 32-bit float it does not.

use std::cmp::Ordering;

/// Beyond this an exponent is an attack on memory, not a number.
const MAX_EXPONENT: i64 = 4096;

/// The one spelling: no exponent, no superfluous zero, no plus, no minus before zero.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (digits, 0),
    };
    if exponent.abs() > MAX_EXPONENT {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + exponent;
    Some(spell(negative, &digits, point))
}

/// The spelling of a float that came in binary: the shortest text that reads back as it.
pub(crate) fn from_float(float: f64) -> Option<String> {
    if float.is_finite() {
        canonical(&float.to_string())
    } else {
        None
    }
}

/// How Terraform sends a number.
#[derive(Debug, PartialEq)]
pub(crate) enum Encoding {
    Int(i64),
    Float(f64),
    Text,
}

/// An integer where it fits, a float where it is exact and not whole, text otherwise: so 0.5 goes
/// as a float, and 0.1 and `u64::MAX` as text.
pub(crate) fn encoding(canonical_text: &str) -> Encoding {
    if let Ok(int) = canonical_text.parse() {
        return Encoding::Int(int);
    }
    let exact = |float: &f64| canonical(&format!("{float:.1100}")).as_deref() == Some(canonical_text);
    match canonical_text.parse() {
        Ok(float) if canonical_text.contains('.') && exact(&float) => Encoding::Float(float),
        _ => Encoding::Text,
    }
}

/// Compares two canonical texts as numbers.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    match (left.strip_prefix('-'), right.strip_prefix('-')) {
        (Some(left), Some(right)) => compare_magnitudes(right, left),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => compare_magnitudes(left, right),
    }
}

fn compare_magnitudes(left: &str, right: &str) -> Ordering {
    let (left_whole, left_fraction) = left.split_once('.').unwrap_or((left, ""));
    let (right_whole, right_fraction) = right.split_once('.').unwrap_or((right, ""));
    left_whole
        .len()
        .cmp(&right_whole.len())
        .then_with(|| left_whole.cmp(right_whole))
        .then_with(|| left_fraction.cmp(right_fraction))
}

/// `digits` with the decimal point before position `point`.
fn spell(negative: bool, digits: &str, point: i64) -> String {
    let mut whole = String::new();
    let mut fraction = String::new();
    if point < 0 {
        fraction.extend(std::iter::repeat_n('0', usize::try_from(-point).unwrap_or(0)));
    }
    for (position, digit) in (0_i64..).zip(digits.chars()) {
        if position < point {
            whole.push(digit);
        } else {
            fraction.push(digit);
        }
    }
    while i64::try_from(whole.len()).is_ok_and(|length| length < point) {
        whole.push('0');
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && !(whole == "0" && fraction.is_empty()) {
        "-"
    } else {
        ""
    };
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for (text, expected) in [
            ("007", "7"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("12.34e1", "123.4"),
            ("5e-3", "0.005"),
            ("-12e-1", "-1.2"),
            ("18446744073709551616", "18446744073709551616"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "-", ".", "1e", "1e99999", "abc", "1_000", "0x10"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_goes_out_as_int_float_or_text() {
        assert_eq!(encoding("7"), Encoding::Int(7));
        assert_eq!(encoding("0.5"), Encoding::Float(0.5));
        assert_eq!(encoding("0.1"), Encoding::Text);
        assert_eq!(encoding("18446744073709551615"), Encoding::Text);
    }

    #[test]
    fn numbers_are_ordered_by_size() {
        for (left, right) in [("-2", "-1.5"), ("-1", "0"), ("2", "10"), ("1.05", "1.5"), ("1", "1.1")] {
            assert_eq!(compare(left, right), Ordering::Less, "{left} {right}");
        }
    }
}
