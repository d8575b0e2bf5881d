//! One canonical spelling of policy files, with a proof that the meaning stays.
//!
//! A file is read with the readers of the compiler, written in the canonical spelling, and read again. [`prove`] compares both
//! readings, and the programs that both policies compile to.

mod block;
mod document;
mod kept;
mod layout;
mod line;
mod meaning;
mod proof;
mod text;

use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    earlier,
    parse::parse_line,
    resolve::include_of,
    source::{Source, SourceId, SourceKind, SourceSet, Span},
    tokens,
};

pub(crate) use kept::Kept;
pub use proof::{Unproved, prove, says_the_same};

/// A file in the canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted {
    /// The whole text, with `\n` at each line's end.
    pub text: String,
    /// Lines of the old text whose spaces version 1 of the language read as a part of the URL (TW0121). The new text has none
    /// of these spaces, so that the finding disappears.
    pub reread: Vec<Span>,
}

/// Formats the files of one policy.
#[derive(Clone, Debug)]
pub struct Formatter<'s> {
    sources: &'s SourceSet,
    kept: Kept,
}

impl<'s> Formatter<'s> {
    /// A formatter for these files. If a token has a seal, all limit lines keep their texts, since seals sign them. Otherwise those
    /// that a review names keep theirs.
    #[must_use]
    pub fn new(sources: &'s SourceSet) -> Self {
        Self {
            sources,
            kept: Kept::of(sources),
        }
    }

    /// Whether limit lines keep their texts, because seals sign them.
    #[must_use]
    pub fn keeps_lines(&self) -> bool {
        self.kept.all
    }

    /// The canonical spelling of a file.
    ///
    /// # Errors
    /// The parts of the file that cannot be parsed: it is not TOML, or has lines that are none.
    pub fn format(&self, id: SourceId) -> Result<Formatted, Vec<Diagnostic>> {
        let source = self.sources.get(id);
        // Tests have no limit lines, and keep their spelling.
        let Some(source) = source.filter(|source| source.kind != SourceKind::Tests) else {
            return Ok(Formatted {
                text: source.map(|source| source.text.to_string()).unwrap_or_default(),
                reread: Vec::new(),
            });
        };
        let lines = readable_lines(self.sources, id, source)?;
        let reread = lines.into_iter().filter(|line| {
            let text = self.sources.text(*line);
            !self.kept.keeps(text) && earlier::has_blanks(text, *line)
        });
        let reread = reread.collect();
        let text = text::plain(source.body());
        let written = match source.kind {
            SourceKind::Limits => Ok(block::format(&text, &self.kept)),
            _ => document::format(&text, &self.kept),
        };
        match written {
            Ok(text) => Ok(Formatted { text, reread }),
            Err(headline) => {
                let place = Span {
                    source: id,
                    start: 0,
                    end: 0,
                };
                Err(vec![Diagnostic::new(Code::TomlSyntax, place, headline)])
            }
        }
    }
}

/// The findings of a compilation about limit lines whose parts cannot be read, such as a regexp that does not parse. The spelling of
/// such a line has no meaning that could be kept.
#[must_use]
pub fn unreadable_lines(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_of_reading = |found: &Diagnostic| {
        found.severity == Severity::Error
            && matches!(
                found.code,
                Code::LineSyntax | Code::EmptyUrl | Code::Regexp | Code::RegexpFeature | Code::TooLarge
            )
    };
    found.retain(is_of_reading);
    found
}

/// The limit lines of a file, all of which parse.
fn readable_lines(sources: &SourceSet, id: SourceId, source: &Source) -> Result<Vec<Span>, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let lines: Vec<Span> = match source.kind {
        SourceKind::Limits => {
            let start = source.text.len() - source.body().len();
            let all = tokens::split_lines(id, &source.text, start..source.text.len()).lines;
            let is_line = |line: &Span| include_of(sources.text(*line)).is_none();
            all.into_iter().filter(is_line).collect()
        }
        SourceKind::Tokens => {
            let definitions = tokens::read(id, source, &mut found);
            let blocks = definitions.into_iter().filter_map(|token| token.limit_to);
            blocks.flat_map(|block| block.lines).collect()
        }
        SourceKind::Invariants => {
            let definitions = tokens::read_invariants(id, source, &mut found);
            definitions
                .into_iter()
                .flat_map(|rule| rule.lines.lines)
                .collect()
        }
        SourceKind::Reviewed => {
            tokens::read_reviewed(sources, &mut found);
            found.retain(|error| error.primary.span.source == id);
            Vec::new()
        }
        SourceKind::Tests => Vec::new(),
    };
    // Wrong keys and values do not keep a file from being formatted: they stay what they are.
    found.retain(|error| matches!(error.code, Code::TomlSyntax | Code::BackslashInString));
    for line in &lines {
        if let Err(error) = parse_line(sources.text(*line), *line) {
            found.push(*error);
        }
    }
    if found.is_empty() { Ok(lines) } else { Err(found) }
}
