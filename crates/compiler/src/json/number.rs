//! Recognises numbers in their only plain spelling.

// Decimals of up to so many significant digits are kept apart by IEEE 754 doubles (C's DBL_DIG).
const DOUBLE_DIGITS: usize = 15;

/// Whether a JSON number is in shortest plain decimals: no exponent, no final zeros in a fraction, not `-0`.
///
/// Most servers read a fraction into a double, where `100.00000000000000000001` is 100: a fraction with more digits
/// than doubles keep apart is not the shortest text of its number. Integers are taken to be read exactly.
pub(super) fn is_plain(number: &str) -> bool {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    match unsigned.split_once('.') {
        None => is_integer(unsigned) && number != "-0",
        Some((integer, fraction)) => {
            is_integer(integer)
                && is_digits(fraction)
                && !fraction.ends_with('0')
                && integer.len().saturating_add(fraction.len()) <= DOUBLE_DIGITS
        }
    }
}

fn is_integer(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
