//! Forbid lines that earlier rounds of a run corrected. A later round does not remove them: the author meant to forbid something, and
//! should see the corrected line before it goes.

use std::collections::{HashMap, HashSet};

use tokenward_compiler::diagnostic::{Diagnostic, Edit, Fix};
use tokenward_compiler::source::SourceSet;

/// The texts of corrected forbid lines, by file.
#[derive(Default)]
pub(super) struct Corrected(HashMap<String, HashSet<String>>);

impl Corrected {
    /// Adds the forbid lines that a round has written.
    pub(super) fn add(&mut self, before: &SourceSet, after: &SourceSet) {
        let known: HashMap<&str, &str> = before
            .iter()
            .map(|(_, source)| (source.path.as_str(), &*source.text))
            .collect();
        for (_, source) in after.iter() {
            let (path, text): (&str, &str) = (source.path.as_str(), &source.text);
            let old = known.get(path).copied().unwrap_or_default();
            if old == text {
                continue;
            }
            let old: HashSet<&str> = forbids(old).collect();
            let new = forbids(text).filter(|line| !old.contains(line));
            self.0
                .entry(path.to_owned())
                .or_default()
                .extend(new.map(str::to_owned));
        }
    }

    /// Takes out the fixes that remove a corrected line.
    pub(super) fn keep(&self, sources: &SourceSet, found: &mut [Diagnostic]) {
        if self.0.is_empty() {
            return;
        }
        for found in found {
            found.fixes.retain(|fix| !self.is_removed(sources, fix));
        }
    }

    fn is_removed(&self, sources: &SourceSet, fix: &Fix) -> bool {
        let removes = |edit: &Edit| {
            let path = sources.get(edit.span.source).map(|source| source.path.as_str());
            let lines = path.and_then(|path| self.0.get(path));
            let written: HashSet<&str> = forbids(&edit.text).collect();
            // A correction may replace one line by another; a removal leaves none.
            written.is_empty()
                && lines
                    .is_some_and(|lines| forbids(sources.text(edit.span)).any(|line| lines.contains(line)))
        };
        fix.edits.iter().any(removes)
    }
}

/// The forbid lines of a text, without the space around them.
fn forbids(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('!'))
}
