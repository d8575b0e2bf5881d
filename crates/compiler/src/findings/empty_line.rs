//! TW0107 and TW0027: lines that no request can match under this configuration.

use std::collections::HashSet;

use super::{
    case::{Case, Entry},
    grounds::Grounds,
    search::{Answer, Search},
};
use crate::{
    analysis::Request,
    ast::Effect,
    blame::{self, Part, Settings},
    check::encoded_slash,
    diagnostic::Code,
    ir::{RuleId, UrlMatcher},
};

/// The rules that no request matches.
pub(super) fn check<'p>(
    search: &mut Search<'p>,
    case: &Case<'p>,
    samples: &[Option<Request>],
) -> HashSet<RuleId> {
    let mut empty = HashSet::new();
    let sampled = samples.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    for (entry, sample) in case.permits.iter().chain(&case.forbids).zip(sampled) {
        if !search.is_due(entry) {
            continue;
        }
        if !search.served.has_encoded_slash()
            && let Some(span) = search.span(entry)
            && let Some(found) = encoded_slash(search.text(entry), span)
        {
            empty.insert(entry.id);
            search.push(found);
            continue;
        }
        let settings = Settings {
            universe: search.universe,
            served: search.served,
            base: search.program.base(),
        };
        let Some(part) = dead_part(search, entry, sample) else {
            if entry.ruled.rule.effect == Effect::Forbid
                && let Some(span) = search.span(entry)
                && let Some(found) = blame::dead_here(search.text(entry), span, settings, &mut search.prover)
            {
                search.push(found);
            }
            continue;
        };
        empty.insert(entry.id);
        let Some(span) = search.span(entry) else { continue };
        let said = |place: &crate::source::Span| {
            place.source == span.source && span.start <= place.start && place.end <= span.end
        };
        if search.never.iter().any(said) {
            continue;
        }
        let code = match entry.ruled.rule.effect {
            Effect::Permit => Code::EmptyLine,
            Effect::Forbid => Code::DeadHere,
        };
        let mut found = blame::diagnostic(code, (search.text(entry), span), part, settings);
        // A line with a better correction is not removed: its author meant something.
        if code == Code::EmptyLine && found.fixes.is_empty() {
            found = found.fix(span, "");
        }
        let grounds = match entry.ruled.rule.effect {
            Effect::Permit => Grounds::Nothing(case.id, vec![entry.id]),
            Effect::Forbid => Grounds::Idle(case.id, entry.id),
        };
        match part {
            // Which paths are served is a setting that no compiled policy has.
            Part::Endpoints => search.push(found),
            _ => search.push_grounded(found, grounds),
        }
    }
    empty
}

/// The part at fault, if no request matches the rule.
fn dead_part<'p>(search: &mut Search<'p>, entry: &Entry<'p>, sample: Option<&Request>) -> Option<Part> {
    let rule = entry.ruled.rule;
    let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = search.program.url(rule.url) else {
        return Some(Part::Url);
    };
    // Hardly any line is dead, so the cheap questions come first.
    if let Some(endpoints) = &search.endpoints
        && !sample.is_some_and(|sample| endpoints.matches(&sample.path))
        && search.has_no_served_path(url)
    {
        let is_dead = search.has_no_path(url);
        return Some(if is_dead { Part::Url } else { Part::Endpoints });
    }
    if sample.is_some() || !matches!(search.ask(&[entry], &[]), Answer::No) {
        return None;
    }
    if search.has_no_path(url) {
        return Some(Part::Url);
    }
    Some(blame::part(search.program, rule, search.universe))
}
