//! Results for people.

use tokenward_pdp::plural::plural;
use tokenward_pdp::testing::{Case, Coverage, Fate, Lab, Mutation, generated_test};

use super::super::audit::shown;
use super::super::explain::story;
use super::results::Results;

/// Places that are listed at most; `--format json` has all.
const LISTED: usize = 200;

pub(super) fn of(results: &Results<'_>, lab: Option<&Lab<'_>>) -> String {
    let mut out = Text::default();
    for case in results.cases.iter().filter(|case| !case.passes()) {
        failure(case, &mut out);
    }
    if let Some(found) = results.coverage {
        coverage(found, &mut out);
    }
    if let (Some(found), Some(lab)) = (results.mutation, lab) {
        mutation(found, lab, &mut out);
    }
    let (count, failed) = (
        results.cases.len(),
        results.cases.iter().filter(|case| !case.passes()).count(),
    );
    let left_out = match results.left_out {
        0 => String::new(),
        left_out => format!(", {left_out} left out by the filter"),
    };
    out.line(
        0,
        &format!(
            "{count} {}: {} passed, {failed} failed{left_out}",
            plural(count, "test"),
            count - failed
        ),
    );
    out.0
}

/// Covered parts in percent; nothing to cover is covered.
pub(super) fn percent((covered, all): (usize, usize)) -> f64 {
    if all == 0 {
        return 100.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of parts are small")]
    let percent = 100.0 * covered as f64 / all as f64;
    percent
}

#[derive(Default)]
struct Text(String);

impl Text {
    /// Adds a line. Characters that a terminal would act on are escaped.
    fn line(&mut self, indent: usize, text: &str) {
        self.0.push_str(&" ".repeat(indent));
        self.0.push_str(&shown(text));
        self.0.push('\n');
    }
}

fn failure(case: &Case, out: &mut Text) {
    out.line(0, &format!("FAIL {}:{}: {}", case.file, case.line, case.name));
    for mismatch in case.mismatches() {
        out.line(
            2,
            &format!(
                "{}: expected {}, seen {}",
                mismatch.part, mismatch.expected, mismatch.seen
            ),
        );
    }
    for line in story(&case.seen).lines() {
        out.line(2, line);
    }
    for note in &case.notes {
        out.line(2, &format!("note: {note}"));
    }
    out.line(0, "");
}

fn coverage(found: &Coverage, out: &mut Text) {
    let (covered, all) = found.counts();
    out.line(
        0,
        &format!(
            "coverage: {covered} of {all} lines, methods, conditions and alternatives decide in a test ({:.1} %)",
            percent((covered, all))
        ),
    );
    let open: Vec<_> = found
        .lines
        .iter()
        .filter(|line| line.decided == 0 || line.parts.iter().any(|part| !part.is_covered))
        .collect();
    for line in open.iter().take(LISTED) {
        let place = &line.place;
        out.line(2, &format!("{}:{}: {}", place.file, place.number, place.text));
        if line.decided == 0 {
            out.line(6, "the line decides in no test");
        }
        for part in line.parts.iter().filter(|part| !part.is_covered) {
            out.line(
                6,
                &format!("the {} `{}` decides in no test", part.kind, part.text),
            );
        }
    }
    more(open.len(), "lines", out);
    out.line(0, "");
}

fn more(count: usize, what: &str, out: &mut Text) {
    if let Some(more @ 1..) = count.checked_sub(LISTED) {
        out.line(2, &format!("{more} more {what}: --format json lists all"));
    }
}

fn mutation(found: &Mutation, lab: &Lab<'_>, out: &mut Text) {
    let survivors = found
        .tried
        .iter()
        .filter_map(|tried| match &tried.fate {
            Fate::Survived(found) => Some((tried, found)),
            _ => None,
        })
        .collect::<Vec<_>>();
    for (at, (tried, found)) in survivors.iter().enumerate().take(LISTED) {
        let place = &tried.place;
        out.line(
            0,
            &format!(
                "not noticed: {}:{}: {}",
                place.file,
                place.number,
                tried.mutant.kind.as_str()
            ),
        );
        out.line(2, &format!("- {}", place.text));
        if !tried.mutant.line.is_empty() {
            out.line(2, &format!("+ {}", tried.mutant.line));
        }
        out.line(
            2,
            "this test would notice it, if the decision is the intended one:",
        );
        for line in generated_test(lab, found, at + 1).lines() {
            out.line(4, line);
        }
        out.line(0, "");
    }
    more(survivors.len(), "changes", out);
    let score = found
        .score()
        .map_or_else(String::new, |score| format!(" ({score:.1} %)"));
    let noticed = found.killed();
    let count = noticed + found.survived();
    out.line(
        0,
        &format!(
            "mutations: the tests notice {noticed} of {count} {}{score}",
            plural(count, "change")
        ),
    );
    let mut rest = vec![
        (found.same(), "without effect on any forwarded request, by proof"),
        (found.refused(), "refused by the compiler"),
        (found.open(), "not settled"),
        (found.left_out, "not tried (--max-mutants)"),
    ];
    rest.retain(|(count, _)| *count > 0);
    for (count, what) in rest {
        out.line(2, &format!("{count} {what}"));
    }
    out.line(0, "");
}
