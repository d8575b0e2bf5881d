//! The parts of lines that no test makes decide.
//!
//! A part decides in a test if the test has another decision, or another line decides, once the part is taken away.

use tokenward_compiler::mutate::{self, Kind};

use super::cases::Case;
use super::lab::{Lab, Place, Unusable};
use crate::explain::Report;

/// The coverage of all lines.
pub struct Coverage {
    /// The lines, in the order of the policy.
    pub lines: Vec<LineCoverage>,
}

/// The coverage of a line.
pub struct LineCoverage {
    /// Place of the line.
    pub place: Place,
    /// Number of tests in which the line decides.
    pub decided: usize,
    /// Parts of the line.
    pub parts: Vec<Part>,
}

/// A condition, a method or an alternative of a line.
pub struct Part {
    /// `condition`, `method` or `alternative`.
    pub kind: &'static str,
    /// Text of the part.
    pub text: String,
    /// Whether a test shows the effect of the part.
    pub is_covered: bool,
}

impl Coverage {
    /// Numbers of covered parts and of all, lines included.
    pub fn counts(&self) -> (usize, usize) {
        let lines = self.lines.iter();
        let of_line = |line: &LineCoverage| {
            let parts = line.parts.iter().filter(|part| part.is_covered).count();
            (parts + usize::from(line.decided > 0), line.parts.len() + 1)
        };
        lines
            .map(of_line)
            .fold((0, 0), |(covered, all), (more, of)| (covered + more, all + of))
    }
}

/// Finds the parts that tests make decide. `told` is given the number of lines done, and of all.
///
/// # Errors
/// The policy cannot be changed.
pub fn coverage(
    lab: &Lab<'_>,
    cases: &[Case],
    mut told: impl FnMut(usize, usize),
) -> Result<Coverage, Unusable> {
    let places = lab.lines(cases);
    let of = places.len();
    let mut lines = Vec::with_capacity(of);
    for (done, place) in places.into_iter().enumerate() {
        lines.push(of_line(lab, place, cases)?);
        told(done + 1, of);
    }
    Ok(Coverage { lines })
}

fn of_line(lab: &Lab<'_>, place: Place, cases: &[Case]) -> Result<LineCoverage, Unusable> {
    let concerned: Vec<&Case> = cases
        .iter()
        .filter(|case| place.tokens.contains(&case.token))
        .collect();
    let decided = concerned
        .iter()
        .filter(|case| decides(&place, &case.seen))
        .count();
    let mut parts = Vec::new();
    let asked = mutate::mutants(&place.text).into_iter().filter_map(|mutant| {
        let kind = match mutant.kind {
            Kind::LostCondition => "condition",
            Kind::LostMethod => "method",
            Kind::LostAlternative => "alternative",
            _ => return None,
        };
        let text = place.text.get(mutant.place.clone()).unwrap_or_default();
        let text = match mutant.kind {
            Kind::LostMethod => lost_method(text, &mutant.line),
            _ => text.trim_matches('|').to_owned(),
        };
        Some((kind, text, mutant.line))
    });
    for (kind, text, line) in asked {
        // Without tests nothing needs to be compiled.
        let is_covered = if concerned.is_empty() {
            false
        } else {
            let scoped = lab.scoped(&place)?;
            let Some(program) = lab.changed(&scoped, &place, &line) else {
                continue;
            };
            concerned.iter().any(|case| {
                let seen = lab.bench.judge(&program, &case.question);
                seen.is_ok_and(|seen| is_other(&case.seen, &seen))
            })
        };
        parts.push(Part {
            kind,
            text,
            is_covered,
        });
    }
    Ok(LineCoverage {
        place,
        decided,
        parts,
    })
}

/// The method of a list that a changed line lacks.
fn lost_method(list: &str, line: &str) -> String {
    let names = |list: &str| -> Vec<String> {
        let inner = list.split(']').next().unwrap_or_default();
        let inner = inner.trim_start_matches('!').trim_start_matches('[');
        inner
            .split(',')
            .map(|name| name.trim().to_ascii_uppercase())
            .collect()
    };
    let rest = names(line);
    let mut all = names(list).into_iter();
    all.find(|name| !rest.contains(name)).unwrap_or_default()
}

/// Whether the line decided.
pub(super) fn decides(place: &Place, seen: &Report) -> bool {
    let line = seen.line.as_ref();
    line.is_some_and(|line| line.file == place.path && line.number == place.number && line.text == place.text)
}

/// Whether two reports differ in the decision, the reason or the line. A line is named by its place, since its text was changed.
fn is_other(before: &Report, after: &Report) -> bool {
    let key = |report: &Report| {
        let line = report.line.as_ref().map(|line| (line.file.clone(), line.number));
        (report.decision.clone(), report.reason.clone(), line)
    };
    key(before) != key(after)
}
