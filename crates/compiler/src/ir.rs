//! The program: a policy in the form that decides. Equal lines, patterns and paths are stored once, and tokens hold
//! indices.

mod asks;
mod automaton;
mod bounds;
mod code;
mod entry;
mod glob;
mod id;
mod index;
mod layout;
mod lines;
mod listing;
mod matcher;
mod parts;
mod program;
mod questions;
mod read_back;
mod reading;
mod rule;
mod sought;
mod tables;
mod token;
mod whole;

pub use crate::policy::Users;
pub(crate) use asks::{AskedNode, AskedParam, Asks};
pub use automaton::{Automaton, AutomatonError};
pub use code::Code;
pub(crate) use code::{alike, first_literal};
pub(crate) use entry::url_code;
pub use glob::{Atom, ByteSet, Glob};
pub(crate) use id::arena_index;
pub use id::{LineId, MatcherId, RuleId, TokenId, UrlId};
pub(crate) use layout::{
    EFFECTS, Included, Layout, Match,
    near::{Near, Reach},
};
pub use lines::{Line, LineDigest};
pub(crate) use lines::{Lines, Place};
pub use matcher::{Matcher, PATTERN_LIMIT, UrlMatcher, ValueMatcher};
pub(crate) use parts::{MOST_IN_PART, Part, Parts, line_in, token_in};
pub use program::Program;
pub(crate) use questions::{Known, Questions, Slots};
pub(crate) use read_back::ReadBack;
pub use reading::{Pattern, Position, ValueTest};
pub(crate) use rule::Rules;
pub use rule::{Constraints, NodeTest, ParamTest, Rule};
pub(crate) use sought::Sought;
pub(crate) use tables::Tables;
pub use token::{Token, contains};
pub use whole::Whole;
pub(crate) use whole::{has_mark, marked};
