//! Checks a certificate line by line: what a line rests on comes before it.

use tokenward_compiler::ir::{MatcherId, Program, TokenId, UrlId};
use tokenward_compiler::{BaseUrl, artifact};

use crate::format::{Checked, Line, Literal, Policy, Proof, Subject, ensure};
use crate::pattern::{Pattern, check_closed, patterns};
use crate::proof::{self, Closed};
use crate::rule::{Ruled, Side, allows};

const VERSION: u32 = 1;

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
    for (at, line) in certificate.lines().enumerate() {
        let read = serde_json::from_str(line).map_err(|error| error.to_string());
        let checked = read.and_then(|read| match read {
            Line::Tokenward(VERSION, policies, bodies) if at == 0 => checker.begin(&policies, bodies, &given),
            _ if ended || at == 0 => ensure(false, "a line in the wrong place"),
            Line::End((of,)) => {
                ended = true;
                ensure(of == at, "the certificate has other lines than its end says")
            }
            line => checker.line(line),
        });
        checked.map_err(|why| format!("line {}: {why}", at + 1))?;
    }
    ensure(ended, "the certificate has no end").map(|()| checker.report)
}

#[derive(Default)]
struct Checker {
    programs: Vec<(Program, Vec<TokenId>)>,
    get_body: bool,
    closed: Vec<Closed>,
    report: Report,
}

impl Checker {
    fn begin(&mut self, policies: &[Policy], get_body: bool, given: &[Program]) -> Checked {
        self.get_body = get_body;
        for (digest, base, merges) in policies {
            let program = given.iter().find(|program| program.digest() == digest);
            let program = program.ok_or_else(|| format!("policy {digest:?} is not given"))?;
            let base = BaseUrl::parse(base).map_err(|error| error.to_string())?;
            let program = program.bind(&base).map_err(|error| error.to_string())?.merging_body(*merges);
            let tokens = program.tokens().map(|(id, _)| id).collect();
            self.programs.push((program, tokens));
            let bodies = if get_body { ", GET and HEAD with bodies" } else { "" };
            self.report.about.push(format!("{digest} at {base}, merges bodies: {merges}{bodies}"));
        }
        Ok(())
    }

    fn line(&mut self, line: Line) -> Checked {
        let claim = match line {
            Line::Closed(rooted, of, tuples) => {
                let patterns: Vec<_> = of.iter().map(|of| self.pattern(*of)).collect::<Result<_, _>>()?;
                check_closed(rooted, &patterns, &tuples)?;
                self.closed.push((rooted, of));
                return Ok(());
            }
            Line::Beyond(more, less, permits, forbids) => {
                let (more, less) = (self.side(more)?, self.side(less)?);
                self.beyond(&more, &less, &permits, &forbids)?;
                format!("{} allows nothing beyond {}", more.name, less.name)
            }
            Line::Request(more, less, request) => {
                let (more, less) = (self.side(more)?, self.side(less)?);
                let says = |side: &Side<'_>| allows(side, &request, self.get_body);
                ensure(says(&more)? && !says(&less)?, "a request is not decided as the certificate says")?;
                format!("{} allows {} {:?}, and {} does not", more.name, request.0, request.1, less.name)
            }
            Line::Open(one, other) => {
                let (one, other) = (self.side(one)?.name, self.side(other)?.name);
                self.report.open.push(format!("{one}, {other}"));
                return Ok(());
            }
            Line::Tokenward(..) | Line::End(..) => return Err("a line in the wrong place".to_owned()),
        };
        self.report.claims.push(claim);
        Ok(())
    }

    fn pattern(&self, (side, is_url, id, part, is): Literal) -> Result<(Pattern<'_>, bool), String> {
        let (program, _) = self.programs.get(side).ok_or("no such policy")?;
        let url = || program.path_matcher(UrlId::numbered(id));
        let matcher = if is_url { url() } else { program.value_matcher(MatcherId::numbered(id)) };
        let mut parts = patterns(matcher).unwrap_or_default().into_iter();
        Ok((parts.nth(part).ok_or("no such part of a matcher")?, is))
    }

    /// Checks that no permit line of the one allows more than the other does, and that no forbid line of the other is missing.
    fn beyond(&self, more: &Side<'_>, less: &Side<'_>, permits: &[Proof], forbids: &[Vec<Proof>]) -> Checked {
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

    fn each(&self, musts: &[Vec<Ruled<'_>>], not: &[Ruled<'_>], proofs: &[Proof]) -> Checked {
        ensure(musts.len() == proofs.len(), "a claim leaves lines out")?;
        let merges = |ruled: &Ruled<'_>| ruled.program.merges_body() && ruled.asks();
        let merged = musts.iter().flatten().chain(not).any(merges);
        ensure(!merged, "the upstream merges bodies and queries, of which proofs say nothing")?;
        let mut pairs = musts.iter().zip(proofs);
        pairs.try_for_each(|(must, proof)| proof::check((must, not), proof, (&self.closed, self.get_body)))
    }

    fn side(&self, (side, token): Subject) -> Result<Side<'_>, String> {
        let (program, tokens) = self.programs.get(side).ok_or("no such policy")?;
        let token = token.map(|at| tokens.get(at).copied().ok_or("no such token")).transpose()?;
        let rules = token.map(|id| program.rules_of(id)).unwrap_or_default();
        let rules = rules.into_iter().map(|rule| Ruled { side, program, rule });
        let (forbids, permits) = rules.partition(|ruled| ruled.forbids());
        let name = token.map_or("no token".to_owned(), |id| format!("{:?}", program.token(id).name));
        let unrestricted = token.is_some_and(|id| program.token(id).unrestricted);
        Ok(Side { program, token, permits, forbids, unrestricted, name: format!("{name} of policy {side}") })
    }
}
