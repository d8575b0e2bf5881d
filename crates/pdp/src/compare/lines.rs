//! Compares the requests that lines allow, under the configuration of either side.
//!
//! A change of the configuration can disable lines: with another `public_url`, lines that name the real host match
//! nothing. Both policies are therefore compared under the old configuration, under the new one, and each under its
//! own. A request that is new in one of the three comparisons counts as new.

use std::collections::HashMap;

use tokenward_compiler::analysis::{
    Analysis, Budget, Cause, Certificates, Difference, Explanation, Finding, Inconclusive, Obstacle, Proxied,
    Request, Subject, Universe,
};
use tokenward_compiler::ir::{LineId, Program, TokenId, Users};

use super::operations::vocabulary;
use crate::Unanswered;
use crate::config::Config;
use crate::config::universe::universe;
use crate::forwarded::proxied;
use crate::request::Product;
use crate::servable::bind;
use crate::side::Side;

/// Both programs, bound to each configuration under which they are compared.
pub struct Bound {
    /// Each pair belongs to one comparison. In the first pair, each program has its own configuration.
    pairs: Vec<(Program, Program)>,
    /// The proxies of each pair, with the configurations that its programs are bound to.
    proxied: Vec<(Proxied, Proxied)>,
    universe: Universe,
    /// The new side's product, whose operations readers know.
    product: Product,
}

impl Bound {
    /// Binds both sides to both configurations.
    ///
    /// # Errors
    /// A side cannot be bound to a configuration.
    pub fn new(old: &Side, new: &Side) -> Result<Self, Unanswered> {
        let both =
            |config: &Config| Ok::<_, Unanswered>((bind(&old.program, config)?, bind(&new.program, config)?));
        let (before, after) = (&old.config, &new.config);
        let (by_old, by_new) = (proxied(before)?, proxied(after)?);
        let (own_proxies, mut proxies) = ((by_old.clone(), by_new.clone()), Vec::new());
        let pairs = if reading(before) == reading(after) {
            vec![both(after)?]
        } else {
            let own = (bind(&old.program, before)?, bind(&new.program, after)?);
            proxies = vec![(by_old.clone(), by_old), (by_new.clone(), by_new)];
            vec![own, both(before)?, both(after)?]
        };
        proxies.insert(0, own_proxies);
        let (of_old, of_new) = (universe(before), universe(after));
        Ok(Self {
            pairs,
            proxied: proxies,
            universe: Universe {
                canonical_paths: of_old.canonical_paths && of_new.canonical_paths,
                get_body: of_old.get_body || of_new.get_body,
            },
            product: after.upstream.product,
        })
    }

    /// Takes two programs that are bound to one configuration already, such as the active one and a draft.
    ///
    /// # Errors
    /// The configuration contains an invalid name or path.
    pub fn of_bound(old: Program, new: Program, config: &Config) -> Result<Self, Unanswered> {
        let proxy = proxied(config)?;
        Ok(Self {
            pairs: vec![(old, new)],
            proxied: vec![(proxy.clone(), proxy)],
            universe: universe(config),
            product: config.upstream.product,
        })
    }

    /// The old and the new program of each comparison, with the proxy of the new one.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&(Program, Program), &Proxied)> {
        let proxies = self.proxied.iter().map(|(_, of_new)| of_new);
        self.pairs.iter().zip(proxies)
    }

    /// Both programs, each under its own configuration.
    pub fn own(&self) -> Option<&(Program, Program)> {
        self.pairs.first()
    }

    /// The new program under the old configuration, then under the new one if lines match differently there.
    /// Each with the proxy of that configuration.
    pub(super) fn of_new_by_config(&self) -> impl Iterator<Item = (&Program, &Proxied)> {
        // The first of several pairs has each program under its own configuration.
        let skipped = usize::from(self.pairs.len() > 1);
        let programs = self.pairs.iter().zip(&self.proxied).skip(skipped);
        programs.map(|((_, new), (_, proxied))| (new, proxied))
    }

    /// Whether the pair at this place has both programs under the old configuration, which is another than the new one.
    fn is_under_old(&self, at: usize) -> bool {
        self.pairs.len() > 1 && at == 1
    }

    pub(super) fn universe(&self) -> Universe {
        self.universe
    }
}

/// The settings on which the meaning of lines depends.
fn reading(config: &Config) -> (&str, bool) {
    (
        config.upstream.public_url.as_str(),
        config.upstream.product.merges(),
    )
}

/// Compares lines, token by token.
pub struct Lines<'p> {
    bound: &'p Bound,
    analyses: Vec<Analysis<'p>>,
    /// Certificates of the answers, if they are wanted.
    certificates: Option<Certificates<'p>>,
}

impl<'p> Lines<'p> {
    /// Prepares the comparison of lines.
    ///
    /// # Errors
    /// The patterns of the sides are too large to compare.
    pub fn new(bound: &'p Bound, budget: &Budget) -> Result<Self, Unanswered> {
        let analyses = bound
            .pairs
            .iter()
            .zip(&bound.proxied)
            .map(|((old, new), (by_old, by_new))| {
                let analysis = Analysis::new(old, new, bound.universe, budget).map_err(Unanswered::proof)?;
                let analysis = analysis.with_vocabulary(vocabulary(bound.product));
                Ok::<_, Unanswered>(analysis.behind(by_old, by_new))
            });
        Ok(Self {
            bound,
            analyses: analyses.collect::<Result<_, _>>()?,
            certificates: None,
        })
    }

    /// Also collects certificates of the answers. Their proofs have a budget of their own.
    pub fn with_certificates(mut self, budget: &Budget) -> Self {
        // The old program of each comparison, then its new one.
        let sides = self.bound.pairs.iter().flat_map(|(old, new)| [old, new]);
        self.certificates = Some(Certificates::new(sides.collect(), self.bound.universe, budget));
        self
    }

    /// The certificates that were collected.
    pub fn into_certificates(self) -> Option<Certificates<'p>> {
        self.certificates
    }

    /// Finds requests that the new token allows beyond any of its old versions. Reviewed lines are left out: permit
    /// lines of the new policy, and lifted forbid lines of the old one.
    pub fn beyond(
        &mut self,
        before: &[TokenId],
        after: TokenId,
        (permits, lifted): (&[LineId], &[LineId]),
    ) -> Result<Direction, Unanswered> {
        let before: Vec<Option<TokenId>> = match before {
            [] => vec![None],
            before => before.iter().copied().map(Some).collect(),
        };
        let mut direction = Direction::default();
        let pairs = self.analyses.iter_mut().zip(&self.bound.pairs).enumerate();
        for (pair, (analysis, (old, new))) in pairs {
            let all: Vec<LineId> = new.lines_of(after).map(|(id, _)| id).collect();
            for before in &before {
                let mut ask = |permits: &[LineId]| {
                    let found = analysis.unreviewed((*before, Some(after)), permits, lifted);
                    found.map_err(Unanswered::proof)
                };
                let found = ask(permits)?;
                if let Some(certificates) = &mut self.certificates {
                    let more = Subject::new(2 * pair + 1, Some(after));
                    certificates.difference(&more, &Subject::new(2 * pair, *before), &found);
                }
                let explains = |finding: &Finding| matches!(finding.cause, Cause::Permit(_));
                // A new permit line can explain requests that a lifted forbid line denied. A second comparison, with
                // all permit lines left out, reports the lifted lines by themselves.
                let lifts = if found.findings.iter().any(explains) {
                    let mut lifts = ask(&all)?;
                    lifts
                        .findings
                        .retain(|finding| matches!(finding.cause, Cause::Lifted(_)));
                    lifts
                } else {
                    Difference::default()
                };
                let origin = Origin {
                    pair,
                    before: *before,
                };
                for mut found in [found, lifts] {
                    if self.bound.is_under_old(pair) {
                        let findings = found.findings.iter_mut();
                        findings.for_each(|finding| finding.obstacles.push(Obstacle::OldConfiguration));
                    }
                    direction.add(found, users_of(new, after), (new, old), origin);
                }
            }
        }
        Ok(direction)
    }

    /// Finds requests that the old token allowed and the new one does not, each under its own configuration.
    pub(super) fn short_of(
        &mut self,
        before: TokenId,
        after: Option<TokenId>,
    ) -> Result<Direction, Unanswered> {
        let mut direction = Direction::default();
        if let (Some(analysis), Some((old, new))) = (self.analyses.first_mut(), self.bound.own()) {
            let found = analysis.compare(Some(before), after).map_err(Unanswered::proof)?;
            if let Some(certificates) = &mut self.certificates {
                let (more, less) = (Subject::new(0, Some(before)), Subject::new(1, after));
                certificates.difference(&more, &less, &found.newly_denied);
            }
            let origin = Origin {
                pair: 0,
                before: Some(before),
            };
            direction.add(found.newly_denied, users_of(old, before), (old, new), origin);
        }
        Ok(direction)
    }

    /// Explains requests that the new token newly allows: what widened, and which request shows it best.
    pub(super) fn explain(&mut self, example: &mut Example, after: TokenId) {
        let Some((_, new)) = self.bound.pairs.get(example.origin.pair) else {
            return;
        };
        let Some(explanation) = self.explanation(&example.proved(), after) else {
            return;
        };
        let telling = explanation.telling.as_ref();
        example.telling_curl = telling.map(|request| curl(request, new, users_of(new, after)));
        example.explanation = Some(explanation);
    }

    /// Explains how the new token comes to allow a request that the old one does not.
    pub fn explanation(&mut self, proved: &Proved, after: TokenId) -> Option<Explanation> {
        let Origin { pair, before } = proved.origin;
        let analysis = self.analyses.get_mut(pair)?;
        Some(analysis.explain((before, Some(after)), &proved.finding))
    }

    /// Number of product states visited so far.
    pub(super) fn visited(&self) -> u64 {
        self.analyses.iter().map(Analysis::visited).sum()
    }
}

fn users_of(program: &Program, token: TokenId) -> &Users {
    &program.token(token).users
}

/// Requests that one policy allows beyond the other.
#[derive(Default)]
pub struct Direction {
    /// Requests that prove the difference.
    pub examples: Vec<Example>,
    /// Why the question was not settled, if it was not.
    pub inconclusive: Option<Inconclusive>,
}

/// A request that one policy allows and the other does not.
pub struct Example {
    /// The request.
    pub request: Request,
    /// The operation of the API that the request is a call of, if a description is known and has it.
    pub operation: Option<String>,
    /// The operations of which the same cause newly allows calls, if a description is known. Empty for a request that is newly denied.
    pub operations: Vec<String>,
    /// A shell command that sends the request.
    pub curl: String,
    /// Cause of the difference.
    pub cause: Cause,
    /// The line that allows the request; `None` if the token is unrestricted.
    pub allowed_by: Option<Line>,
    /// The line on the other side that denies the request, or for whose names the proxy refuses it there; `None` if no line permits it
    /// there, or if its body is refused.
    pub denied_by: Option<Line>,
    /// Whether the other side refuses the request, since its body is ambiguous.
    pub is_refused: bool,
    /// What keeps the proxy from forwarding the request, and every other one of this cause; empty if the proxy of the side that
    /// allows it forwards it.
    pub obstacles: Vec<Obstacle>,
    /// What widened. `None` until it is asked for, and for a request that is newly denied.
    pub explanation: Option<Explanation>,
    /// A shell command that sends the most telling request.
    pub(crate) telling_curl: Option<String>,
    /// The place of `unrestricted = true` in the new policy, if that is the cause and the policy has files.
    pub unrestricted_at: Option<Line>,
    /// The lines that allow and deny, by their ids.
    by: (Option<LineId>, Option<LineId>),
    origin: Origin,
}

/// A request that one policy allows and the other does not, as it was proved: what an explanation starts from.
pub struct Proved {
    finding: Finding,
    origin: Origin,
}

impl Example {
    /// The cause, and the comparison in which it was found.
    pub fn caused(&self) -> (Cause, Origin) {
        (self.cause, self.origin)
    }

    /// What is needed to explain the example later.
    pub fn proved(&self) -> Proved {
        Proved {
            finding: Finding {
                witness: self.request.clone(),
                allowed_by: self.by.0,
                denied_by: self.by.1,
                is_refused: self.is_refused,
                cause: self.cause,
                obstacles: self.obstacles.clone(),
            },
            origin: self.origin,
        }
    }

    /// Whether the proxy forwards no such request, for certain.
    pub fn is_latent(&self) -> bool {
        Obstacle::are_certain(&self.obstacles)
    }

    /// Whether the proxy refuses the request on the other side because of its names.
    pub fn has_ambiguous_name(&self) -> bool {
        matches!(self.cause, Cause::Refused(_))
    }

    /// The line that allows the request, or the one that makes the token unrestricted.
    pub fn allowing_line(&self) -> Option<&Line> {
        self.allowed_by.as_ref().or(self.unrestricted_at.as_ref())
    }

    /// The most telling request, with a shell command that sends it.
    pub fn telling(&self) -> Option<(&Request, &str)> {
        let request = self.explanation.as_ref()?.telling.as_ref()?;
        Some((request, self.telling_curl.as_deref().unwrap_or_default()))
    }
}

/// The comparison in which a request was found.
#[derive(Clone, Copy)]
pub struct Origin {
    /// The number of the bound pair.
    pub(super) pair: usize,
    /// The old version of the token.
    pub(super) before: Option<TokenId>,
}

impl Direction {
    /// Whether it is proved that there is no such request.
    pub fn is_none(&self) -> bool {
        self.examples.is_empty() && self.inconclusive.is_none()
    }

    /// Whether all requests are ones that the proxy does not forward.
    pub fn is_latent(&self) -> bool {
        !self.examples.is_empty()
            && self.inconclusive.is_none()
            && self.examples.iter().all(Example::is_latent)
    }

    /// Adds requests that `more` allows and `less` denies, one for each cause.
    fn add(
        &mut self,
        difference: Difference,
        users: &Users,
        (more, less): (&Program, &Program),
        origin: Origin,
    ) {
        let line = |program: &Program, id: Option<LineId>| id.map(|id| Line::of(program, id));
        let known: HashMap<_, usize> = self
            .examples
            .iter()
            .map(|example| key(example.cause))
            .zip(0..)
            .collect();
        for finding in difference.findings {
            let known = known
                .get(&key(finding.cause))
                .and_then(|at| self.examples.get_mut(*at));
            // A request that the proxy forwards is better than one that it does not.
            if known
                .as_ref()
                .is_some_and(|known| known.obstacles.is_empty() || !finding.obstacles.is_empty())
            {
                continue;
            }
            let example = Example {
                curl: curl(&finding.witness, more, users),
                request: finding.witness,
                operation: None,
                operations: Vec::new(),
                cause: finding.cause,
                allowed_by: line(more, finding.allowed_by),
                denied_by: line(less, finding.denied_by),
                is_refused: finding.is_refused,
                explanation: None,
                telling_curl: None,
                unrestricted_at: None,
                by: (finding.allowed_by, finding.denied_by),
                origin,
                obstacles: finding.obstacles,
            };
            match known {
                Some(known) => *known = example,
                None => self.examples.push(example),
            }
        }
        self.inconclusive = self.inconclusive.or(difference.inconclusive);
    }
}

/// Formats a shell command that sends a request as the first of `users`.
pub fn curl(request: &Request, program: &Program, users: &Users) -> String {
    let user = match users {
        Users::Named(users) => users.first().map_or("USER", String::as_str),
        Users::Any => "USER",
    };
    program
        .base()
        .map(|base| request.curl(base, user))
        .unwrap_or_default()
}

fn key(cause: Cause) -> (u8, Option<LineId>) {
    match cause {
        Cause::Permit(line) => (0, Some(line)),
        Cause::Lifted(line) => (1, Some(line)),
        Cause::Unrestricted => (2, None),
        Cause::Refused(line) => (3, Some(line)),
    }
}

/// A line of either policy.
pub struct Line {
    /// File of the line.
    pub file: String,
    /// Number of the line in the file, from 1.
    pub number: u32,
    /// Text of the line.
    pub text: String,
    /// Digest of the line's text.
    pub digest: String,
}

impl Line {
    fn of(program: &Program, id: LineId) -> Self {
        let line = program.line(id);
        Self {
            file: line.file.to_owned(),
            number: line.number,
            text: line.text.to_owned(),
            digest: line.digest.to_string(),
        }
    }
}
