//! `compile --fix`: writes the corrections that are proved to give no access, and reports the others.

mod choice;
mod chosen;
mod corrected;
mod mode;
mod recorded;
mod report;
mod writing;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Budget, Proxied};
use tokenward_compiler::diagnostic::{Diagnostic, Severity};
use tokenward_compiler::fix;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;

use super::super::failure::Failure;
use super::accepted::Accepted;
use super::checking::checked;
use chosen::Chosen;
use corrected::Corrected;
pub(super) use mode::Mode;
use recorded::Recorded;
use report::FixReport;

/// Rounds of fixes. A fix may make a line unnecessary, which the next round removes.
const ROUNDS: usize = 32;

/// What to fix, and how.
pub(super) struct Task<'a> {
    pub(super) mode: Mode,
    /// Whether the changes are shown instead of written.
    pub(super) shows: bool,
    /// The policy directory.
    pub(super) directory: &'a Path,
    pub(super) config: &'a Config,
    /// Value of `--budget`.
    pub(super) budget: u64,
    /// The audit whose calls a narrower policy must still allow, and the time from which on they count.
    pub(super) audit: Option<(PathBuf, i64)>,
}

/// The policy after its fixes.
pub(super) struct Fixed {
    pub(super) sources: SourceSet,
    /// The number of applied fixes, and of files that they change.
    pub(super) applied: usize,
    pub(super) files: usize,
}

/// Fixes a policy: round by round, until nothing more applies. Nothing is written before all rounds are proved together.
pub(super) fn fix(
    task: &Task<'_>,
    before: &SourceSet,
    accepted: Option<&Accepted>,
) -> Result<Fixed, Failure> {
    let proxy = proxied(task.config)?;
    let recorded = match &task.audit {
        Some((path, since)) => Some(Recorded::open(path, *since, task.config)?),
        None => None,
    };
    let mut report = FixReport::default();
    let after = rounds(task, before, (accepted, recorded.as_ref(), &proxy), &mut report)?;
    // The whole change once more, from the first text to the last.
    if report.applied() > 0 {
        let budget = Budget::new(task.budget);
        let proof = fix::between(&asked(task.config, before, &proxy, &budget), &after);
        let proof = proof.map_err(Failure::trouble)?;
        if !choice::is_wanted(task.mode, &proof) {
            return Err(Failure::Trouble(format!(
                "cannot prove that all fixes together give no access ({proof}); nothing was written"
            )));
        }
    }
    let files = if task.shows {
        report.show_lists(true);
        writing::show(before, &after)?
    } else {
        let files = writing::write(task.directory, before, &after)?;
        report.show_lists(false);
        files
    };
    if let Some(recorded) = &recorded {
        recorded.check_whole()?;
    }
    Ok(Fixed {
        sources: after,
        applied: report.applied(),
        files,
    })
}

/// The policy for the questions about fixes.
pub(super) fn asked<'p>(
    config: &'p Config,
    sources: &'p SourceSet,
    proxied: &'p Proxied,
    budget: &'p Budget,
) -> fix::Policy<'p> {
    fix::Policy {
        sources,
        base: &config.upstream.public_url,
        merges: config.upstream.product.merges(),
        universe: universe(config),
        proxied: Some(proxied),
        budget,
    }
}

/// Fixes of one run may take one of so many shares of the budget, in addition to it.
const SHARES: u64 = 2;

/// Lines that are compiled again, at most, to prove fixes for a reader: each proof compiles the file of its line. More would take
/// longer than all other proofs, and `--fix` proves all.
const SHOWN_LINES: usize = 20_000;

/// Adds proofs to the fixes of the first findings.
pub(super) fn prove(
    config: &Config,
    sources: &SourceSet,
    budget: u64,
    findings: &mut [Diagnostic],
) -> Result<(), Failure> {
    prove_first(
        config,
        sources,
        (&proxied(config)?, &Budget::new(budget)),
        findings,
    )
}

/// Like [`prove`], with what was made before, and a share of a budget that others spend too.
pub(in crate::cli) fn prove_first(
    config: &Config,
    sources: &SourceSet,
    (proxy, budget): (&Proxied, &Budget),
    findings: &mut [Diagnostic],
) -> Result<(), Failure> {
    let mut lines = HashMap::new();
    let mut compiled = 0;
    let first = findings.iter().take_while(|found| {
        let source = found.primary.span.source;
        let length = lines.entry(source).or_insert_with(|| {
            let text = sources.get(source).map(|source| source.text.as_ref());
            text.unwrap_or_default().lines().count()
        });
        compiled += found.fixes.len() * *length;
        compiled <= SHOWN_LINES
    });
    let first = first.count();
    let Some(findings) = findings.get_mut(..first) else {
        return Ok(());
    };
    let budget = budget.share(SHARES);
    fix::prove(&asked(config, sources, proxy, &budget), findings).map_err(Failure::trouble)
}

type Given<'a> = (Option<&'a Accepted>, Option<&'a Recorded>, &'a Proxied);

fn rounds(
    task: &Task<'_>,
    before: &SourceSet,
    (accepted, recorded, proxy): Given<'_>,
    report: &mut FixReport,
) -> Result<SourceSet, Failure> {
    let mut mode = task.mode;
    let mut current = before.clone();
    let mut corrected = Corrected::default();
    // The policy before the last round, and its number of errors.
    let mut last: Option<(SourceSet, usize)> = None;
    for _ in 0..ROUNDS {
        let mut found = findings(task, &current, accepted)?;
        let errors = count_errors(&found);
        // A round that brings an error, such as a broken invariant, is taken back.
        if let Some((sources, _)) = last.take().filter(|(_, known)| errors > *known) {
            report.take_back(&found);
            current = sources;
            if mode == Mode::Equivalent {
                return Ok(current);
            }
            mode = Mode::Equivalent;
            continue;
        }
        let budget = Budget::new(task.budget);
        let policy = asked(task.config, &current, proxy, &budget);
        corrected.keep(&current, &mut found);
        fix::prove(&policy, &mut found).map_err(Failure::trouble)?;
        let chosen = choice::choose(mode, &policy, &found, recorded, report)?;
        if chosen.is_empty() {
            return Ok(current);
        }
        let edits: Vec<_> = chosen.iter().flat_map(Chosen::edits).cloned().collect();
        let next = fix::edited(&current, &edits);
        corrected.add(&current, &next);
        report.begin_round();
        for one in &chosen {
            report.apply(&current, one);
        }
        last = Some((std::mem::replace(&mut current, next), errors));
    }
    if let Some((sources, known)) = last {
        let found = findings(task, &current, accepted)?;
        if count_errors(&found) > known {
            report.take_back(&found);
            return Ok(sources);
        }
        report.leave_for_next_run();
    }
    Ok(current)
}

/// The findings of a policy that no baseline accepts.
fn findings(
    task: &Task<'_>,
    sources: &SourceSet,
    accepted: Option<&Accepted>,
) -> Result<Vec<Diagnostic>, Failure> {
    let budget = Budget::new(task.budget);
    let compiled = checked(sources, (task.config, &budget), None)?;
    let mut found = compiled.diagnostics;
    if let Some(accepted) = accepted {
        accepted.leave_out(sources, &mut found);
    }
    Ok(found)
}

fn count_errors(found: &[Diagnostic]) -> usize {
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    errors.count()
}
