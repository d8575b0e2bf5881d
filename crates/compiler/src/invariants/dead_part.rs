//! Which part of a line keeps every request from matching, under a configuration.

use crate::{
    analysis::{Prover, Ruled, Universe},
    blame::{self, Part},
    ir::{Matcher, Program, RuleId, UrlMatcher},
};

/// The part at fault, if no request matches the line of a rule.
pub(crate) fn dead_part<'p>(
    program: &'p Program,
    id: RuleId,
    prover: &mut Prover<'p>,
    endpoints: Option<&Matcher>,
    universe: Universe,
) -> Option<Part> {
    let rule = program.rule(id)?;
    let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = program.url(rule.url) else {
        return None;
    };
    if matches!(prover.has_path(&[url]), Ok(false)) {
        return Some(Part::Url);
    }
    if let Some(endpoints) = endpoints
        && matches!(prover.has_path(&[url, endpoints]), Ok(false))
    {
        return Some(Part::Endpoints);
    }
    rule.constraints.as_ref()?;
    match prover.request(&[Ruled { program, rule }], &[]) {
        Ok(None) => Some(blame::part(program, rule, universe)),
        _ => None,
    }
}
