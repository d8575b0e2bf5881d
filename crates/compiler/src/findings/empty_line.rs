//! TW0107: conditions that exclude each other, paths that the proxy refuses.

use std::collections::HashSet;

use super::{
    case::Case,
    search::{Answer, Search},
};
use crate::{
    analysis::Request,
    diagnostic::{Code, Diagnostic},
    ir::RuleId,
};

/// The rules that no request matches.
pub(super) fn check<'p>(
    search: &mut Search<'p>,
    case: &Case<'p>,
    samples: &[Option<Request>],
) -> HashSet<RuleId> {
    let mut empty = HashSet::new();
    let sampled = samples
        .iter()
        .map(Option::is_some)
        .chain(std::iter::repeat(false));
    for (entry, sampled) in case.permits.iter().chain(&case.forbids).zip(sampled) {
        if sampled || !search.is_due(entry) || !matches!(search.ask(&[entry], &[]), Answer::No) {
            continue;
        }
        empty.insert(entry.id);
        let Some(span) = search.span(entry) else { continue };
        let said = |place: &crate::source::Span| {
            place.source == span.source && span.start <= place.start && place.end <= span.end
        };
        if search.never.iter().any(said) {
            continue;
        }
        search.push(
            Diagnostic::new(Code::EmptyLine, span, "no request can match this line")
                .help("its conditions exclude each other, or the proxy refuses every path that it matches"),
        );
    }
    empty
}
