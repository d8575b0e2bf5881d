//! TW0026: forbid lines, and alternatives of them, that no request can match under any configuration.
//!
//! A forbid line that forbids nothing protects less than its author believes, so it is an error. Each line is judged by
//! itself, with a bounded number of steps; past them nothing is claimed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{
    analysis::{Exhausted, Prover, Ruled, Served, Universe},
    ast::Effect,
    blame::{self, Part, Settings},
    diagnostic::{Code, Diagnostic, Severity},
    ir::{LineId, Matcher, Program, Rule, Tables, UrlMatcher, Whole},
    regexp::Anchor,
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
            None => dead_alternative(text, span, &mut prover),
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

/// The program in which every URL is matched.
fn any_path(program: &Program) -> Program {
    let any = || UrlMatcher::Below(Matcher::Everything);
    Program {
        tables: Tables {
            urls: Arc::new(program.urls.iter().map(|_| any()).collect()),
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
    // Values with the base URL match nothing before the program is bound.
    let line = program.line(rule.line).text;
    if ["{BASE_URL}", "{JIRA_URL}", "{CONFLUENCE_URL}"]
        .iter()
        .any(|name| line.contains(name))
    {
        return None;
    }
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

/// An alternative at the top of the URL regexp that matches no URL.
fn dead_alternative(text: &str, line: Span, prover: &mut Prover<'_>) -> Option<Diagnostic> {
    if !text.contains('|') {
        return None;
    }
    let alternatives = blame::alternatives(text, line, Some("user"));
    let dead = alternatives.iter().find(|(_, hir, anchor)| {
        let alive = match anchor {
            Anchor::Below => match Matcher::new(hir) {
                Ok(matcher) => prover.has_path(&[&matcher]),
                Err(_) => return false,
            },
            Anchor::Whole => prover.has_url(&Whole::new(hir)),
        };
        matches!(alive, Ok(false))
    });
    let (span, _, anchor) = dead?;
    let start = span.start - line.start;
    let branch = text
        .get(start..start + (span.end - span.start))
        .unwrap_or_default();
    let help = match anchor {
        Anchor::Below => {
            "a regexp that begins with `/` is compared with the path: begin each alternative with `/`"
        }
        Anchor::Whole => {
            "a regexp that does not begin with `/` is compared with the whole URL: begin each alternative with `.*`, or the first with `/`"
        }
    };
    Some(
        Diagnostic::new(
            Code::DeadForbid,
            *span,
            format!("no request can match the alternative `{branch}` of this forbid line"),
        )
        .help(help),
    )
}
