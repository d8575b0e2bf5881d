//! What a change gives, as findings for CI systems. What it takes away is no finding.

use std::path::Path;

use tokenward_compiler::diagnostic::{Code, Diagnostic, Elsewhere, Report as Findings};
use tokenward_compiler::source::Span;
use tokenward_pdp::compare::render_text::quoted;
use tokenward_pdp::compare::{Change, Example, Report, Standing, TokenReport};
use tokenward_pdp::side::Side;

use super::super::checkout::Checkout;
use super::super::descriptions::LazyNames;
use super::super::side::reported;

/// The findings. `config`: the new side's configuration, where changed settings are. `names`: of operations.
pub(super) fn findings(report: &Report, new: &Side, (config, names): (&Path, &LazyNames)) -> Findings {
    let mut found = beyond_tokens(report, config);
    for token in &report.tokens {
        of_token(token, new, &mut found);
    }
    names.name_witnesses(&mut found);
    let checkout = Checkout::discover();
    let mut findings = Findings::default();
    findings.add(&new.sources, &found, &|path| reported(new, path, &checkout));
    findings
}

fn beyond_tokens(report: &Report, config: &Path) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Other than a policy file's, its path does not depend on the side.
    let file = config.canonicalize().unwrap_or_else(|_| config.to_owned());
    for change in &report.configuration {
        let place = Elsewhere {
            file: file.display().to_string(),
            line: 1,
        };
        let setting = wider("the configuration", change, Span::nowhere());
        found.extend(setting.map(|setting| setting.elsewhere(Some(place))));
    }
    for lost in &report.invariants {
        let place = lost.place.unwrap_or_else(Span::nowhere);
        found.extend(wider("the invariants", &lost.change, place));
    }
    for grown in &report.sets {
        found.extend(wider("the unused sets", &grown.change, grown.place));
    }
    found
}

fn of_token(token: &TokenReport, new: &Side, found: &mut Vec<Diagnostic>) {
    let place = token.after.and_then(|after| new.source_map.token(after));
    let place = place.unwrap_or_else(Span::nowhere);
    let whose = format!("`{}`", token.name);
    found.extend(
        token
            .changes
            .iter()
            .filter_map(|change| wider(&whose, change, place)),
    );
    for breach in &token.breaches {
        let invariant = &breach.found.invariant;
        found.push(match &breach.found.witness {
            Some(request) => {
                let headline = format!("{whose} breaks the old invariant `{invariant}`");
                Diagnostic::new(Code::FreedToken, place, headline)
                    .witness(request.sent_by(breach.curl.clone()))
            }
            None => open(&whose, &format!("keeps the old invariant `{invariant}`"), place),
        });
    }
    let examples = token.newly_allowed.examples.iter();
    found.extend(examples.map(|example| {
        let explanation = example.explanation.as_ref();
        // Of a new token everything is new.
        let explanation = explanation.filter(|_| token.standing != Standing::New);
        let widened = explanation.and_then(|explanation| explanation.widened_words(&quoted));
        Diagnostic {
            widened,
            newly_allowed: example.operations.clone(),
            ..newly_allowed(&whose, example, new, place)
        }
    }));
    if token.newly_allowed.inconclusive.is_some() {
        found.push(open(&whose, "allows more than before", place));
    }
    // No finding by itself, but the run is not complete.
    if token.newly_denied.inconclusive.is_some() {
        found.push(open(&whose, "allows less than before", place));
    }
}

/// A change that gives more; `None` if it does not.
fn wider(whose: &str, change: &Change, place: Span) -> Option<Diagnostic> {
    let code = change.widens?;
    let headline = format!("{whose}: {} was {} and is {}", change.key, change.old, change.new);
    Some(Diagnostic::new(code, place, headline))
}

fn newly_allowed(whose: &str, example: &Example, new: &Side, token: Span) -> Diagnostic {
    let headline = format!("{whose} newly allows {}", example.request);
    let line = example.allowed_by.as_ref().map(|line| Elsewhere {
        file: new.sources.shown(&line.file),
        line: usize::try_from(line.number).unwrap_or(usize::MAX),
    });
    Diagnostic::new(Code::NewAccess, token, headline)
        .elsewhere(line)
        .witness(example.request.sent_by(example.curl.clone()))
}

fn open(whose: &str, question: &str, place: Span) -> Diagnostic {
    let headline = format!("whether {whose} {question} could not be settled");
    Diagnostic::new(Code::OpenComparison, place, headline)
        .help("simplify the patterns, or use a larger --budget")
}
