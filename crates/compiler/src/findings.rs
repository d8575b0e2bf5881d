//! Findings about the lines of a token together, each of them proved: see [`crate::analysis`]. One finding a file.
//!
//! What is related is found first by how lines begin and by trying a request of each; only what is left is searched, within
//! a budget. Past it nothing is claimed.

mod covered_line;
mod empty_line;
mod equal_reach;
mod idle_forbid;
mod taken_back;

use std::collections::HashSet;

use crate::{
    analysis::{Fault, Prover, Request, Ruled, Side, Universe, allows, head},
    diagnostic::{Code, Diagnostic, Witness, sort},
    ir::{LineId, Program, RuleId, Token, TokenId, Users},
    method::MethodSet,
    source::{SourceId, Span},
    source_map::Written,
};

/// What the exact checks found.
#[derive(Debug, Default)]
pub struct Exact {
    /// In source order; what a token's `lint_allow` allows is left out.
    pub diagnostics: Vec<Diagnostic>,
    /// How many questions took more than the budget: of these nothing is said.
    pub inconclusive: usize,
    /// The product states that were visited.
    pub visited: u64,
    /// The token whose questions took most, and their states.
    pub hardest: Option<(String, u64)>,
}

/// One question may take this part of the budget, and all together this many times the budget.
const SHARE: u64 = 10;

/// Checks all tokens of a bound program. `known`: what was found so far, which is not said again. `progress` is told how
/// many tokens of how many are done.
///
/// # Errors
/// A [`Fault`].
pub fn exact(
    program: &Program,
    written: &Written,
    known: &[Diagnostic],
    (universe, budget): (Universe, u64),
    mut progress: impl FnMut(usize, usize),
) -> Result<Exact, Fault> {
    let never = known
        .iter()
        .filter(|finding| finding.code == Code::NeverMatches)
        .map(|finding| finding.primary.span);
    let mut desk = Desk {
        program,
        written,
        prover: Prover::new(universe, budget / SHARE)?,
        limit: budget.saturating_mul(SHARE),
        never: never.collect(),
        files: HashSet::new(),
        found: Exact::default(),
    };
    let tokens = program.tokens().count();
    let mut reaches = Vec::new();
    for (done, (id, token)) in program.tokens().enumerate() {
        let before = desk.prover.visited();
        let case = Case::new(program, written, id, token);
        let samples = desk.samples(&case);
        let empty = empty_line::check(&mut desk, &case, &samples);
        let covered = covered_line::check(&mut desk, &case, &samples, &empty);
        taken_back::check(&mut desk, &case, &samples, &empty);
        idle_forbid::check(&mut desk, &case, &(&empty | &covered));
        desk.files.extend(case.files());
        reaches.push((id, samples));
        let took = desk.prover.visited() - before;
        if took > desk.found.hardest.as_ref().map_or(0, |(_, most)| *most) {
            desk.found.hardest = Some((token.name.clone(), took));
        }
        progress(done + 1, tokens);
    }
    equal_reach::check(&mut desk, &reaches)?;
    desk.found.visited = desk.prover.visited();
    written.allow(&mut desk.found.diagnostics);
    sort(&mut desk.found.diagnostics);
    Ok(desk.found)
}

/// What checks have in common.
struct Desk<'p> {
    program: &'p Program,
    written: &'p Written,
    prover: Prover<'p>,
    limit: u64,
    /// URLs that are known to match nothing.
    never: Vec<Span>,
    /// Sets whose own lines have been held against each other.
    files: HashSet<SourceId>,
    found: Exact,
}

/// What a question is answered with.
enum Answer {
    Yes(Box<Request>),
    No,
    /// The budget is spent.
    Open,
}

/// A rule of a token.
struct Entry<'p> {
    id: RuleId,
    ruled: Ruled<'p>,
    /// It stands in the token's own lines, not in a set's.
    own: bool,
    file: Option<SourceId>,
    head: Vec<u8>,
}

impl Entry<'_> {
    fn line(&self) -> LineId {
        self.ruled.rule.line
    }

    /// Whether some request might match both, as far as methods and the beginnings of paths tell.
    fn is_near(&self, other: &Self) -> bool {
        self.ruled.rule.methods.intersection(other.ruled.rule.methods) != MethodSet::EMPTY
            && self.head.iter().zip(&other.head).all(|(one, other)| one == other)
    }
}

/// A token and its rules.
struct Case<'p> {
    id: TokenId,
    token: &'p Token,
    permits: Vec<Entry<'p>>,
    forbids: Vec<Entry<'p>>,
}

impl<'p> Case<'p> {
    fn new(program: &'p Program, written: &'p Written, id: TokenId, token: &'p Token) -> Self {
        let entries = |rules: &'p crate::ir::Rules| {
            let own = rules.own.iter().map(|id| (*id, true));
            let all = rules.included.iter().map(|id| (*id, false)).chain(own);
            all.filter_map(|(id, own)| {
                let ruled = Ruled {
                    program,
                    rule: program.rule(id)?,
                };
                Some(Entry {
                    id,
                    ruled,
                    own,
                    file: written.file(ruled.rule.line),
                    head: head(ruled),
                })
            })
            .collect()
        };
        Self {
            id,
            token,
            permits: entries(&token.permits),
            forbids: entries(&token.forbids),
        }
    }

    fn files(&self) -> impl Iterator<Item = SourceId> {
        let entries = self.permits.iter().chain(&self.forbids);
        entries.filter(|entry| !entry.own).filter_map(|entry| entry.file)
    }
}

impl<'p> Desk<'p> {
    /// Whether some request matches all of some rules and none of some others.
    fn ask(&mut self, must: &[&Entry<'p>], must_not: &[&Entry<'p>]) -> Answer {
        let ruled = |entries: &[&Entry<'p>]| entries.iter().map(|entry| entry.ruled).collect::<Vec<_>>();
        if self.prover.visited() > self.limit {
            self.found.inconclusive += 1;
            return Answer::Open;
        }
        match self.prover.request(&ruled(must), &ruled(must_not)) {
            Ok(Some(request)) => Answer::Yes(Box::new(request)),
            Ok(None) => Answer::No,
            Err(_) => {
                self.found.inconclusive += 1;
                Answer::Open
            }
        }
    }

    /// Whether a policy of these lines alone allows a request.
    fn allows(&self, permits: &[&Entry<'p>], forbids: &[&Entry<'p>], request: &Request) -> bool {
        let ids = |entries: &[&Entry<'p>]| entries.iter().map(|entry| entry.id).collect();
        allows(self.program, ids(permits), ids(forbids), request)
    }

    /// For each permit line a request that it allows by itself, where one was found without a search.
    fn samples(&mut self, case: &Case<'p>) -> Vec<Option<Request>> {
        case.permits
            .iter()
            .map(|entry| {
                let sample = self.prover.sample(entry.ruled)?;
                self.allows(&[entry], &[], &sample).then_some(sample)
            })
            .collect()
    }

    /// Whether a line is to be looked at with this token: its own, and those of sets that come for the first time.
    fn is_due(&self, entry: &Entry<'p>) -> bool {
        entry.own || entry.file.is_some_and(|file| !self.files.contains(&file))
    }

    /// Those of `others`, fewest first, that `is_enough` of; all of them are.
    fn fewest<'e>(
        &mut self,
        others: &[&'e Entry<'p>],
        mut is_enough: impl FnMut(&mut Self, &[&Entry<'p>]) -> bool,
    ) -> Vec<&'e Entry<'p>> {
        if let Some(one) = others.iter().find(|one| is_enough(self, &[one])) {
            return vec![one];
        }
        let mut left = others.to_vec();
        for other in others {
            let without: Vec<&Entry<'p>> = left.iter().copied().filter(|one| one.id != other.id).collect();
            if is_enough(self, &without) {
                left.retain(|one| one.id != other.id);
            }
        }
        left
    }

    fn span(&self, entry: &Entry<'p>) -> Option<Span> {
        self.written.line(entry.line())
    }

    fn text(&self, entry: &Entry<'p>) -> &'p str {
        self.program.line(entry.line()).text
    }

    fn witness(&self, token: &Token, request: &Request) -> Witness {
        let user = match &token.users {
            Users::Named(users) => users.first().map_or("USER", String::as_str),
            Users::Any => "USER",
        };
        Witness {
            request: request.to_string(),
            curl: self
                .program
                .base()
                .map(|base| request.curl(base, user))
                .unwrap_or_default(),
        }
    }

    fn side(&self, token: TokenId) -> Side<'p> {
        Side::of(self.program, token)
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.found.diagnostics.push(diagnostic);
    }
}

/// Names covers in a finding's second places.
fn related<'p>(mut diagnostic: Diagnostic, desk: &Desk<'p>, covers: &[&Entry<'p>], what: &str) -> Diagnostic {
    for cover in covers {
        if let Some(span) = desk.span(cover) {
            diagnostic = diagnostic.related(span, what);
        }
    }
    diagnostic
}
