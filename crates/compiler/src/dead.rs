//! TW0026: forbid lines, and alternatives of their URLs and values, that no request can match under any configuration.
//!
//! A forbid line that forbids nothing protects less than its author believes, so it is an error. Each line is judged by
//! itself, with a bounded number of steps; past them nothing is claimed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{
    BaseUrl,
    analysis::{Exhausted, Prover, Ruled, Served, Universe},
    ast::Effect,
    bind::bind_value,
    blame::{self, Part, Settings},
    diagnostic::{Code, Diagnostic, Severity},
    ir::{LineId, Matcher, Program, Rule, Tables, UrlMatcher, ValueMatcher},
    source::Span,
    source_map::SourceMap,
};

/// The states that the questions about one line may visit.
const BUDGET: u64 = 50_000;

/// Every request that some configuration may let through to a line.
const ALL_REQUESTS: Universe = Universe {
    canonical_paths: false,
    get_body: true,
};

/// Adds an error for each such line of a program that is not bound yet. Lines with errors are left out.
pub(crate) fn check(program: &Program, source_map: &SourceMap, diagnostics: &mut Vec<Diagnostic>) {
    let forbids = forbids(program);
    if forbids.is_empty() {
        return;
    }
    // Conditions on query and body do not depend on the path, so they are asked about with any path.
    let any_path = any_path(program);
    let everything = Served::everything();
    let settings = Settings {
        universe: ALL_REQUESTS,
        served: &everything,
        base: None,
    };
    for (line, rule) in forbids {
        let Some(span) = source_map.line(line) else {
            continue;
        };
        if diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error && within(found.primary.span, span))
        {
            continue;
        }
        // It fails only by a bug, which the compiler's own tests find.
        let Ok(mut prover) = Prover::new(ALL_REQUESTS, BUDGET.into()) else {
            return;
        };
        let text = program.line(line).text;
        let found = match dead_part(program, &any_path, rule, &mut prover) {
            Some(part) => Some(blame::diagnostic(Code::DeadForbid, (text, span), part, settings)),
            None => blame::dead_in_url(text, span, &mut prover)
                .or_else(|| blame::dead_in_values((text, span), (&any_path, rule), ALL_REQUESTS)),
        };
        if let Some(found) = found {
            diagnostics.retain(|known| known.code != Code::NeverMatches || !within(known.primary.span, span));
            diagnostics.push(found);
        }
    }
}

fn within(inner: Span, outer: Span) -> bool {
    inner.source == outer.source && outer.start <= inner.start && inner.end <= outer.end
}

/// The first forbid rule of each line: users in the place of `{USER}` make no difference.
fn forbids(program: &Program) -> BTreeMap<LineId, &Rule> {
    let mut forbids = BTreeMap::new();
    for rule in program.rules.iter().filter(|rule| rule.effect == Effect::Forbid) {
        forbids.entry(rule.line).or_insert(rule);
    }
    forbids
}

/// The program in which every URL is matched. Values that name the base URL are bound to an example: that some value matches
/// them does not depend on the base.
fn any_path(program: &Program) -> Program {
    let any = || UrlMatcher::Below(Matcher::Everything);
    let example = BaseUrl::parse("https://jira.example.com").ok();
    let bound = |value: &ValueMatcher| {
        let bound = example.as_ref().and_then(|base| bind_value(value, base).ok());
        bound.unwrap_or_else(|| value.clone())
    };
    Program {
        tables: Tables {
            urls: Arc::new(program.urls.iter().map(|_| any()).collect()),
            values: Arc::new(program.values.iter().map(bound).collect()),
            ..program.tables.clone()
        },
        layout: None,
        ..program.clone()
    }
}

fn dead_part(program: &Program, any_path: &Program, rule: &Rule, prover: &mut Prover<'_>) -> Option<Part> {
    let url = match program.url(rule.url) {
        UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => prover.has_path(&[matcher]),
        UrlMatcher::Unbound(whole) => prover.has_url(whole),
    };
    if let Ok(false) = url {
        return Some(Part::Url);
    }
    rule.constraints.as_ref()?;
    let ruled = Ruled {
        program: any_path,
        rule,
    };
    // A prover of its own: it may only know rules that live as long as it does.
    let mut prover = Prover::new(ALL_REQUESTS, BUDGET.into()).ok()?;
    match prover.request(&[ruled], &[]) {
        Ok(None) => Some(blame::part(any_path, rule, ALL_REQUESTS)),
        Ok(Some(_)) | Err(Exhausted) => blame::unmet(any_path, rule, ALL_REQUESTS),
    }
}
