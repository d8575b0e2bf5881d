//! The tree of a script.

use std::rc::Rc;

/// A script that cannot be read: the line and the reason, with the cure.
pub(in crate::capture) type Failed = (usize, String);

/// Commands in their order.
pub(in crate::capture) type List = Vec<Chain>;

/// Pipelines that `&&` and `||` join.
#[derive(Debug, Default)]
pub(in crate::capture) struct Chain {
    /// Each with more than one command if they are piped.
    pub(in crate::capture) pipelines: Vec<Vec<Node>>,
    pub(in crate::capture) is_background: bool,
}

/// A command with its redirections.
#[derive(Debug)]
pub(in crate::capture) struct Node {
    pub(in crate::capture) line: usize,
    pub(in crate::capture) command: Command,
    /// Files of redirections.
    pub(in crate::capture) files: Vec<Word>,
    /// The file of the last `<`.
    pub(in crate::capture) read_from: Option<Word>,
    /// The text of the last here-document or here-string.
    pub(in crate::capture) input: Option<Word>,
}

#[derive(Debug)]
pub(in crate::capture) enum Command {
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
pub(in crate::capture) struct Assignment {
    pub(in crate::capture) name: String,
    /// Whether `+=` adds to the value.
    pub(in crate::capture) adds: bool,
    pub(in crate::capture) value: Assigned,
}

#[derive(Debug)]
pub(in crate::capture) enum Assigned {
    Text(Word),
    List(Vec<Word>),
    /// One element of an array.
    Element(Word),
}

/// A word in parts.
#[derive(Debug, Default)]
pub(in crate::capture) struct Word {
    pub(in crate::capture) parts: Vec<Part>,
}

#[derive(Debug)]
pub(in crate::capture) enum Part {
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
        /// Whether the values become one word in quotes: `$*`, `${NAME[*]}`.
        is_joined: bool,
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
    pub(in crate::capture) fn plain(&self) -> Option<&str> {
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
