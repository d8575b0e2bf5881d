//! The report of a run of fixes: each fix with its place and its proof, and what was not done.

use tokenward_compiler::diagnostic::{Diagnostic, Fix, Severity};
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::visible;
use tokenward_pdp::plural::plural;

use super::chosen::Chosen;
use super::recorded::Judged;
use crate::cli::output;

/// The report of a run of fixes.
#[derive(Default)]
pub(super) struct FixReport {
    applied: Vec<String>,
    /// The number of applied fixes before the last round.
    before_round: usize,
    refused: Vec<String>,
    notes: Vec<String>,
}

impl FixReport {
    pub(super) fn applied(&self) -> usize {
        self.applied.len()
    }

    pub(super) fn begin_round(&mut self) {
        self.before_round = self.applied.len();
    }

    /// Adds a fix that is applied.
    pub(super) fn apply(&mut self, sources: &SourceSet, chosen: &Chosen<'_>) {
        let calls = chosen.judged.as_ref().map(|judged| format!("; {judged}"));
        self.applied.push(format!(
            "{}, {}{}",
            written(sources, chosen.finding, chosen.fix),
            chosen.fix.proof,
            calls.unwrap_or_default()
        ));
    }

    /// Adds a fix that recorded calls speak against.
    pub(super) fn refuse(&mut self, sources: &SourceSet, finding: &Diagnostic, fix: &Fix, judged: &Judged) {
        let text = format!("{}: {judged}", written(sources, finding, fix));
        if !self.refused.contains(&text) {
            self.refused.push(text);
        }
    }

    /// Takes the last round back.
    pub(super) fn take_back(&mut self, found: &[Diagnostic]) {
        let taken = self.applied.split_off(self.before_round.min(self.applied.len()));
        let mut errors = found.iter().filter(|found| found.severity == Severity::Error);
        let why = errors.next().map_or_else(String::new, |error| {
            format!(", such as {}: {}", error.code, error.headline)
        });
        let count = taken.len();
        self.notes.push(format!(
            "{count} {} taken back, since the policy would have errors{why}",
            if count == 1 { "fix was" } else { "fixes were" }
        ));
    }

    pub(super) fn leave_for_next_run(&mut self) {
        self.notes
            .push("more fixes may apply; run the command again".to_owned());
    }

    /// Writes all to standard error.
    pub(super) fn show_lists(&self, is_shown_only: bool) {
        let verb = if is_shown_only { "would fix" } else { "fixed" };
        for one in &self.applied {
            tell(&format!("{verb}: {one}"));
        }
        for one in &self.refused {
            tell(&format!("not fixed: {one}"));
        }
        for one in &self.notes {
            tell(one);
        }
        if self.applied.is_empty() {
            tell("no fix applies");
        } else {
            let count = self.applied.len();
            tell(&format!("{count} {} proved", plural(count, "fix")));
        }
    }
}

fn tell(text: &str) {
    output::note(&format!("tokenward: {}", visible(text)));
}

/// `policies/ci.toml:8: TW0505, write …`
fn written(sources: &SourceSet, finding: &Diagnostic, fix: &Fix) -> String {
    let place = finding.primary.span;
    let file = sources
        .get(place.source)
        .map_or_else(String::new, |source| sources.shown(&source.path));
    format!(
        "{file}:{}: {}, {}",
        sources.line_number(place),
        finding.code,
        fix.described(sources)
    )
}
