//! Finds the prefix of Tokenward's secrets in a text: in any case, through escapes, within Base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use memchr::memmem::Finder;

use super::escape::unit;
use super::work;

/// Number of secret characters after the prefix that make a text a secret, as opposed to a text about secrets.
const SECRET_CHARACTERS: usize = 32;

/// Decodes Base64 that was cut out of a longer text.
const CUT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// Finds the prefix of Tokenward's secrets.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    text: String,
    encoded: Vec<Encoded>,
}

/// The Base64 characters that the prefix determines by itself, for one of its positions in a group of three bytes.
#[derive(Clone, Debug)]
struct Encoded {
    /// Number of bytes of the group before the prefix.
    before: usize,
    /// Number of characters of the group that those bytes contribute to.
    shared: usize,
    finder: Finder<'static>,
}

/// Encodes `bytes` as they appear within Base64, regardless of the bytes around them. There is one text for each of the
/// three positions in a group. Each comes with the number of bytes before `bytes` in the group, and the number of
/// characters that those contribute to.
pub(super) fn within_base64(bytes: &[u8]) -> impl Iterator<Item = (usize, usize, String)> {
    [(0, 0), (1, 2), (2, 3)].into_iter().map(move |(before, shared)| {
        let mut group = vec![0; before];
        group.extend_from_slice(bytes);
        let own = group.len() * 8 / 6;
        let text = STANDARD.encode(&group);
        (
            before,
            shared,
            text.get(shared..own).unwrap_or_default().to_owned(),
        )
    })
}

impl Prefix {
    /// Creates the finder. `text` must be ASCII and not empty.
    pub(super) fn new(text: &str) -> Self {
        let encoded = within_base64(text.as_bytes()).map(|(before, shared, text)| Encoded {
            before,
            shared,
            finder: Finder::new(text.as_bytes()).into_owned(),
        });
        Self {
            text: text.to_owned(),
            encoded: encoded.collect(),
        }
    }

    /// Finds the position from which the text must not be shown: that of the prefix, or 0 if the text contains a whole
    /// secret as Base64.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        if self.is_in_base64(text) {
            return Some(0);
        }
        self.places(text).next().map(|(begin, _)| begin)
    }

    /// Whether the text contains a whole secret of Tokenward's.
    pub(super) fn bears_whole(&self, text: &[u8]) -> bool {
        // This is the length of a plain secret; Base64 and escapes are longer.
        text.len() >= self.text.len() + SECRET_CHARACTERS
            && (self.places(text).any(|(_, end)| is_whole(text, end)) || self.is_in_base64(text))
    }

    /// Returns the first whole secret of Tokenward's in a text, decoded: the prefix, and as many characters as make it
    /// one. In Base64, only those after the prefix are found by their text.
    pub(super) fn whole(&self, text: &[u8]) -> Option<Vec<u8>> {
        let plain = self
            .places(text)
            .find_map(|(_, end)| secret_characters(text, end));
        let body = plain.or_else(|| {
            let mut places = self.encoded.iter().flat_map(|encoded| {
                let found = encoded.finder.find_iter(text);
                let whole = found.filter(|at| self.decodes(encoded, text, *at));
                whole.filter_map(|at| self.decoded(encoded, text, at))
            });
            places.next()
        })?;
        Some([self.text.as_bytes(), &body].concat())
    }

    /// Finds the beginning and the end of each prefix.
    fn places<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (usize, usize)> + 't {
        let first = self.text.bytes().next().unwrap_or_default();
        let second = self.text.as_bytes().get(1).copied().unwrap_or_default();
        // Most places end at the second byte already.
        let goes_on = move |at: &usize| {
            text.get(*at) == Some(&b'%')
                || text
                    .get(at + 1)
                    .is_some_and(|next| *next == b'%' || next.eq_ignore_ascii_case(&second))
        };
        memchr::memchr3_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), b'%', text)
            .filter(goes_on)
            .filter_map(|at| Some((at, self.ends(text, at)?)))
    }

    /// Finds the end of a prefix that begins at `begin`. A `%` within it is skipped, since it may be the reason why a
    /// target cannot be read.
    fn ends(&self, text: &[u8], begin: usize) -> Option<usize> {
        work::done(1);
        let mut at = begin;
        for wanted in self.text.bytes() {
            loop {
                let (byte, next) = unit(text, at)?;
                let odd = byte == b'%' && at > begin;
                at = next;
                if byte.eq_ignore_ascii_case(&wanted) {
                    break;
                }
                if !odd {
                    return None;
                }
            }
        }
        Some(at)
    }

    fn is_in_base64(&self, text: &[u8]) -> bool {
        self.encoded.iter().any(|encoded| {
            encoded
                .finder
                .find_iter(text)
                .any(|at| self.decodes(encoded, text, at))
        })
    }

    /// Whether the Base64 text that contains `encoded` at `at` is that of a whole secret. Stops at the first byte that
    /// cannot belong to one. A further prefix has such a byte, so that a text of many prefixes is not decoded for each.
    fn decodes(&self, encoded: &Encoded, text: &[u8], at: usize) -> bool {
        // Bytes before the secret's characters, the group's among them. Their bits that the text does not have are
        // zero.
        let mut skipped = encoded.before + self.text.len();
        let mut found = 0;
        let mut bits = 0_u32;
        let mut length = encoded.shared * 6;
        while length >= 8 {
            length -= 8;
            skipped -= 1;
        }
        for character in text.get(at..).unwrap_or_default() {
            work::done(1);
            let Some(six) = sextet(*character) else {
                return false;
            };
            bits = bits << 6 | six;
            length += 6;
            if length < 8 {
                continue;
            }
            length -= 8;
            let byte = u8::try_from(bits >> length & 0xff).unwrap_or_default();
            if skipped > 0 {
                skipped -= 1;
            } else if !byte.is_ascii_alphanumeric() {
                return false;
            } else {
                found += 1;
                if found == SECRET_CHARACTERS {
                    return true;
                }
            }
        }
        false
    }

    /// Returns the characters after the prefix of a whole secret: `encoded` is at `at` in its Base64 text.
    fn decoded(&self, encoded: &Encoded, text: &[u8], at: usize) -> Option<Vec<u8>> {
        let bytes = encoded.before + self.text.len() + SECRET_CHARACTERS;
        let characters = (bytes * 8).div_ceil(6);
        // Characters before it in the group are not part of the secret, so any will do.
        let mut group = vec![b'A'; encoded.shared];
        let rest = text.get(at..).unwrap_or_default();
        group.extend(rest.iter().take(characters - encoded.shared));
        let decoded = CUT.decode(&group).ok()?;
        let behind = decoded.get(encoded.before + self.text.len()..)?;
        // The bits that its first character shares are not part of it either.
        secret_characters(behind, 0).filter(|_| decoded.len() >= bytes)
    }
}

/// Returns the six bits of a Base64 character.
pub(super) fn sextet(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

fn is_whole(text: &[u8], at: usize) -> bool {
    units(text, at).take(SECRET_CHARACTERS).count() == SECRET_CHARACTERS
}

/// Returns the characters of a secret from `at` on, decoded; `None` if there are too few.
fn secret_characters(text: &[u8], at: usize) -> Option<Vec<u8>> {
    is_whole(text, at).then(|| units(text, at).take(SECRET_CHARACTERS).collect())
}

/// Lists letters and digits from `at` on, decoded, up to the first other character.
fn units(text: &[u8], at: usize) -> impl Iterator<Item = u8> {
    let mut at = at;
    std::iter::from_fn(move || {
        let (byte, next) = unit(text, at)?;
        at = next;
        byte.is_ascii_alphanumeric().then_some(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "twd_0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn the_prefix_is_found_through_escapes_and_case() {
        let prefix = Prefix::new("twd_");
        for (text, begin) in [
            ("a twd_", Some(2)),
            ("TWD%5fx", Some(0)),
            ("x%2574%2577d_abc", Some(1)),
            ("a%tw%d%_0", Some(2)),
            ("100%twd_", Some(4)),
            ("tw/d_", None),
            ("twd", None),
            ("", None),
        ] {
            assert_eq!(prefix.find(text.as_bytes()), begin, "{text}");
            assert!(!prefix.bears_whole(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn whole_secrets_are_told_from_talk_about_them() {
        let prefix = Prefix::new("twd_");
        for text in [
            format!("x twd_ {SECRET}"),
            SECRET.to_uppercase(),
            SECRET.replace('d', "%64").replace('0', "%2530"),
        ] {
            assert!(prefix.bears_whole(text.as_bytes()), "{text}");
        }
        let cut = SECRET.get(..35).unwrap();
        for text in [cut, "twd_0123456789abcdef ghijklmnopqrstuv", "twd_"] {
            assert!(!prefix.bears_whole(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_whole_secret_is_returned_decoded() {
        let prefix = Prefix::new("twd_");
        let escaped = SECRET.replace('_', "%5f").replace('b', "%62");
        let encoded = STANDARD.encode(format!("u:{SECRET}99"));
        for text in [SECRET, &format!("a=1; t={SECRET}xyz"), &escaped, &encoded] {
            assert_eq!(
                prefix.whole(text.as_bytes()).as_deref(),
                Some(SECRET.as_bytes()),
                "{text}"
            );
        }
        assert_eq!(prefix.whole(b"twd_0123456789"), None);
    }

    #[test]
    fn whole_secrets_are_found_within_base64() {
        let prefix = Prefix::new("twd_");
        for user in ["", "u:", "us:", "use:", "user:"] {
            let text = STANDARD.encode(format!("{user}{SECRET}"));
            let text = text.trim_end_matches('=');
            assert!(prefix.bears_whole(text.as_bytes()), "{user}");
            assert_eq!(prefix.find(format!("a={text}").as_bytes()), Some(0), "{user}");
            let short = STANDARD.encode(format!("{user}{}", SECRET.get(..35).unwrap()));
            assert!(
                !prefix.bears_whole(short.trim_end_matches('=').as_bytes()),
                "{user}"
            );
        }
        assert_eq!(prefix.find(b"dHdkX dHdkX"), None);
    }
}
