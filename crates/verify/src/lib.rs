//! Checks certificates of `tokenward` with nothing of the analysis that wrote them; `docs/proofs.md` has the format and the rules.
//!
//! From the compiler it takes the reader of artifacts, which also binds them to a public URL and steps through their patterns, and
//! the types of a program. How lines match and what makes a proof are written here once more, as simply as possible.

mod check;
mod closed;
mod format;
mod proof;
mod rule;

pub use check::{Report, verify};
