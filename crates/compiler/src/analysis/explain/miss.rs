//! Why a request does not match a line: the first condition that fails, and for the path, where.

use super::super::{
    clauses::Ruled,
    explanation::Miss,
    language::Languages,
    machine::Machine,
    prefilter,
    witness::{Request, nearest},
};
use crate::decide::nearest::Failed;

/// The first condition of a permit line that a request fails; `None` if it matches.
pub(super) fn miss(line: Ruled<'_>, request: &Request, languages: &mut Languages) -> Option<Miss> {
    if line.surely_matches(request) {
        return None;
    }
    let (program, token) = line.program.of_rule(line.rule);
    Some(match nearest(&program, token, request)?.failed {
        Failed::Url => Miss::Path {
            rest: rest(line, &request.path, languages),
        },
        Failed::Method(methods) => Miss::Methods(methods),
        Failed::Body(media) => Miss::Body(media),
        Failed::Constraint(text, _) => Miss::Constraint(text),
    })
}

/// The rest of a path from the first character on which no path of the line can continue. The whole path if the line's automata
/// are too large for the budget.
fn rest(line: Ruled<'_>, path: &str, languages: &mut Languages) -> String {
    let machines = prefilter::path(line).and_then(|matcher| prefilter::machines(matcher, languages));
    let Some(machines) = machines else {
        return path.to_owned();
    };
    let alive = machines
        .iter()
        .map(|machine| alive(machine, path))
        .max()
        .unwrap_or_default();
    let cut = (0..=alive).rev().find(|at| path.is_char_boundary(*at));
    path.get(cut.unwrap_or_default()..).unwrap_or_default().to_owned()
}

/// The number of bytes after which some longer text is still accepted.
fn alive(machine: &Machine, text: &str) -> usize {
    let mut state = machine.start();
    for (at, byte) in text.bytes().enumerate() {
        state = machine.next(state, byte);
        if machine.is_dead(state) {
            return at;
        }
    }
    text.len()
}
