//! The proofs that a claim "no request" consists of, in the order in which the checker wants them.

use super::{Certificates, Numbered, Subject, case::Case, excluded::lacks, subject::Rules};
use crate::{
    analysis::{budget::Exhausted, clauses::Ruled, prefilter::share_method},
    json::Path,
};

/// Comparisons of forbid lines that a checker makes at most.
const COMPARED: usize = 4_000_000;
/// Choices of a permit line of each of several tokens, at most.
const CHOICES: usize = 200_000;

impl<'p> Certificates<'p> {
    /// The proofs that no request is allowed by all of `more` and not by `less`: for each permit line of `more`, for each of these
    /// with each forbid line that only `less` has, and for pairs of a line that looks at bodies and a permit line.
    pub(super) fn beyond(
        &mut self,
        more: &[Subject],
        less: Option<&Subject>,
    ) -> Result<Option<Vec<Vec<Case>>>, Exhausted> {
        let ours: Vec<Rules<'p>> = more.iter().map(|one| one.rules(&self.sides)).collect();
        let theirs = less.map(|less| less.rules(&self.sides)).unwrap_or_default();
        self.budget.add_token();
        let all = || {
            ours.iter()
                .chain([&theirs])
                .flat_map(|of| of.permits.iter().chain(&of.forbids))
        };
        if all().any(merges) {
            return Ok(None);
        }
        let own: Vec<Numbered<'p>> = ours
            .iter()
            .flat_map(|of| numbered(of.side, &of.forbids))
            .collect();
        if own.len().saturating_mul(theirs.forbids.len()) > COMPARED {
            return Err(Exhausted);
        }
        let sources = sources(&ours)?;
        let mut proofs = Vec::new();
        if !theirs.unrestricted {
            let not = [own.clone(), numbered(theirs.side, &theirs.permits)].concat();
            let permits = ours.first().map(|of| of.permits.as_slice()).unwrap_or_default();
            let twins = self.identity.twins(permits, &theirs.permits);
            for (number, must) in sources.iter().enumerate() {
                // A source without permit lines, of a token that allows everything, has no twin.
                let twin = twins.get(number).copied().flatten().filter(|_| !must.is_empty());
                match self.proof((must, None), &not, twin.map(|at| own.len() + at))? {
                    Some(proof) => proofs.push(proof),
                    None => return Ok(None),
                }
            }
        }
        let plain: Vec<Ruled<'p>> = own.iter().map(|(_, ruled)| *ruled).collect();
        let twins = self.identity.twins(&theirs.forbids, &plain);
        for (forbid, _) in theirs
            .forbids
            .iter()
            .zip(&twins)
            .filter(|(_, twin)| twin.is_none())
        {
            for source in &sources {
                let must = [source.as_slice(), &[(theirs.side, *forbid)]].concat();
                match self.proof((&must, None), &own, None)? {
                    Some(proof) => proofs.push(proof),
                    None => return Ok(None),
                }
            }
        }
        if let Some(ours) = ours.first()
            && !self.readers(ours, &theirs, &mut proofs)?
        {
            return Ok(None);
        }
        Ok(Some(proofs))
    }

    /// Adds the proofs that no permit line of `ours` allows a body that a line of `theirs` refuses: for each pair of these lines,
    /// unless their places show it. Returns false if there is no proof.
    fn readers(
        &mut self,
        ours: &Rules<'p>,
        theirs: &Rules<'p>,
        proofs: &mut Vec<Vec<Case>>,
    ) -> Result<bool, Exhausted> {
        let kept_forbids = self.identity.twins(&theirs.forbids, &ours.forbids);
        let kept_permits = self.identity.twins(&theirs.permits, &ours.permits);
        let forbidding = theirs.forbids.iter().zip(kept_forbids).enumerate();
        let permitting = theirs.permits.iter().zip(kept_permits).enumerate();
        let whole: &[Ruled<'p>] = &[];
        let sources: Vec<&[Ruled<'p>]> = ours
            .permits
            .chunks(1)
            .chain(ours.unrestricted.then_some(whole))
            .collect();
        for (at, (reader, twin)) in forbidding.chain(permitting) {
            if !reader.asks_json() {
                continue;
            }
            self.work.take_of_run(sources.len())?;
            let is_forbid = reader.rule.forbids();
            let before = theirs.permits.iter().take(if is_forbid { 0 } else { at });
            let before: Vec<Ruled<'p>> = before.filter(|ruled| !ruled.asks_json()).copied().collect();
            let not = [numbered(ours.side, &ours.forbids), numbered(theirs.side, &before)].concat();
            for (number, source) in sources.iter().enumerate() {
                // The same line looks at the body, unless a permit line before it decides without the body.
                let is_kept = twin.is_some_and(|twin| {
                    is_forbid || number > twin || source.iter().all(|permit| permit.asks_json())
                });
                if is_kept || source.iter().any(|permit| never_loses(*permit, *reader)) {
                    continue;
                }
                let must = numbered(ours.side, source);
                match self.proof((&must, Some((theirs.side, *reader))), &not, None)? {
                    Some(proof) => proofs.push(proof),
                    None => return Ok(false),
                }
            }
        }
        Ok(true)
    }
}

/// A permit line of each; no line of a token that allows all that its forbid lines do not match.
fn sources<'p>(all: &[Rules<'p>]) -> Result<Vec<Vec<Numbered<'p>>>, Exhausted> {
    let mut sources: Vec<Vec<Numbered<'p>>> = vec![Vec::new()];
    for of in all.iter().filter(|of| !of.unrestricted) {
        if sources.len().saturating_mul(of.permits.len()) > CHOICES {
            return Err(Exhausted);
        }
        let with = |source: &Vec<Numbered<'p>>| -> Vec<Vec<Numbered<'p>>> {
            let permits = of.permits.iter();
            permits
                .map(|permit| [source.as_slice(), &[(of.side, *permit)]].concat())
                .collect()
        };
        sources = sources.iter().flat_map(with).collect();
    }
    Ok(sources)
}

fn numbered<'p>(side: usize, rules: &[Ruled<'p>]) -> Vec<Numbered<'p>> {
    rules.iter().map(|ruled| (side, *ruled)).collect()
}

/// Whether a permit line allows no body that a line refuses, as far as methods and names show it.
fn never_loses(permit: Ruled<'_>, reader: Ruled<'_>) -> bool {
    let is_own =
        |path: &Path| permit.paths().any(|own| own.0.starts_with(&path.0)) || lacks(permit.rule, path);
    !share_method(permit, reader) || permit.asks_json() && reader.paths().all(is_own)
}

/// Whether the upstream could take a part of the query for one of the body, as far as the rule looks at either.
fn merges(ruled: &Ruled<'_>) -> bool {
    ruled.program.merges_body() && (ruled.asks_query() || ruled.asks_json())
}
