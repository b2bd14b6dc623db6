//! Numbers, kept as the decimal text they came in.

use std::fmt;
use std::str::FromStr;

/// A finite decimal number of any size and precision, as text such as `4`, `0.1` or `1e400`.
///
/// Terraform computes with 512-bit floats and compares by decimal text, so neither `f64` nor `i64` holds every number
/// it may send.
#[derive(Clone)]
pub struct Number(String);

/// The text is not a decimal number.
#[derive(Debug, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

/// The longest text that is read as a number. Terraform's 512-bit floats have fewer digits.
const MAX_BYTES: usize = 1024;

impl Number {
    /// The decimal text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as an `i64`, if it is a whole number in that range, however it is spelled.
    pub fn to_i64(&self) -> Option<i64> {
        let normal = Normal::of(&self.0)?;
        let zeros = usize::try_from(normal.exponent).ok().filter(|z| *z <= 18)?;
        let sign = if normal.negative { "-" } else { "" };
        format!("{sign}{}{}", normal.digits, "0".repeat(zeros)).parse().ok()
    }

    /// The number as text for a float read off the wire; `None` for infinities and NaN, which Terraform never sends.
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Number(format!("{value:e}")))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(value.to_string())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Number(value.to_string())
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        if text.len() > MAX_BYTES || Normal::of(text).is_none() {
            return Err(NotANumber);
        }
        Ok(Number(text.to_owned()))
    }
}

/// Equal in value, not in spelling: `1.0`, `1` and `10e-1` are one number.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || Normal::of(&self.0) == Normal::of(&other.0)
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Does not show the number, which may be part of somebody's state.
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(..)")
    }
}

/// The normal form of a number, which is the same for all its spellings: an integer without trailing zeros, times a
/// power of ten.
#[derive(PartialEq)]
struct Normal {
    negative: bool,
    /// No leading or trailing zeros; `0` for zero.
    digits: String,
    exponent: i64,
}

impl Normal {
    fn of(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?.into()),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Some(Normal {
                negative: false,
                digits: "0".to_owned(),
                exponent: 0,
            });
        }
        let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
        let shift = i64::try_from(trailing_zeros).ok()? - i64::try_from(fraction.len()).ok()?;
        Some(Normal {
            negative,
            digits: significant.to_owned(),
            exponent: exponent + shift,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn spelling_does_not_matter_for_equality() {
        for same in ["1", "1.0", "10e-1", "0.1E1", "+1", "01", "1.", "100e-2"] {
            assert_eq!(number(same), number("1"), "{same}");
        }
        assert_eq!(number("-0"), number("0.00"));
        assert_eq!(number("18446744073709551616"), number("1.8446744073709551616e19"));
    }

    #[test]
    fn different_numbers_are_different_to_the_last_digit() {
        assert_ne!(number("1"), number("-1"));
        assert_ne!(number("0.1"), number("0.10000000000000000001"));
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
    }

    #[test]
    fn whole_numbers_in_range_become_integers() {
        assert_eq!(number("4").to_i64(), Some(4));
        assert_eq!(number("4.0").to_i64(), Some(4));
        assert_eq!(number("4e2").to_i64(), Some(400));
        assert_eq!(number("0").to_i64(), Some(0));
        assert_eq!(number("-9223372036854775808").to_i64(), Some(i64::MIN));
        assert_eq!(number("9223372036854775808").to_i64(), None);
        assert_eq!(number("4.5").to_i64(), None);
        assert_eq!(number("1e2147483647").to_i64(), None);
    }

    #[test]
    fn a_float_is_written_in_its_shortest_form() {
        assert_eq!(Number::from_f64(0.1), Some(number("0.1")));
        assert_eq!(Number::from_f64(1e300), Some(number("1e300")));
        assert_eq!(Number::from_f64(f64::INFINITY), None);
        assert_eq!(Number::from_f64(f64::NAN), None);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "e1",
            "1e",
            "1e9999999999",
            "0x1",
            "1_0",
            "Inf",
            "NaN",
            "1 ",
            "--1",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text:?}");
        }
        assert!("9".repeat(MAX_BYTES + 1).parse::<Number>().is_err());
    }
}
