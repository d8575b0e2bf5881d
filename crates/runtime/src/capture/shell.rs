//! Shell scripts as a tree: commands with their words, and the structure around them.
//!
//! Reads POSIX shell and what bash and zsh have in common with it. A crate for this (`brush-parser`) has 90 dependencies, is recursive
//! without a bound, and keeps its results in a cache of the process. Files are hostile here, so depth and size are bounded.

mod commands;
mod cursor;
mod words;

use std::rc::Rc;

/// A script that cannot be read: the line and the reason, with the cure.
pub(super) type Failed = (usize, String);

/// Commands in their order.
pub(super) type List = Vec<Chain>;

/// Pipelines that `&&` and `||` join.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Each with more than one command if they are piped.
    pub(super) pipelines: Vec<Vec<Node>>,
    pub(super) is_background: bool,
}

/// A command with its redirections.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) command: Command,
    /// Files of redirections.
    pub(super) files: Vec<Word>,
    /// The text of the last here-document or here-string.
    pub(super) input: Option<Word>,
}

#[derive(Debug)]
pub(super) enum Command {
    Simple {
        assignments: Vec<Assignment>,
        words: Vec<Word>,
    },
    Group(List),
    Subshell(List),
    /// Conditions with their commands, and the commands of `else`.
    If(Vec<(List, List)>, List),
    /// A condition and a body.
    Loop(List, List),
    /// A name, its values if they are written, and a body.
    For(String, Option<Vec<Word>>, List),
    Case(Word, Vec<(Vec<Word>, List)>),
    Function(String, Rc<Node>),
    /// Words of `[[ … ]]` and `(( … ))`.
    Test(Vec<Word>),
}

/// `NAME=value`.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: String,
    /// Whether `+=` adds to the value.
    pub(super) adds: bool,
    pub(super) value: Assigned,
}

#[derive(Debug)]
pub(super) enum Assigned {
    Text(Word),
    List(Vec<Word>),
    /// One element of an array.
    Element(Word),
}

/// A word in parts.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    Text {
        text: String,
        is_quoted: bool,
    },
    /// `$NAME`, `${NAME…}`.
    Variable {
        name: String,
        /// What the braces do with the value.
        change: Option<(String, Word)>,
        is_list: bool,
        is_quoted: bool,
    },
    /// The output of commands.
    Output {
        commands: List,
        is_quoted: bool,
    },
    /// A part whose value depends on the shell, as written, with the parts in it. It may assign these variables.
    Unknown {
        written: String,
        inner: Word,
        assigned: Vec<String>,
    },
}

impl Word {
    /// The text of a word without quotes, variables and outputs.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [
                Part::Text {
                    text,
                    is_quoted: false,
                },
            ] => Some(text),
            _ => None,
        }
    }
}

/// Reads a script whose first line has this number. `depth` is the nesting of the script in others.
///
/// # Errors
/// The script is not one that a shell runs, or is nested too deeply.
pub(super) fn parse(text: &str, line: usize, depth: usize) -> Result<List, Failed> {
    cursor::Cursor::new(text, line, depth).script()
}

#[cfg(test)]
mod tests;
