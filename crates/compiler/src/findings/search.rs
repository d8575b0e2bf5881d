//! The search that all findings share: its prover, its budget, and its results.

use std::collections::HashSet;

use super::{
    case::{Case, Entry},
    grounds::{Grounded, Grounds},
    result::Findings,
};
use crate::{
    analysis::{Asked, Forwarding, Prover, Proxied, Request, Served, Side, Universe, allows},
    diagnostic::{Diagnostic, Witness},
    ir::{Matcher, Program, Token, TokenId},
    source::{SourceId, Span},
    source_map::SourceMap,
};

/// Steps that a line counts for when a request is tried on it.
const STEPS_A_LINE: usize = 100;

/// What checks have in common.
pub(super) struct Search<'p> {
    pub(super) program: &'p Program,
    pub(super) source_map: &'p SourceMap,
    pub(super) prover: Prover<'p>,
    pub(super) universe: Universe,
    pub(super) served: &'p Served,
    /// The matcher of the served paths; `None`: all.
    pub(super) endpoints: Option<Matcher>,
    /// URLs that are known to match nothing.
    pub(super) never: Vec<Span>,
    /// Sets whose own lines have been held against each other.
    pub(super) files: HashSet<SourceId>,
    pub(super) found: Findings,
}

/// The answer to a question.
pub(super) enum Answer {
    Yes(Box<Request>),
    No,
    /// The budget is spent.
    Open,
}

impl<'p> Search<'p> {
    /// Whether some request matches all of some rules and none of some others.
    pub(super) fn ask(&mut self, must: &[&Entry<'p>], must_not: &[&Entry<'p>]) -> Answer {
        let ruled = |entries: &[&Entry<'p>]| entries.iter().map(|entry| entry.ruled).collect::<Vec<_>>();
        if self.prover.is_spent() {
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

    /// Whether no path matches a pattern.
    pub(super) fn has_no_path(&mut self, url: &Matcher) -> bool {
        let has = self.prover.has_path(&[url]);
        self.is_no(has)
    }

    /// Whether no served path matches a pattern.
    pub(super) fn has_no_served_path(&mut self, url: &Matcher) -> bool {
        let matchers: Vec<&Matcher> = std::iter::once(url).chain(&self.endpoints).collect();
        let has = self.prover.has_path(&matchers);
        self.is_no(has)
    }

    fn is_no<E>(&mut self, answer: Result<bool, E>) -> bool {
        self.found.inconclusive += usize::from(answer.is_err());
        matches!(answer, Ok(false))
    }

    /// Begins a question that compares a line with so many others. False past the budget: the question stays open.
    pub(super) fn begins(&mut self, others: usize) -> bool {
        let begins = self.prover.take_steps(others).is_ok();
        self.found.inconclusive += usize::from(!begins);
        begins
    }

    /// The first of some lines that matches, by its form and by itself, all that a line matches. `sample`: a request that the line
    /// allows; only lines that allow it are looked at.
    pub(super) fn covering<'e>(
        &mut self,
        entry: &Entry<'p>,
        others: &[&'e Entry<'p>],
        sample: &Request,
    ) -> Option<&'e Entry<'p>> {
        self.prover.take_steps(others.len() * STEPS_A_LINE).ok()?;
        let allow = |other: &&&Entry<'p>| {
            let rule = other.ruled.rule;
            rule.methods.contains(sample.method) && self.program.url(rule.url).matches(&sample.path)
        };
        let near: Vec<&'e Entry<'p>> = others.iter().filter(allow).copied().collect();
        near.into_iter()
            .find(|other| self.prover.is_within(entry.ruled, other.ruled))
    }

    /// Whether a policy of only these lines allows a request. Past the budget the answer is "no", as if the request had not been found.
    pub(super) fn allows(&self, permits: &[&Entry<'p>], forbids: &[&Entry<'p>], request: &Request) -> bool {
        let rules = permits.len() + forbids.len() + 1;
        if self.prover.take_steps(rules * STEPS_A_LINE).is_err() {
            return false;
        }
        let ids = |entries: &[&Entry<'p>]| entries.iter().map(|entry| entry.id).collect();
        allows(self.program, ids(permits), ids(forbids), request)
    }

    /// For each permit line a request that it allows by itself, if one was found without a search.
    pub(super) fn samples(&mut self, case: &Case<'p>) -> Vec<Option<Request>> {
        case.permits
            .iter()
            .map(|entry| {
                self.prover.take_steps(STEPS_A_LINE).ok()?;
                let sample = self.prover.sample(entry.ruled)?;
                self.allows(&[entry], &[], &sample).then_some(sample)
            })
            .collect()
    }

    /// Whether a line is to be looked at with this token: its own, and those of sets that come for the first time.
    pub(super) fn is_due(&self, entry: &Entry<'p>) -> bool {
        entry.own || entry.file.is_some_and(|file| !self.files.contains(&file))
    }

    /// A minimal selection of `others`, fewest first, that `is_enough` accepts; it accepts all of `others`.
    pub(super) fn fewest<'e>(
        &mut self,
        others: &[&'e Entry<'p>],
        mut is_enough: impl FnMut(&mut Self, &[&Entry<'p>]) -> bool,
    ) -> Vec<&'e Entry<'p>> {
        if let Some(one) = others.iter().find(|one| is_enough(self, &[one])) {
            return vec![one];
        }
        let mut left = others.to_vec();
        for other in others {
            // All that is left is enough, if not the fewest.
            if self.prover.take_steps(left.len()).is_err() {
                break;
            }
            let without: Vec<&Entry<'p>> = left.iter().copied().filter(|one| one.id != other.id).collect();
            if is_enough(self, &without) {
                left.retain(|one| one.id != other.id);
            }
        }
        left
    }

    pub(super) fn span(&self, entry: &Entry<'p>) -> Option<Span> {
        self.source_map.line(entry.line())
    }

    pub(super) fn text(&self, entry: &Entry<'p>) -> &'p str {
        self.program.line(entry.line()).text
    }

    /// A request of a line for a finding: one that the proxy would forward if the lines allowed it. `None` if there is none, or if
    /// it is not settled.
    pub(super) fn shown(
        &mut self,
        token: &'p Token,
        entry: &Entry<'p>,
        request: &Request,
    ) -> Option<Witness> {
        let Some(proxied) = self.served.proxied() else {
            return Some(self.witness(token, request));
        };
        let forwarding = Forwarding {
            proxied,
            asked: Asked::keys(token),
        };
        if forwarding.obstacles(request).is_empty() {
            return Some(self.witness(token, request));
        }
        let other = self.prover.forwarded_request(&[entry.ruled], forwarding).ok()??;
        Some(self.witness(token, &other))
    }

    fn witness(&self, token: &Token, request: &Request) -> Witness {
        request.witness(self.program, &token.users)
    }

    pub(super) fn side(&self, token: TokenId) -> Side<'p> {
        Side::of(self.program, token).behind(self.served.proxied())
    }

    /// Whether the proxy refuses further requests because of the names that a line constrains.
    pub(super) fn refuses_names(&self, entry: &Entry<'p>) -> bool {
        let rule = entry.ruled.rule;
        (rule.asks_query() || rule.asks_json()) && self.served.proxied().is_some_and(Proxied::refuses_names)
    }

    /// Adds a finding with what it rests on.
    pub(super) fn push_grounded(&mut self, diagnostic: Diagnostic, grounds: Grounds) {
        self.found.grounds.push(Grounded::new(&diagnostic, grounds));
        self.push(diagnostic);
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.found.diagnostics.push(diagnostic);
    }
}

/// Names covers in a finding's second places.
pub(super) fn related<'p>(
    mut diagnostic: Diagnostic,
    search: &Search<'p>,
    covers: &[&Entry<'p>],
    what: &str,
) -> Diagnostic {
    for cover in covers {
        if let Some(span) = search.span(cover) {
            diagnostic = diagnostic.related(span, what);
        }
    }
    diagnostic
}
