//! Words of a script: quotes, variables, and commands whose output is part of a word.

use tokenward_pdp::curl;

use super::cursor::{Cursor, Pending};
use super::tree::{Failed, Part, Word};

/// Where a text ends, and what is special in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A word ends at a blank and at an operator.
    Word,
    /// A text in double quotes.
    Quoted,
    /// A text in braces, up to `}`.
    Braces { is_quoted: bool },
    /// The text of a here-document.
    Document,
    /// An arithmetic expression, up to the parenthesis or bracket that closes it.
    Arithmetic(char),
}

pub(super) fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty() && text.chars().all(is_name_part)
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Cursor<'_> {
    /// Reads a word, which may be empty.
    pub(super) fn word(&mut self) -> Result<Word, Failed> {
        self.parts(Mode::Word)
    }

    /// Reads an arithmetic expression up to `))`.
    pub(super) fn arithmetic(&mut self) -> Result<Word, Failed> {
        self.expression(')')
    }

    fn expression(&mut self, close: char) -> Result<Word, Failed> {
        let from = self.at;
        let inner = self.parts(Mode::Arithmetic(close))?;
        let written = self.text.get(from..self.at).unwrap_or_default().to_owned();
        let is_closed = if close == ')' {
            self.takes("))")
        } else {
            self.takes("]")
        };
        if !is_closed {
            return self.failed("an arithmetic expression `((…))` is not closed; if it contains commands, write a space between the parentheses");
        }
        let mut assigned = Vec::new();
        if written.contains(['=', '+', '-']) {
            let names = written.split(|c| !is_name_part(c)).filter(|name| is_name(name));
            assigned.extend(names.map(str::to_owned));
        }
        Ok(Word {
            parts: vec![Part::Unknown {
                written: format!("(({written}))"),
                inner,
                assigned,
            }],
        })
    }

    fn parts(&mut self, mode: Mode) -> Result<Word, Failed> {
        let mut word = Word::default();
        let mut open = 0_usize;
        let is_quoted = matches!(
            mode,
            Mode::Quoted | Mode::Document | Mode::Braces { is_quoted: true }
        );
        while let Some(c) = self.peek() {
            match (mode, c) {
                (Mode::Word, '<' | '>') if self.rest().get(1..).is_some_and(|rest| rest.starts_with('(')) => {
                    self.next();
                    self.next();
                    self.output(&mut word, true)?;
                }
                (Mode::Word, ' ' | '\t' | '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>') => break,
                (Mode::Word, '\r') if self.sees("\r\n") => break,
                (Mode::Quoted, '"') | (Mode::Braces { .. }, '}') => break,
                (Mode::Arithmetic(close), c) if c == close && open == 0 => break,
                (Mode::Arithmetic(close), c) if c == close => {
                    open -= 1;
                    self.next();
                }
                (Mode::Arithmetic(')'), '(') | (Mode::Arithmetic(']'), '[') => {
                    open += 1;
                    self.next();
                }
                (_, '\\') => self.escaped(&mut word, is_quoted, mode),
                (_, '$') => self.dollar(&mut word, is_quoted)?,
                (_, '`') => self.backtick(&mut word, is_quoted)?,
                (
                    Mode::Quoted | Mode::Document | Mode::Braces { is_quoted: true } | Mode::Arithmetic(_),
                    '\'',
                ) => {
                    self.next();
                    push(&mut word, c, true);
                }
                (Mode::Word | Mode::Braces { .. }, '\'') => self.single_quoted(&mut word)?,
                (Mode::Word | Mode::Braces { .. } | Mode::Arithmetic(_), '"') => {
                    self.double_quoted(&mut word)?
                }
                _ => {
                    self.next();
                    push(&mut word, c, is_quoted);
                }
            }
        }
        Ok(word)
    }

    fn escaped(&mut self, word: &mut Word, is_quoted: bool, mode: Mode) {
        self.next();
        match self.peek() {
            Some('\n') => {
                self.next();
            }
            Some('\r') if self.sees("\r\n") => {
                self.next();
                self.next();
            }
            Some(c)
                if is_quoted && !matches!(c, '$' | '`' | '\\') && (c != '"' || mode == Mode::Document) =>
            {
                push(word, '\\', true);
            }
            Some(c) => {
                self.next();
                push(word, c, true);
            }
            None => push(word, '\\', true),
        }
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), Failed> {
        let line = self.line();
        self.next();
        let text = self.take_while(|c| c != '\'');
        if self.next().is_none() {
            return Err((line, "a ' is not closed; close it".to_owned()));
        }
        push_text(word, text, true);
        Ok(())
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), Failed> {
        let line = self.line();
        self.next();
        self.deeper()?;
        let inner = self.parts(Mode::Quoted)?;
        self.depth -= 1;
        if self.next().is_none() {
            return Err((line, "a \" is not closed; close it".to_owned()));
        }
        // Quotes without a text make a word too.
        push_text(word, "", true);
        for part in inner.parts {
            match part {
                Part::Text { text, .. } => push_text(word, &text, true),
                other => word.parts.push(other),
            }
        }
        Ok(())
    }

    /// Reads the text after `$`.
    fn dollar(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), Failed> {
        self.next();
        match self.peek() {
            Some('\'') if !is_quoted => {
                let (text, length) = curl::ansi_quoted(self.rest().get(1..).unwrap_or_default())
                    .map_err(|message| (self.line(), message))?;
                self.at += 1 + length;
                push_text(word, &text, true);
            }
            Some('"') if !is_quoted => self.double_quoted(word)?,
            Some('(') => {
                self.next();
                if self.takes("(") {
                    self.deeper()?;
                    let inner = self.expression(')')?;
                    self.depth -= 1;
                    word.parts.extend(inner.parts);
                } else {
                    self.output(word, is_quoted)?;
                }
            }
            Some('[') => {
                self.next();
                self.deeper()?;
                let inner = self.expression(']')?;
                self.depth -= 1;
                word.parts.extend(inner.parts);
            }
            Some('{') => self.braces(word, is_quoted)?,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.take_while(is_name_part).to_owned();
                word.parts.push(Part::Variable {
                    name,
                    change: None,
                    is_list: false,
                    is_joined: false,
                    is_quoted,
                });
            }
            Some(c @ ('0'..='9' | '@' | '*' | '#' | '?' | '$' | '!' | '-')) => {
                self.next();
                word.parts.push(Part::Variable {
                    name: c.to_string(),
                    change: None,
                    is_list: matches!(c, '@' | '*'),
                    is_joined: c == '*',
                    is_quoted,
                });
            }
            _ => push(word, '$', is_quoted),
        }
        Ok(())
    }

    /// Reads `{NAME…}` after `$`.
    fn braces(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), Failed> {
        let from = self.at;
        self.next();
        let indirect = self.sees("!") || (self.sees("#") && !self.sees("#}"));
        if indirect {
            self.next();
        }
        let mut name = self.take_while(is_name_part).to_owned();
        if name.is_empty()
            && let Some(c @ ('@' | '*' | '#' | '?' | '$' | '!' | '-')) = self.peek()
        {
            self.next();
            name.push(c);
        }
        let is_joined = self.takes("[*]") || name == "*";
        let is_list = is_joined || self.takes("[@]") || name == "@";
        let operators = [":-", ":=", ":?", ":+", "%%", "##", "-", "=", "?", "+", "%", "#"];
        let operator = operators.into_iter().find(|operator| self.takes(operator));
        self.deeper()?;
        let inner = self.parts(Mode::Braces { is_quoted })?;
        self.depth -= 1;
        if !self.takes("}") {
            return self.failed("a `${` is not closed; close it with `}`");
        }
        if name.is_empty() || indirect || (operator.is_none() && !inner.parts.is_empty()) {
            let written = format!("${}", self.text.get(from..self.at).unwrap_or_default());
            word.parts.push(Part::Unknown {
                written,
                inner,
                assigned: Vec::new(),
            });
            return Ok(());
        }
        word.parts.push(Part::Variable {
            name,
            change: operator.map(|operator| (operator.to_owned(), inner)),
            is_list,
            is_joined,
            is_quoted,
        });
        Ok(())
    }

    /// Reads commands up to `)`.
    fn output(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), Failed> {
        let line = self.line();
        self.deeper()?;
        let commands = self.list()?;
        self.depth -= 1;
        if !self.takes(")") {
            return Err((line, "a `$(` is not closed; close it with `)`".to_owned()));
        }
        word.parts.push(Part::Output { commands, is_quoted });
        Ok(())
    }

    fn backtick(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), Failed> {
        let line = self.line();
        self.next();
        let mut inner = String::new();
        loop {
            match self.next() {
                Some('`') => break,
                Some('\\') => match self.next() {
                    Some(c @ ('`' | '\\' | '$')) => inner.push(c),
                    Some('"') if is_quoted => inner.push('"'),
                    Some(c) => inner.extend(['\\', c]),
                    None => {}
                },
                Some(c) => inner.push(c),
                None => return Err((line, "a ` is not closed; close it".to_owned())),
            }
        }
        self.deeper()?;
        let commands = Cursor::new(&inner, line, self.depth).script()?;
        self.depth -= 1;
        word.parts.push(Part::Output { commands, is_quoted });
        Ok(())
    }

    /// Reads the text of a here-document, from the start of a line.
    pub(super) fn document(&mut self, pending: &Pending) -> Result<Word, Failed> {
        let line = self.line();
        let mut body = String::new();
        loop {
            if self.rest().is_empty() {
                return Err((
                    line,
                    format!(
                        "the here-document is not closed; end it with a line `{}`",
                        pending.end
                    ),
                ));
            }
            let text = self.take_while(|c| c != '\n');
            let has_end = self.takes("\n");
            let text = text.strip_suffix('\r').unwrap_or(text);
            let text = if pending.is_indented {
                text.trim_start_matches('\t')
            } else {
                text
            };
            if text == pending.end {
                break;
            }
            body.push_str(text);
            if has_end {
                body.push('\n');
            }
        }
        if pending.is_literal {
            let mut word = Word::default();
            push_text(&mut word, &body, true);
            return Ok(word);
        }
        let mut inner = Cursor::new(&body, line, self.depth);
        inner.deeper()?;
        let mut word = inner.parts(Mode::Document)?;
        if word.parts.is_empty() {
            push_text(&mut word, "", true);
        }
        Ok(word)
    }
}

fn push(word: &mut Word, c: char, is_quoted: bool) {
    push_text(word, c.encode_utf8(&mut [0; 4]), is_quoted);
}

fn push_text(word: &mut Word, more: &str, quoted: bool) {
    if let Some(Part::Text { text, is_quoted }) = word.parts.last_mut()
        && *is_quoted == quoted
    {
        text.push_str(more);
        return;
    }
    word.parts.push(Part::Text {
        text: more.to_owned(),
        is_quoted: quoted,
    });
}
