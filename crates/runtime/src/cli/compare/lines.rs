//! Compares the requests that lines allow, under the configuration of either side.
//!
//! A change of the configuration can disable lines: with another `public_url`, lines that name the real host match
//! nothing. Both policies are therefore compared under the old configuration, under the new one, and each under its
//! own. A request that is new in one of the three comparisons counts as new.

use std::collections::HashSet;

use tokenward_compiler::analysis::{
    Analysis, Budget, Cause, Certificates, Difference, Finding, Inconclusive, Request, Subject, Universe,
};
use tokenward_compiler::ir::{LineId, Program, TokenId, Users};

use super::super::failure::Failure;
use super::super::side::Side;
use crate::config::Config;
use crate::config::universe::universe;

/// Both programs, bound to each configuration under which they are compared.
pub(in super::super) struct Bound {
    /// Each pair belongs to one comparison. In the first pair, each program has its own configuration.
    pairs: Vec<(Program, Program)>,
    universe: Universe,
}

impl Bound {
    pub(in super::super) fn new(old: &Side, new: &Side) -> Result<Self, Failure> {
        let both =
            |config: &Config| Ok::<_, Failure>((bind(&old.program, config)?, bind(&new.program, config)?));
        let (before, after) = (&old.config, &new.config);
        let pairs = if reading(before) == reading(after) {
            vec![both(after)?]
        } else {
            let own = (bind(&old.program, before)?, bind(&new.program, after)?);
            vec![own, both(before)?, both(after)?]
        };
        let (of_old, of_new) = (universe(before), universe(after));
        Ok(Self {
            pairs,
            universe: Universe {
                canonical_paths: of_old.canonical_paths && of_new.canonical_paths,
                get_body: of_old.get_body || of_new.get_body,
            },
        })
    }

    /// Both programs, each under its own configuration.
    pub(in super::super) fn own(&self) -> Option<&(Program, Program)> {
        self.pairs.first()
    }

    /// The new program under the old configuration, then under the new one if lines match differently there.
    pub(super) fn of_new_by_config(&self) -> impl Iterator<Item = &Program> {
        // The first of several pairs has each program under its own configuration.
        let skipped = usize::from(self.pairs.len() > 1);
        self.pairs.iter().skip(skipped).map(|(_, new)| new)
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

/// Binds a program to a configuration.
pub(in super::super) fn bind(program: &Program, config: &Config) -> Result<Program, Failure> {
    let bound = program
        .bind(&config.upstream.public_url)
        .map_err(|error| Failure::Findings(error.to_string()))?;
    Ok(bound.merging_body(config.upstream.product.merges()))
}

/// Compares lines, token by token.
pub(in super::super) struct Lines<'p> {
    bound: &'p Bound,
    analyses: Vec<Analysis<'p>>,
    /// Certificates of the answers, if they are wanted.
    certificates: Option<Certificates<'p>>,
}

impl<'p> Lines<'p> {
    pub(in super::super) fn new(bound: &'p Bound, budget: &Budget) -> Result<Self, Failure> {
        let analyses = bound
            .pairs
            .iter()
            .map(|(old, new)| Analysis::new(old, new, bound.universe, budget).map_err(Failure::trouble));
        Ok(Self {
            bound,
            analyses: analyses.collect::<Result<_, _>>()?,
            certificates: None,
        })
    }

    /// Also collects certificates of the answers. Their proofs have a budget of their own.
    pub(in super::super) fn with_certificates(mut self, budget: &Budget) -> Self {
        // The old program of each comparison, then its new one.
        let sides = self.bound.pairs.iter().flat_map(|(old, new)| [old, new]);
        self.certificates = Some(Certificates::new(sides.collect(), self.bound.universe, budget));
        self
    }

    /// The certificates that were collected.
    pub(in super::super) fn into_certificates(self) -> Option<Certificates<'p>> {
        self.certificates
    }

    /// Finds requests that the new token allows beyond any of its old versions. Reviewed lines are left out: permit
    /// lines of the new policy, and lifted forbid lines of the old one.
    pub(in super::super) fn beyond(
        &mut self,
        before: &[TokenId],
        after: TokenId,
        (permits, lifted): (&[LineId], &[LineId]),
    ) -> Result<Direction, Failure> {
        let before: Vec<Option<TokenId>> = match before {
            [] => vec![None],
            before => before.iter().copied().map(Some).collect(),
        };
        let mut direction = Direction::default();
        let analyses = self.analyses.iter_mut().zip(&self.bound.pairs);
        for (at, (analysis, (old, new))) in analyses.enumerate() {
            let all: Vec<LineId> = new.lines_of(after).map(|(id, _)| id).collect();
            for before in &before {
                let mut ask = |permits: &[LineId]| {
                    let found = analysis.unreviewed((*before, Some(after)), permits, lifted);
                    found.map_err(Failure::trouble)
                };
                let found = ask(permits)?;
                if let Some(certificates) = &mut self.certificates {
                    let (more, less) = (subject(2 * at + 1, Some(after)), subject(2 * at, *before));
                    certificates.difference(more, less, &found);
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
                for found in [found, lifts] {
                    direction.add(found, users_of(new, after), (new, old));
                }
            }
        }
        Ok(direction)
    }

    /// Finds requests that the old token allowed and the new one does not, each under its own configuration.
    pub(super) fn short_of(&mut self, before: TokenId, after: Option<TokenId>) -> Result<Direction, Failure> {
        let mut direction = Direction::default();
        if let (Some(analysis), Some((old, new))) = (self.analyses.first_mut(), self.bound.own()) {
            let found = analysis.compare(Some(before), after).map_err(Failure::trouble)?;
            if let Some(certificates) = &mut self.certificates {
                certificates.difference(subject(0, Some(before)), subject(1, after), &found.newly_denied);
            }
            direction.add(found.newly_denied, users_of(old, before), (old, new));
        }
        Ok(direction)
    }

    /// Number of product states visited so far.
    pub(super) fn visited(&self) -> u64 {
        self.analyses.iter().map(Analysis::visited).sum()
    }
}

fn subject(side: usize, token: Option<TokenId>) -> Subject {
    Subject { side, token }
}

fn users_of(program: &Program, token: TokenId) -> &Users {
    &program.token(token).users
}

/// Requests that one policy allows beyond the other.
#[derive(Default)]
pub(in super::super) struct Direction {
    pub(in super::super) examples: Vec<Example>,
    pub(in super::super) inconclusive: Option<Inconclusive>,
}

/// A request that one policy allows and the other does not.
pub(in super::super) struct Example {
    pub(in super::super) request: Request,
    /// A shell command that sends the request.
    pub(in super::super) curl: String,
    /// Cause of the difference.
    pub(in super::super) cause: Cause,
    /// The line that allows the request; `None` if the token is unrestricted.
    pub(in super::super) allowed_by: Option<Line>,
    /// The forbid line that denies the request on the other side; `None` if no line permits it there.
    pub(in super::super) denied_by: Option<Line>,
}

impl Direction {
    pub(in super::super) fn is_none(&self) -> bool {
        self.examples.is_empty() && self.inconclusive.is_none()
    }

    /// Adds requests that `more` allows and `less` denies, one for each cause.
    fn add(&mut self, difference: Difference, users: &Users, (more, less): (&Program, &Program)) {
        let line = |program: &Program, id: Option<LineId>| id.map(|id| Line::of(program, id));
        let known: HashSet<_> = self.examples.iter().map(|example| key(example.cause)).collect();
        for finding in difference.findings {
            if known.contains(&key(finding.cause)) {
                continue;
            }
            self.examples.push(Example {
                curl: curl(&finding.witness, more, users),
                request: finding.witness,
                cause: finding.cause,
                allowed_by: line(more, finding.allowed_by),
                denied_by: line(less, finding.denied_by),
            });
        }
        self.inconclusive = self.inconclusive.or(difference.inconclusive);
    }
}

/// Formats a shell command that sends a request as the first of `users`.
pub(super) fn curl(request: &Request, program: &Program, users: &Users) -> String {
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
    }
}

/// A line of either policy.
pub(in super::super) struct Line {
    pub(in super::super) file: String,
    pub(in super::super) number: u32,
    pub(in super::super) text: String,
    pub(in super::super) digest: String,
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
