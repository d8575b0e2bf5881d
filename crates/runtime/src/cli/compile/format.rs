//! The formats of the output.

use clap::ValueEnum;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// For people, on standard error
    Text,
    /// One JSON object per line, on standard output
    Json,
    /// SARIF 2.1.0, for tools that show findings next to lines
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations and the step summary of GitHub Actions
    Github,
    /// GitLab Code Quality
    Gitlab,
}

impl Format {
    /// Whether the output is one document, written at the end.
    pub(super) fn is_document(self) -> bool {
        !matches!(self, Self::Text | Self::Json)
    }
}
