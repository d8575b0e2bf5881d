//! A place in a script.

use super::tree::{Failed, Word};

/// The deepest nesting of commands and words.
const DEEPEST: usize = 40;

/// A here-document, whose text comes after the line.
pub(super) struct Pending {
    pub(super) end: String,
    /// Whether tabs at the start of lines are dropped.
    pub(super) is_indented: bool,
    /// Whether its text is taken as it is.
    pub(super) is_literal: bool,
}

/// A place in a script.
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    first_line: usize,
    /// A place and the lines before it, so that lines are counted once.
    counted: (usize, usize),
    pub(super) depth: usize,
    /// The end of this line and the place after its here-documents.
    after_documents: Option<(usize, usize)>,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, first_line: usize, depth: usize) -> Self {
        Self {
            text,
            at: 0,
            first_line,
            counted: (0, 0),
            depth,
            after_documents: None,
        }
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn sees(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Goes past this text, if it comes next.
    pub(super) fn takes(&mut self, text: &str) -> bool {
        let sees = self.sees(text);
        if sees {
            self.at += text.len();
        }
        sees
    }

    /// Takes characters as long as they are such.
    pub(super) fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The number of the line.
    pub(super) fn line(&mut self) -> usize {
        let (from, lines) = if self.at >= self.counted.0 {
            self.counted
        } else {
            (0, 0)
        };
        let passed = self.text.as_bytes().get(from..self.at).unwrap_or_default();
        let lines = lines + memchr::memchr_iter(b'\n', passed).count();
        self.counted = (self.at, lines);
        self.first_line + lines
    }

    pub(super) fn failed<T>(&mut self, message: impl Into<String>) -> Result<T, Failed> {
        Err((self.line(), message.into()))
    }

    pub(super) fn deeper(&mut self) -> Result<(), Failed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.failed("the script is nested too deeply; write its calls one after another");
        }
        Ok(())
    }

    /// Goes past spaces, continued lines and comments.
    pub(super) fn blanks(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r'));
            if self.takes("\\\n") || self.takes("\\\r\n") {
                continue;
            }
            if self.peek() == Some('#') {
                self.take_while(|c| c != '\n');
            }
            return;
        }
    }

    /// Goes past blanks and ends of lines.
    pub(super) fn lines(&mut self) {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return;
            }
            match self.after_documents.take() {
                Some((end, after)) if end == self.at => self.at = after,
                other => {
                    self.after_documents = other;
                    self.at += 1;
                }
            }
        }
    }

    /// Reads a here-document of this line.
    pub(super) fn here_document(&mut self, pending: &Pending) -> Result<Word, Failed> {
        let (end, from) = self.after_documents.unwrap_or_else(|| {
            let length = self.rest().find('\n').unwrap_or(self.rest().len());
            (self.at + length, (self.at + length + 1).min(self.text.len()))
        });
        let at = std::mem::replace(&mut self.at, from);
        let document = self.document(pending);
        let after = std::mem::replace(&mut self.at, at);
        self.after_documents = Some((end, after));
        document
    }

    /// Checks that no command goes on where a here-document of its line begins.
    pub(super) fn check_documents(&mut self) -> Result<(), Failed> {
        match self.after_documents {
            Some((end, _)) if self.at > end => self.failed(
                "the line of a here-document continues on the next line; write the whole command on one line",
            ),
            _ => Ok(()),
        }
    }
}
