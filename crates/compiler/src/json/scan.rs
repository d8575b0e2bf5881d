//! The terminals of RFC 8259: white space, strings, numbers and words.

use super::error::ReadError;
use super::text::{Quoted, escape, plain_run};

/// A place in a body.
pub(super) struct Scanner<'b> {
    text: &'b str,
    at: usize,
}

impl<'b> Scanner<'b> {
    pub(super) fn new(text: &'b str) -> Self {
        Scanner { text, at: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn fail(&self, what: &'static str) -> ReadError {
        ReadError::NotJson {
            offset: self.at,
            what,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past a byte that was peeked at, and was ASCII.
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads a string, at its opening quote. Its escapes are checked, and left as they are.
    pub(super) fn string(&mut self) -> Result<Quoted<'b>, ReadError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_run(self.rest());
            match self.rest() {
                [b'"', ..] => {
                    let text = self.since(start)?;
                    self.at += 1;
                    return Ok(Quoted { text, escaped });
                }
                [b'\\', behind @ ..] => {
                    let (_, length) = escape(behind).map_err(|what| self.fail(what))?;
                    escaped = true;
                    self.at += 1 + length;
                }
                [_, ..] => return Err(self.fail("a control character in a string")),
                [] => return Err(self.fail("a string without an end")),
            }
        }
    }

    /// Reads a number, and gives it as written.
    pub(super) fn number(&mut self) -> Result<&'b str, ReadError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        // The caller refuses a digit after a leading zero: a digit may not follow a value.
        if self.peek() == Some(b'0') {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.since(start)
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            Err(self.fail("a number without a digit where one is expected"))
        } else {
            Ok(())
        }
    }

    /// Reads `true`, `false` or `null`, whichever the caller has seen the first letter of.
    pub(super) fn word(&mut self, word: &'static str) -> Result<&'static str, ReadError> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(word)
        } else {
            Err(self.fail("an unknown word"))
        }
    }

    fn rest(&self) -> &'b [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> Result<&'b str, ReadError> {
        self.text
            .get(start..self.at)
            .ok_or_else(|| self.fail("a broken character"))
    }
}
