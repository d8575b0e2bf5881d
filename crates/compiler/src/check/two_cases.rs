//! TW0113: two JSON names at one place that differ only in letter case.

use std::collections::{HashMap, hash_map::Entry};

use crate::{
    ast::{self, Effect, Subject},
    diagnostic::{Code, Diagnostic},
    json::{Step, case_key},
    source::Span,
};

/// Linear in the line, which may be long: paths are followed as one tree.
pub(super) fn check(line: &ast::Limit, diagnostics: &mut Vec<Diagnostic>) {
    let mut places: HashMap<(usize, &Step), usize> = HashMap::new();
    let mut names: HashMap<(usize, String), (&str, Span)> = HashMap::new();
    for constraint in &line.constraints {
        let Subject::Json(path) = &constraint.subject else {
            continue;
        };
        let mut at = 0;
        for step in &path.0 {
            if let Step::Name(name) = step {
                match names.entry((at, case_key(name))) {
                    Entry::Vacant(place) => {
                        place.insert((name, constraint.span));
                    }
                    Entry::Occupied(known) if known.get().0 == name => {}
                    Entry::Occupied(known) => {
                        let (other, span) = *known.get();
                        diagnostics.push(warning(line.effect, (other, span), (name, constraint.span)));
                        return;
                    }
                }
            }
            let fresh = places.len() + 1;
            at = *places.entry((at, step)).or_insert(fresh);
        }
    }
}

fn warning(effect: Effect, (other, first): (&str, Span), (name, second): (&str, Span)) -> Diagnostic {
    let follows = match effect {
        Effect::Permit => "the line can never permit a body that has both",
        Effect::Forbid => "the line is never checked for such a body",
    };
    Diagnostic::new(
        Code::TwoCases,
        second,
        format!("`{other}` and `{name}` differ only in letter case: the proxy refuses a body with either"),
    )
    .related(first, format!("`{other}` is used here"))
    .help(format!("use the name that the upstream knows; {follows}"))
}
