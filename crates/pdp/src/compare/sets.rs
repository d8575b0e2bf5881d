//! Sets that grew and that no token includes. They allow nothing yet, but a later `include` would add all of their
//! lines.

use std::collections::BTreeSet;

use tokenward_compiler::diagnostic::Code;
use tokenward_compiler::source::{SourceKind, SourceSet, Span};
use tokenward_compiler::tokens::split_lines;

use super::change::Change;
use crate::side::Side;

/// A set that grew, with the span of its first line.
pub struct Grown {
    /// Place of the set's first line.
    pub place: Span,
    /// The change.
    pub change: Change,
}

pub(super) fn grown(old: &Side, new: &Side) -> Vec<Grown> {
    let unused = new.unused.iter().filter_map(|id| {
        let source = new.sources.get(*id)?;
        let (was, is) = (
            lines(&old.sources, source.set_name()),
            lines(&new.sources, source.set_name()),
        );
        let is_forbid = |line: &&&str| line.starts_with('!');
        let added = is.difference(&was).filter(|line| !is_forbid(line)).count();
        let lifted = was.difference(&is).filter(is_forbid).count();
        if added + lifted == 0 {
            return None;
        }
        let count = |lines: &BTreeSet<&str>| match lines.len() {
            1 => "1 line".to_owned(),
            count => format!("{count} lines"),
        };
        let now = match (added, lifted) {
            (added, 0) => format!("{}, {added} of them new", count(&is)),
            (added, lifted) => format!("{}, {added} of them new, {lifted} forbid lines fewer", count(&is)),
        };
        Some(Grown {
            place: Span {
                source: *id,
                start: 0,
                end: source.text.find('\n').unwrap_or(source.text.len()),
            },
            change: Change::new(source.set_name(), count(&was), now, Some(Code::GrownSet)),
        })
    });
    unused.collect()
}

/// Lists the lines of a set, including its `include` lines; empty if the set does not exist.
fn lines<'s>(sources: &'s SourceSet, name: &str) -> BTreeSet<&'s str> {
    let sets = sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Limits && source.set_name() == name);
    sets.flat_map(|(id, source)| split_lines(id, &source.text, 0..source.text.len()).lines)
        .map(|line| sources.text(line))
        .collect()
}
