//! A suggestion, and what several places suggest.

use gen_lsp_types::CompletionItemKind;

use crate::sets::Sets;

/// Suggestions of one kind at most: a list for people.
pub(super) const MOST: usize = 500;

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) label: String,
    pub(super) kind: CompletionItemKind,
    /// The text to insert.
    pub(super) text: String,
    /// The same with places to fill in, as a snippet.
    pub(super) snippet: Option<String>,
    pub(super) meaning: String,
}

impl Suggestion {
    pub(super) fn new(
        label: impl Into<String>,
        kind: CompletionItemKind,
        meaning: impl Into<String>,
    ) -> Self {
        let label = label.into();
        Self {
            text: label.clone(),
            label,
            kind,
            snippet: None,
            meaning: meaning.into(),
        }
    }

    pub(super) fn inserting(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    pub(super) fn snippet(mut self, snippet: impl Into<String>) -> Self {
        self.snippet = Some(snippet.into());
        self
    }
}

/// The names of sets, with their files.
pub(super) fn of_sets(sets: &Sets) -> Vec<Suggestion> {
    let all = sets.files.iter().take(MOST);
    all.map(|(name, files)| {
        let file = files.first().map(String::as_str).unwrap_or_default();
        Suggestion::new(
            name,
            CompletionItemKind::Module,
            format!("The lines of `{file}`."),
        )
    })
    .collect()
}

/// The length of the end of a text that fulfils a condition, in bytes.
pub(super) fn tail(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.len() - text.trim_end_matches(is_part).len()
}
