//! What people write, with the place of every part: a faithful tree in which names are not yet looked up.

use crate::{json::Path, method::MethodSet, source::Span};

/// Whether a line that matches permits or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// A line as such.
    Permit,
    /// A line with a leading `!`.
    Forbid,
}

/// One "Limit to" line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The line without its surrounding blanks.
    pub span: Span,
    /// Permit, or forbid.
    pub effect: Effect,
    /// The method list, if there is one.
    pub methods: Option<MethodSet>,
    /// The URL regexp.
    pub url: Pattern,
    /// The constraints, in order.
    pub constraints: Vec<Constraint>,
}

/// A regexp as it stands in a line: text and placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// All of it.
    pub span: Span,
    /// Its placeholders, in order.
    pub placeholders: Vec<(Placeholder, Span)>,
}

/// What a `{NAME}` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placeholder {
    /// `{BASE_URL}`, `{JIRA_URL}`, `{CONFLUENCE_URL}`: the configured public URL.
    BaseUrl,
    /// `{USER}`: the token's user.
    User,
}

/// One `[QueryParam::…]` or `[JsonData::…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// All of it, brackets included.
    pub span: Span,
    /// What it looks at.
    pub subject: Subject,
    /// What it demands.
    pub test: Test,
}

/// What a constraint looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A parameter, or (for [`Test::Only`]) all of them, with an empty name.
    Query(String),
    /// A node of the JSON body, or (for [`Test::Only`]) the object whose members are limited.
    Json(Path),
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The values match, or do not.
    Values {
        /// `==`, `!=` or `?=`.
        operator: Operator,
        /// `:boolean` and its kin; JSON only.
        kind: Option<crate::json::Kind>,
        /// The regexp.
        pattern: Pattern,
    },
    /// `only`: nothing but what the line names.
    Only,
}

/// How values and regexp are held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// `==`: present, and every value matches.
    All,
    /// `?=`: absent, or every value matches.
    AllOrAbsent,
    /// `!=`: no value matches.
    None,
}

impl Operator {
    /// The operator as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "==",
            Self::AllOrAbsent => "?=",
            Self::None => "!=",
        }
    }
}
