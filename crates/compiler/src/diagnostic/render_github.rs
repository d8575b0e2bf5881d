//! Findings for GitHub Actions: annotations as workflow commands, and a summary of the step.

use std::fmt::Write as _;

use super::{
    render_text::SHOWN,
    report::{Finding, Report},
    severity::Severity,
};

/// Annotations of one type that GitHub shows for one step. It drops further ones without a word.
const MOST: usize = 10;
/// Bytes of a summary's findings. GitHub drops the whole summary of a step if it has more than 1 MiB.
const SUMMARY_BYTES: usize = 900_000;

/// The two texts for GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHub {
    /// Workflow commands and a last line with the counts, for standard output.
    pub commands: String,
    /// Markdown for the file that `GITHUB_STEP_SUMMARY` names.
    pub summary: String,
}

/// The annotations, errors first, at most ten errors and ten warnings; if there are more, the tenth counts the rest. The summary has
/// up to 500 findings in at most 900 kB, and counts the rest.
#[must_use]
pub fn render_github(report: &Report) -> GitHub {
    let mut commands = String::new();
    if let Some(why) = report.failure() {
        let _ = writeln!(commands, "::error title=tokenward::{}", data(why));
    }
    for severity in [Severity::Error, Severity::Warning] {
        let of: Vec<&Finding> = report
            .findings()
            .iter()
            .filter(|finding| finding.severity == severity)
            .collect();
        // The failure is an annotation too.
        let most = MOST - usize::from(severity == Severity::Error && report.failure().is_some());
        annotations(severity, &of, most, &mut commands);
    }
    if let Some(told) = report.open_questions() {
        let _ = writeln!(commands, "::notice title=tokenward::{}", data(&told));
    }
    let _ = writeln!(commands, "tokenward: {}", report.summary());
    GitHub {
        commands,
        summary: summary(report),
    }
}

fn annotations(severity: Severity, findings: &[&Finding], most: usize, out: &mut String) {
    let shown = if findings.len() > most {
        most - 1
    } else {
        findings.len()
    };
    for finding in findings.iter().take(shown) {
        annotation(finding, out);
    }
    let left = findings.len() - shown;
    if left > 0 {
        let kind = severity.as_str();
        let _ = writeln!(
            out,
            "::{kind} title=tokenward::{left} more {kind}s are not shown here; the summary of the step lists them"
        );
    }
}

/// `::error file=…,line=…,endLine=…,col=…,endColumn=…,title=…::…`
fn annotation(finding: &Finding, out: &mut String) {
    let mut properties = String::new();
    if let Some(place) = &finding.place {
        let _ = write!(
            properties,
            "file={},line={},endLine={}",
            property(&place.file),
            place.line,
            place.end_line
        );
        // GitHub accepts columns only if the range is in one line.
        if place.line == place.end_line {
            let _ = write!(properties, ",col={},endColumn={}", place.column, place.end_column);
        }
        properties.push(',');
    }
    let _ = writeln!(
        out,
        "::{} {properties}title={}::{}",
        finding.severity.as_str(),
        property(finding.code.as_str()),
        data(&finding.message())
    );
}

/// Text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn summary(report: &Report) -> String {
    let mut out = format!("### Tokenward: {}\n\n", report.summary());
    if let Some(why) = report.failure() {
        let _ = writeln!(out, "The check did not succeed: {}\n", code(why));
    }
    if let Some(told) = report.open_questions() {
        let _ = writeln!(out, "{told}.\n");
    }
    if !report.findings().is_empty() {
        out.push_str("| | place | finding | help |\n| --- | --- | --- | --- |\n");
    }
    let mut left = report.findings().len();
    for finding in report.findings().iter().take(SHOWN) {
        let row = row(finding);
        if out.len() + row.len() > SUMMARY_BYTES {
            break;
        }
        out.push_str(&row);
        left -= 1;
    }
    if left > 0 {
        let _ = writeln!(out, "\n{left} more findings are not shown.");
    }
    out.push('\n');
    out
}

fn row(finding: &Finding) -> String {
    let place = finding.place.as_ref().map_or_else(String::new, |place| {
        cell(&format!("{}:{}", place.file, place.line))
    });
    let help = finding.help.as_deref().map_or_else(String::new, cell);
    let named = finding.newly_allowed.iter();
    let named = named.map(|operation| format!("<br>newly allowed: {}", cell(operation)));
    format!(
        "| {} {} | {place} | {}{} | {help} |\n",
        finding.severity.as_str(),
        finding.code,
        cell(&finding.headline),
        named.collect::<String>()
    )
}

/// A code span, in which links, mentions and HTML have no effect (CommonMark 0.31 section 6.1).
fn code(text: &str) -> String {
    let runs = text.split(|character| character != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code span for a table, in which a bar would end the cell even within the span.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
