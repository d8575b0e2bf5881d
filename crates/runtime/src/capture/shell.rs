//! Shell scripts as a tree: commands with their words, and the structure around them.
//!
//! Reads POSIX shell and what bash and zsh have in common with it. Files are hostile here, so depth and size are bounded, and a part that
//! cannot be read is an error with its place. The crate `brush-parser` would add about 90 others for a part of what it does.

mod commands;
mod cursor;
mod tree;
mod words;

pub(super) use tree::{Assigned, Assignment, Chain, Command, Failed, List, Node, Part, Word};

/// Reads a script whose first line has this number. `depth` is the nesting of the script in others.
///
/// # Errors
/// The script is not one that a shell runs, or is nested too deeply.
pub(super) fn parse(text: &str, line: usize, depth: usize) -> Result<List, Failed> {
    cursor::Cursor::new(text, line, depth).script()
}

#[cfg(test)]
mod tests;
