//! Placeholder characters in patterns, and the maximum depth of patterns.

/// Groups within groups that a regexp may have.
pub const MAX_NESTING: u32 = 60;

/// Represents `{BASE_URL}` in a pattern until it is bound: a character that no assigned text has (Unicode 16 section
/// 23.7, noncharacters).
pub const BASE_URL_MARK: char = '\u{10FFFE}';
/// Represents `{USER}` between parsing and resolving.
pub const USER_MARK: char = '\u{10FFFF}';
