//! The numbers by which a program refers to its parts.

/// Names a token of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub(crate) u32);

/// Names a line of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub(crate) u32);

/// Names a rule of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub(crate) u32);

/// Names a matcher of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MatcherId(pub(crate) u32);

/// Names a matcher of URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UrlId(pub(crate) u32);

/// An index type for each arena, made where things are added.
pub(crate) fn arena_index(at: usize) -> u32 {
    // INVARIANT: an arena has fewer entries than its sources have bytes, and those are bounded far below 2^32.
    u32::try_from(at).unwrap_or(u32::MAX)
}
