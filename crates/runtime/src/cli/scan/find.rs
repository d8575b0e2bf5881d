//! Secrets in bytes: as they are, in UTF-16, and within base64, as HTTP Basic has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem::Finder;
use tokenward_pdp::secret::{self, PREFIX};

/// Length of a secret in characters.
const LENGTH: usize = 42;
/// Base64 digits of a secret and a user's name of at least one character, RFC 7617.
const SHORTEST: usize = (LENGTH + 2) * 4 / 3;
/// Base64 digits that are decoded of one run at most; credentials are short.
const LONGEST: usize = 1024;

/// A secret of Tokenward in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Offset in bytes of its start; in base64, of the start of the run of digits.
    pub(super) offset: usize,
    pub(super) form: Form,
    /// SHA-256 of the secret, as in policies. The secret itself is not kept.
    pub(super) hash: [u8; 32],
}

/// Encoding of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Plain,
    Utf16,
    Base64,
}

/// Finds all secrets with a correct checksum, in order. Cost: linear.
pub(super) fn secrets(bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    plain(bytes, &mut found);
    utf16(bytes, &mut found);
    base64(bytes, &mut found);
    found.sort();
    found
}

fn plain(bytes: &[u8], found: &mut Vec<Found>) {
    for offset in Finder::new(PREFIX).find_iter(bytes) {
        let text = bytes.get(offset..offset + LENGTH);
        if let Some(hash) = text.and_then(hash) {
            found.push(Found {
                offset,
                form: Form::Plain,
                hash,
            });
        }
    }
}

/// Searches UTF-16 of either byte order, which PowerShell's `>` writes: letters with a zero byte between them.
fn utf16(bytes: &[u8], found: &mut Vec<Found>) {
    let between = |text: &[u8]| text.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    let letters = |text: &[u8]| text.iter().step_by(2).copied().collect::<Vec<u8>>();
    let mut wide: Vec<u8> = PREFIX.bytes().flat_map(|byte| [byte, 0]).collect();
    wide.pop();
    for offset in Finder::new(&wide).find_iter(bytes) {
        let text = bytes
            .get(offset..offset + 2 * LENGTH - 1)
            .filter(|text| between(text));
        if let Some(hash) = text.map(letters).as_deref().and_then(hash) {
            found.push(Found {
                offset,
                form: Form::Utf16,
                hash,
            });
        }
    }
}

/// `Authorization: Basic …` and what else is base64 of a text from its begin.
fn base64(bytes: &[u8], found: &mut Vec<Found>) {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().take_while(|byte| is_digit(byte)).count();
        if length >= SHORTEST {
            let digits = rest.get(..length.min(LONGEST)).unwrap_or_default();
            // A single last digit does not encode a byte.
            let whole = digits
                .get(..digits.len() - usize::from(digits.len() % 4 == 1))
                .unwrap_or_default();
            let mut inner = Vec::new();
            plain(&lenient(whole), &mut inner);
            found.extend(inner.into_iter().map(|inner| Found {
                offset: at,
                form: Form::Base64,
                ..inner
            }));
        }
        at += length.max(1);
    }
}

/// Decodes base64 whose last digit may have unused bits, for example because it was cut.
fn lenient(digits: &[u8]) -> Vec<u8> {
    let whole = digits.get(..digits.len() / 4 * 4).unwrap_or_default();
    STANDARD_NO_PAD
        .decode(digits)
        .or_else(|_| STANDARD_NO_PAD.decode(whole))
        .unwrap_or_default()
}

fn hash(text: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(text).ok()?;
    secret::is_well_formed(text).then(|| secret::hash(text))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn forms(bytes: &[u8]) -> Vec<(usize, Form)> {
        secrets(bytes)
            .iter()
            .map(|found| (found.offset, found.form))
            .collect()
    }

    #[test]
    fn every_form_is_found() {
        let made = crate::new_secret::generate().unwrap();
        let secret = made.expose();
        assert_eq!(
            forms(format!("a={secret};{secret}x").as_bytes()),
            [(2, Form::Plain), (45, Form::Plain)]
        );
        let wide: Vec<u8> = format!("\u{feff}é {secret}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(forms(&wide), [(6, Form::Utf16)]);
        let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(forms(&wide), [(1, Form::Utf16)]);
        for user in ["u", "us", "svc-ci", "a.very.long.name@example.com"] {
            let header = format!(
                "Authorization: Basic {}\n",
                STANDARD.encode(format!("{user}:{secret}"))
            );
            assert_eq!(forms(header.as_bytes()), [(21, Form::Base64)], "{user}");
        }
        assert!(secrets(secret.as_bytes())[0].hash == secret::hash(secret));
    }

    #[test]
    fn what_is_no_secret_is_not_found() {
        let made = crate::new_secret::generate().unwrap();
        let secret = made.expose();
        let wrong = format!("twd_{}", "0".repeat(38));
        for text in [
            "",
            "twd_",
            &wrong,
            secret.get(..41).unwrap(),
            &secret.to_uppercase(),
            &"QUJD".repeat(2000),
        ] {
            assert_eq!(forms(text.as_bytes()), [], "{text}");
        }
        assert_eq!(forms(&[0xff; 100_000]), []);
    }
}
