//! Placeholder characters in patterns, and the maximum depth of patterns.

/// Groups within groups that a regexp may have.
pub const MAX_NESTING: u32 = 60;

/// Represents `{BASE_URL}` in a tree until it is bound: characters that no assigned text has (Unicode 16 section 23.7,
/// noncharacters). Two of them: alternatives of one character each become a class, in which a mark could not be found again.
pub const BASE_URL_MARK: &str = "\u{10FFFE}\u{10FFFE}";
/// Represents `{BASE_URL}` in the text of a pattern.
pub(super) const BASE_URL_CHARACTER: char = '\u{10FFFE}';
/// Represents `{USER}` in the text of a pattern.
pub(super) const USER_CHARACTER: char = '\u{10FFFF}';
