use tokenward_compiler::analysis::{Analysis, Cause, Difference};

use super::{
    Tally,
    judged::{Judged, possible},
    pair::Pair,
};
use crate::witness;

/// What the comparison says of two policies holds of every request of the universe, and each request that it shows is one.
pub(super) fn hold(pair: &Pair, old: &Judged, new: &Judged) -> Tally {
    let token = |policy: &Judged| policy.program.tokens().next().map(|(id, _)| id);
    let mut analysis =
        Analysis::new(&old.program, &new.program, pair.told, Analysis::BUDGET).expect("starts");
    let comparison = match analysis.compare(token(old), token(new)) {
        Ok(comparison) => comparison,
        Err(fault) => panic!("{fault}\n{}\n{}", old.file, new.file),
    };
    holds(pair, &comparison.newly_allowed, new, old).and(holds(pair, &comparison.newly_denied, old, new))
}

/// One direction: `more` allows what `less` does not.
fn holds(pair: &Pair, difference: &Difference, more: &Judged, less: &Judged) -> Tally {
    for finding in &difference.findings {
        let request = witness::as_reference(&finding.witness);
        let ((universe, allowing), (_, denying)) = (more.alone(pair, &request), less.alone(pair, &request));
        let at = universe.point(0);
        // A request that is refused as ambiguous is not allowed, and no line denies it.
        let by_line = finding.denied_by.is_some();
        let forbidden = denying.forbidden.has(at) && !denying.refused.has(at);
        let denied = !denying.allowed.has(at) && forbidden == by_line;
        let is_merged = pair.place.merges && (allowing.merged.has(at) || denying.merged.has(at));
        assert!(
            is_merged || (allowing.allowed.has(at) && denied),
            "by sets, {} is no witness {:?}\n{}\n{}",
            finding.witness,
            pair.place,
            more.file,
            less.file
        );
    }
    // A request that is refused is not allowed either.
    let mut beyond = more.verdicts.allowed.minus(&less.verdicts.allowed);
    if pair.place.merges {
        beyond = beyond.minus(&more.verdicts.merged).minus(&less.verdicts.merged);
    }
    beyond = beyond.intersection(&possible(pair));
    if difference.inconclusive.is_none() {
        for finding in &difference.findings {
            let explained = match finding.cause {
                Cause::Permit(line) => more.verdicts.of_line(more.program.line(line).number).cloned(),
                // A line that forbids requests refuses others, too.
                Cause::Lifted(line) | Cause::Refused(line) => {
                    let number = less.program.line(line).number;
                    let verdicts = &less.verdicts;
                    let matched = verdicts.of_line(number);
                    matched.map(|matched| match verdicts.refused_for(number) {
                        Some(refused) => matched.union(refused),
                        None => matched.clone(),
                    })
                }
                Cause::Unrestricted => Some(more.verdicts.allowed.clone()),
            };
            beyond = beyond.minus(&explained.expect("a line of the policy"));
        }
        assert!(
            beyond.is_empty(),
            "no finding explains {:?} {:?}\nmore: {}\nless: {}\n{difference:?}",
            beyond.first().map(|point| pair.universe.request(point)),
            pair.place,
            more.file,
            less.file
        );
    }
    Tally {
        questions: 1,
        inconclusive: usize::from(difference.inconclusive.is_some()),
        witnesses: difference.findings.len(),
        ..Tally::default()
    }
}
