//! Texts for people and logs: escaping deceptive characters, shortening, times.

use std::borrow::Cow;
use std::ops::Deref;

use sha2::{Digest, Sha256};
use tokenward_compiler::is_hidden;

/// Escapes in JSON the characters that [`is_deceptive`] names.
pub fn escaped(json: &str) -> String {
    // Most texts need nothing, and this is found many bytes at a time.
    if json.bytes().all(|byte| byte < 0x7f) {
        return json.to_owned();
    }
    let mut line = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        if is_deceptive(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(character);
        }
    }
    line
}

/// Whether nobody sees the character, or it changes how others are shown, as bidirectional controls do. Controls of ASCII are left
/// out, except DEL: JSON escapes them itself.
pub fn is_deceptive(character: char) -> bool {
    character == '\u{7f}' || !character.is_ascii() && is_hidden(character)
}

/// The text with a capital letter at its start.
pub fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// Formats a time as RFC 3339 in UTC, to the millisecond.
pub fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// … and of other texts that the caller chooses.
pub const SHORT: usize = 512;

/// As [`shortened`], owned.
pub fn bounded(text: &str, limit: usize) -> String {
    shortened(text, limit).into_owned()
}

/// As [`bounded`], of a text that is not needed any more: a short one is not copied.
pub fn bounded_owned(text: String, limit: usize) -> String {
    match text.len() <= limit {
        true => text,
        false => bounded(&text, limit),
    }
}

/// Shortens a text to the length that the audit keeps, with the length and the SHA-256 of the whole.
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let end = (0..=limit)
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or_default();
    let kept = text.get(..end).unwrap_or_default();
    let whole = hex::encode(Sha256::digest(text));
    Cow::Owned(format!("{kept}…[{} bytes, sha-256 {whole}]", text.len()))
}

/// Writes the hexadecimal digits of the bytes, two for each, as far as there is room.
pub fn put_hex(bytes: &[u8], out: &mut [u8]) {
    let digit = |four: u8| {
        b"0123456789abcdef"
            .get(usize::from(four))
            .copied()
            .unwrap_or(b'0')
    };
    for (byte, digits) in bytes.iter().zip(out.as_chunks_mut::<2>().0) {
        *digits = [digit(byte >> 4), digit(byte & 15)];
    }
}

/// Number of digits of the largest number.
const DIGITS: usize = 20;

/// The decimal digits of a number. They take a fraction of what `write!` does.
pub struct Decimal {
    digits: [u8; DIGITS],
    unused: usize,
}

impl From<u64> for Decimal {
    fn from(mut number: u64) -> Self {
        let mut digits = [b'0'; DIGITS];
        let mut unused = DIGITS;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
            unused -= 1;
            if number == 0 {
                break;
            }
        }
        Self { digits, unused }
    }
}

impl Deref for Decimal {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.digits.get(self.unused..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_decimal_digits() {
        for number in [0, 1, 9, 10, 950, 1 << 32, u64::MAX - 1, u64::MAX] {
            assert_eq!(*Decimal::from(number), *number.to_string().as_bytes());
        }
    }

    #[test]
    fn digits_are_those_of_the_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut digits = vec![b'.'; 512];
        put_hex(&bytes, &mut digits);
        assert_eq!(digits, hex::encode(&bytes).into_bytes());
        let mut short = *b"....";
        put_hex(&[0xab, 0xcd, 0xef], &mut short);
        assert_eq!(&short, b"abcd");
    }

    #[test]
    fn long_texts_are_cut_and_still_told_apart() {
        assert_eq!(bounded("abc", 3), "abc");
        let one = bounded("aé and more", 2);
        assert!(one.starts_with("a…[12 bytes, sha-256 "), "{one}");
        assert_ne!(one, bounded("aé and less", 2));
    }
}
