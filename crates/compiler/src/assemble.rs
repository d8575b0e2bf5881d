//! Compiles a policy part by part, on several threads, and compiles again only the parts that changed.
//!
//! A part is some tokens of one file that stand one after the other, with the sets that they include. [`compile_within`](crate::compile_within)
//! compiles it like a small policy of its own, so that a line means the same in a part and in the whole. The questions that
//! concern the whole policy (names, secrets, the number of included lines) are asked here.
//!
//! Only policies without errors are put together. If anything is wrong, [`Assembler::assemble`] says nothing about it: the
//! caller compiles the policy as a whole, which finds and explains the errors.

mod known;
mod part;
mod pieces;
mod sets;
mod terms;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use self::terms::Terms;
use self::{
    known::{File, Known, Taken},
    part::{Compiled, Job, compile_all},
    pieces::pieces,
    sets::Sets,
};
use crate::{
    artifact, compile,
    diagnostic::Severity,
    findings::DeadLine,
    ir::{MOST_IN_PART, Program, arena_index},
    resolve::MOST_INCLUDED,
    source::{SourceKind, SourceSet},
};

/// Lines of sets that parts may copy, all together. A policy beyond it is compiled as a whole, in which each line is stored
/// once. Fewer in tests, so that a small policy is beyond it.
const MOST_COPIED: usize = if cfg!(test) { 1_000 } else { 2_000_000 };

/// A policy without errors.
#[derive(Debug)]
pub struct Assembled {
    /// The program, bound.
    pub program: Program,
    /// SHA-256 of the secrets of revoked tokens.
    pub revoked: Vec<[u8; 32]>,
    /// The forbid lines that have no effect under the configuration.
    pub dead: Vec<DeadLine>,
    /// The number of parts that were compiled; all others are those of the policy before.
    pub compiled: usize,
}

/// Compiles policies, and keeps the parts of the last one.
#[derive(Debug, Default)]
pub struct Assembler {
    known: Known,
}

impl Assembler {
    /// Compiles a policy, at most on so many threads. The result is the same for any number of them, and whatever was
    /// compiled before. Cost: that of the parts that changed, and some microseconds for each other part.
    ///
    /// `None` if the policy has an error, or so many lines in included sets that it must be compiled as a whole. What was
    /// known of the policy before is kept then.
    pub fn assemble(&mut self, sources: &SourceSet, terms: Terms<'_>, threads: usize) -> Option<Assembled> {
        let sets = Sets::of(sources);
        let changed = sets.changed_from(&self.known.sets);
        let mut plan = Plan::of(sources, &self.known, &changed)?;
        // Parts that are kept copy lines too: what was compiled before makes no difference.
        let kept = plan.kept().filter_map(|number| self.known.part(number));
        let mut copied: usize = kept.map(|part| part.copied).sum();
        for job in &mut plan.jobs {
            copied = copied.saturating_add(job.find_sets(&sets));
            if copied > MOST_COPIED {
                return None;
            }
        }
        let compiled = compile_all(&plan.jobs, &sets, terms, threads)?;
        let count = compiled.len();
        let taken = plan.number(compiled, &self.known)?;
        self.check_rest(sources, &sets, &taken)?;
        self.check_included(&taken)?;
        self.put_together(taken, sets, terms, count)
    }

    /// Checks the files that no part has: sets that no token includes, invariants, reviews and tests.
    fn check_rest(&mut self, sources: &SourceSet, sets: &Sets, taken: &Taken) -> Option<()> {
        let used: HashSet<&str> = taken
            .compiled
            .iter()
            .flatten()
            .flat_map(|compiled| compiled.sets.iter().map(String::as_str))
            .collect();
        let unused = sets.names().filter(|name| !used.contains(name));
        let with_theirs = sets.reached_from(unused.map(str::to_owned));
        let is_other = |kind| {
            matches!(
                kind,
                SourceKind::Invariants | SourceKind::Reviewed | SourceKind::Tests
            )
        };
        let others = sources.iter().filter(|(_, source)| is_other(source.kind));
        let others = others.map(|(_, source)| (source.path.clone(), Arc::clone(&source.text)));
        let rest: BTreeMap<String, Arc<str>> = sets.files_of(&with_theirs).chain(others).collect();
        if rest != self.known.rest {
            let files = rest.iter().map(|(path, text)| (path.clone(), Arc::clone(text)));
            let compilation = compile(&SourceSet::sharing(files));
            let is_error = |found: &crate::diagnostic::Diagnostic| found.severity == Severity::Error;
            if compilation.diagnostics.iter().any(is_error) {
                return None;
            }
            self.known.rest = rest;
        }
        Some(())
    }

    /// Checks the number of lines that tokens include.
    fn check_included(&self, taken: &Taken) -> Option<()> {
        let included = taken.compiled.iter().flatten().map(|compiled| compiled.included);
        (included.sum::<usize>() <= MOST_INCLUDED).then_some(())
    }

    fn put_together(
        &mut self,
        taken: Taken,
        sets: Sets,
        terms: Terms<'_>,
        count: usize,
    ) -> Option<Assembled> {
        let by_secret = self.known.by_secret_with(&taken)?;
        self.known.check_names(&taken)?;
        let parts = taken.parts();
        // Nothing fails from here on.
        let shares = parts.each().flat_map(|(number, part)| {
            let compiled = taken.compiled.get(usize::from(number)).and_then(Option::as_ref);
            let shares = compiled.map_or(&[][..], |compiled| &compiled.shares);
            shares.iter().map(move |share| {
                let place = share.place(&part.program).map(|(file, number)| {
                    let before = if *file == *part.file { part.lines_before } else { 0 };
                    (file, number.saturating_add(before))
                });
                (share, place)
            })
        });
        let digest = artifact::version(shares);
        let program = Program {
            by_secret: Arc::new(by_secret),
            digest,
            base: Some(terms.base.clone()),
            parts: Some(Arc::new(parts)),
            ..Program::default()
        };
        let in_order = taken.order.iter();
        let in_order = in_order.filter_map(|number| taken.compiled.get(usize::from(*number))?.as_ref());
        let revoked = in_order.flat_map(|compiled| compiled.revoked.iter().copied());
        let assembled = Assembled {
            revoked: revoked.collect(),
            dead: dead(&program, &taken),
            compiled: count,
            program,
        };
        self.known
            .take(taken, sets, Arc::clone(&assembled.program.by_secret));
        Some(assembled)
    }
}

/// The forbid lines without effect of all parts, in the order of the first tokens that have them.
fn dead(program: &Program, taken: &Taken) -> Vec<DeadLine> {
    let mut dead: Vec<DeadLine> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for number in &taken.order {
        let compiled = taken.compiled.get(usize::from(*number)).and_then(Option::as_ref);
        for line in compiled.iter().flat_map(|compiled| &compiled.dead) {
            let id = crate::ir::line_in(*number, line.line);
            let shown = program.line(id);
            let place = format!("{}:{}", shown.file, shown.number);
            // Parts that include a set have each of its lines.
            match known.get(&place).and_then(|at| dead.get_mut(*at)) {
                Some(first) => first.tokens.extend(line.tokens.iter().cloned()),
                None => {
                    known.insert(place.clone(), dead.len());
                    dead.push(DeadLine {
                        line: id,
                        place,
                        ..line.clone()
                    });
                }
            }
        }
    }
    dead
}

/// The pieces of a policy: those that are known, and those that have to be compiled.
struct Plan {
    files: BTreeMap<String, Vec<Planned>>,
    texts: BTreeMap<String, Arc<str>>,
    jobs: Vec<Job>,
}

/// A piece of a file.
struct Planned {
    range: std::ops::Range<usize>,
    lines_before: u32,
    /// The number of its part; `None`: the next job.
    known: Option<u16>,
}

impl Plan {
    /// Splits the files that changed. `None` if there are more pieces than numbers.
    fn of(sources: &SourceSet, known: &Known, changed: &BTreeSet<String>) -> Option<Self> {
        let mut plan = Self {
            files: BTreeMap::new(),
            texts: BTreeMap::new(),
            jobs: Vec::new(),
        };
        let files = sources
            .iter()
            .filter(|(_, source)| source.kind == SourceKind::Tokens);
        let mut count = 0;
        for (_, source) in files {
            let before = known.files.get(&source.path);
            let usable = |number: u16| known.is_usable(number, changed);
            let same =
                before.filter(|file| Arc::ptr_eq(&file.text, &source.text) || file.text == source.text);
            let found: Vec<(std::ops::Range<usize>, u32, Option<u16>)> = match same {
                Some(file) => {
                    let pieces = file.pieces.iter();
                    pieces
                        .map(|piece| (piece.range.clone(), piece.lines_before, Some(piece.number)))
                        .collect()
                }
                None => split(&source.text, before),
            };
            count += found.len();
            if count > MOST_IN_PART {
                return None;
            }
            let mut planned = Vec::with_capacity(found.len());
            for (range, lines_before, number) in found {
                let number = number.filter(|number| usable(*number));
                if number.is_none() {
                    plan.jobs
                        .push(Job::new(&source.path, &source.text, range.clone()));
                }
                planned.push(Planned {
                    range,
                    lines_before,
                    known: number,
                });
            }
            plan.texts.insert(source.path.clone(), Arc::clone(&source.text));
            plan.files.insert(source.path.clone(), planned);
        }
        Some(plan)
    }

    /// The numbers of the parts that are known.
    fn kept(&self) -> impl Iterator<Item = u16> {
        self.files.values().flatten().filter_map(|piece| piece.known)
    }

    /// Gives each piece the number of its part: known parts keep theirs.
    fn number(self, compiled: Vec<Compiled>, known: &Known) -> Option<Taken> {
        let kept: HashSet<u16> = self.kept().collect();
        let mut free = (0..=u16::MAX).filter(|number| !kept.contains(number));
        let mut compiled = compiled.into_iter();
        let mut taken = Taken::new_with(&kept, known);
        for (path, planned) in self.files {
            let text = self.texts.get(&path)?;
            let file: Arc<str> = match known.files.get(&path) {
                Some(file) => Arc::clone(&file.path),
                None => path.as_str().into(),
            };
            let mut pieces = Vec::with_capacity(planned.len());
            for piece in planned {
                let number = match piece.known {
                    Some(number) => number,
                    None => taken.add(free.next()?, compiled.next()?),
                };
                taken.place(number, Arc::clone(&file), piece.lines_before);
                pieces.push(known::Piece {
                    range: piece.range,
                    lines_before: piece.lines_before,
                    number,
                });
            }
            let file = File {
                path: file,
                text: Arc::clone(text),
                pieces,
            };
            taken.files.insert(path, file);
        }
        Some(taken)
    }
}

/// Splits a changed file. A piece that has the text of one of the file's pieces before is that piece.
fn split(text: &str, before: Option<&File>) -> Vec<(std::ops::Range<usize>, u32, Option<u16>)> {
    let mut known: HashMap<&str, u16> = HashMap::new();
    for piece in before.iter().flat_map(|file| &file.pieces) {
        let of_piece = before.and_then(|file| file.text.get(piece.range.clone()));
        known.insert(of_piece.unwrap_or_default(), piece.number);
    }
    let mut lines = 0;
    let pieces = pieces(text).into_iter().map(|range| {
        let of_piece = text.get(range.clone()).unwrap_or_default();
        let lines_before = lines;
        lines += memchr::memchr_iter(b'\n', of_piece.as_bytes()).count();
        // The same text twice is the same token twice, which is an error: each known piece is given once.
        (range, arena_index(lines_before), known.remove(of_piece))
    });
    pieces.collect()
}

#[cfg(test)]
mod tests;
