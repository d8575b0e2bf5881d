//! Formats the files of one input, and proves the result.

use std::collections::HashMap;

use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_compiler::format::{Formatter, Unproved, prove, says_the_same, unreadable_lines};
use tokenward_compiler::source::{Source, SourceId, SourceSet};
use tokenward_compiler::{Compilation, compile};

use super::change::Change;
use super::inputs::Input;
use super::proofs;

/// What formatting an input would change.
pub(super) struct Changes {
    /// Number of files that were looked at.
    pub(super) files: usize,
    pub(super) changed: Vec<Change>,
    /// Parts of files that cannot be parsed.
    pub(super) errors: Vec<Diagnostic>,
    /// Number of files that cannot be parsed.
    pub(super) unreadable: usize,
    /// Files that are left as they are, since the proof failed.
    pub(super) unproved: Vec<(String, Unproved)>,
    /// Places of lines that version 1 of the language read otherwise.
    pub(super) reread: Vec<String>,
    /// Whether the policy compiles, so that the proof compares programs too.
    pub(super) compiles: bool,
    pub(super) keeps_lines: bool,
    pub(super) is_standard: bool,
}

impl Changes {
    /// Formats the files that the input selects.
    pub(super) fn of(input: &Input) -> Self {
        let sources = &input.sources;
        let formatter = Formatter::new(sources);
        let Compilation {
            program, diagnostics, ..
        } = compile(sources);
        let mut changes = Self {
            files: 0,
            changed: Vec::new(),
            errors: Vec::new(),
            unreadable: 0,
            unproved: Vec::new(),
            reread: Vec::new(),
            compiles: program.is_some(),
            keeps_lines: formatter.keeps_lines(),
            is_standard: input.is_standard(),
        };
        let mut reread = Vec::new();
        let mut unreadable: HashMap<SourceId, Vec<Diagnostic>> = HashMap::new();
        for error in unreadable_lines(diagnostics) {
            unreadable
                .entry(error.primary.span.source)
                .or_default()
                .push(error);
        }
        for (id, source) in sources.iter().filter(|(_, source)| input.selects(&source.path)) {
            changes.files += 1;
            let formatted = formatter.format(id);
            let formatted = formatted.and_then(|formatted| match unreadable.remove(&id) {
                Some(errors) => Err(errors),
                None => Ok(formatted),
            });
            match formatted {
                Ok(formatted) if formatted.text == *source.text => {}
                Ok(formatted) => {
                    reread.push((source.path.clone(), formatted.reread));
                    changes.changed.push(Change {
                        id,
                        path: source.path.clone(),
                        before: source.text.to_string(),
                        after: formatted.text,
                    });
                }
                Err(errors) => {
                    changes.unreadable += 1;
                    changes.errors.extend(errors);
                }
            }
        }
        changes.prove(sources);
        changes.name(sources, &reread);
        changes
    }

    /// Whether each file could be parsed and proved.
    pub(super) fn is_whole(&self) -> bool {
        self.unreadable == 0 && self.unproved.is_empty()
    }

    /// Proves the changes: first each text by itself, which needs no compilation, and then the others together.
    fn prove(&mut self, sources: &SourceSet) {
        let mut rest = Vec::new();
        for change in std::mem::take(&mut self.changed) {
            match says(sources, &change) {
                Ok(()) => rest.push(change),
                Err(why) => self.unproved.push((change.path, why)),
            }
        }
        let sorted = proofs::sort(rest, |group| prove(sources, &after(sources, group)));
        self.changed = sorted.proved;
        let refused = sorted.unproved.into_iter();
        self.unproved
            .extend(refused.map(|(change, why)| (change.path, why)));
    }

    /// Names the lines of changed files that version 1 of the language read otherwise.
    fn name(&mut self, sources: &SourceSet, reread: &[(String, Vec<tokenward_compiler::source::Span>)]) {
        for (path, lines) in reread {
            if !self.changed.iter().any(|change| change.path == *path) {
                continue;
            }
            let place = |line| format!("{}:{}", sources.shown(path), sources.line_number(line));
            self.reread.extend(lines.iter().copied().map(place));
        }
    }
}

/// Proves that a changed text says the same.
fn says(sources: &SourceSet, change: &Change) -> Result<(), Unproved> {
    let old = sources.get(change.id).ok_or(Unproved::Files)?;
    let new = Source {
        text: change.after.as_str().into(),
        ..old.clone()
    };
    says_the_same(old, &new)
}

/// The policy with these changes. Its files keep their order.
fn after(sources: &SourceSet, changes: &[Change]) -> SourceSet {
    let mut all = sources.clone();
    for change in changes {
        all = all.replaced(change.id, &change.after);
    }
    all
}
