//! The spans of a compiled policy: findings about a program point at them.

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

    /// Takes out, and returns, the warnings that a token's `lint_allow` allows in its entry.
    pub fn allow(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<Diagnostic> {
        let blocks = Blocks::new(&self.allowed);
        let is_allowed = |diagnostic: &mut Diagnostic| {
            let mut around = blocks.around(diagnostic.primary.span);
            diagnostic.severity != Severity::Error && around.any(|codes| codes.contains(&diagnostic.code))
        };
        diagnostics.extract_if(.., is_allowed).collect()
    }
}

/// Blocks of text, to find those around a place: there are as many as tokens, and as many places.
struct Blocks<'a> {
    /// In the order of their places.
    blocks: Vec<&'a (Span, Vec<Code>)>,
    /// For each block, the file and the furthest end of it and of those before it.
    ends: Vec<(SourceId, usize)>,
}

impl<'a> Blocks<'a> {
    fn new(blocks: &'a [(Span, Vec<Code>)]) -> Self {
        let mut blocks: Vec<&(Span, Vec<Code>)> = blocks.iter().collect();
        blocks.sort_by_key(|(span, _)| *span);
        let mut furthest = None;
        let ends = blocks.iter().map(|(span, _)| {
            let end = (span.source, span.end);
            *furthest.insert(furthest.map_or(end, |known: (SourceId, usize)| known.max(end)))
        });
        let ends = ends.collect();
        Self { blocks, ends }
    }

    /// The codes of the blocks that a place is in. Blocks seldom contain others, so this looks at one or two.
    fn around(&self, place: Span) -> impl Iterator<Item = &'a [Code]> {
        let behind = self
            .blocks
            .partition_point(|(span, _)| (span.source, span.start) <= (place.source, place.start));
        let before = self.blocks.iter().zip(&self.ends).take(behind).rev();
        before
            .take_while(move |(_, furthest)| **furthest >= (place.source, place.end))
            .filter(move |((span, _), _)| span.source == place.source && place.end <= span.end)
            .map(|((_, codes), _)| codes.as_slice())
    }
}
