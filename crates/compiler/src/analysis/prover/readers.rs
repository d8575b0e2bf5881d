//! Permit lines that refuse bodies: *readers*.
//!
//! The proxy answers 400 if a line looks at a body that is ambiguous: a name differs from one of the line's only in letter case, a
//! name occurs twice, or has a control character. A permit line looks at the body if its method, URL and query match and no permit
//! line before it decides without the body. So a policy can allow more than another with the same lines: a reader is gone, or a
//! permit line that decides without the body has moved, or was put, before it.
//!
//! Of a reader that `more` has too, only such lines need a question: wherever the reader looks at a body for `less`, it also does
//! for `more`, unless such a line decides.

use std::collections::{BTreeSet, HashMap};

use super::{
    super::{Exhausted, Fault, clauses::Ruled, prefilter},
    Prover,
    beyond::{Both, Explained, STEPS_A_PAIR, better, cause_of},
    question::{Asked, Looked, Question},
};

/// A permit line of `more`, or that it is unrestricted, and the readers of `less`, by their positions there, whose refusals it may
/// allow.
pub(super) type Lost<'p> = (Option<Ruled<'p>>, Vec<usize>);

/// The position of a permit line in `more`, or [`UNRESTRICTED`], and that of a reader in `less`.
type Pair = (usize, usize);

/// The position of the source of an unrestricted token.
const UNRESTRICTED: usize = usize::MAX;

impl<'p> Both<'p> {
    /// The readers of `less` that may not refuse what they refused, for each source of `more`.
    ///
    /// # Errors
    /// The steps of the run are spent.
    pub(super) fn lost_readers(&self, prover: &mut Prover<'p>) -> Result<Vec<Lost<'p>>, Exhausted> {
        let is_reader = |ruled: &Ruled<'p>| ruled.reads_body();
        if !self.refuse_bodies()
            || !self.their_permits.iter().any(is_reader)
            || prover.identity.are_alike(&self.permits, &self.their_permits)
        {
            return Ok(Vec::new());
        }
        let ours = prover.identity.twins(&self.their_permits, &self.permits);
        let theirs = prover.identity.twins(&self.permits, &self.their_permits);
        let readers = self.their_permits.iter().enumerate();
        let readers = readers.filter(|(_, ruled)| is_reader(ruled)).map(|(at, _)| at);
        let (mut gone, mut kept) = (Vec::new(), HashMap::new());
        for at in readers {
            match ours.get(at).copied().flatten() {
                // Of several that are alike, the first looks at a body wherever another does.
                Some(twin) => {
                    kept.entry(twin).or_insert(at);
                }
                None => gone.push(at),
            }
        }
        let mut lost = BTreeSet::new();
        self.of_gone(prover, &gone, &mut lost)?;
        self.of_kept(prover, (&kept, &theirs), &mut lost)?;
        Ok(self.by_source(lost))
    }

    /// Adds readers that `more` lacks: each source of `more` may allow their bodies.
    fn of_gone(
        &self,
        prover: &Prover<'p>,
        gone: &[usize],
        lost: &mut BTreeSet<Pair>,
    ) -> Result<(), Exhausted> {
        if gone.is_empty() {
            return Ok(());
        }
        let readers: Vec<(usize, Ruled<'p>, Vec<u8>)> = gone
            .iter()
            .filter_map(|at| self.their_permits.get(*at).map(|ruled| (*at, *ruled)))
            .map(|(at, ruled)| (at, ruled, prefilter::head(ruled)))
            .collect();
        for (number, source) in self.sources.iter().enumerate() {
            prover.take_steps(readers.len() * STEPS_A_PAIR)?;
            let head = source.map(prefilter::head).unwrap_or_default();
            let may = readers.iter().filter(|(_, reader, theirs)| {
                let permits = |source: Ruled<'p>| {
                    prefilter::share_method(source, *reader) && !reads_all_of(source, *reader)
                };
                source.is_none_or(permits) && !prefilter::part(&head, theirs)
            });
            let source = source.map_or(UNRESTRICTED, |_| number);
            lost.extend(may.map(|(at, ..)| (source, *at)));
        }
        Ok(())
    }

    /// Adds readers that `more` has too, with the permit lines that it has before them, and `less` has not. `kept`: the readers by
    /// their positions in `more`. `theirs`: the positions in `less` of the permit lines of `more`.
    fn of_kept(
        &self,
        prover: &Prover<'p>,
        (kept, theirs): (&HashMap<usize, usize>, &[Option<usize>]),
        lost: &mut BTreeSet<Pair>,
    ) -> Result<(), Exhausted> {
        // The permit lines so far that decide without the body, by their positions in `less`.
        let mut before: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (at, permit) in self.permits.iter().enumerate() {
            if !permit.reads_body() {
                let place = theirs.get(at).copied().flatten();
                before.insert((place.unwrap_or(usize::MAX), at));
            }
            let Some(reader) = kept.get(&at) else { continue };
            for (_, moved) in before.range((reader + 1, 0)..) {
                prover.take_steps(STEPS_A_PAIR)?;
                let ahead = self.permits.get(*moved);
                if ahead.is_some_and(|ahead| !prefilter::are_apart(*ahead, *permit)) {
                    lost.insert((*moved, *reader));
                }
            }
        }
        Ok(())
    }

    fn by_source(&self, lost: BTreeSet<Pair>) -> Vec<Lost<'p>> {
        let mut by_source: Vec<(usize, Vec<usize>)> = Vec::new();
        for (source, reader) in lost {
            match by_source.last_mut() {
                Some((last, readers)) if *last == source => readers.push(reader),
                _ => by_source.push((source, vec![reader])),
            }
        }
        let permit = |source: usize| self.permits.get(source).copied();
        by_source
            .into_iter()
            .map(|(source, readers)| (permit(source), readers))
            .collect()
    }
}

/// Whether a permit line refuses each body that a reader refuses, where it looks at the body: it looks at all of the same names.
fn reads_all_of(permit: Ruled<'_>, reader: Ruled<'_>) -> bool {
    permit.reads_body() && reader.paths().all(|path| permit.paths().any(|own| own == path))
}

impl<'p> Prover<'p> {
    /// Adds a request for each permit line that allows bodies refused by a reader of the other side.
    pub(super) fn beyond_readers(
        &mut self,
        both: &Both<'p>,
        lost: Vec<Lost<'p>>,
        explained: &mut Explained<'p>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<(), Fault> {
        if lost.is_empty() {
            return Ok(());
        }
        // The lines of `less` that decide without the body, with their positions.
        let without: (Vec<usize>, Vec<Ruled<'p>>) = both
            .their_permits
            .iter()
            .enumerate()
            .filter(|(_, ruled)| !ruled.reads_body())
            .map(|(at, ruled)| (at, *ruled))
            .unzip();
        let all: Vec<Ruled<'p>> = both.all().copied().collect();
        let mut left: usize = lost.iter().map(|(_, readers)| readers.len()).sum();
        for (permit, readers) in lost {
            let is_explained = permit.is_some_and(|permit| {
                let mut lines = explained.lines.iter();
                lines.any(|line| std::ptr::eq(line.rule, permit.rule))
            });
            let mut best = None;
            for at in readers {
                left -= 1;
                let Some(reader) = both.their_permits.get(at).filter(|_| !is_explained) else {
                    continue;
                };
                let before = without.0.partition_point(|other| *other < at);
                let before = without.1.get(..before).unwrap_or_default();
                self.languages.grant(2 * (left as u64 + 1));
                let question = Question {
                    must: permit.iter().copied().collect(),
                    must_not: vec![&both.forbids, before, &explained.lines],
                    refused_for: Some((*reader, &all)),
                    ambiguous: None,
                    cause: cause_of(permit),
                };
                match self.look(&question, asked)? {
                    Looked::Found(found) => {
                        let is_forwarded = found.obstacles.is_empty();
                        best = better(best, found);
                        if is_forwarded {
                            break;
                        }
                    }
                    Looked::None => {}
                    Looked::Open => asked.leave_open(),
                }
            }
            if let Some(found) = best {
                explained.by(permit, found, asked);
            }
        }
        Ok(())
    }
}
