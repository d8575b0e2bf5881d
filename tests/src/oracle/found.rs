use tokenward_compiler::{
    analysis::{Analysis, Served},
    diagnostic::Code,
    findings,
};

use super::{
    Tally,
    judged::{Judged, possible},
    pair::Pair,
};
use crate::sets::{Region, Verdicts};

/// What is found in a policy holds of every request of the universe: a line that is said to do nothing can be taken out.
pub(super) fn hold(pair: &Pair, policy: &Judged) -> Tally {
    let found = findings::find(
        &policy.program,
        &policy.compilation.source_map,
        &[],
        (pair.told, &Served::everything(), Analysis::BUDGET),
        |_, _| {},
    );
    let found = found.unwrap_or_else(|fault| panic!("{fault}\n{}", policy.file));
    for finding in &found.diagnostics {
        let number = policy.number(finding.primary.span);
        let verdicts = &policy.verdicts;
        let wrong = match finding.code {
            Code::EmptyLine => verdicts.of_line(number).expect("a line of the policy").clone(),
            Code::DeadHere | Code::CoveredLine | Code::IdleForbid
                if is_whole(policy, finding.primary.span) =>
            {
                let without = verdicts.without(number);
                differ(verdicts, &without)
            }
            Code::TakenBack => match verdicts.of_line(number) {
                Some(line) => line.minus(&verdicts.forbidden).minus(&verdicts.refused),
                None => verdicts.allowed.clone(),
            },
            _ => continue,
        };
        let mut wrong = wrong.intersection(&possible(pair));
        if pair.place.merges {
            wrong = wrong.minus(&verdicts.merged);
        }
        assert!(
            wrong.is_empty(),
            "{} of line {number} is wrong of {:?} {:?}\n{}",
            finding.code,
            wrong.first().map(|point| pair.universe.request(point)),
            pair.place,
            policy.file
        );
    }
    Tally {
        findings: found.diagnostics.len(),
        ..Tally::default()
    }
}

/// Whether a span is a whole line: of a part of one, another finding says less.
fn is_whole(policy: &Judged, span: tokenward_compiler::source::Span) -> bool {
    let text = policy.sources.text(span);
    policy.lines.iter().any(|line| line == text)
}

/// What one allows and the other does not, bodies that either refuses aside.
fn differ(one: &Verdicts, other: &Verdicts) -> Region {
    let both = one
        .allowed
        .minus(&other.allowed)
        .union(&other.allowed.minus(&one.allowed));
    both.minus(&one.refused).minus(&other.refused)
}
