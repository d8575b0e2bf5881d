//! Which tokens may make some of the requests that a question is about, by which lines, and under which conditions.

use std::collections::{BTreeSet, HashMap};

use super::{
    conditions::{self, Condition},
    question::Question,
};
use crate::{
    analysis::{
        Accepted, Budget, Fault, Finding, Inconclusive, Obstacle, Prover, Request, Ruled, Side, Universe,
    },
    ir::{LineId, Program, RuleId, TokenId},
};

/// What a token may do of a question's requests. `ways`, `exceptions` and `extent` are about the token's lines. Whether the proxy
/// forwards the requests that the lines allow is said of each way.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The token.
    pub token: TokenId,
    /// One entry for each line that allows some of the requests; empty if none does.
    pub ways: Vec<Way>,
    /// Forbid lines that deny some of the requests that these lines match.
    pub exceptions: Vec<LineId>,
    /// Whether the lines allow all of the requests.
    pub extent: Extent,
    /// What keeps the proxy from forwarding the request in `extent` that the lines do not allow.
    pub denied_obstacles: Vec<Obstacle>,
    /// Why more lines may allow some of the requests than were found.
    pub inconclusive: Option<Inconclusive>,
}

/// A line that allows some of the requests.
#[derive(Clone, Debug)]
pub struct Way {
    /// The line; `None`: the token is unrestricted.
    pub line: Option<LineId>,
    /// What a request that the question is about must also have, for the line to allow it. Empty: nothing more.
    pub conditions: Vec<Condition>,
    /// A request that the question is about, that the line matches and the token's lines allow.
    pub request: Request,
    /// What keeps the proxy from forwarding the request, and every other one of this line; empty if the proxy forwards it, or if
    /// the question knows no proxy.
    pub obstacles: Vec<Obstacle>,
    /// The rule of the line: a line with `{USER}` has one for each user.
    rule: Option<RuleId>,
}

impl Way {
    /// Whether it is certain that the proxy forwards none of the requests that this line allows.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        Obstacle::are_certain(&self.obstacles)
    }
}

/// How many of a question's requests the lines of a token allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// None of them.
    Nothing,
    /// Some of them, and not this one.
    Part(Box<Request>),
    /// All of them.
    Everything,
    /// Some of them; whether all could not be settled.
    Open(Inconclusive),
}

impl Reach {
    /// Whether the token may make some of the requests: its lines allow them, and the proxy does not refuse them all.
    #[must_use]
    pub fn may(&self) -> bool {
        self.ways.iter().any(|way| !way.is_blocked())
    }

    /// Whether the lines of the token allow some of the requests, and the proxy forwards none of these.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        !self.ways.is_empty() && !self.may()
    }

    /// Whether nothing about the token was left open.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.inconclusive.is_none() && !matches!(self.extent, Extent::Open(_))
    }
}

/// What each of some tokens of a bound program may do of a question's requests, in the order given. `progress` receives the numbers
/// of tokens that are done and of all.
///
/// # Errors
/// A [`Fault`].
pub fn who<'p>(
    question: &'p Question,
    (program, tokens): (&'p Program, &[TokenId]),
    (universe, budget): (Universe, &Budget),
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<Reach>, Fault> {
    let mut prover = Prover::new(universe, budget.clone())?.with_samples_first();
    let mut reaches = Vec::with_capacity(tokens.len());
    for (done, token) in tokens.iter().enumerate() {
        prover.begin_token();
        reaches.push(reach(&mut prover, question, (program, *token))?);
        progress(done + 1, tokens.len());
    }
    let ways = || reaches.iter().flat_map(|reach| &reach.ways);
    let rules: BTreeSet<RuleId> = ways().filter_map(|way| way.rule).collect();
    let known = conditions::of_rules(question, (program, &rules), (universe, budget))?;
    for way in reaches.iter_mut().flat_map(|reach| &mut reach.ways) {
        let found = way.rule.and_then(|rule| known.get(&rule));
        way.conditions = found.cloned().unwrap_or_default();
    }
    Ok(reaches)
}

fn reach<'p>(
    prover: &mut Prover<'p>,
    question: &'p Question,
    (program, token): (&'p Program, TokenId),
) -> Result<Reach, Fault> {
    let (policy, demand) = question.sides((program, token));
    let common = prover.common(policy, demand)?;
    let rules = if common.findings.is_empty() {
        HashMap::new()
    } else {
        rules_of(program, token)
    };
    let ways = common.findings.into_iter().map(|found| Way {
        line: found.source,
        conditions: Vec::new(),
        request: found.witness,
        obstacles: found.obstacles,
        rule: found.source.and_then(|line| rules.get(&line).copied()),
    });
    let mut reach = Reach {
        token,
        ways: ways.collect(),
        exceptions: Vec::new(),
        extent: Extent::Nothing,
        denied_obstacles: Vec::new(),
        inconclusive: common.inconclusive,
    };
    if reach.ways.is_empty() {
        return Ok(reach);
    }
    reach.exceptions = exceptions(prover, question, policy, &reach.ways);
    let denied = prover.beyond(demand, policy, &Accepted::default())?;
    let is_forwarded = |found: &Finding| found.obstacles.is_empty();
    let at = denied.findings.iter().position(is_forwarded).unwrap_or_default();
    reach.extent = match (denied.findings.into_iter().nth(at), denied.inconclusive) {
        (Some(found), _) => {
            reach.denied_obstacles = found.obstacles;
            Extent::Part(Box::new(found.witness))
        }
        (None, Some(why)) => Extent::Open(why),
        (None, None) => Extent::Everything,
    };
    Ok(reach)
}

/// The forbid lines that match some of the requests that the question is about and one of the ways matches. A line for which this
/// could not be settled is among them: the requests that it matches are denied in any case.
fn exceptions<'p>(
    prover: &mut Prover<'p>,
    question: &'p Question,
    policy: Side<'p>,
    ways: &[Way],
) -> Vec<LineId> {
    let lines: BTreeSet<Option<LineId>> = ways.iter().map(|way| way.line).collect();
    let permits: Vec<Option<Ruled<'p>>> = if policy.is_unrestricted() {
        vec![None]
    } else {
        let permits = policy.permits().into_iter();
        let used = permits.filter(|ruled| lines.contains(&Some(ruled.rule.line)));
        used.map(Some).collect()
    };
    let Some(asked) = question.rule() else {
        return Vec::new();
    };
    let denies = |forbid: &Ruled<'p>| {
        permits.iter().any(|permit| {
            let must: Vec<Ruled<'p>> = [asked, *forbid].into_iter().chain(*permit).collect();
            !matches!(prover.request(&must, &[]), Ok(None))
        })
    };
    let forbids = policy.forbids().into_iter();
    forbids.filter(denies).map(|forbid| forbid.rule.line).collect()
}

/// The rules of a token's permit lines.
fn rules_of(program: &Program, token: TokenId) -> HashMap<LineId, RuleId> {
    let rules = program.token(token).permits.iter();
    rules
        .filter_map(|id| Some((program.rule(id)?.line, id)))
        .collect()
}
