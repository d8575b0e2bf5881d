//! What an import did, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokenward_pdp::secret::Secret;
use tokenward_pdp::text::{escaped, is_deceptive};

use super::export::Broken;
use super::meaning::{Change, Example, Proof};
use crate::authoring::edit::NewToken;

/// Result of the import for each token.
#[derive(Default)]
pub(super) struct Report {
    /// Path of the policy file.
    pub(super) into: String,
    /// Whether the file was written.
    pub(super) written: bool,
    pub(super) imported: Vec<Imported>,
    /// Labels, and why these are not needed.
    pub(super) left_out: Vec<(String, String)>,
    pub(super) broken: Vec<Broken>,
}

/// A token that was, or can be, taken over.
pub(super) struct Imported {
    pub(super) label: String,
    pub(super) token: NewToken,
    /// Decisions that a person must make, one sentence each.
    pub(super) decisions: Vec<String>,
    /// Indexes of the lines in which the import put quotes around names.
    pub(super) quoted: Vec<usize>,
    pub(super) changes: Vec<Change>,
    /// The secret, if the import generated it.
    pub(super) new_secret: Option<Secret>,
}

/// Differences that apply to every line, so they are reported once.
const OF_ALL: [&str; 6] = [
    "if a parameter or node occurs several times, all its values must match (`?a=good&a=bad` is denied)",
    "an ambiguous request is always refused (`..`, `//`, `;`, `%2F`, duplicate JSON names, a form together with a constraint)",
    "`.` also matches line ends",
    "`[get]` does not grant HEAD, and no line grants methods other than GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "calls that issue or show credentials are forbidden unless the token has `mint = true`",
    "calls that grant rights are forbidden unless the token has `escalate = true`; calls that carry other calls are forbidden unless it has both",
];

/// Escapes characters with which an export could deceive a terminal.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && (character.is_control() || is_deceptive(character)) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// `1 token`, `2 tokens`.
pub(super) fn tokens(count: usize) -> String {
    format!("{count} token{}", if count == 1 { "" } else { "s" })
}

impl Report {
    pub(super) fn as_text(&self) -> String {
        let mut out = String::new();
        self.write_broken(&mut out);
        self.write_changes(&mut out);
        self.write_decisions(&mut out);
        if !self.left_out.is_empty() {
            out.push_str("Skipped:\n");
            for (label, why) in &self.left_out {
                let _ = writeln!(out, "  {label}: {why}");
            }
            out.push('\n');
        }
        if !self.imported.is_empty() {
            out.push_str("In all lines:\n");
            for note in OF_ALL {
                let _ = writeln!(out, "  {note}");
            }
            out.push('\n');
        }
        self.write_secrets(&mut out);
        let changed = self
            .imported
            .iter()
            .filter(|token| !token.changes.is_empty())
            .count();
        let verb = if self.written {
            "imported to"
        } else {
            "can be imported to"
        };
        let _ = writeln!(
            out,
            "{} {verb} {}, {changed} of them with lines that change their meaning; {} skipped, {} cannot be imported",
            tokens(self.imported.len()),
            self.into,
            self.left_out.len(),
            self.broken.len()
        );
        shown(&out)
    }

    fn write_broken(&self, out: &mut String) {
        if self.broken.is_empty() {
            return;
        }
        out.push_str("Cannot be imported:\n");
        for Broken { label, why } in &self.broken {
            let _ = writeln!(out, "  {label}: {}", why.replace('\n', "\n    "));
        }
        out.push('\n');
    }

    fn write_changes(&self, out: &mut String) {
        let changed = self.imported.iter().filter(|token| !token.changes.is_empty());
        let mut changed = changed.peekable();
        if changed.peek().is_none() {
            return;
        }
        out.push_str("Lines that have a different meaning here:\n");
        for imported in changed {
            let _ = writeln!(out, "  {}:", imported.token.name);
            for change in &imported.changes {
                let line = imported.token.lines.get(change.line).map_or("", String::as_str);
                let _ = writeln!(out, "    {line}\n      {}", change.cause.explanation());
                match &change.proof {
                    Proof::Inconclusive(why) => {
                        let _ = writeln!(out, "      inconclusive: {why}");
                    }
                    Proof::Requests {
                        newly_allowed,
                        newly_denied,
                    } => {
                        for (example, what) in [(newly_allowed, "allowed"), (newly_denied, "denied")] {
                            if let Some(Example { request, curl }) = example {
                                let _ = writeln!(out, "      newly {what}: {request}\n        {curl}");
                            }
                        }
                    }
                }
            }
        }
        out.push('\n');
    }

    fn write_decisions(&self, out: &mut String) {
        let needing = self.imported.iter().filter(|token| !token.decisions.is_empty());
        let mut needing = needing.peekable();
        if needing.peek().is_none() {
            return;
        }
        out.push_str("Decisions needed:\n");
        for imported in needing {
            for decision in &imported.decisions {
                let _ = writeln!(out, "  {}: {decision}", imported.token.name);
            }
        }
        out.push('\n');
    }

    /// Writes only secrets of tokens in the file; others would mislead.
    fn write_secrets(&self, out: &mut String) {
        let made = self
            .imported
            .iter()
            .filter_map(|token| Some((&token.token.name, token.new_secret.as_ref()?)));
        let mut made = made.peekable();
        if !self.written || made.peek().is_none() {
            return;
        }
        out.push_str("New secrets, shown only now and stored nowhere:\n");
        for (name, secret) in made {
            let _ = writeln!(out, "  {name}: {}", secret.expose());
        }
        out.push('\n');
    }

    pub(super) fn as_json(&self) -> String {
        let imported: Vec<Value> = self.imported.iter().map(|token| self.token_json(token)).collect();
        let left_out: Vec<Value> = self
            .left_out
            .iter()
            .map(|(label, why)| json!({ "label": label, "why": why }))
            .collect();
        let broken: Vec<Value> = self
            .broken
            .iter()
            .map(|broken| json!({ "label": broken.label, "why": broken.why }))
            .collect();
        let whole = json!({
            "version": 1,
            "file": self.into,
            "written": self.written,
            "imported": imported,
            "left_out": left_out,
            "cannot_be_taken_over": broken,
            "in_all_lines": OF_ALL,
        });
        format!("{}\n", escaped(&format!("{whole:#}")))
    }

    fn token_json(&self, imported: &Imported) -> Value {
        let example = |example: &Option<Example>| {
            example
                .as_ref()
                .map(|example| json!({ "request": example.request, "curl": example.curl }))
        };
        let changes: Vec<Value> = imported
            .changes
            .iter()
            .map(|change| {
                let (allowed, denied, inconclusive) = match &change.proof {
                    Proof::Requests {
                        newly_allowed,
                        newly_denied,
                    } => (example(newly_allowed), example(newly_denied), None),
                    Proof::Inconclusive(why) => (None, None, Some(why)),
                };
                json!({
                    "line": imported.token.lines.get(change.line),
                    "cause": change.cause.code(),
                    "explanation": change.cause.explanation(),
                    "newly_allowed": allowed,
                    "newly_denied": denied,
                    "inconclusive": inconclusive,
                })
            })
            .collect();
        let secret = imported.new_secret.as_ref().filter(|_| self.written);
        json!({
            "label": imported.label,
            "name": imported.token.name,
            "decisions": imported.decisions,
            "changes": changes,
            "new_secret": secret.map(Secret::expose),
        })
    }
}
