//! Compiles fixes together that concern different tokens: a policy of a thousand findings is not compiled a thousand times.

use std::collections::{BTreeSet, HashMap};

use super::compare::Comparer;
use crate::{
    analysis::Fault,
    diagnostic::{Diagnostic, Edit, Proof, Unproved},
};

/// A fix to prove.
pub(super) struct Trial {
    /// The number of the finding, and of the fix among its fixes.
    pub(super) of: (usize, usize),
    /// The tokens that it concerns.
    pub(super) tokens: BTreeSet<usize>,
}

/// Rounds of one run. Fixes that do not fit are not proved.
const ROUNDS: usize = 256;

/// Puts fixes into rounds. No two fixes of a round concern the same token.
pub(super) fn rounds(trials: Vec<Trial>) -> Vec<Vec<Trial>> {
    let mut rounds: Vec<Vec<Trial>> = Vec::new();
    // For each token the first round in which it is free.
    let mut free: HashMap<usize, usize> = HashMap::new();
    for trial in trials {
        let first = trial.tokens.iter().filter_map(|token| free.get(token));
        let round = first.max().copied().unwrap_or(0);
        if round >= ROUNDS {
            continue;
        }
        for token in &trial.tokens {
            free.insert(*token, round + 1);
        }
        if rounds.len() <= round {
            rounds.resize_with(round + 1, Vec::new);
        }
        if let Some(round) = rounds.get_mut(round) {
            round.push(trial);
        }
    }
    rounds
}

/// Proves the fixes of a round. If some corrected text has an error, the round is split, down to the fix that has it.
pub(super) fn settle(
    round: &[Trial],
    comparer: &Comparer<'_>,
    findings: &mut [Diagnostic],
) -> Result<(), Fault> {
    let mut groups = vec![round];
    while let Some(group) = groups.pop() {
        let edits: Vec<Edit> = group
            .iter()
            .flat_map(|trial| edits_of(findings, trial))
            .cloned()
            .collect();
        let tokens: BTreeSet<usize> = group.iter().flat_map(|trial| &trial.tokens).copied().collect();
        let after = match comparer.read(&edits, &tokens) {
            Ok(after) => after,
            Err(why) => {
                match group {
                    [one] => set(findings, one, Proof::Unproved(why)),
                    _ => groups.extend({
                        let (first, rest) = group.split_at(group.len() / 2);
                        [rest, first]
                    }),
                }
                continue;
            }
        };
        let Some(mut analysis) = comparer.analysis(&after)? else {
            for trial in group {
                set(findings, trial, Proof::Unproved(Unproved::Inconclusive));
            }
            continue;
        };
        for trial in group {
            let proof = comparer.compare(&mut analysis, &after, &trial.tokens)?;
            set(findings, trial, proof);
        }
    }
    Ok(())
}

fn edits_of<'f>(findings: &'f [Diagnostic], trial: &Trial) -> &'f [Edit] {
    let (finding, fix) = trial.of;
    let fix = findings.get(finding).and_then(|finding| finding.fixes.get(fix));
    fix.map(|fix| fix.edits.as_slice()).unwrap_or_default()
}

fn set(findings: &mut [Diagnostic], trial: &Trial, proof: Proof) {
    let (finding, fix) = trial.of;
    let finding = findings.get_mut(finding);
    if let Some(fix) = finding.and_then(|finding| finding.fixes.get_mut(fix)) {
        fix.proof = proof;
    }
}
