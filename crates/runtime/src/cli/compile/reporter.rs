//! Writes the findings in the format that was asked for: text and JSON lines at once, documents at the end.

use tokenward_compiler::diagnostic::{
    Diagnostic, GitHub, Report, render_github, render_gitlab, render_json, render_junit, render_sarif,
    render_text,
};
use tokenward_compiler::source::SourceSet;

use super::super::checkout::Checkout;
use super::super::failure::Failure;
use super::super::output;
use super::super::settings::CONFIG_FILE;
use super::super::step_summary;
use super::format::Format;

pub(super) struct Reporter {
    format: Format,
    report: Report,
    checkout: Checkout,
}

impl Reporter {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            report: Report::default(),
            checkout: Checkout::discover(),
        }
    }

    /// Whether the output is text for people.
    pub(super) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    pub(super) fn deny_warnings(&mut self) {
        self.report.deny_warnings();
    }

    /// Counts findings that the baseline accepts.
    pub(super) fn hide(&mut self, count: usize) {
        self.report.hide(count);
    }

    /// Counts questions of lints that were not settled.
    pub(super) fn leave_open(&mut self, count: usize) {
        self.report.leave_open(count);
    }

    /// Writes findings, or adds them to the document.
    pub(super) fn show(&mut self, sources: &SourceSet, diagnostics: &[Diagnostic]) -> Result<(), Failure> {
        match self.format {
            Format::Text => {
                output::note_raw(&render_text(sources, diagnostics, output::colours()));
                Ok(())
            }
            Format::Json => output::print_document(&render_json(sources, diagnostics)),
            Format::Sarif | Format::Junit | Format::Github | Format::Gitlab => {
                let relative = |path: &str| self.checkout.relative(path);
                self.report.add(sources, diagnostics, &relative);
                Ok(())
            }
        }
    }

    /// Writes the document, if the format is one. It reports a run that failed for another reason than its findings.
    pub(super) fn finish(mut self, result: &Result<(), Failure>) -> Result<(), Failure> {
        match result {
            _ if !self.format.is_document() => return self.finish_lines(result),
            Err(Failure::NoReader) => return Ok(()),
            Err(Failure::Usage(why) | Failure::Trouble(why)) => self.report.fail(why),
            Err(Failure::Findings(why)) if !self.has_failing() => self.report.fail(why),
            Err(Failure::Findings(_)) | Ok(()) => {}
        }
        let report = &self.report;
        match self.format {
            Format::Text | Format::Json => Ok(()),
            Format::Sarif => output::print_raw(&render_sarif(report, env!("CARGO_PKG_VERSION"))),
            Format::Junit => output::print_raw(&render_junit(report)),
            Format::Gitlab => {
                let file = report.files().next().unwrap_or(CONFIG_FILE);
                output::print_raw(&render_gitlab(report, file))
            }
            Format::Github => {
                let GitHub { commands, summary } = render_github(report);
                output::print_raw(&commands)?;
                step_summary::append(&summary)
            }
        }?;
        // A report for GitLab has no place for open questions, so the counts are told of a failed run too.
        let tells = result.is_ok() || report.left_open() > 0;
        if tells && self.format != Format::Github {
            output::note(&format!("tokenward: {}", report.summary()));
        }
        Ok(())
    }

    /// Writes the last line of JSON, if there are open questions: lines of findings do not say that there may be more.
    fn finish_lines(&self, result: &Result<(), Failure>) -> Result<(), Failure> {
        let open = self.report.left_open();
        if self.format != Format::Json || open == 0 || matches!(result, Err(Failure::NoReader)) {
            return Ok(());
        }
        output::print(&format!("{{\"open_lint_questions\":{open}}}\n"))
    }

    fn has_failing(&self) -> bool {
        let mut findings = self.report.findings().iter();
        findings.any(|finding| self.report.fails(finding))
    }
}
