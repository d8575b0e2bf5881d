//! What lines newly allow, under the configuration of either side.
//!
//! A change of the configuration can make lines look dead: with another `public_url`, lines that name the real host match
//! nothing. So both policies are compared under the old configuration and under the new one, and each under its own. What
//! is more in one of the three is more.

use std::collections::HashSet;

use tokenward_compiler::analysis::{Analysis, Cause, Difference, Finding, Inconclusive, Request, Universe};
use tokenward_compiler::ir::{LineId, Program, TokenId, Users};

use super::super::failure::Failure;
use super::super::side::Side;
use super::super::universe::universe;
use crate::config::Config;

/// Both programs, bound.
pub(in super::super) struct Bound {
    /// Each pair is of one reading of the configurations; in the first each policy has its own.
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

    /// Each policy under its own configuration.
    pub(in super::super) fn own(&self) -> Option<&(Program, Program)> {
        self.pairs.first()
    }

    /// The new policy under the old configuration, then under the new one if that reads lines otherwise.
    pub(super) fn of_new_by_config(&self) -> impl Iterator<Item = &Program> {
        // The first of several pairs has each policy under its own.
        let skipped = usize::from(self.pairs.len() > 1);
        self.pairs.iter().skip(skipped).map(|(_, new)| new)
    }

    pub(super) fn universe(&self) -> Universe {
        self.universe
    }
}

/// What lines depend on.
fn reading(config: &Config) -> (&str, bool) {
    (
        config.upstream.public_url.as_str(),
        config.upstream.product.merges(),
    )
}

/// A program under a configuration.
pub(in super::super) fn bind(program: &Program, config: &Config) -> Result<Program, Failure> {
    let bound = program
        .bind(&config.upstream.public_url)
        .map_err(|error| Failure::Findings(error.to_string()))?;
    Ok(bound.merging_body(config.upstream.product.merges()))
}

/// The comparison of lines, token by token.
pub(in super::super) struct Lines<'p> {
    bound: &'p Bound,
    analyses: Vec<Analysis<'p>>,
}

impl<'p> Lines<'p> {
    pub(in super::super) fn new(bound: &'p Bound, budget: u64) -> Result<Self, Failure> {
        let analyses = bound
            .pairs
            .iter()
            .map(|(old, new)| Analysis::new(old, new, bound.universe, budget).map_err(Failure::trouble));
        Ok(Self {
            bound,
            analyses: analyses.collect::<Result<_, _>>()?,
        })
    }

    /// What the new token allows beyond any of those that it was, but for what was reviewed: permit lines of the new
    /// policy, and lifted forbid lines of the old one.
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
        for (analysis, (old, new)) in self.analyses.iter_mut().zip(&self.bound.pairs) {
            let all: Vec<LineId> = new.lines_of(new.token(after)).map(|(id, _)| id).collect();
            for before in &before {
                let mut ask = |permits: &[LineId]| {
                    let found = analysis.unreviewed((*before, Some(after)), permits, lifted);
                    found.map_err(Failure::trouble)
                };
                let found = ask(permits)?;
                let explains = |finding: &Finding| matches!(finding.cause, Cause::Permit(_));
                // A permit line that is new explains requests that a lifted forbid line denied: each is told by itself.
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

    /// What the old token allowed and the new one does not, each under its own configuration.
    pub(super) fn short_of(&mut self, before: TokenId, after: Option<TokenId>) -> Result<Direction, Failure> {
        let mut direction = Direction::default();
        if let (Some(analysis), Some((old, new))) = (self.analyses.first_mut(), self.bound.own()) {
            let found = analysis.compare(Some(before), after).map_err(Failure::trouble)?;
            direction.add(found.newly_denied, users_of(old, before), (old, new));
        }
        Ok(direction)
    }

    /// Product states that were visited so far.
    pub(super) fn visited(&self) -> u64 {
        self.analyses.iter().map(Analysis::visited).sum()
    }
}

fn users_of(program: &Program, token: TokenId) -> &Users {
    &program.token(token).users
}

/// What one policy allows beyond the other.
#[derive(Default)]
pub(in super::super) struct Direction {
    pub(in super::super) examples: Vec<Example>,
    pub(in super::super) inconclusive: Option<Inconclusive>,
}

/// A request that proves it.
pub(in super::super) struct Example {
    pub(in super::super) request: Request,
    /// A command that sends it.
    pub(in super::super) curl: String,
    /// What makes the difference.
    pub(in super::super) cause: Cause,
    /// The line that allows it; `None`: the token is unrestricted.
    pub(in super::super) allowed_by: Option<Line>,
    /// The forbid line that denies it on the other side; `None`: no line permits it.
    pub(in super::super) denied_by: Option<Line>,
}

impl Direction {
    pub(in super::super) fn is_none(&self) -> bool {
        self.examples.is_empty() && self.inconclusive.is_none()
    }

    /// Adds what `more` allows and `less` denies, once for each cause.
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

/// A command that sends a request as the first of some users.
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

/// A line of one of the policies.
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
