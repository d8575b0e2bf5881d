//! Checks a certificate line by line: what a line rests on comes before it.

use std::slice::Iter;

use tokenward_compiler::ir::{MatcherId, Pattern, Program, TokenId, UrlId};
use tokenward_compiler::{BaseUrl, artifact, visible};

use crate::closed::{Part, check_closed};
use crate::format::{Checked, Line, Literal, Policy, Proof, Request, Subject, Work};
use crate::format::{ensure, ensure_ascending};
use crate::proof::{self, Closed};
use crate::rule::{Ruled, Side, allows};

const VERSION: u32 = 4;

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
    let mut checker = Checker { work: Work::for_bytes(certificate.len()), ..Checker::default() };
    let end = certificate.lines().count().checked_sub(1).ok_or("the certificate is empty")?;
    for (at, line) in certificate.lines().enumerate() {
        let read = serde_json::from_str(line).map_err(|error| error.to_string());
        let checked = read.and_then(|line| match line {
            Line::Tokenward(VERSION, policies, bodies) if at == 0 => checker.begin(&policies, bodies, &given),
            Line::End((of,)) if at == end => ensure(of == at, "there are other lines than the end says"),
            line if at > 0 && at < end => checker.line(line),
            _ => ensure(false, "a line in the wrong place, or of another version, or the end is missing"),
        });
        checked.map_err(|why| visible(&format!("line {}: {why}", at + 1)))?;
    }
    ensure(end > 0, "the certificate has no end").map(|()| checker.report)
}

#[derive(Default)]
struct Checker {
    programs: Vec<Program>,
    /// Whether GET and HEAD count with a body too.
    bodies: bool,
    closed: Vec<Closed>,
    work: Work,
    report: Report,
}

impl Checker {
    fn begin(&mut self, policies: &[Policy], bodies: bool, given: &[Program]) -> Checked {
        self.bodies = bodies;
        for (digest, base, merges) in policies {
            let program = given.iter().find(|program| program.digest() == digest);
            let program = program.ok_or_else(|| format!("policy {digest:?} is not given"))?;
            let base = BaseUrl::parse(base).map_err(|error| error.to_string())?;
            self.programs.push(program.bind(&base).map_err(|error| error.to_string())?.merging_body(*merges));
            let settings = format!("merges bodies: {merges}, bodies of GET and HEAD: {bodies}");
            self.report.about.push(visible(&format!("{digest} at {base}, {settings}")));
        }
        Ok(())
    }

    fn line(&mut self, line: Line) -> Checked {
        let claim = match line {
            Line::Closed(rooted, of, tuples) => {
                // A text is UTF-8, and does or does not match each part.
                let all = [Some((Pattern::Utf8, true))].into_iter().chain(of.iter().map(|of| self.part(*of)));
                let parts: Option<Vec<_>> = all.collect();
                check_closed(rooted, &parts.ok_or("no such part of a matcher")?, &tuples, &self.work)?;
                self.closed.push((rooted, of));
                return Ok(());
            }
            Line::Beyond(more, less, proofs) => {
                let (more, less) = self.sides(&more, less.as_ref())?;
                self.beyond(&more, &less, proofs.iter())?;
                let name = names(&more);
                let of = if self.bodies { "" } else { " (GET and HEAD without a body)" };
                match less.policy {
                    Some(_) => format!("{name} allows nothing beyond {}{of}", less.name),
                    None => format!("no request is allowed by {name}{of}"),
                }
            }
            Line::Request(more, less, request) => {
                let is_whole = more.iter().chain(&less).all(|(.., lines)| lines.is_none());
                ensure(is_whole, "a request is decided by all lines of a token")?;
                let counts = self.bodies || request.3 == "absent" || !matches!(&*request.0, "GET" | "HEAD");
                ensure(counts, "GET and HEAD count without a body here")?;
                let (more, less) = self.sides(&more, less.as_ref())?;
                shown(&more, &less, &request)?
            }
            Line::Open((what,)) => {
                self.report.open.push(visible(&what));
                return Ok(());
            }
            Line::Tokenward(..) | Line::End(..) => return Err("a line in the wrong place".to_owned()),
        };
        self.report.claims.push(visible(&claim));
        Ok(())
    }

    fn part(&self, (side, is_url, id, part, is): Literal) -> Option<Part<'_>> {
        let program = self.programs.get(side)?;
        let url = || program.path_matcher(UrlId::numbered(id));
        let matcher = if is_url { url() } else { program.value_matcher(MatcherId::numbered(id)) };
        Some((matcher.pattern(part)?, is))
    }

    /// Checks that all requests that each of `more` allows are allowed by `less`, which refuses none of their bodies.
    fn beyond(&self, more: &[Side<'_>], less: &Side<'_>, mut proofs: Iter<'_, Proof>) -> Checked {
        let mut all = more.iter().chain([less]).flat_map(|side| side.permits.iter().chain(&side.forbids));
        let merged = all.any(|of| of.program.merges_body() && (of.rule.asks_query() || of.rule.asks_json()));
        ensure(!merged, "the upstream merges bodies and queries, and proofs do not cover that")?;
        let mut show = |must: &[Ruled<'_>], reader: Option<Ruled<'_>>, not: &[Ruled<'_>]| {
            let proof = proofs.next().ok_or("a claim leaves lines out")?;
            proof::check((must, reader, not), self.bodies, proof, (&self.closed, &self.work))
        };
        // A permit line of each of `more`; none of one that allows all that its forbid lines do not match.
        let mut sources = vec![Vec::new()];
        for side in more.iter().filter(|side| !side.unrestricted) {
            self.work.take(sources.len() * side.permits.len())?;
            let pairs = sources.iter().flat_map(|source| side.permits.iter().map(move |one| (source, one)));
            sources = pairs.map(|(source, permit)| [source.as_slice(), &[*permit]].concat()).collect();
        }
        let own: Vec<_> = more.iter().flat_map(|side| side.forbids.iter().copied()).collect();
        // A permit line of `less` matches.
        let not = [own.as_slice(), &less.permits].concat();
        sources.iter().filter(|_| !less.unrestricted).try_for_each(|source| show(source, None, &not))?;
        // No forbid line of `less` matches.
        for forbid in &less.forbids {
            if self.like(*forbid, &own)?.is_none() {
                let mut with = sources.iter().map(|source| [source.as_slice(), &[*forbid]].concat());
                with.try_for_each(|must| show(&must, None, &own))?;
            }
        }
        // No line of `less` that looks at the body refuses it as ambiguous. If `more` has the same line, both refuse it, unless a
        // permit line before that one decides without the body.
        let (permits, whole) = more.first().map_or((&[][..], false), |one| (&one.permits, one.unrestricted));
        let decides = |ruled: &&Ruled<'_>| !ruled.rule.asks_json();
        let readers = less.forbids.iter().enumerate().chain(less.permits.iter().enumerate());
        for (at, reader) in readers.filter(|(_, one)| !decides(one)) {
            let forbids = reader.rule.forbids();
            let same = self.like(*reader, if forbids { &own } else { permits })?;
            let before = less.permits.iter().take(if forbids { 0 } else { at }).filter(decides);
            let not: Vec<_> = own.iter().chain(before).copied().collect();
            self.work.take((permits.len() + not.len()) / 8)?;
            for (number, source) in permits.chunks(1).chain(whole.then_some(&[][..])).enumerate() {
                let may_decide = source.iter().any(|permit| decides(&permit));
                let is_kept = same.is_some_and(|same| forbids || number > same || !may_decide);
                if !is_kept && !source.iter().any(|permit| permit.refuses_as(*reader)) {
                    show(source, Some(*reader), &not)?;
                }
            }
        }
        ensure(proofs.next().is_none(), "a claim has proofs of no lines")
    }

    /// The place of a rule that is built like this one.
    fn like(&self, one: Ruled<'_>, all: &[Ruled<'_>]) -> Result<Option<usize>, String> {
        let at = all.iter().position(|other| one.program.has_alike(one.rule, other.program, other.rule));
        // To see that two lines differ takes less than a step.
        self.work.take(at.unwrap_or(all.len()) / 8).map(|()| at)
    }

    /// Some tokens, and the one that they are compared with, which allows nothing if there is none.
    fn sides(&self, more: &[Subject], less: Option<&Subject>) -> Result<(Vec<Side<'_>>, Side<'_>), String> {
        let compares = more.len() == 1 || more.len() > 1 && less.is_none();
        ensure(compares, "a claim is about tokens together, or compares one with another")?;
        let sides = more.iter().map(|one| self.side(one, less)).collect::<Result<_, _>>()?;
        Ok((sides, less.map(|one| self.side(one, more.first())).transpose()?.unwrap_or_default()))
    }

    fn token(&self, (side, token, _): &Subject) -> Result<(&Program, Option<TokenId>), String> {
        let program = self.programs.get(*side).ok_or("no such policy")?;
        let token = token.map(|at| program.token_at(at).ok_or("no such token")).transpose()?;
        Ok((program, token))
    }

    /// The lines of a token. If its policy has none, it is the one of `other`, whose secret no token of the policy has.
    fn side(&self, subject: &Subject, other: Option<&Subject>) -> Result<Side<'_>, String> {
        let ((program, token), (number, _, lines)) = (self.token(subject)?, subject);
        let Some(token) = token else {
            let (theirs, token) = self.token(other.ok_or("a claim is about no token")?)?;
            let token = theirs.token(token.ok_or("a claim is about no token")?);
            let has = program.token_by_secret_hash(&token.secret_hash).is_some();
            ensure(!has, "a policy has the token that it is said to lack")?;
            let name = format!("policy {number}, which has no token with the secret of {:?},", token.name);
            return Ok(Side { policy: Some(program), name, ..Side::default() });
        };
        let rules = program.rules_of(token).into_iter().map(|rule| Ruled { side: *number, program, rule });
        let mut rules: Vec<_> = rules.collect();
        self.work.take(rules.len())?;
        let mut name = format!("{:?} of policy {number}", program.token(token).name);
        if let Some((only, lines)) = lines {
            ensure_ascending(lines)?;
            let shown = |at: &usize| rules.get(*at).map(|ruled| program.shown(ruled.rule));
            let named: Option<Vec<_>> = lines.iter().map(shown).collect();
            let named = named.ok_or("no such line")?.join(", ");
            name.push_str(&format!(" with{} {named}", if *only { " only" } else { "out" }));
            let mut places = 0..;
            rules.retain(|_| places.next().is_some_and(|at| lines.binary_search(&at).is_ok() == *only));
        }
        let (forbids, permits) = rules.into_iter().partition(|ruled| ruled.rule.forbids());
        let unrestricted = program.token(token).unrestricted;
        Ok(Side { policy: Some(program), token: Some(token), permits, forbids, unrestricted, name })
    }
}

/// The sentence that all of `more` allow a request that `less` does not; an error if it is not so.
fn shown(more: &[Side<'_>], less: &Side<'_>, request: &Request) -> Result<String, String> {
    for side in more {
        ensure(allows(side, request)? == Some(true), "a request is not allowed as the certificate says")?;
    }
    let why = match allows(less, request)? {
        Some(true) => return Err("a request is not denied as the certificate says".to_owned()),
        _ if less.policy.is_none() => String::new(),
        Some(false) => format!("; {} does not", less.name),
        None => format!("; {} refuses that body as ambiguous", less.name),
    };
    let (name, path, query, kind, _) = request;
    Ok(format!("{} allows {name} {path:?}, query {query:?}, body {kind}{why}", names(more)))
}

fn names(sides: &[Side<'_>]) -> String {
    sides.iter().map(|side| side.name.as_str()).collect::<Vec<_>>().join(" and by ")
}
