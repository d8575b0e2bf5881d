//! Token secrets: made from the system's generator, recognisable by secret scanners, kept only as hashes.
//!
//! A secret has 42 characters: the prefix `twd_`, a body of 32 characters, and a checksum of 6. Body and checksum
//! consist of `[0-9a-z]`. Each character of the body is chosen independently and uniformly: 165 bits. The checksum is
//! the CRC-32 (ISO-HDLC, as in zlib) of prefix and body, modulo 36⁶, in base 36 with digits `0-9a-z`, most significant
//! first, padded with `0`. It keeps a scanner from reporting every word after `twd_`; it does not prove who made the
//! secret. As a regular expression: `twd_[0-9a-z]{38}`.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub mod strength;

/// Prefix of every secret.
pub const PREFIX: &str = tokenward_compiler::secret::PREFIX;
/// Characters between prefix and checksum.
const BODY: usize = 32;
/// Number of characters of the checksum.
const CHECKSUM: usize = 6;
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// The largest multiple of 36 that a byte can count to: bytes from here on would favour the first digits.
const EVEN: u8 = 252;

/// SHA-256 hash of a token's secret.
pub type SecretHash = [u8; 32];

/// A token's secret. It has no `Debug` or `Display`, so that no log or message can hold it by accident. Its memory is
/// overwritten when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Generates a new secret. `fill` fills bytes at random.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn generate<E>(fill: impl Fn(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        // With its final capacity, so that no part of it is left behind in memory when it grows.
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + BODY + CHECKSUM));
        text.push_str(PREFIX);
        while text.len() < PREFIX.len() + BODY {
            let left = PREFIX.len() + BODY - text.len();
            let mut bytes = Zeroizing::new([0; 64]);
            fill(bytes.as_mut_slice())?;
            let digits = bytes.iter().filter(|byte| **byte < EVEN).take(left);
            text.extend(digits.filter_map(|byte| digit(u32::from(*byte))));
        }
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self(text))
    }

    /// The secret itself, for the one place that shows it or sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash that a policy file holds: see [`hash_text`].
    #[must_use]
    pub fn hash_text(&self) -> String {
        hash_text(&self.0)
    }
}

/// The hash of a secret as a policy file holds it: `sha256:` and 64 hex digits.
#[must_use]
pub fn hash_text(secret: &str) -> String {
    format!("sha256:{}", hex::encode(hash(secret)))
}

/// The SHA-256 of the whole secret's bytes, prefix and checksum included.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Parses `sha256:` and 64 hexadecimal digits, the form in policies.
pub fn parse_hash(text: &str) -> Option<SecretHash> {
    let mut secret = [0; 32];
    hex::decode_to_slice(text.strip_prefix("sha256:")?, &mut secret).ok()?;
    Some(secret)
}

/// Formats a hash for [`parse_hash`].
pub fn shown_hash(secret: &SecretHash) -> String {
    format!("sha256:{}", hex::encode(secret))
}

/// Whether `text` is exactly a secret of ours: prefix, length, characters and checksum; live or not.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(PREFIX) else {
        return false;
    };
    rest.len() == BODY + CHECKSUM
        && rest.bytes().all(|byte| DIGITS.contains(&byte))
        && text
            .split_at_checked(PREFIX.len() + BODY)
            .is_some_and(|(signed, given)| checksum(signed) == given)
}

fn checksum(signed: &str) -> String {
    let sum = crc32fast::hash(signed.as_bytes());
    (0..CHECKSUM)
        .rev()
        .filter_map(|place| digit(sum / 36_u32.pow(u32::try_from(place).ok()?)))
        .collect()
}

/// The digit of `number` modulo 36.
fn digit(number: u32) -> Option<char> {
    DIGITS
        .get(usize::try_from(number % 36).ok()?)
        .map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_made_secret_is_well_formed_and_no_other_is() {
        let secret = Secret::generate(getrandom::fill).unwrap();
        let text = secret.expose();
        assert_eq!(text.len(), 42);
        assert!(is_well_formed(text), "{text}");
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(
                !is_well_formed(std::str::from_utf8(&bytes).unwrap()),
                "changed at {at}"
            );
        }
        assert!(!is_well_formed(text.get(..41).unwrap()));
        assert!(!is_well_formed(&format!("{text}0")));
        assert!(!is_well_formed(&text.to_uppercase()));
        assert!(!is_well_formed("twd_ä"));
    }

    /// The format is public: scanners elsewhere compute it too. The sum was computed with Python's `zlib.crc32`.
    #[test]
    fn checksum_is_the_documented_one() {
        assert_eq!(checksum("twd_abcdefghijklmnopqrstuvwxyz012345"), "z592xh");
        assert!(is_well_formed("twd_abcdefghijklmnopqrstuvwxyz012345z592xh"));
    }

    #[test]
    fn hash_covers_the_whole_text() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(hash("abc")), known);
        assert_eq!(
            Secret("abc".to_owned().into()).hash_text(),
            format!("sha256:{known}")
        );
    }

    #[test]
    fn every_digit_occurs_and_no_secret_twice() {
        let secrets: Vec<Secret> = (0..200)
            .map(|_| Secret::generate(getrandom::fill).unwrap())
            .collect();
        let distinct: BTreeSet<&str> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(distinct.len(), 200);
        let mut counts = [0_u32; 36];
        for byte in secrets
            .iter()
            .flat_map(|secret| secret.expose().bytes().skip(4).take(BODY))
        {
            counts[DIGITS.iter().position(|digit| *digit == byte).unwrap()] += 1;
        }
        // 6400 draws: 178 expected of each, standard deviation 13; seven of them leave no chance to a fair draw.
        assert!(
            counts.iter().all(|count| (87..=269).contains(count)),
            "{counts:?}"
        );
    }
}
