//! TW0024: characters that an editor shows otherwise than they are read, anywhere in a policy file.

use crate::{
    diagnostic::{Code, Diagnostic},
    hidden::is_hidden,
    source::{Source, SourceKind, SourceSet, Span},
};

/// Keys whose values are for people alone.
const PROSE: [&str; 3] = ["description", "owner", "why"];
/// Joiners, and selectors between text and emoji: words and emoji need them.
const JOINERS: [char; 4] = ['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'];

/// Reports the first such character of each line of the policy.
pub(crate) fn check(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    check_kinds(sources, |kind| kind != SourceKind::Tests, diagnostics);
}

/// The same for tests, which are not a part of the policy.
pub(crate) fn check_tests(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    check_kinds(sources, |kind| kind == SourceKind::Tests, diagnostics);
}

fn check_kinds(sources: &SourceSet, is_asked: fn(SourceKind) -> bool, diagnostics: &mut Vec<Diagnostic>) {
    for (id, source) in sources.iter().filter(|(_, source)| is_asked(source.kind)) {
        // Hardly any file has one, and the places of comments and texts take a scan of their own.
        if !source.body().chars().any(is_odd_anywhere) {
            continue;
        }
        let prose = Prose::of(source);
        let mut last_line = None;
        let mut characters = source.text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if at < source.text.len() - source.body().len() {
                continue;
            }
            let before_newline = characters.peek().is_some_and(|(_, next)| *next == '\n');
            if !is_odd(character, before_newline) || (JOINERS.contains(&character) && prose.has(at)) {
                continue;
            }
            let span = Span {
                source: id,
                start: at,
                end: at + character.len_utf8(),
            };
            let line = sources.line_number(span);
            if last_line != Some(line) {
                diagnostics.push(found(character, span));
            }
            last_line = Some(line);
        }
    }
}

fn is_odd_anywhere(character: char) -> bool {
    is_odd(character, false)
}

/// Whether a reader does not see the character, or takes it for another one.
fn is_odd(character: char, before_newline: bool) -> bool {
    match character {
        '\n' | '\t' | ' ' => false,
        '\r' => !before_newline,
        character => is_hidden(character) || character.is_whitespace(),
    }
}

fn found(character: char, span: Span) -> Diagnostic {
    let number = format!("U+{:04X}", u32::from(character));
    let (what, help) = match character {
        '\r' => (
            "a carriage return without a line feed",
            "end lines with a line feed, or with both",
        ),
        '\0' => (
            "a NUL character",
            "remove it; a file with many was saved as UTF-16: save it as UTF-8",
        ),
        '\u{feff}' => (
            "a byte-order mark within the file",
            "it can only be the first character of a file; remove it",
        ),
        '\u{2028}' | '\u{2029}' | '\u{85}' => (
            "a line separator that only some editors show",
            "end lines with a line feed",
        ),
        character if character.is_whitespace() => (
            "a space character other than a space",
            "write a space; to match this character in a regexp, write `\\x{…}`",
        ),
        _ => (
            "an invisible character",
            "remove it; to match it in a regexp, write `\\x{…}`",
        ),
    };
    Diagnostic::new(Code::HiddenText, span, format!("{what} ({number})")).help(help)
}

/// The parts of a file that are for people: comments, and values of some keys.
struct Prose(Vec<std::ops::Range<usize>>);

impl Prose {
    fn of(source: &Source) -> Self {
        match source.kind {
            SourceKind::Limits => Self(comment_lines(&source.text, 0)),
            _ => Self(toml(&source.text)),
        }
    }

    fn has(&self, at: usize) -> bool {
        self.0.iter().any(|range| range.contains(&at))
    }
}

/// The lines of a text that are comments; `start` is where the text begins.
fn comment_lines(text: &str, start: usize) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut at) = (Vec::new(), start);
    for line in text.split('\n') {
        if line.trim_start().starts_with('#') {
            ranges.push(at..at + line.len());
        }
        at += line.len() + 1;
    }
    ranges
}

/// The comments of a TOML text, those within strings of lines included, and the values of the keys for people.
fn toml(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut at, mut line_start) = (Vec::new(), 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with('\n') {
            line_start = at + 1;
        } else if rest.starts_with('#') {
            let end = rest.find('\n').unwrap_or(rest.len());
            ranges.push(at..at + end);
            at += end;
            continue;
        } else if rest.starts_with(['"', '\'']) {
            let length = string(rest);
            let key = text.get(line_start..at).unwrap_or_default();
            let key = key.split('=').next().unwrap_or_default().trim();
            if PROSE.contains(&key) {
                ranges.push(at..at + length);
            } else {
                ranges.extend(comment_lines(rest.get(..length).unwrap_or_default(), at));
            }
            at += length;
            continue;
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    ranges
}

/// The length of the TOML string at the beginning, quotes included.
fn string(rest: &str) -> usize {
    let quotes = ["'''", "\"\"\"", "'", "\""];
    let quote = quotes
        .into_iter()
        .find(|quote| rest.starts_with(quote))
        .unwrap_or("'");
    let mut at = quote.len();
    while let Some(behind) = rest.get(at..).filter(|behind| !behind.is_empty()) {
        if behind.starts_with(quote) {
            return at + quote.len();
        }
        let escaped = quote.starts_with('"') && behind.starts_with('\\');
        let mut characters = behind.chars();
        at += characters.next().map_or(1, char::len_utf8);
        if escaped {
            at += characters.next().map_or(0, char::len_utf8);
        } else if quote.len() == 1 && behind.starts_with('\n') {
            // The string is not closed; TOML's own error says so.
            return at;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(name: &str, text: &str) -> Vec<(usize, String)> {
        let sources = SourceSet::from_files([(name.to_owned(), text.to_owned())]);
        let mut diagnostics = Vec::new();
        check(&sources, &mut diagnostics);
        diagnostics
            .into_iter()
            .map(|found| (found.primary.span.start, found.headline))
            .collect()
    }

    #[test]
    fn characters_that_nobody_sees_are_found_wherever_they_are() {
        for (odd, words) in [
            ('\0', "NUL"),
            ('\r', "carriage return"),
            ('\u{b}', "space character"),
            ('\u{a0}', "space character"),
            ('\u{85}', "line separator"),
            ('\u{2028}', "line separator"),
            ('\u{200b}', "invisible"),
            ('\u{202e}', "invisible"),
            ('\u{feff}', "byte-order mark"),
            ('\u{3000}', "space character"),
        ] {
            for (name, before, after) in [
                ("a.limits", "# x", "y\n/rest/x\n"),
                ("a.limits", "/rest/x", "y\n"),
                ("a.toml", "description = \"x", "\"\n"),
                ("invariants.toml", "# x", "y\n"),
            ] {
                let found = places(name, &format!("{before}{odd}{after}"));
                assert_eq!(found.len(), 1, "{odd:?} in {name}");
                assert_eq!(found[0].0, before.len());
                assert!(found[0].1.contains(words), "{found:?}");
            }
        }
    }

    #[test]
    fn joiners_are_for_people() {
        for odd in JOINERS {
            for (name, text, count) in [
                ("a.limits", format!("# x{odd}\n/rest/x\n"), 0),
                ("a.limits", format!("/rest/x{odd}\n"), 1),
                (
                    "a.toml",
                    format!("description = 'x{odd}'\nname = 'y' # {odd}\n"),
                    0,
                ),
                ("a.toml", format!("owner = \"\\\"x{odd}\"\n"), 0),
                ("a.toml", format!("name = 'x{odd}'\n"), 1),
                ("a.toml", format!("limit_to = '''\n# {odd}\n/x\n'''\n"), 0),
                ("a.toml", format!("limit_to = '''\n# x\n/x{odd}\n'''\n"), 1),
            ] {
                assert_eq!(places(name, &text).len(), count, "{odd:?} in {text:?}");
            }
        }
    }

    #[test]
    fn a_mark_at_the_beginning_and_both_line_ends_are_fine() {
        assert!(places("a.limits", "\u{feff}/rest/x\r\n# é\r\n").is_empty());
        assert_eq!(places("a.limits", "/rest/\u{a0}x\u{a0}y\n/\u{a0}\n").len(), 2);
    }
}
