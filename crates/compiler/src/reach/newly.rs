//! The operations whose calls a change of a token newly allows.

use super::{
    catalogue::Catalogue,
    paths::{Paths, Samples},
};
use crate::{
    analysis::{
        Asked, Budget, Cause, Fault, Forwarding, Prover, Proxied, Request, RequestBody, Ruled, Side,
        Universe, token_allows,
    },
    ast::Effect,
    ir::{LineId, Program, TokenId},
};

/// An operation whose calls are newly allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOperation {
    /// The operation, by its number.
    pub operation: usize,
    /// How sure that is.
    pub certainty: Certainty,
}

/// What is known of an operation's new calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// One of them was found, and the proxy forwards it.
    Found,
    /// Lines allow some of them, and the proxy forwards none of these as it is configured.
    Blocked,
    /// Whether there is one was not settled within the budget.
    Open,
}

/// A token before a change and after it.
#[derive(Clone, Copy)]
pub struct Change<'p> {
    /// The old program, with the old token, if there is one.
    pub old: (&'p Program, Option<TokenId>),
    /// The new program, with the new token.
    pub new: (&'p Program, TokenId),
}

/// Finds the operations that changes newly allow. Keeps what is known of the operations for several questions.
pub struct NewCalls<'p> {
    paths: Paths<'p>,
    prover: Prover<'p>,
    proxied: Option<&'p Proxied>,
}

impl<'p> NewCalls<'p> {
    /// Prepares questions about the operations of a catalogue. `proxied`: the proxy that forwards calls.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn new(
        catalogue: &'p Catalogue,
        (universe, proxied, budget): (Universe, Option<&'p Proxied>, &Budget),
    ) -> Result<Self, Fault> {
        let mut prover = Prover::new(universe, budget.clone())?.with_samples_first();
        let paths = Paths::of(catalogue, proxied, &mut prover);
        Ok(Self {
            paths,
            prover,
            proxied,
        })
    }

    /// The operations of which a change newly allows calls for one cause, in their order. Calls that `accepted` permit lines of the
    /// new token match do not count. Nothing is named for names that the proxy no longer refuses.
    pub fn by(&mut self, change: Change<'p>, cause: Cause, accepted: &[LineId]) -> Vec<NewOperation> {
        self.prover.begin_token();
        let Some(rules) = Rules::of(change, cause, accepted) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (at, path) in self.candidates(&rules) {
            let certainty = self.certainty(at, path.as_deref(), (&rules, change));
            found.extend(certainty.map(|certainty| NewOperation {
                operation: at,
                certainty,
            }));
        }
        found
    }

    /// The operations whose paths one of the causing rules meets, in order, each with a path of both if one is known.
    fn candidates(&mut self, rules: &Rules<'p>) -> Vec<(usize, Option<String>)> {
        let catalogue = self.paths.catalogue;
        let Some(causing) = &rules.causing else {
            return (0..catalogue.operations().len()).map(|at| (at, None)).collect();
        };
        let mut found = Vec::new();
        for rule in causing {
            for (group, _, path) in self.paths.meetings(*rule, &mut self.prover) {
                let group = self.paths.groups.get(group);
                let operations = group.map_or(&[][..], |group| group.operations.as_slice());
                for at in operations.iter().map(|at| *at as usize) {
                    let operation = catalogue.operations().get(at);
                    if operation.is_some_and(|operation| rule.rule.methods.contains(operation.method)) {
                        found.push((at, path.as_deref().map(str::to_owned)));
                    }
                }
            }
        }
        found.sort_by_key(|(at, _)| *at);
        found.dedup_by_key(|(at, _)| *at);
        found
    }

    /// What is known of one operation; `None`: none of its calls is newly allowed.
    fn certainty(
        &mut self,
        at: usize,
        path: Option<&str>,
        (rules, change): (&Rules<'p>, Change<'p>),
    ) -> Option<Certainty> {
        let samples = self.paths.samples.get(at);
        if rules.is_plain && self.is_sampled(samples, path, (rules, change)) {
            return Some(Certainty::Found);
        }
        let catalogue = self.paths.catalogue;
        let asked = Side::demand(catalogue.program(), catalogue.token(at))
            .permits()
            .first()
            .copied()?;
        let mut best = None;
        for question in rules.questions() {
            let must: Vec<Ruled<'p>> = [asked].into_iter().chain(question.must).collect();
            match self.ask(&must, &question.must_not, change) {
                Some(Certainty::Found) => return Some(Certainty::Found),
                other => best = worse(best, other),
            }
        }
        best
    }

    /// Whether an example call of the operation is newly allowed because of the causing rules, and forwarded.
    fn is_sampled(
        &self,
        samples: Option<&Samples>,
        path: Option<&str>,
        (rules, change): (&Rules<'p>, Change<'p>),
    ) -> bool {
        let Some(samples) = samples else { return false };
        let also = path.zip(samples.all().first()).map(|(path, first)| Request {
            method: first.method,
            path: path.to_owned(),
            query: Vec::new(),
            body: RequestBody::Absent,
        });
        let is_caused = |request: &Request| {
            rules.causing.as_ref().is_none_or(|causing| {
                let mut causing = causing.iter();
                causing.any(|rule| rule.matches_path(&request.path))
            })
        };
        let is_accepted = |request: &Request| {
            let mut accepted = rules.accepted.iter();
            accepted
                .any(|rule| rule.rule.methods.contains(request.method) && rule.matches_path(&request.path))
        };
        samples.forwardable().iter().chain(&also).any(|request| {
            is_caused(request)
                && !is_accepted(request)
                && change.is_new(request)
                && self.is_forwarded(request, change)
        })
    }

    fn is_forwarded(&self, request: &Request, change: Change<'p>) -> bool {
        self.forwarding(change)
            .is_none_or(|forwarding| forwarding.obstacles(request).is_empty())
    }

    fn forwarding(&self, change: Change<'p>) -> Option<Forwarding<'p>> {
        let (program, token) = change.new;
        self.proxied.map(|proxied| Forwarding {
            proxied,
            asked: Asked::token(program, token),
        })
    }

    /// Looks for a request that matches some rules and none of some others, first for any, then for one that the proxy forwards.
    fn ask(&mut self, must: &[Ruled<'p>], must_not: &[Ruled<'p>], change: Change<'p>) -> Option<Certainty> {
        let request = match self.prover.request(must, must_not) {
            Ok(None) => return None,
            Ok(Some(request)) => request,
            Err(_) => return Some(Certainty::Open),
        };
        // A body that one of the programs refuses is not settled by its lines.
        if !change.is_new(&request) {
            return Some(Certainty::Open);
        }
        let Some(forwarding) = self.forwarding(change) else {
            return Some(Certainty::Found);
        };
        if forwarding.obstacles(&request).is_empty() {
            return Some(Certainty::Found);
        }
        match self.prover.forwarded_beyond(must, must_not, forwarding) {
            Ok(None) => Some(Certainty::Blocked),
            Ok(Some(request)) if change.is_new(&request) => Some(Certainty::Found),
            Ok(Some(_)) | Err(_) => Some(Certainty::Open),
        }
    }
}

impl Change<'_> {
    /// Whether only the new token allows a request.
    fn is_new(self, request: &Request) -> bool {
        let (program, token) = self.new;
        let (before, old) = self.old;
        token_allows(program, token, request) && !old.is_some_and(|old| token_allows(before, old, request))
    }
}

/// The rules that a question about a cause is made of.
struct Rules<'p> {
    /// The rules that make the difference; `None`: every request, by `unrestricted = true`.
    causing: Option<Vec<Ruled<'p>>>,
    effect: Effect,
    /// The permit lines of the new token; empty if it is unrestricted.
    permits: Vec<Ruled<'p>>,
    forbids: Vec<Ruled<'p>>,
    old_permits: Vec<Ruled<'p>>,
    old_forbids: Vec<Ruled<'p>>,
    is_old_unrestricted: bool,
    accepted: Vec<Ruled<'p>>,
    /// Whether the causing and the accepted rules have no conditions: then paths and methods decide.
    is_plain: bool,
}

/// Rules that a request matches, and rules that it does not match.
struct Question<'p> {
    must: Vec<Ruled<'p>>,
    must_not: Vec<Ruled<'p>>,
}

impl<'p> Rules<'p> {
    fn of(change: Change<'p>, cause: Cause, accepted: &[LineId]) -> Option<Self> {
        let new = Side::of(change.new.0, change.new.1);
        let old = change.old.1.map(|token| Side::of(change.old.0, token));
        let permits = new.permits();
        let old_forbids = old.map_or_else(Vec::new, Side::forbids);
        let of_line = |rules: &[Ruled<'p>], line: LineId| {
            let rules = rules.iter().filter(|ruled| ruled.rule.line == line);
            rules.copied().collect::<Vec<Ruled<'p>>>()
        };
        let (causing, effect) = match cause {
            Cause::Permit(line) => (Some(of_line(&permits, line)), Effect::Permit),
            Cause::Lifted(line) => (Some(of_line(&old_forbids, line)), Effect::Forbid),
            Cause::Unrestricted => (None, Effect::Permit),
            Cause::Refused(_) => return None,
        };
        let accepted = permits.iter().filter(|ruled| accepted.contains(&ruled.rule.line));
        let accepted: Vec<Ruled<'p>> = accepted.copied().collect();
        let has_condition = |ruled: &Ruled<'p>| ruled.rule.asks_query() || ruled.rule.asks_json();
        Some(Self {
            is_plain: !causing.iter().flatten().chain(&accepted).any(has_condition),
            causing,
            effect,
            permits: if new.is_unrestricted() {
                Vec::new()
            } else {
                permits
            },
            forbids: new.forbids(),
            old_permits: old.map_or_else(Vec::new, Side::permits),
            old_forbids,
            is_old_unrestricted: old.is_some_and(Side::is_unrestricted),
            accepted,
        })
    }

    /// All the ways in which a request can be newly allowed because of the causing rules.
    fn questions(&self) -> Vec<Question<'p>> {
        let denied: Vec<Ruled<'p>> = self.forbids.iter().chain(&self.accepted).copied().collect();
        let one = |rule: &Ruled<'p>| vec![*rule];
        let causing: Vec<Vec<Ruled<'p>>> = match &self.causing {
            None => vec![Vec::new()],
            Some(rules) => rules.iter().map(one).collect(),
        };
        let mut questions = Vec::new();
        if self.effect == Effect::Forbid {
            // The old forbid line denied it, and some permit line of the new token allows it.
            let permits: Vec<Vec<Ruled<'p>>> = match self.permits.is_empty() {
                true => vec![Vec::new()],
                false => self.permits.iter().map(one).collect(),
            };
            for forbid in &causing {
                questions.extend(permits.iter().map(|permit| Question {
                    must: forbid.iter().chain(permit).copied().collect(),
                    must_not: denied.clone(),
                }));
            }
            return questions;
        }
        for permit in causing {
            if !self.is_old_unrestricted {
                questions.push(Question {
                    must: permit.clone(),
                    must_not: denied.iter().chain(&self.old_permits).copied().collect(),
                });
            }
            // An old line matched it, and an old forbid line denied it.
            questions.extend(self.old_forbids.iter().map(|forbid| Question {
                must: permit.iter().chain([forbid]).copied().collect(),
                must_not: denied.clone(),
            }));
        }
        questions
    }
}

/// The one of two that says more about new calls, if neither was found.
fn worse(one: Option<Certainty>, other: Option<Certainty>) -> Option<Certainty> {
    match (one, other) {
        (Some(Certainty::Open), _) | (_, Some(Certainty::Open)) => Some(Certainty::Open),
        (one, other) => one.or(other),
    }
}
