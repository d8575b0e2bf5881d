//! Makes the page of what was read.

mod changes;
mod common;
mod findings;
mod least;
mod overview;
mod picture;
mod token;

use tokenward_pdp::config::Config;

use super::gather::Gathered;
use super::page::Page;
use super::shown::{counted, day_of, grouped, minute, moment, text};

/// The page.
pub(super) fn page(gathered: &Gathered) -> Page {
    Page {
        host: host(&gathered.config),
        made: moment(gathered.at_ms),
        problems: problems(gathered),
        facts: overview::facts(gathered),
        looks: overview::looks(gathered),
        sources: sources(gathered),
        has_operations: gathered.api.is_some(),
        has_audit: gathered.usage.is_ok(),
        rows: overview::rows(gathered),
        picture: gathered.api.as_ref().map(|api| picture::picture(gathered, api)),
        changes: gathered
            .compared
            .as_ref()
            .map(|compared| changes::changes(gathered, compared)),
        findings: gathered
            .checked
            .as_ref()
            .map(|checked| findings::findings(gathered, checked)),
        least: least::least(gathered),
        tokens: token::parts(gathered),
    }
}

/// Reasons why the page does not show everything.
fn problems(gathered: &Gathered) -> Vec<String> {
    let broken = gathered.is_broken.then(|| {
        "The policy has errors, so a proxy does not take it up. The page shows the errors and no tokens."
            .to_owned()
    });
    let others = gathered.problems.iter().map(|problem| text(problem));
    broken.into_iter().chain(others).collect()
}

fn host(config: &Config) -> String {
    text(config.upstream.public_url.as_str().trim_end_matches('/'))
}

/// The policy, the descriptions, the audit and the base.
fn sources(gathered: &Gathered) -> Vec<(&'static str, String)> {
    let mut sources = vec![(
        "Policy",
        format!(
            "{}, digest {}",
            text(&gathered.place.display().to_string()),
            gathered.policy.program.digest()
        ),
    )];
    for file in gathered.api.iter().flat_map(|api| &api.described.files) {
        let defects = match file.defects.len() {
            0 => String::new(),
            count => format!("; {} in it", counted(count, "defect")),
        };
        sources.push((
            "Description",
            format!(
                "{}: {} {}, {}{defects}",
                text(&file.path.display().to_string()),
                text(&file.title),
                text(&file.version),
                counted(file.operations, "operation"),
            ),
        ));
    }
    if gathered.api.is_none() {
        sources.push((
            "Description",
            "none, so the report shows lines instead of operations; name one with --openapi".to_owned(),
        ));
    }
    sources.push(("Audit", audit(gathered)));
    if let Some(compared) = &gathered.compared {
        sources.push(("Compared with", text(&compared.base)));
    }
    sources
}

/// The calls that were read, in one sentence.
fn audit(gathered: &Gathered) -> String {
    let usage = match &gathered.usage {
        Ok(usage) => usage,
        Err(_) => return "none".to_owned(),
    };
    let total = &usage.total;
    let period = match (&total.first, &total.last) {
        (Some(first), Some(last)) => format!(" from {} to {}", day_of(first), day_of(last)),
        _ => String::new(),
    };
    let since = gathered
        .since_ms
        .map_or_else(String::new, |since| format!(", calls since {}", minute(since)));
    format!(
        "{} calls{period}: {} allowed, {} denied, {} refused before the policy was asked{since}",
        grouped(total.calls),
        grouped(total.allowed),
        grouped(total.denied),
        grouped(total.refused),
    )
}
