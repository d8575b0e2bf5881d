//! What people write, with the place of every part: a faithful tree in which names are not yet looked up.

use crate::{
    json::{Kinds, Path},
    method::MethodSet,
    range::{Bound, Side},
    source::Span,
};

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
    /// A node of the JSON body (`$` is the root), or (for [`Test::Only`]) the object whose members are limited.
    Json(Path),
}

/// The test of a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The values match, or do not.
    Values {
        /// `==`, `!=` or `?=`.
        operator: Operator,
        /// `:boolean`, `:string|null` and the like; JSON only.
        kinds: Option<Kinds>,
        /// The regexp.
        pattern: Pattern,
    },
    /// The values are numbers or dates on one side of a bound.
    Range {
        /// `<`, `<=`, `>=`, `>`, or one of these after a `?`.
        operator: Operator,
        /// The side of the bound that the operator names.
        side: Side,
        /// As of [`Test::Values`].
        kinds: Option<Kinds>,
        /// The bound.
        bound: Bound,
        /// The span of the bound.
        span: Span,
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
    /// `<` and the like: present, and every value is on this side of the bound.
    Within(Side),
    /// `?<` and the like: absent, or every value is on this side of the bound.
    WithinOrAbsent(Side),
}

impl Operator {
    /// Every operator. Formats number them in this order.
    pub const EVERY: [Self; 11] = [
        Self::All,
        Self::AllOrAbsent,
        Self::None,
        Self::Within(Side::Below),
        Self::Within(Side::UpTo),
        Self::Within(Side::From),
        Self::Within(Side::Above),
        Self::WithinOrAbsent(Side::Below),
        Self::WithinOrAbsent(Side::UpTo),
        Self::WithinOrAbsent(Side::From),
        Self::WithinOrAbsent(Side::Above),
    ];

    /// The operator as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "==",
            Self::AllOrAbsent => "?=",
            Self::None => "!=",
            Self::Within(side) => side.as_str(),
            Self::WithinOrAbsent(Side::Below) => "?<",
            Self::WithinOrAbsent(Side::UpTo) => "?<=",
            Self::WithinOrAbsent(Side::From) => "?>=",
            Self::WithinOrAbsent(Side::Above) => "?>",
        }
    }

    /// The operator of this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|operator| operator.as_str() == text)
    }

    /// Whether a permit line with it does not match a request that lacks the parameter or node.
    #[must_use]
    pub fn needs_value(self) -> bool {
        matches!(self, Self::All | Self::Within(_))
    }

    /// The operator as a number below 16, for formats.
    #[must_use]
    pub fn number(self) -> u8 {
        let at = Self::EVERY.into_iter().position(|operator| operator == self);
        at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
    }

    /// The inverse of [`Operator::number`].
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::EVERY.get(usize::from(number)).copied()
    }
}
