//! A condition as data.

/// The part of a request that a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The method.
    Method,
    /// The path, or the whole URL without its query.
    Path,
    /// The query.
    Query,
    /// The JSON body.
    Body,
}

impl Subject {
    /// The name in JSON: `method`, `path`, `query` or `body`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

/// A condition of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What the condition is about.
    pub subject: Subject,
    /// The condition as a clause: "the method is GET or POST". It may have characters of the line that a terminal acts on.
    pub text: String,
}
