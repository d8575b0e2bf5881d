//! A policy without the tokens whose lines have errors: for a proxy that starts, and has no policy to keep.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::{
    artifact,
    diagnostic::{Diagnostic, Severity},
    ir::{Program, Rules, Token},
    resolve::lines_by_token,
    source::{SourceId, SourceSet, Span},
};

/// A program in which some tokens may do nothing, since a line that they own or include has an error.
#[derive(Debug)]
pub struct Partial {
    /// The program, unbound. The refused tokens are in it, without lines.
    pub program: Program,
    /// The names of those tokens.
    pub refused: HashSet<String>,
}

/// The program without the lines of faulty tokens; `None` if an error is not one of a line.
pub(crate) fn without_faulty(
    program: &Program,
    sources: &SourceSet,
    diagnostics: &[Diagnostic],
) -> Option<Partial> {
    let mut errors: HashMap<SourceId, Vec<Span>> = HashMap::new();
    for found in diagnostics {
        if found.severity == Severity::Error {
            let place = found.primary.span;
            errors.entry(place.source).or_default().push(place);
        }
    }
    let mut explained: HashSet<Span> = HashSet::new();
    let mut has_error = |line: &Span| {
        let here = errors.get(&line.source).into_iter().flatten();
        let within: Vec<Span> = here
            .filter(|error| line.start <= error.start && error.end <= line.end)
            .copied()
            .collect();
        explained.extend(&within);
        !within.is_empty()
    };
    let (tokens, unused) = lines_by_token(sources);
    let mut refused = HashSet::new();
    for (name, lines) in tokens {
        // All lines are looked at, so that each error is explained.
        let faulty = lines.iter().filter(|line| has_error(line)).count() > 0;
        if faulty {
            refused.insert(name?);
        }
    }
    for line in &unused {
        has_error(line);
    }
    let errors: HashSet<Span> = errors.into_values().flatten().collect();
    if !errors.is_subset(&explained) {
        return None;
    }
    let program = without(program, &refused);
    Some(Partial {
        program: Program {
            digest: artifact::digest(&program),
            ..program
        },
        refused,
    })
}

/// The program in which the named tokens have no lines, and so no rights.
pub(crate) fn without(program: &Program, refused: &HashSet<String>) -> Program {
    let tokens = program.tokens.iter().map(|token| {
        if !refused.contains(&token.name) {
            return token.clone();
        }
        let mut attributes = token.attributes.clone();
        attributes.unrestricted = false;
        Token {
            attributes,
            forbids: Rules::default(),
            permits: Rules::default(),
        }
    });
    Program {
        tokens: Arc::new(tokens.collect()),
        layout: None,
        ..program.clone()
    }
}
