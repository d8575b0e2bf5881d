//! Findings as JUnit XML: a test case for each finding, and one for each file without findings.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::report::{Finding, Report};

/// The whole document. A finding that fails the run is a failure; any other is a passed test case with its text as output. A run
/// that did not finish is an error.
#[must_use]
pub fn render_junit(report: &Report) -> String {
    let mut cases = String::new();
    let failing = report.findings().iter().filter(|finding| report.fails(finding));
    let failures = failing.count();
    for finding in report.findings() {
        case(report, finding, &mut cases);
    }
    let places = report
        .findings()
        .iter()
        .filter_map(|finding| finding.place.as_ref());
    let found: BTreeSet<&str> = places.map(|place| place.file.as_str()).collect();
    let clean: Vec<&str> = report.files().filter(|file| !found.contains(file)).collect();
    for file in &clean {
        let _ = writeln!(
            cases,
            "    <testcase classname=\"{0}\" name=\"no findings\" file=\"{0}\"/>",
            xml_text(file)
        );
    }
    if let Some(why) = report.failure() {
        let why = xml_text(why);
        let _ = writeln!(
            cases,
            "    <testcase classname=\"tokenward\" name=\"run\"><error message=\"{why}\" type=\"tokenward\"/></testcase>"
        );
    }
    let errors = usize::from(report.failure().is_some());
    let tests = report.findings().len() + clean.len() + errors;
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    let summary = xml_text(&report.summary());
    let open = match report.left_open() {
        0 => String::new(),
        count => format!("<property name=\"open_lint_questions\" value=\"{count}\"/>"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tokenward\" {counts}>\n  <testsuite name=\"tokenward compile\" {counts} skipped=\"0\">\n    <properties><property name=\"summary\" value=\"{summary}\"/>{open}</properties>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(report: &Report, finding: &Finding, out: &mut String) {
    let (file, line) = finding
        .place
        .as_ref()
        .map_or(("tokenward", 0), |place| (place.file.as_str(), place.line));
    let text = xml_text(&format!("{file}:{line}\n{}", finding.message()));
    let file = xml_text(file);
    let code = finding.code.as_str();
    let headline = xml_text(&finding.headline);
    let is_placed = finding.place.is_some();
    let at = if is_placed {
        format!(" file=\"{file}\" line=\"{line}\"")
    } else {
        String::new()
    };
    let body = if report.fails(finding) {
        format!("<failure message=\"{headline}\" type=\"{code}\">{text}</failure>")
    } else {
        format!("<system-out>{text}</system-out>")
    };
    let _ = writeln!(
        out,
        "    <testcase classname=\"{file}\" name=\"{code}: {headline}\"{at}>{body}</testcase>"
    );
}

/// Text for an attribute or an element of XML 1.0 (section 2.2): without the characters that it cannot contain.
#[must_use]
pub fn xml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
