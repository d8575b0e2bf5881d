//! `# allow TW0123: why`, above the line that it is for.

use super::super::excepted::{can_be_excepted, is_within};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Source, SourceId, Span},
};

/// How an exception is written.
const FORM: &str = "write `# allow TW0123: why`, in a line of its own directly above the line";

/// An exception above a line.
#[derive(Debug)]
pub(super) struct Comment {
    /// The comment.
    pub(super) span: Span,
    /// The line that it is for.
    pub(super) line: Span,
    pub(super) codes: Vec<Code>,
}

impl Comment {
    /// The comment without a code; empty if it has no other.
    pub(super) fn without(&self, code: Code, text: &str) -> String {
        let others: Vec<&str> = self
            .codes
            .iter()
            .filter(|one| **one != code)
            .map(|one| one.as_str())
            .collect();
        match text.split_once(':') {
            Some((_, why)) if !others.is_empty() => format!("# allow {}:{why}", others.join(", ")),
            _ => String::new(),
        }
    }
}

/// A file whose comments are read.
pub(super) struct Place<'a> {
    pub(super) id: SourceId,
    pub(super) source: &'a Source,
    /// The spans of blocks of lines in it, in order.
    pub(super) blocks: &'a [Span],
    /// Whether an exception in a block has an effect.
    pub(super) has_effect: bool,
}

/// The exceptions of a file.
pub(super) fn read(place: &Place<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Comment> {
    let mut found = Vec::new();
    let text: &str = &place.source.text;
    // Hardly any file has one.
    if !text.contains("allow") && !text.contains("Allow") && !text.contains("ALLOW") {
        return found;
    }
    let blocks = if place.has_effect { place.blocks } else { &[] };
    // From the end, since a comment is for the next line that is none.
    let mut below = None;
    for span in lines(place).into_iter().rev() {
        let line = slice(text, span).unwrap_or_default();
        if !line.starts_with('#') {
            below = (!line.is_empty()).then_some(span);
            continue;
        }
        let Some(content) = after_allow(line) else {
            continue;
        };
        let wrong = |headline: String| Diagnostic::new(Code::WrongException, span, headline).help(FORM);
        match codes(content) {
            Err(headline) => diagnostics.push(wrong(headline)),
            Ok(codes) => match below.filter(|below| share_block(blocks, span, *below)) {
                Some(line) => found.push(Comment { span, line, codes }),
                None => diagnostics.push(wrong(
                    "this exception is not above a limit line, and has no effect".to_owned(),
                )),
            },
        }
    }
    found.reverse();
    found
}

/// Whether one of some blocks, which are in order, contains both places.
fn share_block(blocks: &[Span], one: Span, other: Span) -> bool {
    let behind = blocks.partition_point(|block| block.start <= one.start);
    let block = behind.checked_sub(1).and_then(|at| blocks.get(at));
    block.is_some_and(|block| is_within(one, *block) && is_within(other, *block))
}

/// The lines of a file without the blanks around them. A block has lines of its own: its first begins behind the quote, and its last
/// ends before the quote.
fn lines(place: &Place<'_>) -> Vec<Span> {
    let whole = place.source.text.len();
    let mut found = Vec::new();
    let mut start = whole - place.source.body().len();
    for block in place.blocks {
        lines_of(place, start, block.start, &mut found);
        lines_of(place, block.start, block.end, &mut found);
        start = block.end;
    }
    lines_of(place, start, whole, &mut found);
    found
}

fn lines_of(place: &Place<'_>, start: usize, end: usize, found: &mut Vec<Span>) {
    let text = place.source.text.get(start..end).unwrap_or_default();
    let mut start = start;
    found.extend(text.split('\n').map(|line| {
        let trimmed = line.trim();
        let from = start + (line.len() - line.trim_start().len());
        start += line.len() + 1;
        Span {
            source: place.id,
            start: from,
            end: from + trimmed.len(),
        }
    }));
}

fn slice(text: &str, span: Span) -> Option<&str> {
    text.get(span.start..span.end)
}

/// What follows `allow` in a comment, if that is, or nearly is, an exception.
fn after_allow(line: &str) -> Option<&str> {
    let content = line.strip_prefix('#')?.trim_start_matches('#').trim_start();
    let (word, rest) = content.split_at_checked("allow".len())?;
    let begins = |text: &str| {
        let text = text.trim_start_matches(|one: char| one.is_whitespace() || ":[(\"'`".contains(one));
        let bytes = text.as_bytes();
        matches!(bytes, [b't' | b'T', b'w' | b'W', digit, ..] if digit.is_ascii_digit())
    };
    (word.eq_ignore_ascii_case("allow") && begins(rest)).then_some(rest)
}

/// The codes of ` TW0123, TW0124: why`.
///
/// # Errors
/// The headline of what is wrong.
fn codes(content: &str) -> Result<Vec<Code>, String> {
    let Some((codes, why)) = content.split_once(':') else {
        return Err("this exception has no reason".to_owned());
    };
    let mut found = Vec::new();
    for text in codes.split([',', ' ', '\t']).filter(|text| !text.is_empty()) {
        let code: Code = text
            .parse()
            .map_err(|_| format!("`{text}` in this exception is not a code"))?;
        if !can_be_excepted(code) {
            return Err(format!("{code} cannot be excepted"));
        }
        found.push(code);
    }
    match (found.is_empty(), why.trim().is_empty()) {
        (true, _) => Err("this exception names no code".to_owned()),
        (_, true) => Err("this exception has no reason".to_owned()),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_has_codes_and_a_reason() {
        let read = |line: &str| after_allow(line).map(codes);
        let codes = read("#  Allow tw0505, TW0508: the old client needs it").unwrap();
        assert_eq!(codes.unwrap(), [Code::MissingBoundary, Code::NoMethods]);
        for wrong in [
            "# allow TW0505",
            "# allow TW0505:",
            "# allow TW0505 the old client",
            "# allow: TW0505: why",
            "# allow TW0011: an error",
            "# allow TW0521: itself",
            "# allow TW0302: a stale review",
            "# allow TW9999: nothing",
            "## allow [TW0505]: why",
        ] {
            assert!(read(wrong).unwrap().is_err(), "{wrong}");
        }
        for prose in [
            "# allow reading",
            "# allowed TW0505: x",
            "# TW0505 is fine",
            "allow TW0505: x",
        ] {
            assert!(read(prose).is_none(), "{prose}");
        }
    }
}
