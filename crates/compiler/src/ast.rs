//! What people write, with the place of every part: a faithful tree in which names are not yet looked up.

use crate::{json::Path, method::MethodSet, source::Span};

/// Whether a line that matches permits or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// The effect of a plain line.
    Permit,
    /// A line with a leading `!`.
    Forbid,
}

/// One "Limit to" line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The line without its surrounding blanks.
    pub span: Span,
    /// Whether the line permits or forbids.
    pub effect: Effect,
    /// The method list, if there is one.
    pub methods: Option<MethodSet>,
    /// The URL regexp.
    pub url: Pattern,
    /// The URL regexp with the blanks around it, which releases of language 1 read as a part of it.
    pub url_with_blanks: Span,
    /// The constraints, in order.
    pub constraints: Vec<Constraint>,
}

/// A regexp as the line has it: text and placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The span of the whole regexp.
    pub span: Span,
    /// The placeholders of the regexp, in order.
    pub placeholders: Vec<(Placeholder, Span)>,
}

/// The meaning of a `{NAME}`.
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
    /// The part of the request that the constraint tests.
    pub subject: Subject,
    /// The constraint's test.
    pub test: Test,
}

/// The part of a request that a constraint tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A parameter, or (for [`Test::Only`]) all of them, with an empty name.
    Query(String),
    /// A node of the JSON body, or (for [`Test::Only`]) the object whose members are limited.
    Json(Path),
}

/// The test of a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The values match, or do not.
    Values {
        /// `==`, `!=` or `?=`.
        operator: Operator,
        /// `:boolean` and the other types; JSON only.
        kind: Option<crate::json::Kind>,
        /// The regexp.
        pattern: Pattern,
    },
    /// `only`: no parameters or members except those that the line names.
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
