//! The findings of the compiler and its lints.

use tokenward_compiler::diagnostic::{Diagnostic, Severity};
use tokenward_compiler::source::SourceSet;

use super::super::gather::{Checked, Gathered};
use super::super::page::Finding;
use super::super::shown::text;
use super::common::link;
use tokenward_pdp::text::capital;

/// Tokens that a finding lists: a set's line may belong to a thousand.
const LISTED: usize = 20;

/// The findings, errors first, otherwise in the order of the files.
pub(super) fn findings(gathered: &Gathered, checked: &Checked) -> Vec<Finding> {
    let mut all: Vec<(usize, &Diagnostic)> = checked.findings.iter().enumerate().collect();
    all.sort_by_key(|(at, found)| (found.severity != Severity::Error, *at));
    all.into_iter()
        .map(|(at, found)| finding(gathered, checked, (at, found)))
        .collect()
}

fn finding(gathered: &Gathered, checked: &Checked, (at, found): (usize, &Diagnostic)) -> Finding {
    let tokens = checked.of_tokens.iter().enumerate();
    let tokens = tokens.filter(|(_, findings)| findings.contains(&at));
    Finding {
        code: found.code.to_string(),
        is_error: found.severity == Severity::Error,
        severity: found.severity.as_str(),
        text: capital(&text(&found.headline)),
        place: place(&checked.sources, found),
        quoted: quoted(&checked.sources, found),
        help: text(found.help.as_deref().unwrap_or_default()),
        example: found
            .witness
            .as_ref()
            .map_or_else(String::new, |witness| text(&witness.request)),
        tokens: tokens
            .take(LISTED)
            .map(|(token, _)| link(gathered, token))
            .collect(),
    }
}

/// `ci.toml:15`
fn place(sources: &SourceSet, found: &Diagnostic) -> String {
    if let Some(elsewhere) = &found.elsewhere {
        return text(&format!("{}:{}", elsewhere.file, elsewhere.line));
    }
    let span = found.primary.span;
    let file = sources.get(span.source).map(|source| source.path.as_str());
    file.map_or_else(
        || "the policy".to_owned(),
        |file| text(&format!("{file}:{}", sources.line_number(span))),
    )
}

/// The text that the finding is about, if it is within one line.
fn quoted(sources: &SourceSet, found: &Diagnostic) -> String {
    let own = sources.text(found.primary.span).trim();
    if own.contains('\n') || found.elsewhere.is_some() {
        return String::new();
    }
    text(own)
}
