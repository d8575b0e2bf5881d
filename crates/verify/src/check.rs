//! Checks a certificate line by line: what a line rests on comes before it.

use std::iter;

use tokenward_compiler::ir::{MatcherId, Pattern, Program, TokenId, UrlId};
use tokenward_compiler::{BaseUrl, artifact, visible};

use crate::closed::check_closed;
use crate::format::{Checked, Line, Literal, Policy, Proof, Request, Subject, Work, ensure};
use crate::proof::{self, Closed, Rules};
use crate::rule::{Ruled, Side, allows};

const VERSION: u32 = 2;

/// What a certificate shows.
#[derive(Debug, Default)]
pub struct Report {
    /// The policies that the claims are about, with the settings under which they hold.
    pub about: Vec<String>,
    /// A sentence for each answer "no" that is proved, and each "yes" that a request shows.
    pub claims: Vec<String>,
    /// A sentence for each answer without a certificate.
    pub open: Vec<String>,
}

/// Checks a certificate about these artifacts. Each policy that it names must be one of them.
///
/// # Errors
/// The certificate is damaged, is of another policy, or a claim does not follow: the line, from 1, and the reason.
pub fn verify(certificate: &str, artifacts: &[Vec<u8>]) -> Result<Report, String> {
    let given: Result<Vec<Program>, _> = artifacts.iter().map(|bytes| artifact::decode(bytes)).collect();
    let given = given.map_err(|error| format!("an artifact cannot be read: {error}"))?;
    let (mut checker, mut ended) = (Checker::default(), false);
    checker.work = Work::for_bytes(certificate.len());
    for (at, line) in certificate.lines().enumerate() {
        let read = serde_json::from_str(line).map_err(|error| error.to_string());
        let checked = read.and_then(|read| match read {
            Line::Tokenward(VERSION, policies) if at == 0 => checker.begin(&policies, &given),
            _ if ended || at == 0 => ensure(false, "a line in the wrong place, or of another version"),
            Line::End((of,)) => {
                ended = true;
                ensure(of == at, "the certificate has other lines than its end says")
            }
            line => checker.line(line),
        });
        checked.map_err(|why| visible(&format!("line {}: {why}", at + 1)))?;
    }
    ensure(ended, "the certificate has no end").map(|()| checker.report)
}

#[derive(Default)]
struct Checker {
    programs: Vec<(Program, Vec<TokenId>)>,
    closed: Vec<Closed>,
    work: Work,
    report: Report,
}

impl Checker {
    fn begin(&mut self, policies: &[Policy], given: &[Program]) -> Checked {
        for (digest, base, merges) in policies {
            let program = given.iter().find(|program| program.digest() == digest);
            let program = program.ok_or_else(|| format!("policy {digest:?} is not given"))?;
            let base = BaseUrl::parse(base).map_err(|error| error.to_string())?;
            let program = program.bind(&base).map_err(|error| error.to_string())?.merging_body(*merges);
            let tokens = program.tokens().map(|(id, _)| id).collect();
            self.programs.push((program, tokens));
            self.report.about.push(visible(&format!("{digest} at {base}, merges bodies: {merges}")));
        }
        Ok(())
    }

    fn line(&mut self, line: Line) -> Checked {
        let claim = match line {
            Line::Closed(rooted, of, tuples) => {
                // A text is UTF-8, and does or does not match each part.
                let patterns =
                    iter::once(Ok((Pattern::Utf8, true))).chain(of.iter().map(|of| self.pattern(*of)));
                check_closed(rooted, &patterns.collect::<Result<Vec<_>, _>>()?, &tuples, &self.work)?;
                self.closed.push((rooted, of));
                return Ok(());
            }
            Line::Beyond(one, other, permits, forbids, readers) => {
                let (more, less) = (self.side(one)?, self.side(other)?);
                self.beyond(&more, &less, &permits, &forbids)?;
                self.readers(&more, &less, &readers)?;
                nothing(&more, &less)?
            }
            Line::Request(one, other, request) => shown(&self.side(one)?, &self.side(other)?, &request)?,
            Line::Open(one, other) => {
                let open = format!("{}, {}", self.side(one)?.name, self.side(other)?.name);
                self.report.open.push(visible(&open));
                return Ok(());
            }
            Line::Tokenward(..) | Line::End(..) => return Err("a line in the wrong place".to_owned()),
        };
        self.report.claims.push(visible(&claim));
        Ok(())
    }

    fn pattern(&self, (side, is_url, id, part, is): Literal) -> Result<(Pattern<'_>, bool), String> {
        let (program, _) = self.programs.get(side).ok_or("no such policy")?;
        let url = || program.path_matcher(UrlId::numbered(id));
        let matcher = if is_url { url() } else { program.value_matcher(MatcherId::numbered(id)) };
        Ok((matcher.pattern(part).ok_or("no such part of a matcher")?, is))
    }

    /// Checks that no permit line of the one allows more than the other does, and that no forbid line of the other is missing.
    fn beyond(&self, more: &Side<'_>, less: &Side<'_>, permits: &[Proof], forbids: &[Vec<Proof>]) -> Checked {
        let rules = [&more.permits, &more.forbids, &less.permits, &less.forbids].into_iter().flatten();
        let merged = rules
            .clone()
            .any(|ruled| ruled.program.merges_body() && (ruled.rule.asks_query() || ruled.rule.asks_json()));
        ensure(!merged, "the upstream merges bodies and queries, and proofs do not cover that")?;
        let (sources, all) = (more.sources(), [Vec::new()]);
        if !less.unrestricted {
            self.each(&sources, &[more.forbids.as_slice(), &less.permits].concat(), permits)?;
        }
        ensure(forbids.len() == less.forbids.len(), "a claim leaves lines out")?;
        for (forbid, proofs) in less.forbids.iter().zip(forbids) {
            // One proof for several permit lines is for all of them, whatever they are.
            let sources = if proofs.len() == 1 && sources.len() != 1 { &all } else { sources.as_slice() };
            let with_forbid = sources.iter().map(|source| [source.as_slice(), &[*forbid]].concat());
            self.each(&with_forbid.collect::<Vec<_>>(), &more.forbids, proofs)?;
        }
        Ok(())
    }

    /// Checks that no permit line of the one allows a body that a line of the other refuses as ambiguous. Both refuse it if the one has
    /// the same line, and no permit line before it that decides without the body, but for those that the other has before it too.
    fn readers(&self, more: &Side<'_>, less: &Side<'_>, proofs: &[Proof]) -> Checked {
        let mut proofs = proofs.iter();
        let whole = more.unrestricted.then_some(None);
        let sources: Vec<_> = more.permits.iter().copied().enumerate().map(Some).chain(whole).collect();
        let like = |one: Ruled<'_>, all: &[Ruled<'_>]| {
            let at = all.iter().position(|other| one.is_like(*other));
            // To see that two lines differ takes less than a step.
            self.work.take(at.unwrap_or(all.len()) / 8).map(|()| at)
        };
        let readers = less.forbids.iter().enumerate().chain(less.permits.iter().enumerate());
        let readers: Vec<_> = readers.filter(|(_, reader)| reader.rule.asks_json()).collect();
        let permits = more.permits.iter().filter(|_| !readers.is_empty());
        let known: Vec<_> = permits.map(|permit| like(*permit, &less.permits)).collect::<Result<_, _>>()?;
        for (at, reader) in readers {
            let forbids = reader.rule.forbids();
            let twin = like(*reader, if forbids { &more.forbids } else { &more.permits })?;
            let before = less.permits.iter().take(if forbids { 0 } else { at });
            let before = before.filter(|ruled| !ruled.rule.asks_json());
            let not: Vec<_> = more.forbids.iter().chain(before).copied().collect();
            self.work.take((sources.len() + not.len()) / 8)?;
            for source in &sources {
                let was = source.and_then(|(number, _)| known.get(number).copied().flatten());
                let stays = |(number, permit): (usize, Ruled<'_>), twin| {
                    forbids || permit.rule.asks_json() || number > twin || was.is_some_and(|was| was < at)
                };
                let is_kept = twin.is_some_and(|twin| source.is_none_or(|source| stays(source, twin)));
                if is_kept {
                    continue;
                }
                self.work.take(0)?;
                if source.is_some_and(|(_, permit)| permit.refuses_as(*reader)) {
                    continue;
                }
                let proof = proofs.next().ok_or("a claim leaves lines out")?;
                let must: Vec<_> = source.iter().map(|(_, permit)| *permit).collect();
                self.each_of((&must, Some(*reader), &not), proof)?;
            }
        }
        ensure(proofs.next().is_none(), "a claim has proofs of no lines")
    }

    fn each(&self, musts: &[Vec<Ruled<'_>>], not: &[Ruled<'_>], proofs: &[Proof]) -> Checked {
        ensure(musts.len() == proofs.len(), "a claim leaves lines out")?;
        let mut pairs = musts.iter().zip(proofs);
        pairs.try_for_each(|(must, proof)| self.each_of((must, None, not), proof))
    }

    fn each_of(&self, rules: Rules<'_>, proof: &Proof) -> Checked {
        proof::check(rules, proof, (&self.closed, &self.work))
    }

    fn side(&self, (side, token): Subject) -> Result<Side<'_>, String> {
        let (program, tokens) = self.programs.get(side).ok_or("no such policy")?;
        let token = token.map(|at| tokens.get(at).copied().ok_or("no such token")).transpose()?;
        let rules = token.map(|id| program.rules_of(id)).unwrap_or_default();
        self.work.take(rules.len())?;
        let rules = rules.into_iter().map(|rule| Ruled { side, program, rule });
        let (forbids, permits) = rules.partition(|ruled| ruled.rule.forbids());
        let name = token.map_or("no token".to_owned(), |id| format!("{:?}", program.token(id).name));
        let unrestricted = token.is_some_and(|id| program.token(id).unrestricted);
        Ok(Side { program, token, permits, forbids, unrestricted, name: format!("{name} of policy {side}") })
    }
}

/// The sentence that `more` allows a request that `less` does not; an error if it is not so.
fn shown(more: &Side<'_>, less: &Side<'_>, request: &Request) -> Result<String, String> {
    let (name, path, query, kind, _) = request;
    let why = match (allows(more, request)?, allows(less, request)?) {
        (Some(true), Some(false)) if less.token.is_none() => missing(less, more)?,
        (Some(true), Some(false)) => format!("{} does not", less.name),
        (Some(true), None) => format!("{} refuses that body as ambiguous", less.name),
        _ => return Err("a request is not decided as the certificate says".to_owned()),
    };
    Ok(format!("{} allows {name} {path:?}, query {query:?}, body {kind}; {why}", more.name))
}

/// The sentence that `more` allows nothing beyond `less`.
fn nothing(more: &Side<'_>, less: &Side<'_>) -> Result<String, String> {
    if more.token.is_none() {
        return Ok(format!("{}, so nothing is allowed beyond it", missing(more, less)?));
    } else if less.token.is_none() {
        return Ok(format!("{} allows nothing; {}", more.name, missing(less, more)?));
    }
    Ok(format!("{} allows nothing beyond {}", more.name, less.name))
}

/// The sentence that a policy has no token for another policy's.
fn missing(side: &Side<'_>, other: &Side<'_>) -> Result<String, String> {
    let token = other.program.token(other.token.ok_or("a claim is about no token")?);
    let none = side.program.token_by_secret_hash(&token.secret_hash).is_none();
    ensure(none, "a policy has the token that it is said to lack")?;
    Ok(format!("{} has the secret of {}", side.name, other.name))
}
