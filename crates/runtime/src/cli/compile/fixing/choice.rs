//! Chooses the fixes of one round: wanted, not overlapping, and proved together.

use tokenward_compiler::diagnostic::{Diagnostic, Fix, Proof};
use tokenward_compiler::fix::{self, Policy, overlap};

use super::chosen::Chosen;
use super::mode::Mode;
use super::recorded::Recorded;
use super::report::FixReport;
use crate::cli::Failure;

/// Whether a fix with this proof is to be written.
pub(super) fn is_wanted(mode: Mode, proof: &Proof) -> bool {
    match proof {
        Proof::Equivalent => true,
        Proof::Narrower { .. } => mode == Mode::Narrow,
        Proof::Unproved(_) => false,
    }
}

/// Failed proofs of groups after which the rest is left for the next round.
const FAILURES: usize = 64;

pub(super) fn choose<'f>(
    mode: Mode,
    policy: &Policy<'_>,
    found: &'f [Diagnostic],
    recorded: Option<&Recorded>,
    report: &mut FixReport,
) -> Result<Vec<Chosen<'f>>, Failure> {
    let mut candidates: Vec<Chosen<'f>> = Vec::new();
    for finding in found {
        let Some(chosen) = first_wanted(mode, policy, finding, recorded, report)? else {
            continue;
        };
        let is_taken = candidates.iter().any(|other| {
            other
                .edits()
                .any(|one| chosen.edits().any(|new| overlap(one, new)))
        });
        if !is_taken {
            candidates.push(chosen);
        }
    }
    together(mode, policy, candidates)
}

/// The first fix of a finding that is wanted: equivalent ones first.
fn first_wanted<'f>(
    mode: Mode,
    policy: &Policy<'_>,
    finding: &'f Diagnostic,
    recorded: Option<&Recorded>,
    report: &mut FixReport,
) -> Result<Option<Chosen<'f>>, Failure> {
    let of = |proof: &'static str| finding.fixes.iter().filter(move |fix| fix.proof.name() == proof);
    let mut wanted = of("equivalent")
        .chain(of("narrower"))
        .filter(|fix| is_wanted(mode, &fix.proof));
    let Some(recorded) = recorded else {
        return Ok(wanted.next().map(|fix| Chosen {
            finding,
            fix,
            judged: None,
        }));
    };
    for fix in wanted {
        let judged = match fix.proof {
            Proof::Narrower { .. } => Some(recorded.judge(policy, fix)?),
            _ => None,
        };
        match judged {
            Some(judged) if !judged.is_harmless() => report.refuse(policy.sources, finding, fix, &judged),
            judged => {
                return Ok(Some(Chosen { finding, fix, judged }));
            }
        }
    }
    Ok(None)
}

/// The fixes that are proved together. Of a group without a proof, each half is tried with those that are proved already.
fn together<'f>(
    mode: Mode,
    policy: &Policy<'_>,
    candidates: Vec<Chosen<'f>>,
) -> Result<Vec<Chosen<'f>>, Failure> {
    let mut proved: Vec<Chosen<'f>> = Vec::new();
    let mut groups = vec![candidates];
    let mut failures = 0;
    while let Some(mut group) = groups.pop() {
        if group.is_empty() {
            continue;
        }
        let all: Vec<&Fix> = proved.iter().chain(&group).map(|one| one.fix).collect();
        let proof = fix::together(policy, &all).map_err(Failure::trouble)?;
        if is_wanted(mode, &proof) {
            proved.extend(group);
            continue;
        }
        failures += 1;
        if failures > FAILURES {
            break;
        }
        if group.len() > 1 {
            let half = group.split_off(group.len() / 2);
            groups.extend([half, group]);
        }
    }
    Ok(proved)
}
