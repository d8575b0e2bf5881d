//! Computes which operations of an API's description the tokens and lines of a policy reach.
//!
//! An operation is a method and a template of paths: `DELETE /rest/api/2/issue/{issueIdOrKey}`. It is a set of calls, like a line:
//! each path that fits the template, with any query and any body. So the questions about it are those of [`crate::ask`], and
//! [`survey`] answers them for all operations and tokens at once:
//!
//! * Lines that are equal are one *class*, whatever tokens have them. Each class is compared with each template once: by the
//!   literals that both begin with, by a few example paths, and by their automata if neither settles it.
//! * Tokens whose lines meet an operation in the same classes share one answer, a [`Cell`].
//! * Requests that are shown were decided by the program and are forwarded by the proxy as configured.

mod calls;
mod catalogue;
mod cells;
mod classes;
mod likeness;
mod newly;
mod operation;
mod paths;
mod samples;
mod schema_pattern;
mod survey;
mod template;

pub use self::{
    catalogue::{Beyond, Catalogue},
    cells::{Because, Cell, Extent, Hit},
    classes::{Class, Classes},
    newly::{Certainty, Change, NewCalls, NewOperation},
    operation::{Operation, Piece, Segment, Values},
    survey::{Reached, Survey, survey},
};

#[cfg(test)]
mod tests;
