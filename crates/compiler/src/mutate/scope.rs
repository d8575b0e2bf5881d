//! A policy cut down to some tokens.

use std::ops::Range;

use crate::source::{SourceId, SourceKind, SourceSet, Span};

/// The heading of a token's entry.
const HEADING: &str = "[[token]]";

/// The files of a policy, in which everything but the entries of some tokens is blank. All places are those of the policy.
#[derive(Clone, Debug)]
pub struct Scope {
    sources: SourceSet,
}

impl Scope {
    /// The policy of the tokens whose names are at these places, with all sets of lines, and without invariants and reviews.
    #[must_use]
    pub fn of(sources: &SourceSet, names: &[Span]) -> Self {
        let mut scoped = sources.clone();
        for (id, source) in sources.iter() {
            let text = match source.kind {
                SourceKind::Limits => continue,
                SourceKind::Tokens => of_tokens(&source.text, names.iter().filter(|name| name.source == id)),
                SourceKind::Invariants | SourceKind::Reviewed | SourceKind::Tests => None,
            };
            let text = match text {
                Some(text) => text,
                None if source.kind == SourceKind::Tokens && has_name(names, id) => continue,
                None => String::new(),
            };
            scoped = scoped.replaced(id, &text);
        }
        Self { sources: scoped }
    }

    /// The whole policy.
    #[must_use]
    pub fn whole(sources: &SourceSet) -> Self {
        Self {
            sources: sources.clone(),
        }
    }

    /// The files.
    #[must_use]
    pub fn sources(&self) -> &SourceSet {
        &self.sources
    }

    /// The files with another text of one line; a text that is empty removes the line.
    #[must_use]
    pub fn with(&self, line: Span, text: &str) -> SourceSet {
        let Some(source) = self.sources.get(line.source) else {
            return self.sources.clone();
        };
        let mut changed = source.text.to_string();
        if changed.get(line.start..line.end).is_some() {
            changed.replace_range(line.start..line.end, text);
        }
        self.sources.clone().replaced(line.source, &changed)
    }
}

fn has_name(names: &[Span], id: SourceId) -> bool {
    names.iter().any(|name| name.source == id)
}

/// The text with only the entries of these names; `None` if it has no entries that begin on lines of their own.
fn of_tokens<'n>(text: &str, names: impl Iterator<Item = &'n Span>) -> Option<String> {
    let starts: Vec<usize> = memchr::memmem::find_iter(text.as_bytes(), HEADING.as_bytes())
        .filter(|at| {
            text.get(..*at)
                .is_some_and(|before| before.is_empty() || before.ends_with('\n'))
        })
        .collect();
    let mut kept: Vec<Range<usize>> = Vec::new();
    for name in names {
        let after = starts.partition_point(|start| *start <= name.start);
        let start = *starts.get(after.checked_sub(1)?)?;
        let end = starts.get(after).copied().unwrap_or(text.len());
        kept.push(start..end);
    }
    if kept.is_empty() {
        return None;
    }
    kept.sort_by_key(|range| range.start);
    kept.dedup();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for range in kept {
        out.push_str(&blank(text.get(at..range.start)?));
        out.push_str(text.get(range.clone())?);
        at = range.end;
    }
    Some(out)
}

/// As many bytes, with line ends only where the text has them.
fn blank(text: &str) -> String {
    let bytes = text.bytes();
    bytes.map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}
