//! TW0108: a line without which the token would allow, or forbid, the same.
//!
//! Lines of a set are compared only with lines of the same set: a cover in one token may be absent from another.

use std::collections::HashSet;

use super::{
    case::{Case, Entry},
    grounds::Grounds,
    near::Near,
    search::{Answer, Search, related},
};
use crate::{
    analysis::Request,
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    ir::RuleId,
};

/// The rules that others cover.
pub(super) fn check<'p>(
    search: &mut Search<'p>,
    case: &Case<'p>,
    samples: &[Option<Request>],
    empty: &HashSet<RuleId>,
) -> HashSet<RuleId> {
    let mut covered = HashSet::new();
    let none = vec![None; case.forbids.len()];
    for (entries, samples) in [(&case.permits, samples), (&case.forbids, none.as_slice())] {
        let index = Near::new(entries);
        // From the end: of two lines that allow the same, the later one is redundant.
        for (entry, sample) in entries.iter().zip(samples).rev() {
            if empty.contains(&entry.id) || !search.is_due(entry) {
                continue;
            }
            if case.token.unrestricted && entry.own && entry.ruled.rule.effect == Effect::Permit {
                unrestricted(search, case, entry);
                continue;
            }
            let mut others = index.of(entry);
            if !search.begins(others.len()) {
                continue;
            }
            others.retain(|other| {
                other.id != entry.id
                    && !covered.contains(&other.id)
                    && (entry.own || other.file == entry.file)
            });
            let sampled = sample.as_ref();
            if others.is_empty() || sampled.is_some_and(|sample| !search.allows(&others, &[], sample)) {
                continue;
            }
            // One line that covers it is found by its form, before all are searched together.
            if let Some(one) = sampled.and_then(|sample| search.covering(entry, &others, sample)) {
                covered.insert(entry.id);
                tell(search, case, entry, &[one]);
            } else if matches!(search.ask(&[entry], &others), Answer::No) {
                covered.insert(entry.id);
                let covers = search.fewest(&others, |search, some| {
                    matches!(search.ask(&[entry], some), Answer::No)
                });
                tell(search, case, entry, &covers);
            }
        }
    }
    covered
}

fn tell<'p>(search: &mut Search<'p>, case: &Case<'p>, entry: &Entry<'p>, covers: &[&Entry<'p>]) {
    let Some(span) = search.span(entry) else { return };
    let does = match entry.ruled.rule.effect {
        Effect::Permit => "allows",
        Effect::Forbid => "forbids",
    };
    let (headline, what) = match covers {
        [one] => (
            format!(
                "this line is redundant: `{}` already {does} every request that it {does}",
                search.text(one)
            ),
            "this line covers it",
        ),
        _ => (
            format!(
                "this line is redundant: {} other lines together cover every request that it {does}",
                covers.len()
            ),
            "this line covers a part of it",
        ),
    };
    let diagnostic = Diagnostic::new(Code::CoveredLine, span, headline)
        .help(match search.refuses_names(entry) {
            false => "remove the line, or narrow what covers it if it was intended to be narrower",
            // The line matters to requests that other lines allow.
            true => {
                "narrow what covers it if it was intended to be narrower; if you remove the line, the proxy no longer refuses other \
                 spellings of the names that it constrains, and `diff` shows such requests"
            }
        })
        .fix(span, "");
    let diagnostic = related(diagnostic, search, covers, what);
    let others = covers.iter().map(|cover| cover.id).collect();
    let grounds = match entry.ruled.rule.effect {
        Effect::Permit => Grounds::Within(case.id, entry.id, others),
        Effect::Forbid => Grounds::Idle(case.id, entry.id),
    };
    search.push_grounded(diagnostic, grounds);
}

fn unrestricted<'p>(search: &mut Search<'p>, case: &Case<'p>, entry: &Entry<'p>) {
    let Some(span) = search.span(entry) else { return };
    let mut diagnostic = Diagnostic::new(
        Code::CoveredLine,
        span,
        "this line is redundant: `unrestricted = true` already allows every request that it allows",
    )
    .help("remove the line, or `unrestricted`")
    .fix(span, "");
    if let Some(token) = search.source_map.token(case.id) {
        diagnostic = diagnostic.related(token, "this token is unrestricted");
    }
    // Without any line the token still allows everything.
    let grounds = Grounds::Within(case.id, entry.id, Vec::new());
    search.push_grounded(diagnostic, grounds);
}
