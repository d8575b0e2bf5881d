//! The regexps of lines: the syntax of the `regex` crate with the meaning that the ancestor's Java gave it.
//!
//! Differences from the `regex` crate, each because a line that moves over must not grow: a match is always of the whole
//! text; `.` matches line ends too; `\d`, `\w`, `\s`, `\b` and `(?i)` know ASCII alone; look-around, back-references,
//! possessive quantifiers and `(?-u)` are refused. No flag of `regex-syntax` gives an ASCII `\d` beside a Unicode `.`,
//! so [`translate`] makes the HIR from the parsed regexp itself.

mod class;
mod parse;
mod translate;

pub use parse::{Anchor, Parsed, parse};
pub use translate::{Case, translate};

/// Groups within groups that a regexp may have.
pub const MAX_NESTING: u32 = 60;

/// Stands for `{BASE_URL}` in a pattern until it is bound: a character that no assigned text has (Unicode 16 section
/// 23.7, noncharacters).
pub const BASE_URL_MARK: char = '\u{10FFFE}';
/// Stands for `{USER}` between parsing and resolving.
pub const USER_MARK: char = '\u{10FFFF}';
