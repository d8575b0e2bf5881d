//! All differences of two policies, as data.

use std::collections::{HashMap, HashSet};

use tokenward_compiler::analysis::{Analysis, Comparison, Difference, Inconclusive, Request};
use tokenward_compiler::ir::{LineId, Program, Token, TokenId, Users};

use super::super::failure::Failure;
use super::attributes::{self, Change};

/// What changed.
pub(super) struct Report {
    /// Settings that policies depend on.
    pub(super) configuration: Vec<Change>,
    /// Tokens that changed, in the order of the new policy; those that are gone behind them.
    pub(super) tokens: Vec<TokenReport>,
    /// How many tokens did not.
    pub(super) unchanged: usize,
    /// The token whose comparison took most, and the states that it visited.
    pub(super) hardest: Option<(String, u64)>,
}

/// What changed of a token.
pub(super) struct TokenReport {
    pub(super) name: String,
    pub(super) standing: Standing,
    /// Beside its lines.
    pub(super) changes: Vec<Change>,
    pub(super) newly_allowed: Direction,
    pub(super) newly_denied: Direction,
}

/// Whether a token is in both policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Kept,
    New,
    Gone,
}

/// What one policy allows beyond the other.
#[derive(Default)]
pub(super) struct Direction {
    pub(super) examples: Vec<Example>,
    pub(super) inconclusive: Option<Inconclusive>,
}

impl Direction {
    pub(super) fn is_none(&self) -> bool {
        self.examples.is_empty() && self.inconclusive.is_none()
    }
}

/// A request that proves it.
pub(super) struct Example {
    pub(super) request: Request,
    /// A command that sends it.
    pub(super) curl: String,
    /// The line that allows it; `None`: the token is unrestricted.
    pub(super) allowed_by: Option<Line>,
    /// The forbid line that denies it on the other side; `None`: no line permits it.
    pub(super) denied_by: Option<Line>,
}

/// A line of one of the policies.
pub(super) struct Line {
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) text: String,
    pub(super) digest: String,
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

impl Report {
    /// Compares all tokens. `progress` is told how many of how many are done.
    pub(super) fn new(
        analysis: &mut Analysis<'_>,
        old: &Program,
        new: &Program,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self, Failure> {
        let pairs = pairs(old, new);
        let mut report = Self {
            configuration: Vec::new(),
            hardest: None,
            tokens: Vec::new(),
            unchanged: 0,
        };
        for (done, pair) in pairs.iter().enumerate() {
            let visited = analysis.visited();
            let comparison = analysis.compare(pair.0, pair.1).map_err(Failure::trouble)?;
            let took = analysis.visited() - visited;
            let sides = (pair.0.map(|id| old.token(id)), pair.1.map(|id| new.token(id)));
            let (token, standing, changes) = match sides {
                (Some(old), Some(new)) => (new, Standing::Kept, attributes::changes(old, new)),
                (None, Some(new)) => (new, Standing::New, Vec::new()),
                (Some(old), None) => (old, Standing::Gone, Vec::new()),
                (None, None) => continue,
            };
            if took > report.hardest.as_ref().map_or(0, |(_, most)| *most) {
                report.hardest = Some((token.name.clone(), took));
            }
            if standing == Standing::Kept && changes.is_empty() && comparison.is_equivalent() {
                report.unchanged += 1;
            } else {
                report
                    .tokens
                    .push(TokenReport::new(token, standing, changes, comparison, old, new));
            }
            progress(done + 1, pairs.len());
        }
        Ok(report)
    }

    /// Whether anything is newly allowed, or may be.
    pub(super) fn widens(&self) -> bool {
        self.tokens.iter().any(TokenReport::widens) || self.configuration.iter().any(|change| change.widens)
    }
}

impl TokenReport {
    fn new(
        token: &Token,
        standing: Standing,
        changes: Vec<Change>,
        comparison: Comparison,
        old: &Program,
        new: &Program,
    ) -> Self {
        let Comparison {
            newly_allowed,
            newly_denied,
        } = comparison;
        Self {
            name: token.name.clone(),
            standing,
            changes,
            newly_allowed: direction(newly_allowed, token, new, old),
            newly_denied: direction(newly_denied, token, old, new),
        }
    }

    pub(super) fn widens(&self) -> bool {
        !self.newly_allowed.is_none() || self.changes.iter().any(|change| change.widens)
    }
}

/// `more` allows what `less` denies.
fn direction(difference: Difference, token: &Token, more: &Program, less: &Program) -> Direction {
    let user = match &token.users {
        Users::Named(users) => users.first().map_or("USER", String::as_str),
        Users::Any => "USER",
    };
    let line = |program: &Program, id: Option<LineId>| id.map(|id| Line::of(program, id));
    let examples = difference.findings.into_iter().map(|finding| Example {
        curl: more
            .base()
            .map(|base| finding.witness.curl(base, user))
            .unwrap_or_default(),
        request: finding.witness,
        allowed_by: line(more, finding.allowed_by),
        denied_by: line(less, finding.denied_by),
    });
    Direction {
        examples: examples.collect(),
        inconclusive: difference.inconclusive,
    }
}

/// Each token with what it was: the one of its secret, or of the secret before a rotation, else the one of its name.
pub(in super::super) fn pairs(old: &Program, new: &Program) -> Vec<(Option<TokenId>, Option<TokenId>)> {
    let mut taken = HashSet::new();
    let mut pairs: Vec<(Option<TokenId>, Option<TokenId>)> = Vec::new();
    for (id, token) in new.tokens() {
        let mut secrets =
            std::iter::once(&token.secret_hash).chain(token.previous.as_ref().map(|(hash, _)| hash));
        let found = secrets
            .find_map(|hash| old.token_by_secret_hash(hash))
            .filter(|old| taken.insert(*old));
        pairs.push((found, Some(id)));
    }
    let by_name: HashMap<&str, TokenId> = old
        .tokens()
        .map(|(id, token)| (token.name.as_str(), id))
        .collect();
    for (found, id) in &mut pairs {
        let name = || id.map_or("", |id| new.token(id).name.as_str());
        if found.is_none() {
            *found = by_name.get(name()).copied().filter(|old| taken.insert(*old));
        }
    }
    let gone = old
        .tokens()
        .filter(|(id, _)| !taken.contains(id))
        .map(|(id, _)| (Some(id), None));
    pairs.into_iter().chain(gone).collect()
}
