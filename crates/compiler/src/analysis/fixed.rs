//! The languages that requests have under every policy: texts, paths, numbers.

use std::sync::LazyLock;

use regex_syntax::{ParserBuilder, hir::Hir};

use super::refused_paths::{self, LiftedRefusals};
use crate::ir::{Automaton, AutomatonError};

/// The automata of the ids that [`LangId`](super::language::LangId) names, in the order of their numbers. Built once.
pub(super) fn all() -> Result<Vec<Automaton>, AutomatonError> {
    static ALL: LazyLock<Result<Vec<Automaton>, AutomatonError>> = LazyLock::new(|| {
        // The first two are constants: no one asks for their automata.
        let nothing = || Automaton::new(&Hir::fail());
        let all = [
            nothing(),
            nothing(),
            utf8(),
            no_path(),
            rooted(),
            number(),
            plain(),
            boolean(),
            null(),
            url(),
        ];
        all.into_iter().collect()
    });
    ALL.clone()
}

/// Every text.
fn utf8() -> Result<Automaton, AutomatonError> {
    automaton(".*")
}

/// Texts that begin with `/`.
fn rooted() -> Result<Automaton, AutomatonError> {
    automaton("/.*")
}

/// Texts beginning with `/` that the proxy refuses as paths when nothing is relaxed.
fn no_path() -> Result<Automaton, AutomatonError> {
    automaton(&refused_paths::pattern(&LiftedRefusals::default()))
}

/// Numbers of RFC 8259 section 6.
fn number() -> Result<Automaton, AutomatonError> {
    automaton("-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][-+]?[0-9]+)?")
}

/// The numbers that [`crate::json::Scalar::plain`] is true of: integers, and fractions of at most 15 digits.
fn plain() -> Result<Automaton, AutomatonError> {
    let integers = "0|-?[1-9][0-9]*".to_owned();
    let fractions = (1..15).map(|digits| {
        let integer = match digits {
            1 => "[0-9]".to_owned(),
            more => format!("[1-9][0-9]{{{}}}", more - 1),
        };
        format!("-?{integer}[.][0-9]{{0,{}}}[1-9]", 14 - digits)
    });
    let alternatives: Vec<String> = std::iter::once(integers).chain(fractions).collect();
    automaton(&alternatives.join("|"))
}

/// `true` and `false`.
fn boolean() -> Result<Automaton, AutomatonError> {
    automaton("true|false")
}

/// `null`
fn null() -> Result<Automaton, AutomatonError> {
    automaton("null")
}

/// A scheme, an authority and a path, as [`crate::BaseUrl`] and a request's path give them.
fn url() -> Result<Automaton, AutomatonError> {
    automaton(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?/.*")
}

fn automaton(pattern: &str) -> Result<Automaton, AutomatonError> {
    Automaton::new(&parsed(pattern)?)
}

/// The regexp of a pattern of the analysis itself, in which `.` is every character.
///
/// # Errors
/// The pattern is not a regexp: a bug.
pub(super) fn parsed(pattern: &str) -> Result<Hir, AutomatonError> {
    let mut parser = ParserBuilder::new().dot_matches_new_line(true).build();
    parser
        .parse(pattern)
        .map_err(|error| AutomatonError::Unsupported(error.to_string()))
}

#[cfg(test)]
mod tests;
