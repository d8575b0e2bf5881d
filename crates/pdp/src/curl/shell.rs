//! Splits a pasted shell command into words, as a POSIX shell and bash do.
//!
//! A crate for this would read `$'…'`, `$NAME`, `;` and `|` as ordinary text, and a request that nobody would send would be
//! explained. So each of them is understood here, or named in an error.

use std::str::Chars;

/// A word of the command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The text, with variables as they are written: `$NAME`, `${NAME}`.
    pub text: String,
    /// The variables in the text, as written. Their values are unknown.
    pub variables: Vec<String>,
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            variables: Vec::new(),
        }
    }
}

/// The words of a command, and whether something follows behind a `|`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) words: Vec<Word>,
    pub(crate) is_piped: bool,
}

/// Reads a text in `$'…'` after its first quote: the text, and the length of its source with the last quote, in bytes.
///
/// # Errors
/// The text is not closed, or an escape is not one character.
pub fn ansi_quoted(source: &str) -> Result<(String, usize), String> {
    let mut rest = Rest(source.chars());
    let text = rest.ansi_quoted()?;
    Ok((text, source.len() - rest.0.as_str().len()))
}

/// Splits one command into words. Its end is the end of the text, a line end or `|`.
///
/// # Errors
/// The text is not a single command, or its words depend on the shell in which it runs.
pub(crate) fn split(text: &str) -> Result<Command, String> {
    // Line ends of Windows come from editors and chats. A prompt is often copied too.
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let text = text
        .strip_prefix("$ ")
        .or_else(|| text.strip_prefix("% "))
        .unwrap_or(text);
    let mut lexer = Lexer {
        rest: Rest(text.chars()),
        word: None,
        command: Command::default(),
    };
    lexer.run()?;
    Ok(lexer.command)
}

struct Lexer<'t> {
    rest: Rest<'t>,
    word: Option<Word>,
    command: Command,
}

const WINDOWS: &str =
    "the command was copied for the Windows command prompt (`^`); copy it as cURL (bash) instead";

impl Lexer<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(character) = self.rest.next() {
            match character {
                ' ' | '\t' => self.end_word(),
                '\n' => {
                    self.end_word();
                    if self.rest.0.any(|character| !character.is_whitespace()) {
                        return Err(
                            "the command continues on a second line; end each line except the last with `\\`"
                                .to_owned(),
                        );
                    }
                }
                '\\' => match self.rest.next() {
                    Some('\n') => {}
                    Some(escaped) => self.push(escaped),
                    None => return Err("the command ends in `\\`; paste all of its lines".to_owned()),
                },
                '\'' => self.single_quoted()?,
                '"' => self.double_quoted()?,
                '$' => self.dollar(false)?,
                '^' if matches!(self.rest.peek(), None | Some('\n' | '"' | '^')) => {
                    return Err(WINDOWS.to_owned());
                }
                '`' => return Err(backtick()),
                '#' if self.word.is_none() => {
                    while self.rest.next_if(|character| character != '\n').is_some() {}
                }
                '|' if self.rest.peek() != Some('|') => {
                    self.command.is_piped = true;
                    break;
                }
                '|' | '&' | ';' | '<' | '>' | '(' | ')' => return Err(operator(character)),
                other => self.push(other),
            }
        }
        self.end_word();
        Ok(())
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn push(&mut self, character: char) {
        self.word().text.push(character);
    }

    fn end_word(&mut self) {
        self.command.words.extend(self.word.take());
    }

    fn single_quoted(&mut self) -> Result<(), String> {
        self.word();
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some(character) => self.push(character),
                None => return Err(unclosed('\'')),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<(), String> {
        self.word();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(()),
                Some('$') => self.dollar(true)?,
                Some('`') => return Err(backtick()),
                Some('\\') => match self.rest.next() {
                    Some('\n') => {}
                    Some(escaped @ ('$' | '`' | '"' | '\\')) => self.push(escaped),
                    // Before other characters the backslash stays.
                    Some(other) => {
                        self.push('\\');
                        self.push(other);
                    }
                    None => return Err(unclosed('"')),
                },
                Some(character) => self.push(character),
                None => return Err(unclosed('"')),
            }
        }
    }

    /// Reads what follows a `$`: a variable, `$'…'` of bash, or nothing special.
    fn dollar(&mut self, quoted: bool) -> Result<(), String> {
        let begins = |character: char| character.is_ascii_alphabetic() || character == '_';
        match self.rest.peek() {
            Some('\'') if !quoted => {
                self.rest.next();
                let text = self.rest.ansi_quoted()?;
                self.word().text.push_str(&text);
                Ok(())
            }
            Some('"') if !quoted => {
                self.rest.next();
                self.double_quoted()
            }
            Some('(') => Err("`$(…)` runs a command; replace it with its output".to_owned()),
            Some('{') => {
                self.rest.next();
                let mut name = String::new();
                while let Some(character) = self.rest.next_if(|character| character != '}') {
                    name.push(character);
                }
                self.rest.next();
                if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    return Err(format!(
                        "`${{{name}}}` depends on the shell; replace it with its value"
                    ));
                }
                self.variable(format!("${{{name}}}"));
                Ok(())
            }
            Some(character) if begins(character) => {
                let mut name = String::from("$");
                let goes_on = |character: char| character.is_ascii_alphanumeric() || character == '_';
                while let Some(character) = self.rest.next_if(goes_on) {
                    name.push(character);
                }
                self.variable(name);
                Ok(())
            }
            Some(character @ ('0'..='9' | '@' | '*' | '#' | '?' | '$' | '!' | '-')) => Err(format!(
                "`${character}` depends on the shell; replace it by its value"
            )),
            _ => {
                self.push('$');
                Ok(())
            }
        }
    }

    fn variable(&mut self, written: String) {
        let word = self.word();
        word.text.push_str(&written);
        word.variables.push(written);
    }
}

/// The rest of a text.
struct Rest<'t>(Chars<'t>);

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        self.0.next()
    }

    fn peek(&self) -> Option<char> {
        self.0.clone().next()
    }

    fn next_if(&mut self, is: impl Fn(char) -> bool) -> Option<char> {
        let next = self.peek().filter(|next| is(*next))?;
        self.next();
        Some(next)
    }

    /// Reads `$'…'` (bash, "ANSI-C Quoting") after its first quote. Browsers write it for bodies with quotes and line ends.
    fn ansi_quoted(&mut self) -> Result<String, String> {
        let mut out = String::new();
        loop {
            match self.next() {
                Some('\'') => return Ok(out),
                Some('\\') => out.push(self.ansi_escape()?),
                Some(character) => out.push(character),
                None => return Err(unclosed('\'')),
            }
        }
    }

    fn ansi_escape(&mut self) -> Result<char, String> {
        let escape = self.next().ok_or_else(|| unclosed('\''))?;
        let number = match escape {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'e' | 'E' => return Ok('\u{1b}'),
            'f' => return Ok('\u{c}'),
            'v' => return Ok('\u{b}'),
            '\\' | '\'' | '"' | '?' => return Ok(escape),
            'x' => self.digits(16, 2),
            'u' => self.digits(16, 4),
            'U' => self.digits(16, 8),
            '0'..='7' => {
                let first = escape.to_digit(8);
                let more = self.digits(8, 2);
                first
                    .map(|first| more.map_or(first, |(more, count)| first * 8_u32.pow(count) + more))
                    .map(|number| (number, 1))
            }
            _ => None,
        };
        // `\x80` and above are bytes of a text in some encoding.
        let is_byte = matches!(escape, 'x' | '0'..='7');
        number
            .map(|(number, _)| number)
            .filter(|number| *number != 0 && !(is_byte && *number > 0x7f))
            .and_then(char::from_u32)
            .ok_or_else(|| {
                format!("`\\{escape}` within `$'…'` is not an escape for one character; write the character")
            })
    }

    /// The number of at most `most` digits, and how many they are.
    fn digits(&mut self, radix: u32, most: u32) -> Option<(u32, u32)> {
        let mut found = None;
        for _ in 0..most {
            let Some(character) = self.next_if(|character| character.is_digit(radix)) else {
                break;
            };
            let (number, count) = found.unwrap_or((0, 0));
            found = Some((number * radix + character.to_digit(radix)?, count + 1));
        }
        found
    }
}

fn unclosed(quote: char) -> String {
    format!("a {quote} is not closed; paste the whole command")
}

fn backtick() -> String {
    "a backtick runs a command, or continues a line of PowerShell; replace it by its output, or copy the command as cURL (bash)"
        .to_owned()
}

fn operator(character: char) -> String {
    match character {
        '&' => "`&` ends the command; put the URL in single quotes".to_owned(),
        ';' => "`;` ends the command; use a single command, or put the text in single quotes".to_owned(),
        '(' | ')' => format!("`{character}` is special to the shell; put the text in single quotes"),
        _ => format!("`{character}` is a redirection and not part of the request; remove it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text)
            .unwrap()
            .words
            .into_iter()
            .map(|word| word.text)
            .collect()
    }

    /// Each text, as bash splits it.
    #[test]
    fn words_are_those_of_bash() {
        for text in [
            "curl a b",
            "curl  'a b'\t\"c d\" e\\ f",
            "curl 'a'\"b\"c",
            r#"curl "a\"b\\c\d" 'a\b'"#,
            "curl '' \"\"",
            "curl a \\\n  -H 'b: c' \\\n  d",
            r"curl $'a\'b\n\t\\\x41\u00e9\101!'",
            "curl 'it'\\''s'",
            "curl a$ '$b' \"c$\"",
            "curl a#b # c",
            "curl \"a\nb\"",
            "curl \"a\\\nb\"",
            "curl -d '{\"a\": [1, 2]}' 'https://x/a?b=1&c=2'",
        ] {
            let script = format!("set -f; printf '%s\\0' {}", text.strip_prefix("curl").unwrap());
            let ran = std::process::Command::new("bash")
                .args(["-c", &script])
                .env("LC_ALL", "C.UTF-8")
                .output();
            let Ok(ran) = ran else { return };
            let expected = String::from_utf8(ran.stdout).unwrap();
            let expected: Vec<&str> = expected.strip_suffix('\0').unwrap().split('\0').collect();
            let found = words(text);
            assert_eq!(found.get(1..).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn variables_are_marked_and_not_expanded() {
        let found = split("$ curl -u \"svc:$TOKEN\" '$LITERAL' \"${A}b\" | jq .").unwrap();
        assert!(found.is_piped);
        let variables: Vec<_> = found.words.iter().map(|word| word.variables.clone()).collect();
        let none = Vec::<String>::new;
        assert_eq!(
            variables,
            [
                none(),
                none(),
                vec!["$TOKEN".to_owned()],
                none(),
                vec!["${A}".to_owned()]
            ]
        );
        assert_eq!(found.words.get(2).unwrap().text, "svc:$TOKEN");
    }

    #[test]
    fn a_text_that_is_not_one_command_is_named() {
        for (text, expected) in [
            ("curl 'a", "not closed"),
            ("curl \"a", "not closed"),
            ("curl $'a", "not closed"),
            ("curl a\\", "ends in"),
            ("curl a\ncurl b", "second line"),
            ("curl https://x/a?b=1&c=2", "`&` ends the command"),
            ("curl a; curl b", "`;` ends the command"),
            ("curl a > b", "redirection"),
            ("curl $(pass show a)", "runs a command"),
            ("curl \"`a`\"", "backtick"),
            ("curl ${A:-b}", "depends on the shell"),
            ("curl $1", "depends on the shell"),
            ("curl \"https://x\" ^\n -H \"a: b\"", "Windows"),
            ("curl ^\"https://x^\" ^\n", "Windows"),
            ("curl $'\\xff'", "not an escape"),
            ("curl $'\\q'", "not an escape"),
        ] {
            let error = split(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
