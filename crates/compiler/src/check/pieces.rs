//! A regexp's text, cut into escapes, classes and single characters as the grammar cuts it.
//!
//! The checks of this module work on the text, before the regexp is parsed: a slip often makes a regexp that does not
//! parse, and its author needs to hear of the slip.

use std::ops::Range;

/// What a piece of a regexp's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `\d`, `\?`, `\p{Greek}`.
    Escape,
    /// `[…]`, with the classes in it.
    Class,
    /// `{USER}` and the other placeholders.
    Placeholder,
    /// `(?i)`, `(?:`, `(?<name>`.
    Group,
    /// `{2,3}`.
    Count,
    /// Any other character.
    Character(char),
}

/// A piece and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

impl Piece {
    /// Whether the piece is this character, without an escape and outside classes.
    pub(crate) fn is(&self, character: char) -> bool {
        self.kind == Kind::Character(character)
    }

    /// Whether the piece is a blank.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Character(character) if character.is_whitespace())
    }
}

/// The pieces of a text; `placeholders` are ranges of it.
pub(crate) fn pieces(text: &str, placeholders: &[Range<usize>]) -> Vec<Piece> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let placeholder = placeholders.iter().find(|range| range.start == at);
        let (kind, length) = match placeholder {
            Some(range) => (Kind::Placeholder, range.len().max(1)),
            None => piece(rest),
        };
        let end = (at + length).min(text.len());
        found.push(Piece { kind, range: at..end });
        at = end;
    }
    found
}

/// The first piece of a text that is not empty, and its length in bytes.
fn piece(rest: &str) -> (Kind, usize) {
    match rest.chars().next().unwrap_or_default() {
        '\\' => (Kind::Escape, escape(rest)),
        '[' => match class(rest) {
            Some(length) => (Kind::Class, length),
            None => (Kind::Character('['), 1),
        },
        '{' => match count(rest) {
            Some(length) => (Kind::Count, length),
            None => (Kind::Character('{'), 1),
        },
        '(' if rest.starts_with("(?") => (Kind::Group, group(rest)),
        character => (Kind::Character(character), character.len_utf8()),
    }
}

/// The length of an escape, with the `{…}` of `\p{…}`, `\x{…}` and the like.
fn escape(rest: &str) -> usize {
    let Some(escaped) = rest.chars().nth(1) else {
        return rest.len();
    };
    let length = 1 + escaped.len_utf8();
    let braces = rest
        .get(length..)
        .filter(|behind| matches!(escaped, 'p' | 'P' | 'x' | 'u' | 'U' | 'b') && behind.starts_with('{'));
    let end = braces.and_then(|behind| behind.find('}')).map(|end| end + 1);
    length + end.unwrap_or(0)
}

/// The length of a class, if it is closed. `]` first, or behind `^`, is a literal, and classes nest.
fn class(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => {
                depth += 1;
                if bytes.get(at + 1) == Some(&b'^') {
                    at += 1;
                }
                if bytes.get(at + 1) == Some(&b']') {
                    at += 1;
                }
            }
            b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The length of `{2}`, `{2,}` or `{2,3}`.
fn count(rest: &str) -> Option<usize> {
    let end = rest.find('}')?;
    let inner = rest.get(1..end)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_count = match inner.split_once(',') {
        Some((low, high)) => is_number(low) && (high.is_empty() || is_number(high)),
        None => is_number(inner),
    };
    is_count.then_some(end + 1)
}

/// The length of what opens a group: through `:`, `>` or, for flags by themselves, `)`.
fn group(rest: &str) -> usize {
    let behind = rest.get(2..).unwrap_or_default();
    let flags = behind
        .find(|character: char| !(character.is_ascii_alphabetic() || character == '-'))
        .unwrap_or(behind.len());
    match behind.as_bytes().get(flags) {
        Some(b':' | b')') => 2 + flags + 1,
        Some(b'<') if flags <= 1 => behind.find('>').map_or(2, |end| 2 + end + 1),
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text, &[])
            .into_iter()
            .map(|piece| text.get(piece.range).unwrap())
            .collect()
    }

    #[test]
    fn a_text_is_cut_as_the_grammar_cuts_it() {
        assert_eq!(cut(r"a\?[^]a]{2,3}"), ["a", r"\?", "[^]a]", "{2,3}"]);
        assert_eq!(
            cut(r"\p{Greek}\x{41}\d{x}"),
            [r"\p{Greek}", r"\x{41}", r"\d", "{", "x", "}"]
        );
        assert_eq!(
            cut("(?i)(?:a)(?<n>b)(c"),
            ["(?i)", "(?:", "a", ")", "(?<n>", "b", ")", "(", "c"]
        );
        assert_eq!(cut("[[:alpha:]_]é["), ["[[:alpha:]_]", "é", "["]);
        assert_eq!(cut(r"[\]]\"), [r"[\]]", r"\"]);
    }
}
