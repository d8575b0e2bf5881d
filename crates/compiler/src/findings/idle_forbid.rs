//! TW0109: a forbid line that overrides nothing, since no line allows the requests that it matches.
//!
//! A line of a set is skipped: it may guard against lines that a token adds.

use std::collections::HashSet;

use super::{
    case::{Case, Entry},
    grounds::Grounds,
    near::Near,
    search::{Answer, Search},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    ir::RuleId,
};

/// `idle`: rules that another finding reports.
pub(super) fn check<'p>(search: &mut Search<'p>, case: &Case<'p>, idle: &HashSet<RuleId>) {
    if case.token.unrestricted {
        return;
    }
    let index = Near::new(&case.permits);
    for forbid in case
        .forbids
        .iter()
        .filter(|forbid| forbid.own && !idle.contains(&forbid.id))
    {
        let near = index.of(forbid);
        if !search.begins(near.len()) {
            continue;
        }
        let is_idle = near
            .into_iter()
            .all(|permit| matches!(search.ask(&[forbid, permit], &[]), Answer::No));
        if is_idle {
            tell(search, case, forbid);
        }
    }
}

fn tell<'p>(search: &mut Search<'p>, case: &Case<'p>, forbid: &Entry<'p>) {
    let Some(span) = search.span(forbid) else { return };
    let headline = "this line has no effect: the token does not allow any request that it forbids";
    let help =
        "correct the line, or add the missing permit line; a request that no line permits is denied anyway";
    let help = match search.refuses_names(forbid) {
        false => help.to_owned(),
        true => format!(
            "{help}; if you remove the line, the proxy no longer refuses other spellings of the names that it constrains"
        ),
    };
    let mut diagnostic = Diagnostic::new(Code::IdleForbid, span, headline)
        .help(help)
        .fix(span, "");
    if let Answer::Yes(request) = search.ask(&[forbid], &[])
        && let Some(witness) = search.shown(case.token, forbid, &request)
    {
        diagnostic = diagnostic.witness(witness);
    }
    search.push_grounded(diagnostic, Grounds::Idle(case.id, forbid.id));
}
