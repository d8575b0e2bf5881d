//! The canonical spelling of a document, proved as by `tokenward fmt`.

use std::sync::Arc;

use gen_lsp_types::{Range, TextEdit};
use tokenward_compiler::{
    compile,
    diagnostic::Diagnostic,
    format::{Formatted, Formatter, prove, unreadable_lines},
    source::{SourceId, SourceSet},
};

use crate::text::LineIndex;

/// A document to be formatted.
pub(crate) struct Asked {
    pub(crate) sources: Arc<SourceSet>,
    pub(crate) id: SourceId,
}

impl Asked {
    /// The edit that gives the document its canonical spelling; none if it has it already.
    ///
    /// # Errors
    /// The document does not parse, or the new spelling was not proved to mean the same: then it keeps its text.
    pub(crate) fn answer(&self) -> Result<Vec<TextEdit>, String> {
        let Some(source) = self.sources.get(self.id) else {
            return Ok(Vec::new());
        };
        let formatted = self.formatted().map_err(|errors| {
            let first = errors
                .first()
                .map(|error| error.headline.clone())
                .unwrap_or_default();
            format!("`{}` has errors, so it keeps its spelling: {first}", source.path)
        })?;
        // The editor keeps the line ends of the document.
        let text = if source.text.contains("\r\n") {
            formatted.text.replace('\n', "\r\n")
        } else {
            formatted.text
        };
        if *text == *source.body() {
            return Ok(Vec::new());
        }
        let after = (*self.sources).clone().replaced(self.id, &text);
        prove(&self.sources, &after).map_err(|why| {
            format!(
                "`{}` keeps its spelling: its canonical one was not proved to mean the same: {why}",
                source.path
            )
        })?;
        let lines = LineIndex::of(&source.text);
        Ok(vec![minimal(&source.text, &text, &lines)])
    }

    /// The document in the canonical spelling, or the errors of lines that cannot be read.
    fn formatted(&self) -> Result<Formatted, Vec<Diagnostic>> {
        let formatted = Formatter::new(&self.sources).format(self.id)?;
        let mut unreadable = unreadable_lines(compile(&self.sources).diagnostics);
        unreadable.retain(|error| error.primary.span.source == self.id);
        if unreadable.is_empty() {
            Ok(formatted)
        } else {
            Err(unreadable)
        }
    }
}

/// The edit between the lines that both texts begin and end with, so that cursors and marks elsewhere stay.
fn minimal(old: &str, new: &str, lines: &LineIndex) -> TextEdit {
    let start: usize = old
        .split_inclusive('\n')
        .zip(new.split_inclusive('\n'))
        .take_while(|(one, other)| one == other)
        .map(|(line, _)| line.len())
        .sum();
    let (old_rest, new_rest) = (
        old.get(start..).unwrap_or_default(),
        new.get(start..).unwrap_or_default(),
    );
    let mut end = 0;
    let old_lines: Vec<&str> = old_rest.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new_rest.split_inclusive('\n').collect();
    for (one, other) in old_lines.iter().rev().zip(new_lines.iter().rev()) {
        if one != other {
            break;
        }
        end += one.len();
    }
    let range = start..old.len().saturating_sub(end).max(start);
    TextEdit {
        range: Range {
            start: lines.position(old, range.start),
            end: lines.position(old, range.end),
        },
        new_text: new
            .get(start..new.len().saturating_sub(end).max(start))
            .unwrap_or_default()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edit_covers_only_the_lines_that_differ() {
        for (old, new) in [
            ("a\nb\nc\n", "a\nx\ny\nc\n"),
            ("a\n", ""),
            ("", "a\n"),
            ("a\na\n", "a\n"),
            ("a\n", "a\na\na\n"),
            ("a", "b"),
            ("a\nb", "a\nb\n"),
        ] {
            let lines = LineIndex::of(old);
            let edit = minimal(old, new, &lines);
            let (start, end) = (
                lines.offset(old, edit.range.start),
                lines.offset(old, edit.range.end),
            );
            let mut edited = old.to_owned();
            edited.replace_range(start..end, &edit.new_text);
            assert_eq!(edited, new, "{old:?}");
        }
    }
}
