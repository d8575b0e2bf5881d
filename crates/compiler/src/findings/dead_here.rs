//! Forbid lines that a configuration leaves without effect, for a proxy that loads a policy.

use std::collections::BTreeMap;

use crate::{
    analysis::{Prover, Ruled, Served, Universe},
    ast::Effect,
    blame::{self, Part, Settings},
    diagnostic::Code,
    ir::{LineId, Program, RuleId, UrlMatcher},
    source::Span,
};

/// The states that the questions about one line may visit.
const BUDGET: u64 = 50_000;

/// A forbid line that no request can match under a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLine {
    /// The line.
    pub line: LineId,
    /// The file and the number of the line.
    pub place: String,
    /// Why no request can match it, in one sentence.
    pub reason: String,
    /// The tokens that own or include it.
    pub tokens: Vec<String>,
}

/// The forbid lines of a bound program that no request can match, in their order. Each line is judged by itself, within a
/// bounded number of steps; past them nothing is claimed.
#[must_use]
pub fn dead_here(program: &Program, universe: Universe, served: &Served) -> Vec<DeadLine> {
    let mut rules: BTreeMap<LineId, RuleId> = BTreeMap::new();
    for (_, token) in program.tokens() {
        for id in token.forbids.iter() {
            if let Some(rule) = program.rule(id).filter(|rule| rule.effect == Effect::Forbid) {
                rules.entry(rule.line).or_insert(id);
            }
        }
    }
    let settings = Settings {
        universe,
        served,
        base: program.base(),
    };
    rules
        .into_iter()
        .filter_map(|(line, id)| {
            let part = dead_part(program, id, settings)?;
            let shown = program.line(line);
            let whole = Span {
                end: shown.text.len(),
                ..Span::nowhere()
            };
            let found = blame::diagnostic(Code::DeadHere, (shown.text, whole), part, settings);
            let owners = program.tokens().filter(|(_, token)| {
                let mut forbids = token.forbids.iter().filter_map(|id| program.rule(id));
                forbids.any(|rule| rule.line == line)
            });
            Some(DeadLine {
                line,
                place: format!("{}:{}", shown.file, shown.number),
                reason: found.headline,
                tokens: owners.map(|(_, token)| token.name.clone()).collect(),
            })
        })
        .collect()
}

fn dead_part(program: &Program, id: RuleId, settings: Settings<'_>) -> Option<Part> {
    let rule = program.rule(id)?;
    let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = program.url(rule.url) else {
        return None;
    };
    let mut prover = Prover::new(settings.universe, BUDGET.into()).ok()?;
    let served = settings.served.matcher().ok()?;
    if let Some(served) = &served
        && matches!(prover.has_path(&[url, served]), Ok(false))
    {
        let alive = !matches!(prover.has_path(&[url]), Ok(false));
        return Some(if alive { Part::Endpoints } else { Part::Url });
    }
    if matches!(prover.has_path(&[url]), Ok(false)) {
        return Some(Part::Url);
    }
    rule.constraints.as_ref()?;
    match prover.request(&[Ruled { program, rule }], &[]) {
        Ok(None) => Some(blame::part(program, rule, settings.universe)),
        _ => None,
    }
}
