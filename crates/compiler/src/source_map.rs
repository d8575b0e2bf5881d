//! Where a compiled policy was written: what findings about a program point at.

use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    ir::{LineId, TokenId},
    source::{SourceId, Span},
};

/// The places of a program's lines and tokens, and which warnings are allowed where.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    pub(crate) lines: Vec<Span>,
    pub(crate) tokens: Vec<Span>,
    pub(crate) allowed: Vec<(Span, Vec<Code>)>,
}

impl SourceMap {
    /// The place of a line of the program.
    #[must_use]
    pub fn line(&self, id: LineId) -> Option<Span> {
        self.lines.get(id.0 as usize).copied()
    }

    /// The place of a token's name.
    #[must_use]
    pub fn token(&self, id: TokenId) -> Option<Span> {
        self.tokens.get(id.0 as usize).copied()
    }

    /// The file of a line.
    pub(crate) fn file(&self, id: LineId) -> Option<SourceId> {
        self.line(id).map(|span| span.source)
    }

    /// Takes out the warnings that a token's `lint_allow` allows in its entry.
    pub fn allow(&self, diagnostics: &mut Vec<Diagnostic>) {
        let inside = |place: Span, block: Span| {
            place.source == block.source && block.start <= place.start && place.end <= block.end
        };
        diagnostics.retain(|diagnostic| {
            diagnostic.severity == Severity::Error
                || !self.allowed.iter().any(|(block, codes)| {
                    inside(diagnostic.primary.span, *block) && codes.contains(&diagnostic.code)
                })
        });
    }
}
