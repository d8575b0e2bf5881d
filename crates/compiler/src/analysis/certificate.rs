//! Certificates: what the analysis says of two policies, with reasons that another program can check.
//!
//! A certificate is text, one JSON object a line. `docs/proofs.md` has the format, and says what a checker has to trust. A "yes"
//! is a request. A "no" is, for each line, a line that is built alike, or a set of states of the lines' patterns that no text
//! leaves and in which no text is found. Proofs are looked for here again, and only of one form: some answers have none. Such an
//! answer is counted, and never written as one that has a proof.

mod closed;
mod follows;
mod pattern;
mod request;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::closed::{Closed, Wish};
use super::{
    Budget, Cause, Difference, Exhausted, Request, budget::Work, clauses::Ruled, identity::Identity,
    prefilter::share_method, side::Side,
};
use crate::{
    artifact,
    ast::Effect,
    ir::{Program, TokenId},
    json::Path,
    method::{Method, MethodSet},
};

/// Positions of rules that together exclude all requests, and of the closed sets that show it.
type Exclusion = (Vec<usize>, Vec<usize>);

/// The version of the format.
const VERSION: u32 = 2;
/// A proof may take one of so many shares of the steps that are left.
const SHARES: u64 = 16;
/// Every method.
const METHODS: [Method; 8] = super::cell::METHODS;

/// How many answers have a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Answers "no" with a proof.
    pub proved: usize,
    /// Answers "yes" with a request.
    pub shown: usize,
    /// Answers without a certificate.
    pub open: usize,
}

/// A token of one of the programs that a certificate is about; no token permits nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The program, by its position.
    pub side: usize,
    /// The token.
    pub token: Option<TokenId>,
}

/// A rule with the number of its program.
type Numbered<'p> = (usize, Ruled<'p>);
/// A proof as it is written: for some methods, which rules it needs, and which closed sets.
type Case = (u8, Vec<usize>, Vec<usize>);

/// Collects the certificates of a run.
pub struct Certificates<'p> {
    sides: Vec<&'p Program>,
    budget: Budget,
    work: Work,
    identity: Identity,
    closed: Closed<'p>,
    lines: Vec<String>,
    claims: Claims,
}

impl<'p> Certificates<'p> {
    /// Begins a certificate about bound programs. Their order gives them their numbers.
    #[must_use]
    pub fn new(sides: Vec<&'p Program>, budget: impl Into<Budget>) -> Self {
        let budget = budget.into();
        let policies: Vec<Value> = sides.iter().map(|side| policy(side)).collect();
        let head = json!({ "tokenward": (VERSION, policies) });
        Self {
            work: budget.work(),
            budget,
            identity: Identity::default(),
            closed: Closed::new(sides.clone()),
            lines: vec![head.to_string()],
            claims: Claims::default(),
            sides,
        }
    }

    /// Certifies what was found in `more` beyond `less`: each request, or the claim that no request exists.
    pub fn difference(&mut self, more: Subject, less: Subject, found: &Difference) {
        for finding in &found.findings {
            // The lines of the other side allow the request: a certificate is about lines, and says nothing of refusals.
            match finding.cause {
                Cause::Refused(_) => self.open(more, less),
                _ => self.request(more, less, &finding.witness),
            }
        }
        if found.findings.is_empty() {
            match found.inconclusive {
                None => self.nothing_beyond(more, less),
                Some(_) => self.open(more, less),
            }
        }
    }

    /// How many answers have a certificate so far.
    #[must_use]
    pub fn claims(&self) -> Claims {
        self.claims
    }

    /// The text of the certificate.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.lines.push(json!({ "end": (self.lines.len(),) }).to_string());
        self.lines.push(String::new());
        self.lines.join("\n")
    }

    /// Certifies that `more` allows a request which `less` does not.
    fn request(&mut self, more: Subject, less: Subject, request: &Request) {
        let claim = json!({ "request": (place(more), place(less), request::value(request)) });
        self.lines.push(claim.to_string());
        self.claims.shown += 1;
    }

    /// Certifies that `more` allows nothing beyond `less`.
    fn nothing_beyond(&mut self, more: Subject, less: Subject) {
        let found = self.beyond(more, less);
        // What was found for a proof that failed may serve a later one.
        self.lines.append(&mut self.closed.lines);
        match found {
            Ok(Some(Proofs(permits, forbids, readers))) => {
                let claim = json!({ "beyond": (place(more), place(less), permits, forbids, readers) });
                self.lines.push(claim.to_string());
                self.claims.proved += 1;
            }
            Ok(None) | Err(Exhausted) => self.open(more, less),
        }
    }

    /// The proofs for each permit line of `more`, and for each forbid line of `less`.
    fn beyond(&mut self, more: Subject, less: Subject) -> Result<Option<Proofs>, Exhausted> {
        let (Some(ours), Some(theirs)) = (self.side(more), self.side(less)) else {
            return Ok(None);
        };
        self.budget.add_token();
        let (permits, forbids) = (ours.permits(), ours.forbids());
        let (their_permits, their_forbids) = (theirs.permits(), theirs.forbids());
        let all = [&permits, &forbids, &their_permits, &their_forbids];
        if all.iter().any(|rules| rules.iter().any(merges)) {
            return Ok(None);
        }
        let of = |side: usize, rules: &[Ruled<'p>]| -> Vec<Numbered<'p>> {
            rules.iter().map(|ruled| (side, *ruled)).collect()
        };
        let sources: Vec<Vec<Numbered<'p>>> = match ours.is_unrestricted() {
            true => vec![Vec::new()],
            false => permits.iter().map(|permit| vec![(more.side, *permit)]).collect(),
        };
        let own = of(more.side, &forbids);
        let mut proofs = Proofs::default();
        if !theirs.is_unrestricted() {
            let not = [own.clone(), of(less.side, &their_permits)].concat();
            let mut twins = self.identity.twins(&permits, &their_permits).into_iter();
            for must in &sources {
                let twin = twins.next().flatten().filter(|_| !must.is_empty());
                match self.proof((must, None), &not, twin.map(|at| own.len() + at))? {
                    Some(proof) => proofs.0.push(proof),
                    None => return Ok(None),
                }
            }
        }
        let twins = self.identity.twins(&their_forbids, &forbids);
        for (forbid, twin) in of(less.side, &their_forbids).into_iter().zip(twins) {
            if twin.is_some() {
                // It is not missing, whatever permits a request.
                proofs.1.extend(
                    self.proof((&[forbid], None), &own, twin)?
                        .map(|proof| vec![proof]),
                );
                continue;
            }
            let mut of_sources = Vec::new();
            for source in &sources {
                let must = [source.as_slice(), &[forbid]].concat();
                match self.proof((&must, None), &own, None)? {
                    Some(proof) => of_sources.push(proof),
                    None => return Ok(None),
                }
            }
            proofs.1.push(of_sources);
        }
        let readers = self.readers((more.side, ours), (less.side, theirs))?;
        Ok(readers.map(|readers| Proofs(proofs.0, proofs.1, readers)))
    }

    /// The proofs that no permit line of `more` allows a body that a line of `less` refuses: for each pair of these lines, unless
    /// their places show it.
    fn readers(
        &mut self,
        (more, ours): (usize, Side<'p>),
        (less, theirs): (usize, Side<'p>),
    ) -> Result<Option<Vec<Vec<Case>>>, Exhausted> {
        let (permits, forbids) = (ours.permits(), ours.forbids());
        let (their_permits, their_forbids) = (theirs.permits(), theirs.forbids());
        let kept_forbids = self.identity.twins(&their_forbids, &forbids);
        let kept_permits = self.identity.twins(&their_permits, &permits);
        let known = self.identity.twins(&permits, &their_permits);
        let unrestricted = ours.is_unrestricted().then_some(None);
        let all = permits.iter().copied().enumerate().map(Some);
        let sources: Vec<Option<(usize, Ruled<'p>)>> = all.chain(unrestricted).collect();
        let forbidding = their_forbids.iter().zip(kept_forbids).enumerate();
        let permitting = their_permits.iter().zip(kept_permits).enumerate();
        let mut proofs = Vec::new();
        for (at, (reader, twin)) in forbidding.chain(permitting) {
            if !reader.asks_json() {
                continue;
            }
            self.work.take_of_run(sources.len())?;
            let is_forbid = reader.rule.effect == Effect::Forbid;
            let before = their_permits.iter().take(if is_forbid { 0 } else { at });
            let before = before.filter(|ruled| !ruled.asks_json());
            let not: Vec<Numbered<'p>> = forbids
                .iter()
                .map(|ruled| (more, *ruled))
                .chain(before.map(|ruled| (less, *ruled)))
                .collect();
            for source in &sources {
                let place = source.and_then(|(number, _)| known.get(number).copied().flatten());
                // The same line looks at the body, unless a permit line decides that was not before it.
                let is_kept = twin.is_some_and(|twin| {
                    source.is_none_or(|(number, permit)| {
                        is_forbid || permit.asks_json() || number > twin || place.is_some_and(|was| was < at)
                    })
                });
                if is_kept || source.is_some_and(|(_, permit)| never_loses(permit, *reader)) {
                    continue;
                }
                let must: Vec<Numbered<'p>> = source.iter().map(|(_, permit)| (more, *permit)).collect();
                match self.proof((&must, Some((less, *reader))), &not, None)? {
                    Some(proof) => proofs.push(proof),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(proofs))
    }

    /// The proof that no request matches all of `must` and none of `not`, and the method and URL of `reader`, which looks at the
    /// body. `twin`: one of `not` that is built like one of `must`.
    fn proof(
        &mut self,
        (must, reader): (&[Numbered<'p>], Option<Numbered<'p>>),
        not: &[Numbered<'p>],
        twin: Option<usize>,
    ) -> Result<Option<Vec<Case>>, Exhausted> {
        if let Some(at) = twin {
            return Ok(Some(vec![(MethodSet::ALL.bits(), vec![at], Vec::new())]));
        }
        self.work.grant(SHARES);
        // Methods that the same rules name have one proof.
        let mut alike: BTreeMap<Vec<usize>, u8> = BTreeMap::new();
        let can_be = |method: &Method| {
            let mut with_url = must.iter().chain(&reader);
            with_url.all(|(_, ruled)| ruled.rule.methods.contains(*method))
        };
        for method in METHODS.into_iter().filter(can_be) {
            let names =
                |(at, (_, ruled)): (usize, &Numbered<'_>)| ruled.rule.methods.contains(method).then_some(at);
            let named = not.iter().enumerate().filter_map(names).collect();
            *alike.entry(named).or_default() |= MethodSet::EMPTY.with(method).bits();
        }
        let mut cases = Vec::new();
        for (named, methods) in alike {
            match self.case((must, reader), not, &named)? {
                Some((uses, closed)) => cases.push((methods, uses, closed)),
                None => return Ok(None),
            }
        }
        Ok(Some(cases))
    }

    /// Which rules of those at these positions exclude all requests, and by which closed sets.
    fn case(
        &mut self,
        (must, reader): (&[Numbered<'p>], Option<Numbered<'p>>),
        not: &[Numbered<'p>],
        named: &[usize],
    ) -> Result<Option<Exclusion>, Exhausted> {
        let with_url = || must.iter().chain(&reader);
        let urls: Vec<Option<u32>> = with_url().map(|(_, ruled)| self.identity.url(*ruled)).collect();
        let mut usable: Vec<(usize, Wish, Vec<usize>)> = Vec::new();
        for at in named.iter().copied() {
            let Some(other) = not.get(at).copied() else {
                continue;
            };
            let Some(mut cited) = self.follows(must, other)? else {
                continue;
            };
            cited.sort_unstable();
            cited.dedup();
            let number = self.identity.url(other.1);
            if number.is_some() && urls.contains(&number) {
                return Ok(Some((vec![at], cited)));
            }
            usable.push((at, (url(other), false), cited));
        }
        let wishes: Vec<Wish> = with_url().map(|one| (url(*one), true)).collect();
        let wishes: Vec<Wish> = wishes
            .into_iter()
            .chain(usable.iter().map(|(_, wish, _)| *wish))
            .collect();
        let Some((mut closed, needed)) = self.closed.exclude(true, &wishes, &mut self.work)? else {
            return Ok(None);
        };
        let mut uses = Vec::new();
        for (at, _, cited) in usable.into_iter().filter(|(_, wish, _)| needed.contains(wish)) {
            uses.push(at);
            closed.extend(cited);
        }
        closed.sort_unstable();
        closed.dedup();
        Ok(Some((uses, closed)))
    }

    fn side(&self, subject: Subject) -> Option<Side<'p>> {
        Some(Side {
            program: self.sides.get(subject.side)?,
            token: subject.token,
            is_demand: false,
            proxied: None,
        })
    }

    /// Notes an answer that has no certificate.
    fn open(&mut self, one: Subject, other: Subject) {
        let open = json!({ "open": (place(one), place(other)) });
        self.lines.push(open.to_string());
        self.claims.open += 1;
    }
}

/// The proofs for permit lines, for each forbid line one or one for each permit line, and for pairs of a permit line and a line that
/// refuses bodies.
#[derive(Default)]
struct Proofs(Vec<Vec<Case>>, Vec<Vec<Vec<Case>>>, Vec<Vec<Case>>);

/// Whether a permit line allows no body that a line refuses, as far as methods and names show it.
fn never_loses(permit: Ruled<'_>, reader: Ruled<'_>) -> bool {
    let is_own = |path: &Path| permit.paths().any(|own| own == path);
    !share_method(permit, reader) || permit.asks_json() && reader.paths().all(is_own)
}

/// A policy as a certificate names it.
fn policy(program: &Program) -> Value {
    let base = program.base().map_or("", |base| base.as_str());
    json!([artifact::digest(program), base, program.merges_body()])
}

/// Whether the upstream could take a part of the query for one of the body, as far as the rule looks at either.
fn merges(ruled: &Ruled<'_>) -> bool {
    ruled.program.merges_body() && (ruled.asks_query() || ruled.asks_json())
}

fn url((side, ruled): Numbered<'_>) -> (usize, bool, u32) {
    (side, true, ruled.rule.url.0)
}

fn place(subject: Subject) -> Value {
    json!([subject.side, subject.token.map(|token| token.0)])
}
