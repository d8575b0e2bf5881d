//! Explains to its author why a JSON body could not be read: the cause, its place and the remedy, without any of the content.

use std::fmt;

use tokenward_compiler::json::ReadError;

/// A body that has no reading as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The error of the reader.
    pub error: ReadError,
    cause: &'static str,
    /// What its sender can do; empty if the cause says it.
    remedy: &'static str,
    /// Line, from 1.
    line: usize,
    /// Column, from 1, in characters; in bytes if the text is not UTF-8.
    column: usize,
}

impl Unreadable {
    /// Finds the cause and the place of the error of this body. Cost: linear in the body.
    pub fn new(error: ReadError, body: &[u8]) -> Self {
        let (offset, cause, remedy) = match error {
            ReadError::NotJson { offset, what } => usual_cause(body, offset).unwrap_or((offset, what, "")),
            ReadError::DuplicateName { offset } => {
                (offset, "an object has the same name twice", "send each name once")
            }
            ReadError::ControlInName { offset } => {
                (offset, "a name has a control character", "remove the character")
            }
            ReadError::CaseVariant { offset } => (
                offset,
                "a name differs only in letter case from one that the policy checks",
                "write the name as the API documents it",
            ),
        };
        let before = body.get(..offset).unwrap_or(body);
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let within = before.get(start..).unwrap_or_default();
        Self {
            error,
            cause,
            remedy,
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: std::str::from_utf8(within).map_or(within.len(), |text| text.chars().count()) + 1,
        }
    }
}

impl fmt::Display for Unreadable {
    /// Writes the cause, the place and the remedy: `a comma after the last element (line 1, column 15); remove it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cause,
            remedy,
            line,
            column,
            ..
        } = self;
        write!(f, "{cause} (line {line}, column {column})")?;
        match *remedy {
            "" => Ok(()),
            remedy => write!(f, "; {remedy}"),
        }
    }
}

/// Recognises the usual mistakes, with the place of each and the remedy.
fn usual_cause(body: &[u8], offset: usize) -> Option<(usize, &'static str, &'static str)> {
    const SEND_UTF_8: &str = "send UTF-8";
    if body.starts_with(&[0xef, 0xbb, 0xbf]) {
        return Some((0, "a byte-order mark", "send UTF-8 without one"));
    }
    if body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]) {
        return Some((0, "UTF-16", SEND_UTF_8));
    }
    // UTF-16 without a mark: every second byte of ASCII text is 0.
    if matches!(body, [0, first, ..] | [first, 0, ..] if *first != 0) {
        return Some((0, "UTF-16", SEND_UTF_8));
    }
    match body.get(offset)? {
        b'\'' => Some((offset, "a single quote", "use double quotes")),
        b'}' | b']' => {
            let before = body.get(..offset)?;
            let last = before.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
            (before.get(last) == Some(&b',')).then_some((last, "a comma after the last element", "remove it"))
        }
        byte if !byte.is_ascii() && std::str::from_utf8(body).is_err() => {
            Some((offset, "a byte that is not UTF-8", SEND_UTF_8))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokenward_compiler::json::{self, Wanted};

    use super::*;

    #[track_caller]
    fn check(body: &[u8], expected: &str) {
        let error = json::read(body, &Wanted::new()).map(|_| ()).unwrap_err();
        assert_eq!(Unreadable::new(error, body).to_string(), expected);
    }

    #[test]
    fn usual_mistakes_are_told_with_their_place() {
        check(
            b"{\"summary\":\"x\",}",
            "a comma after the last element (line 1, column 15); remove it",
        );
        check(
            b"{\n  \"a\": [1,\n 2,\n]}",
            "a comma after the last element (line 3, column 3); remove it",
        );
        check(
            b"\xef\xbb\xbf{}",
            "a byte-order mark (line 1, column 1); send UTF-8 without one",
        );
        check(b"\xff\xfe{\0}\0", "UTF-16 (line 1, column 1); send UTF-8");
        check(b"{\0}\0", "UTF-16 (line 1, column 1); send UTF-8");
        check(
            b"{\"summary\":\"\xfc\"}",
            "a byte that is not UTF-8 (line 1, column 13); send UTF-8",
        );
        check(
            b"{'a': 1}",
            "a single quote (line 1, column 2); use double quotes",
        );
        // Columns count characters.
        check(
            "{\"ü\":1 \"b\":2}".as_bytes(),
            "no comma or `}` after a member (line 1, column 8)",
        );
        check(
            b"{\"a\":1,\r\n\"a\":2}",
            "an object has the same name twice (line 2, column 1); send each name once",
        );
        check(b"", "an empty body (line 1, column 1)");
    }
}
