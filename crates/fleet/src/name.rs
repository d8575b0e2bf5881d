//! Names of fleets, nodes and writers.

use std::fmt;
use std::str::FromStr;

/// Maximum length of a name, in bytes.
pub const LONGEST: usize = 64;

/// A name: 1 to 64 lower-case letters, digits, `-` and `_`, the first a letter or a digit. It also fits one part of a subject of
/// a message broker, and one file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// The text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has 1 to {LONGEST} lower-case letters, digits, `-` and `_`, and begins with a letter or a digit"
)]
pub struct NotAName;

impl Name {
    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let mut bytes = text.bytes();
        let begins = bytes.next().is_some_and(is_plain);
        let continues = bytes.all(|byte| is_plain(byte) || byte == b'-' || byte == b'_');
        if begins && continues && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_files_and_subjects() {
        for good in ["a", "0", "main", "eu-west_1", &"x".repeat(LONGEST)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            "_",
            "A",
            "a.b",
            "a b",
            "a/b",
            "a*",
            "\u{e4}",
            "a\n",
            &"x".repeat(LONGEST + 1),
        ] {
            assert_eq!(bad.parse::<Name>(), Err(NotAName), "{bad:?}");
        }
    }
}
