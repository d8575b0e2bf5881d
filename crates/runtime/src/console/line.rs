//! A line of the policy, with its words and its use.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use tokenward_audit::{LineKey, Usage};
use tokenward_compiler::ir;

use super::used::Used;
use crate::authoring::words::{Kind, Run, Words, words};

/// A line of a token.
#[derive(Debug, Serialize)]
pub(super) struct LineShown {
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) text: String,
    /// Names the text, as in the audit.
    pub(super) digest: String,
    pub(super) is_forbid: bool,
    /// The line in words, for readers who do not know regular expressions.
    pub(super) words: Option<String>,
    /// The calls that the line decided.
    pub(super) used: Used,
    /// Whether a search by file and number finds these calls and no others.
    #[serde(skip)]
    pub(super) is_searchable: bool,
}

/// The lines whose text is several times in one file. Only the number tells them apart.
pub(super) struct Repeated(HashSet<(String, String)>);

impl Repeated {
    pub(super) fn of(program: &ir::Program) -> Self {
        let lines = program.tokens().flat_map(|(id, _)| program.lines_of(id));
        Self::among(lines.map(|(_, line)| (line.file.to_owned(), line.digest.to_string(), line.number)))
    }

    fn among(lines: impl Iterator<Item = (String, String, u32)>) -> Self {
        let mut numbers: HashMap<(String, String), HashSet<u32>> = HashMap::new();
        for (file, digest, number) in lines {
            numbers.entry((file, digest)).or_default().insert(number);
        }
        let repeated = numbers.into_iter().filter(|(_, numbers)| numbers.len() > 1);
        Self(repeated.map(|(line, _)| line).collect())
    }

    /// Whether a call with this key was decided by this line. A line that moved within its file is the same one, if the file has
    /// its text once.
    fn is_same(&self, key: &LineKey, (file, number, digest): (&str, u32, &str)) -> bool {
        key.file == file
            && key.digest == digest
            && (key.number == number || !self.0.contains(&(file.to_owned(), digest.to_owned())))
    }
}

impl LineShown {
    pub(super) fn of(line: &ir::Line<'_>, counts: &Usage, repeated: &Repeated) -> Self {
        let digest = line.digest.to_string();
        let at = (line.file, line.number, digest.as_str());
        Self {
            used: used(counts, repeated, at),
            is_searchable: is_searchable(counts, repeated, at),
            file: line.file.to_owned(),
            number: line.number,
            text: line.text.to_owned(),
            is_forbid: line.text.starts_with('!'),
            words: in_words(line.text),
            digest,
        }
    }
}

/// The calls that a line decided.
pub(super) fn used(counts: &Usage, repeated: &Repeated, line: (&str, u32, &str)) -> Used {
    let of_line = counts.lines.iter().filter(|(key, _)| repeated.is_same(key, line));
    of_line
        .map(|(_, tally)| Used::from(tally))
        .fold(Used::default(), |all, one| Used {
            calls: all.calls + one.calls,
            allowed: all.allowed + one.allowed,
            denied: all.denied + one.denied,
            refused: all.refused + one.refused,
            last_ms: all.last_ms.max(one.last_ms),
        })
}

/// Whether the calls of a line are those of its place: it has not moved, and no other text was there.
fn is_searchable(counts: &Usage, repeated: &Repeated, line: (&str, u32, &str)) -> bool {
    let (file, number, _) = line;
    let mut keys = counts.lines.keys();
    keys.all(|key| repeated.is_same(key, line) == (key.file == file && key.number == number))
}

/// A line in words.
pub(super) fn in_words(text: &str) -> Option<String> {
    words(text).map(|words| sentence(&words))
}

fn sentence(words: &Words) -> String {
    let never = if words.is_forbid { "Never: " } else { "" };
    let mut out = format!("{never}{} {}", words.methods, shown(&words.path));
    for clause in &words.clauses {
        out.push_str("; ");
        out.push_str(&shown(&clause.runs));
    }
    out
}

fn shown(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs {
        match run.kind {
            Kind::Exact => out.push_str(&run.text),
            Kind::Any => out.extend(["<", &run.text, ">"]),
            Kind::Word => out.extend([" ", &run.text, " "]),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[(u32, &str)]) -> Usage {
        let mut counts = Usage::default();
        for (number, digest) in lines {
            let key = LineKey {
                file: "ci.toml".to_owned(),
                number: *number,
                digest: (*digest).to_owned(),
            };
            let tally = tokenward_audit::Tally {
                allowed: 1,
                ..tokenward_audit::Tally::default()
            };
            counts.lines.insert(key, tally);
        }
        counts
    }

    fn repeated(numbers: &[u32]) -> Repeated {
        let lines = numbers.iter();
        Repeated::among(lines.map(|number| ("ci.toml".to_owned(), "a".to_owned(), *number)))
    }

    #[test]
    fn a_line_that_moved_is_counted_but_not_searched_by_its_place() {
        let (once, at) = (repeated(&[17]), ("ci.toml", 17, "a"));
        let moved = counts(&[(15, "a")]);
        assert_eq!(used(&moved, &once, at).calls, 1);
        assert!(!is_searchable(&moved, &once, at));
        let still = counts(&[(17, "a"), (18, "b")]);
        assert!(used(&still, &once, at).calls == 1 && is_searchable(&still, &once, at));
        assert!(!is_searchable(&counts(&[(17, "a"), (17, "b")]), &once, at));
    }

    #[test]
    fn equal_lines_of_one_file_are_told_apart_by_their_numbers() {
        let (twice, counts) = (repeated(&[17, 30]), counts(&[(17, "a")]));
        assert_eq!(used(&counts, &twice, ("ci.toml", 17, "a")).calls, 1);
        assert_eq!(used(&counts, &twice, ("ci.toml", 30, "a")).calls, 0);
    }
}
