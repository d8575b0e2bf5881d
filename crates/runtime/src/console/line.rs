//! A line of the policy, with its words and its use.

use serde::Serialize;
use tokenward_audit::Usage;
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
}

impl LineShown {
    pub(super) fn of(line: &ir::Line<'_>, counts: &Usage) -> Self {
        let digest = line.digest.to_string();
        Self {
            used: used(counts, line.file, &digest),
            file: line.file.to_owned(),
            number: line.number,
            text: line.text.to_owned(),
            is_forbid: line.text.starts_with('!'),
            words: in_words(line.text),
            digest,
        }
    }
}

/// The calls that a line decided. A line that moved within its file is the same one.
pub(super) fn used(counts: &Usage, file: &str, digest: &str) -> Used {
    let of_line = counts
        .lines
        .iter()
        .filter(|(key, _)| key.file == file && key.digest == digest);
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
