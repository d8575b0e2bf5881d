//! Sets of lints, from the mistakes to what an auditor wants to have seen. Each contains those before it.

use crate::diagnostic::Code;

/// A set of lints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSet {
    /// No lint.
    None,
    /// Lines that hardly anybody means; no finding is false.
    #[default]
    Regular,
    /// Also lines that can be meant and can be narrower, and tokens that need attention soon.
    Pedantic,
    /// Also what is meant and dangerous.
    Auditor,
}

impl LintSet {
    /// Every set, with its name in the configuration and on the command line.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("regular", Self::Regular),
        ("pedantic", Self::Pedantic),
        ("auditor", Self::Auditor),
    ];

    /// The name of the set.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Regular => "regular",
            Self::Pedantic => "pedantic",
            Self::Auditor => "auditor",
        }
    }

    /// The first set that has a code; `None`: the code is no lint, and is always looked for.
    #[must_use]
    pub fn of(code: Code) -> Option<Self> {
        match code {
            Code::Expired
            | Code::Unanchored
            | Code::MissingBoundary
            | Code::UnescapedDot
            | Code::OpenValue
            | Code::NoMethods
            | Code::AllowsAll
            | Code::DeadAlternative
            | Code::BodilessMethod
            | Code::IdleException => Some(Self::Regular),
            Code::ExpiresSoon
            | Code::AnyUser
            | Code::TopAlternation
            | Code::AvoidableForbid
            | Code::SingleForList => Some(Self::Pedantic),
            Code::ReachesReserved => Some(Self::Auditor),
            _ => None,
        }
    }
}
