//! The findings of one run for other programs: places as paths and numbers, texts without secrets and control characters.

use std::collections::{BTreeSet, HashMap};

use super::{
    code::Code,
    finding::{Diagnostic, Label},
    fix::Fix,
    identity::identities,
    operations::listed,
    severity::Severity,
};
use crate::{
    secret,
    source::{SourceSet, Span},
    visible::visible,
};

/// Everything that a run found, in the order of severity, file and place.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    /// The policy's files.
    files: BTreeSet<String>,
    /// Findings that a baseline hides.
    hidden: usize,
    /// Questions of lints that were not settled.
    left_open: usize,
    /// Whether warnings fail the run.
    denies_warnings: bool,
    /// Why the run did not finish.
    failure: Option<String>,
    /// How many findings each fingerprint was counted for.
    counts: HashMap<String, usize>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The code.
    pub code: Code,
    /// The severity.
    pub severity: Severity,
    /// The headline, one line.
    pub headline: String,
    /// Advice, one line.
    pub help: Option<String>,
    /// In what more is allowed than before, one line.
    pub widened: Option<String>,
    /// The operations of the API that are newly allowed, each in one line; the last one may count the rest.
    pub newly_allowed: Vec<String>,
    /// A request as one line, and as a `curl` command.
    pub witness: Option<(String, String)>,
    /// The operation of the API that the request is a call of, one line.
    pub operation: Option<String>,
    /// Where it is; `None`: in no file.
    pub place: Option<Place>,
    /// Other places, each with a remark.
    pub related: Vec<(Place, String)>,
    /// Corrections, the most probable one first.
    pub fixes: Vec<Correction>,
    /// The finding's number, the same after lines moved.
    pub fingerprint: String,
}

/// A correction of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Texts to write in places, which are in one file if a set is not concerned.
    pub edits: Vec<(Place, String)>,
    /// What is proved about the correction, one line.
    pub note: String,
}

/// A range of a file. Lines and columns count from 1, columns in characters; the end is the first character after the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path of the file, with `/`.
    pub file: String,
    /// First line.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column of the first character after the range.
    pub end_column: usize,
}

impl Report {
    /// Records that warnings fail the run.
    pub fn deny_warnings(&mut self) {
        self.denies_warnings = true;
    }

    /// Adds findings and the files that were read. `relative` turns the path of a file, as messages show it, into the one that the
    /// report's reader knows.
    pub fn add(
        &mut self,
        sources: &SourceSet,
        diagnostics: &[Diagnostic],
        relative: &dyn Fn(&str) -> String,
    ) {
        let places = Places { sources, relative };
        for (_, source) in sources.iter() {
            self.files.insert(places.file(&source.path));
        }
        for (diagnostic, identity) in diagnostics.iter().zip(identities(sources, diagnostics)) {
            let count = self.counts.entry(identity.fingerprint(0)).or_default();
            let fingerprint = identity.fingerprint(*count);
            *count += 1;
            self.findings.push(places.finding(diagnostic, fingerprint));
        }
        self.findings
            .sort_by(|one, other| one.order().cmp(&other.order()));
    }

    /// Counts findings that a baseline hides.
    pub fn hide(&mut self, count: usize) {
        self.hidden += count;
    }

    /// Counts questions of lints that were not settled: there may be more findings.
    pub fn leave_open(&mut self, count: usize) {
        self.left_open += count;
    }

    /// Records why the run did not finish, or why it failed without a finding.
    pub fn fail(&mut self, why: &str) {
        self.failure = Some(shown(why));
    }

    /// The findings, errors first, then by file and place.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The policy's files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// The number of findings that a baseline hides.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// The number of questions of lints that were not settled.
    #[must_use]
    pub fn left_open(&self) -> usize {
        self.left_open
    }

    /// The open questions in one sentence, if there are any.
    #[must_use]
    pub fn open_questions(&self) -> Option<String> {
        let named = match self.left_open {
            0 => return None,
            1 => "1 question of lints is".to_owned(),
            count => format!("{count} questions of lints are"),
        };
        Some(format!("{named} open; a larger --budget settles them"))
    }

    /// Why the run did not finish, if it did not.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Whether a finding fails the run.
    #[must_use]
    pub fn fails(&self, finding: &Finding) -> bool {
        self.denies_warnings || finding.severity == Severity::Error
    }

    /// The counts in one sentence: `2 errors, 1 warning, 3 in the baseline, 1 question of lints open`.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |severity| {
            self.findings
                .iter()
                .filter(|found| found.severity == severity)
                .count()
        };
        let named = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let mut parts = Vec::new();
        if errors > 0 {
            parts.push(named(errors, "error"));
        }
        if warnings > 0 {
            parts.push(named(warnings, "warning"));
        }
        if parts.is_empty() {
            parts.push("no findings".to_owned());
        }
        if self.hidden > 0 {
            parts.push(format!("{} in the baseline", self.hidden));
        }
        if self.left_open > 0 {
            parts.push(format!("{} of lints open", named(self.left_open, "question")));
        }
        parts.join(", ")
    }
}

impl Finding {
    fn order(&self) -> (Severity, bool, &str, usize, usize, Code, &str) {
        let (file, line, column) = self.place.as_ref().map_or(("", 0, 0), |place| {
            (place.file.as_str(), place.line, place.column)
        });
        let is_nowhere = self.place.is_none();
        (
            self.severity,
            is_nowhere,
            file,
            line,
            column,
            self.code,
            &self.headline,
        )
    }

    /// The headline, the advice, what widened, the operations, and the proof, each on a line of its own.
    #[must_use]
    pub fn message(&self) -> String {
        let mut lines = vec![self.headline.clone()];
        if let Some(help) = &self.help {
            lines.push(format!("help: {help}"));
        }
        if let Some(widened) = &self.widened {
            lines.push(format!("widened: {widened}"));
        }
        let named = self.newly_allowed.iter();
        lines.extend(named.map(|operation| format!("newly allowed: {operation}")));
        if let Some((request, curl)) = &self.witness {
            lines.push(format!("witness: {request}"));
            lines.push(format!("witness: {curl}"));
        }
        if let Some(operation) = &self.operation {
            lines.push(format!("operation: {operation}"));
        }
        lines.join("\n")
    }
}

/// Text that files chose: one line, without control characters and secrets.
fn shown(text: &str) -> String {
    visible(&secret::masked(text))
}

struct Places<'a> {
    sources: &'a SourceSet,
    relative: &'a dyn Fn(&str) -> String,
}

impl Places<'_> {
    fn finding(&self, diagnostic: &Diagnostic, fingerprint: String) -> Finding {
        let related = diagnostic.related.iter().filter_map(|label| self.label(label));
        let fixes = diagnostic.fixes.iter().filter_map(|fix| self.correction(fix));
        let witness = diagnostic.witness.as_ref();
        Finding {
            code: diagnostic.code,
            severity: diagnostic.severity,
            headline: shown(&diagnostic.headline),
            help: diagnostic.help.as_deref().map(shown),
            widened: diagnostic.widened.as_deref().map(shown),
            newly_allowed: listed(&diagnostic.newly_allowed).map(|one| shown(&one)).collect(),
            witness: witness.map(|witness| (shown(&witness.request), shown(&witness.curl))),
            operation: witness.and_then(|witness| witness.operation.as_deref().map(shown)),
            place: self.primary(diagnostic),
            related: related.collect(),
            fixes: fixes.collect(),
            fingerprint,
        }
    }

    fn correction(&self, fix: &Fix) -> Option<Correction> {
        let edits = fix.edits.iter();
        let edits = edits.map(|edit| Some((self.span(edit.span)?, secret::masked(&edit.text))));
        Some(Correction {
            edits: edits.collect::<Option<_>>()?,
            note: shown(&fix.proof.to_string()),
        })
    }

    fn primary(&self, diagnostic: &Diagnostic) -> Option<Place> {
        match &diagnostic.elsewhere {
            Some(elsewhere) => Some(Place {
                file: shown(&(self.relative)(&elsewhere.file)),
                line: elsewhere.line,
                column: 1,
                end_line: elsewhere.line,
                end_column: 1,
            }),
            None => self.span(diagnostic.primary.span),
        }
    }

    fn label(&self, label: &Label) -> Option<(Place, String)> {
        Some((self.span(label.span)?, shown(&label.text)))
    }

    fn span(&self, span: Span) -> Option<Place> {
        let source = self.sources.get(span.source)?;
        let (line, column) = self.sources.line_and_column(span.source, span.start);
        let (end_line, end_column) = self.sources.line_and_column(span.source, span.end);
        Some(Place {
            file: self.file(&source.path),
            line,
            column,
            end_line,
            end_column,
        })
    }

    fn file(&self, path: &str) -> String {
        shown(&(self.relative)(&self.sources.shown(path)))
    }
}
