//! The regexps of lines: the syntax of the `regex` crate with the meaning of Extender's Java regexps.
//!
//! Differences from the `regex` crate, each because a line that moves over must not grow: a match is always of the whole
//! text; `.` also matches line ends; `\d`, `\w`, `\s`, `\b` and `(?i)` are ASCII-only; look-around, back-references,
//! possessive quantifiers and `(?-u)` are refused. No flag of `regex-syntax` combines an ASCII `\d` with a Unicode `.`,
//! so [`translate`] makes the HIR from the parsed regexp itself.

mod anchors;
mod class;
mod marks;
mod nothing;
mod parse;
mod translate;

pub use marks::{BASE_URL_MARK, MAX_NESTING};
pub(crate) use nothing::matches_nothing;
pub(crate) use parse::parse_as;
pub use parse::{Anchor, Parsed, parse};
pub use translate::{Case, translate};
pub(crate) use translate::{Place, any_bytes, branches, repeated, translate_as};
