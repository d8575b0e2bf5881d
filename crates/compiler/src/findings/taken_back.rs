//! TW0110: a permit line that the token's forbid lines override completely, or a token whose lines they all override.
//!
//! A line of a set is skipped: forbid lines exist to override what a set allows.

use std::collections::HashSet;

use super::{
    case::{Case, Entry},
    grounds::Grounds,
    near::Near,
    search::{Answer, Search, related},
};
use crate::{
    analysis::Request,
    diagnostic::{Code, Diagnostic},
    ir::RuleId,
};

pub(super) fn check<'p>(
    search: &mut Search<'p>,
    case: &Case<'p>,
    samples: &[Option<Request>],
    empty: &HashSet<RuleId>,
) {
    if case.forbids.is_empty() {
        return;
    }
    if case.token.unrestricted {
        let forbids: Vec<&Entry<'p>> = case.forbids.iter().collect();
        if matches!(search.ask(&[], &forbids), Answer::No) {
            everything(search, case, &[], None);
        }
        return;
    }
    // Lines are searched only as long as it matters: a set's line only until one line is left.
    let index = Near::new(&case.forbids);
    let (mut taken, mut is_left) = (Vec::new(), false);
    for (entry, sample) in case.permits.iter().zip(samples) {
        if empty.contains(&entry.id) || is_left && !entry.own {
            continue;
        }
        let near = index.of(entry);
        if !search.begins(near.len()) {
            is_left = true;
            continue;
        }
        let sampled = sample.as_ref();
        if near.is_empty()
            || sampled.is_some_and(|sample| search.allows(&[entry], &near, sample))
            || !matches!(search.ask(&[entry], &near), Answer::No)
        {
            is_left = true;
        } else {
            taken.push((entry, sample, near));
        }
    }
    // If no line is left, one finding about the token replaces those about its lines.
    if !is_left && let Some((entry, sample, near)) = taken.first() {
        let sample = sample.as_ref().filter(|_| entry.own);
        everything(search, case, near, sample.map(|sample| (*entry, sample)));
        return;
    }
    for (entry, sample, near) in taken.iter().filter(|(entry, ..)| entry.own) {
        one_line(search, case, entry, near, sample.as_ref());
    }
}

/// Reports a line that `near` override completely.
fn one_line<'p>(
    search: &mut Search<'p>,
    case: &Case<'p>,
    entry: &Entry<'p>,
    near: &[&Entry<'p>],
    sample: Option<&Request>,
) {
    let covers = search.fewest(near, |search, some| {
        matches!(search.ask(&[entry], some), Answer::No)
    });
    let Some(span) = search.span(entry) else { return };
    let mut diagnostic = Diagnostic::new(
        Code::TakenBack,
        span,
        "the token's forbid lines override this line completely",
    )
    .help("remove one of them, or narrow the forbid line")
    .fix(span, "");
    diagnostic = related(diagnostic, search, &covers, "this line overrides it");
    if let Some(sample) = sample
        && let Some(witness) = search.shown(case.token, entry, sample)
    {
        diagnostic = diagnostic.witness(witness);
    }
    let lines = covers.iter().map(|one| one.id).chain([entry.id]).collect();
    search.push_grounded(diagnostic, Grounds::Nothing(case.id, lines));
}

/// Reports a token whose lines are all overridden.
fn everything<'p>(
    search: &mut Search<'p>,
    case: &Case<'p>,
    near: &[&Entry<'p>],
    sample: Option<(&Entry<'p>, &Request)>,
) {
    let Some(span) = search.source_map.token(case.id) else {
        return;
    };
    let headline = format!(
        "the forbid lines of `{}` override everything that it allows",
        case.token.name
    );
    let mut diagnostic = Diagnostic::new(Code::TakenBack, span, headline)
        .help("narrow them, or revoke the token if it should allow nothing");
    let own: Vec<&Entry<'p>> = match near {
        [] => case.forbids.iter().collect(),
        near => near.to_vec(),
    };
    diagnostic = related(diagnostic, search, &own, "this line overrides permit lines");
    if let Some((entry, sample)) = sample
        && let Some(witness) = search.shown(case.token, entry, sample)
    {
        diagnostic = diagnostic.witness(witness);
    }
    search.push_grounded(diagnostic, Grounds::NothingAtAll(case.id));
}
