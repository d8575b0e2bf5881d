//! Texts of a fleet: a title, then one field a line, in one order. Each has one form of bytes.

use std::str;

/// The largest number in a text: what every reader of JSON can hold too.
pub(crate) const LARGEST: u64 = (1 << 53) - 1;

/// Reason why bytes are not the text that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There are more bytes than such a text can have.
    #[error("it has {found} bytes, more than the {most} that are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// The first line is another.
    #[error("its first line is not `{0}`")]
    Title(&'static str),
    /// A field is missing, in another place, or another stands there.
    #[error("line {line} is not `{field} ...`; the fields have one order, and each is there once")]
    Field {
        /// Number of the line, from 1.
        line: usize,
        /// The field that belongs there.
        field: &'static str,
    },
    /// A field has a wrong value.
    #[error("`{field}` is not {wanted}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// Bytes follow the last field.
    #[error("bytes follow line {0}, which is the last")]
    Trailing(usize),
    /// The values contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
}

/// Reads a text line by line.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Reader<'a> {
    /// Begins a text with this title, of at most so many bytes.
    pub(crate) fn new(bytes: &'a [u8], title: &'static str, most: usize) -> Result<Self, Malformed> {
        if bytes.len() > most {
            return Err(Malformed::TooLong {
                found: bytes.len(),
                most,
            });
        }
        let mut reader = Self { rest: bytes, line: 0 };
        match reader.next_line() {
            Some(first) if first == title.as_bytes() => Ok(reader),
            _ => Err(Malformed::Title(title)),
        }
    }

    /// Reads the value of the next line, which has this field.
    pub(crate) fn field(&mut self, field: &'static str) -> Result<&'a str, Malformed> {
        let wrong = Malformed::Field {
            line: self.line + 1,
            field,
        };
        let line = self.next_line().ok_or(wrong)?;
        let value = line
            .strip_prefix(field.as_bytes())
            .and_then(|rest| rest.strip_prefix(b" "));
        value.and_then(|value| str::from_utf8(value).ok()).ok_or(wrong)
    }

    /// Reads a number: decimal digits, without a zero before them.
    pub(crate) fn number(&mut self, field: &'static str) -> Result<u64, Malformed> {
        let text = self.field(field)?;
        let is_plain = text == "0" || !text.starts_with('0');
        let number = Some(text)
            .filter(|text| is_plain && text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| *number <= LARGEST);
        number.ok_or(Malformed::Value {
            field,
            wanted: "a whole number in decimal digits, at most 9007199254740991",
        })
    }

    /// Reads a SHA-256.
    pub(crate) fn digest(&mut self, field: &'static str) -> Result<[u8; 32], Malformed> {
        let digits = self.field(field)?.strip_prefix("sha256:").and_then(digits);
        digits.ok_or(Malformed::Value {
            field,
            wanted: "`sha256:` and 64 hexadecimal digits in lower case",
        })
    }

    /// Reads a value that has a form of its own.
    pub(crate) fn parsed<T: str::FromStr>(
        &mut self,
        field: &'static str,
        wanted: &'static str,
    ) -> Result<T, Malformed> {
        let text = self.field(field)?;
        text.parse().map_err(|_| Malformed::Value { field, wanted })
    }

    /// Refuses bytes after the last field.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Trailing(self.line))
        }
    }

    /// The next line without its end; `None` if it has none.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|&byte| byte == b'\n')?;
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        self.line += 1;
        Some(line)
    }
}

/// Reads bytes as hexadecimal digits in lower case.
pub(crate) fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Shows a SHA-256 as texts do.
pub(crate) fn sha256(digest: &[u8; 32]) -> String {
    format!("sha256:{}", hex::encode(digest))
}
