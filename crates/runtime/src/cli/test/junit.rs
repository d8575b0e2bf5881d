//! Results as JUnit XML: a suite for each file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tokenward_compiler::diagnostic::xml_text;
use tokenward_pdp::testing::Case;

use super::super::explain::story;
use super::results::Results;
use super::text::percent;

pub(super) fn of(results: &Results<'_>) -> String {
    let mut files: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in results.cases {
        files.entry(case.file.as_str()).or_default().push(case);
    }
    let mut suites = String::new();
    for (file, cases) in &files {
        suite(file, cases, results, &mut suites);
    }
    let counts = counts(results.cases.iter());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tokenward test\" {counts}>\n{suites}</testsuites>\n"
    )
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case> + Clone) -> String {
    let failures = cases.clone().filter(|case| !case.passes()).count();
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", cases.count())
}

fn suite(file: &str, cases: &[&Case], results: &Results<'_>, out: &mut String) {
    let counts = counts(cases.iter().copied());
    let file = xml_text(file);
    let _ = writeln!(out, "  <testsuite name=\"{file}\" {counts} skipped=\"0\">");
    let mut properties = String::new();
    if let Some(coverage) = results.coverage {
        let _ = write!(
            properties,
            "<property name=\"coverage\" value=\"{:.1}\"/>",
            percent(coverage.counts())
        );
    }
    if let Some(score) = results.mutation.and_then(tokenward_pdp::testing::Mutation::score) {
        let _ = write!(
            properties,
            "<property name=\"mutation_score\" value=\"{score:.1}\"/>"
        );
    }
    if !properties.is_empty() {
        let _ = writeln!(out, "    <properties>{properties}</properties>");
    }
    for case in cases {
        let name = xml_text(&case.name);
        let at = format!(
            "classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{}\"",
            case.line
        );
        let mismatches = case.mismatches();
        if mismatches.is_empty() {
            let _ = writeln!(out, "    <testcase {at}/>");
            continue;
        }
        let said = mismatches
            .iter()
            .map(|one| format!("{}: expected {}, seen {}", one.part, one.expected, one.seen));
        let said = xml_text(&said.collect::<Vec<_>>().join("; "));
        let story = xml_text(&story(&case.seen));
        let _ = writeln!(
            out,
            "    <testcase {at}><failure message=\"{said}\" type=\"expectation\">{story}</failure></testcase>"
        );
    }
    out.push_str("  </testsuite>\n");
}
