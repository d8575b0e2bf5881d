//! All operations and all tokens at once.

use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    catalogue::Catalogue,
    cells::{Asking, Cell},
    classes::{Class, Classes, Lines},
    paths::{Paths, Samples, Touch},
};
use crate::{
    analysis::{Budget, Fault, Meeting, Prover, Proxied, Universe},
    ask::Question,
    ir::{LineId, Program, TokenId},
};

/// The operations that tokens reach.
#[derive(Debug, Default)]
pub struct Survey {
    /// The tokens, in the order in which they were given.
    pub tokens: Vec<Reached>,
    /// The answers that tokens share.
    cells: Vec<Cell>,
}

/// The operations that one token reaches.
#[derive(Debug)]
pub struct Reached {
    /// The token.
    pub token: TokenId,
    /// Operations by number, in their order, each with the number of its cell.
    cells: Vec<(u32, u32)>,
    lines: Lines,
}

impl Survey {
    /// The operations that a token reaches or would reach without a forbid line or an obstacle, each with the answer.
    pub fn cells<'s>(&'s self, reached: &'s Reached) -> impl Iterator<Item = (usize, &'s Cell)> {
        let cells = reached.cells.iter();
        cells.filter_map(|(operation, cell)| Some((*operation as usize, self.cells.get(*cell as usize)?)))
    }

    /// Whether nothing was left open.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.cells.iter().all(Cell::is_settled)
    }

    /// Adds the tokens of another part of the work.
    fn add(&mut self, part: Self) {
        let before = u32::try_from(self.cells.len()).unwrap_or(u32::MAX);
        self.cells.extend(part.cells);
        self.tokens.extend(part.tokens.into_iter().map(|mut reached| {
            for (_, cell) in &mut reached.cells {
                *cell = cell.saturating_add(before);
            }
            reached
        }));
    }
}

impl Reached {
    /// The lines of the token that belong to a class.
    pub fn lines(&self, class: Class) -> impl Iterator<Item = LineId> {
        let lines = self.lines.permits.iter().chain(&self.lines.forbids);
        lines.filter(move |(own, _)| *own == class).map(|(_, line)| *line)
    }

    /// The permit lines of the token, in the order of decision; a line with `{USER}` is there once for each user.
    pub fn permits(&self) -> impl Iterator<Item = (Class, LineId)> {
        self.lines.permits.iter().copied()
    }
}

/// Tokens of one part of the work. A part begins with no knowledge of the others' lines, so small parts would cost more than threads save.
const TOKENS_OF_A_PART: usize = 50;
/// Most parts. It is not the number of processors: what is found must not depend on the machine.
const MOST_PARTS: usize = 4;

/// Returns the operations of a catalogue that tokens of a bound program reach. `proxied`: the proxy that forwards the calls that are
/// shown. `progress` receives the numbers of tokens that are done and of all. Many tokens are done in parts, as many at once as the
/// machine has processors.
///
/// # Errors
/// A [`Fault`].
pub fn survey(
    catalogue: &Catalogue,
    (program, tokens): (&Program, &[TokenId]),
    (universe, proxied, budget): (Universe, Option<&Proxied>, &Budget),
    progress: impl FnMut(usize, usize),
) -> Result<Survey, Fault> {
    let mut classes = Classes::default();
    let lines: Vec<Lines> = tokens.iter().map(|token| classes.add(program, *token)).collect();
    let mut prover = Prover::new(universe, budget.clone())?.with_samples_first();
    let whole = Whole {
        program,
        proxied,
        classes: &classes,
        paths: Paths::of(catalogue, proxied, &mut prover),
    };
    let parts = (tokens.len() / TOKENS_OF_A_PART).clamp(1, MOST_PARTS);
    let tokens: Vec<(TokenId, Lines)> = tokens.iter().copied().zip(lines).collect();
    if parts == 1 {
        return whole.part(&tokens, prover, progress);
    }
    drop(prover);
    let parts: Vec<(&[(TokenId, Lines)], Budget)> = tokens
        .chunks(tokens.len().div_ceil(parts))
        .map(|part| (part, budget.part(u64::try_from(parts).unwrap_or(u64::MAX))))
        .collect();
    let found = in_parallel(&parts, tokens.len(), progress, |(tokens, budget), progress| {
        let prover = Prover::new(universe, budget.clone())?.with_samples_first();
        whole.part(tokens, prover, progress)
    });
    let mut survey = Survey::default();
    for ((_, spent), part) in parts.iter().zip(found) {
        budget.add_part(spent);
        survey.add(part?);
    }
    Ok(survey)
}

/// Does parts of some work, as many at once as the machine has processors. Returns what they found, in their order. `work` gets a part
/// and tells that one more of `of` pieces is done, which this thread passes on for its own parts.
fn in_parallel<P: Sync, F: Send>(
    parts: &[P],
    of: usize,
    mut progress: impl FnMut(usize, usize),
    work: impl Fn(&P, &mut dyn FnMut(usize, usize)) -> F + Sync,
) -> Vec<F> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let take = |tell: &mut dyn FnMut(usize)| {
        let mut found = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(at) else {
                return found;
            };
            let mut told = |_, _| tell(done.fetch_add(1, Ordering::Relaxed) + 1);
            found.push((at, work(part, &mut told)));
        }
    };
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut found = thread::scope(|scope| {
        let others = 1..processors.min(parts.len());
        let others: Vec<_> = others.map(|_| scope.spawn(|| take(&mut |_| {}))).collect();
        let mut found = take(&mut |done| progress(done, of));
        for other in others {
            match other.join() {
                Ok(theirs) => found.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, found)| found).collect()
}

/// What all parts of the work share.
struct Whole<'p> {
    program: &'p Program,
    proxied: Option<&'p Proxied>,
    classes: &'p Classes,
    paths: Paths<'p>,
}

impl<'p> Whole<'p> {
    fn part(
        &self,
        tokens: &[(TokenId, Lines)],
        mut prover: Prover<'p>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Survey, Fault> {
        let lines = tokens
            .iter()
            .flat_map(|(_, lines)| lines.permits.iter().chain(&lines.forbids));
        let classes: BTreeSet<Class> = lines.map(|(class, _)| *class).collect();
        let touched = self
            .paths
            .touched((self.classes, &classes), self.program, &mut prover);
        let mut survey = Survey::default();
        let mut known: HashMap<Key, Option<u32>> = HashMap::new();
        for (done, (token, lines)) in tokens.iter().enumerate() {
            let one = OneToken {
                program: self.program,
                token: *token,
                proxied: self.proxied,
                classes: self.classes,
                lines,
            };
            let cells = one.cells(
                (&self.paths, &touched),
                (&mut survey.cells, &mut known),
                &mut prover,
            )?;
            survey.tokens.push(Reached {
                token: *token,
                cells,
                lines: lines.clone(),
            });
            progress(done + 1, tokens.len());
        }
        Ok(survey)
    }
}

impl Catalogue {
    /// The operations some of whose calls a question is about, by number, each with whether it is about all of them. An operation of
    /// which this is not settled within the budget is among them.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn of_line<'p>(
        &'p self,
        question: &'p Question,
        (universe, budget): (Universe, &Budget),
    ) -> Result<Vec<(usize, bool)>, Fault> {
        let Some(ruled) = question.rule() else {
            return Ok(Vec::new());
        };
        let mut prover = Prover::new(universe, budget.clone())?.with_samples_first();
        let paths = Paths::of(self, None, &mut prover);
        let is_conditional = ruled.rule.asks_query() || ruled.rule.asks_json();
        let mut found = Vec::new();
        for (group, meeting, _) in paths.meetings(ruled, &mut prover) {
            let operations = paths.groups.get(group).map(|group| group.operations.as_slice());
            for at in operations.unwrap_or_default().iter().map(|at| *at as usize) {
                let operation = self.operations().get(at);
                if operation.is_some_and(|operation| ruled.rule.methods.contains(operation.method)) {
                    found.push((at, meeting == Meeting::All && !is_conditional));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// All that an answer depends on: the operation, the classes that touch it, and the keys of the token.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    operation: u32,
    classes: Box<[Class]>,
    keys: (bool, bool, bool),
}

struct OneToken<'p, 'a> {
    program: &'p Program,
    token: TokenId,
    proxied: Option<&'p Proxied>,
    classes: &'a Classes,
    lines: &'a Lines,
}

impl<'p> OneToken<'p, '_> {
    fn cells(
        &self,
        (paths, touched): (&Paths<'p>, &HashMap<Class, Vec<Touching>>),
        (cells, known): (&mut Vec<Cell>, &mut HashMap<Key, Option<u32>>),
        prover: &mut Prover<'p>,
    ) -> Result<Vec<(u32, u32)>, Fault> {
        let own = self.program.token(self.token);
        let permits = self.by_operation(&self.lines.permits, touched);
        let forbids = self.by_operation(&self.lines.forbids, touched);
        let (mut permits, mut forbids) = (permits.as_slice(), forbids.as_slice());
        let mut found = Vec::new();
        for (operation, samples) in (0_u32..).zip(&paths.samples) {
            let permitting = front(&mut permits, operation);
            let forbidding = front(&mut forbids, operation);
            if permitting.is_empty() && !own.unrestricted {
                continue;
            }
            let touches = permitting.iter().chain(forbidding);
            let key = Key {
                operation,
                classes: touches.map(|(_, touch)| touch.class).collect(),
                keys: (own.mint, own.escalate, own.unrestricted),
            };
            let cell = match known.get(&key) {
                Some(known) => *known,
                None => {
                    let touches = (permitting, forbidding);
                    let answer = self.answer(paths.catalogue, (operation, samples), touches, prover)?;
                    let number = u32::try_from(cells.len()).ok();
                    let cell = number.filter(|_| answer.is_some());
                    cells.extend(answer);
                    known.insert(key, cell);
                    cell
                }
            };
            found.extend(cell.map(|cell| (operation, cell)));
        }
        Ok(found)
    }

    /// The answer about an operation, from the permit lines and the forbid lines that touch it.
    fn answer(
        &self,
        catalogue: &'p Catalogue,
        (operation, samples): (u32, &Samples),
        (permits, forbids): (&[Touching], &[Touching]),
        prover: &mut Prover<'p>,
    ) -> Result<Option<Cell>, Fault> {
        let touches = |all: &[Touching]| all.iter().map(|(_, touch)| touch.clone()).collect::<Vec<_>>();
        let asking = Asking {
            program: self.program,
            token: self.token,
            proxied: self.proxied,
            demand: (catalogue.program(), catalogue.token(operation as usize)),
            samples,
            classes: self.classes,
            lines: self.lines,
            permits: &touches(permits),
            forbids: &touches(forbids),
        };
        asking.answer(prover)
    }

    /// The lines' classes by the operations that they touch, in order, each class once.
    fn by_operation(
        &self,
        lines: &[(Class, LineId)],
        touched: &HashMap<Class, Vec<Touching>>,
    ) -> Vec<Touching> {
        let classes = lines.iter().filter_map(|(class, _)| touched.get(class));
        let mut all: Vec<Touching> = classes.flatten().cloned().collect();
        all.sort_unstable_by_key(|(operation, touch)| (*operation, touch.class));
        all.dedup_by_key(|(operation, touch)| (*operation, touch.class));
        all
    }
}

/// The number of an operation, and how a class of lines touches it.
type Touching = (u32, Touch);

/// Takes the touches of an operation from the beginning of the list, which is in the order of operations.
fn front<'t>(list: &mut &'t [Touching], operation: u32) -> &'t [Touching] {
    let all: &'t [Touching] = list;
    let count = all.iter().take_while(|(at, _)| *at == operation).count();
    let (own, rest) = all.split_at_checked(count).unwrap_or((all, &[]));
    *list = rest;
    own
}
