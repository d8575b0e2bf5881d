//! The comparison of two sides as data: `diff` shows it, and `--no-new-access` requires reviews for it.

use tokenward_compiler::analysis::{Budget, Request};
use tokenward_compiler::diagnostic::Code;
use tokenward_compiler::ir::TokenId;

use super::super::failure::Failure;
use super::super::side::Side;
use super::change::Change;
use super::invariants::{Breach, Kept, Lost};
use super::lines::{Bound, Direction, Lines};
use super::pairing::{Pair, pairs};
use super::sets::{self, Grown};
use super::{attributes, configuration, unrestricted};

/// Differences between two sides.
pub(in super::super) struct Report {
    /// Changed settings.
    pub(in super::super) configuration: Vec<Change>,
    /// Invariants of the old side that the new one lacks.
    pub(in super::super) invariants: Vec<Lost>,
    /// Sets that grew and that no token includes.
    pub(in super::super) sets: Vec<Grown>,
    /// Changed tokens in the order of the new policy, then the removed ones.
    pub(in super::super) tokens: Vec<TokenReport>,
    /// Number of unchanged tokens.
    pub(in super::super) unchanged: usize,
    /// The token whose comparison visited the most states, with their number.
    pub(in super::super) hardest: Option<(String, u64)>,
}

/// Differences of one token.
pub(in super::super) struct TokenReport {
    pub(in super::super) name: String,
    pub(in super::super) standing: Standing,
    /// Old versions with which the token is compared.
    pub(in super::super) before: Vec<TokenId>,
    /// The token in the new policy; `None` if it was removed.
    pub(in super::super) after: Option<TokenId>,
    /// Changes of the token's keys.
    pub(in super::super) changes: Vec<Change>,
    /// Credentials that the name did not have, if it was another token's.
    pub(in super::super) strange_credentials: Vec<Change>,
    /// Invariants of the old side that it breaks.
    pub(in super::super) breaches: Vec<Breach>,
    pub(in super::super) newly_allowed: Direction,
    pub(in super::super) newly_denied: Direction,
}

/// Whether a token is in both policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Standing {
    Kept,
    New,
    Gone,
}

impl Report {
    /// Compares two sides. `progress` receives the number of compared tokens, and their total.
    pub(in super::super) fn new(
        (old, new): (&Side, &Side),
        (bound, lines): (&Bound, &mut Lines<'_>),
        budget: &Budget,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self, Failure> {
        let pairs = pairs(&old.program, &new.program);
        let mut kept = Kept::new((old, new), bound, &pairs, budget)?;
        let mut report = Self {
            configuration: configuration::changes(&old.config, &new.config),
            invariants: std::mem::take(&mut kept.lost),
            sets: sets::grown(old, new),
            hardest: None,
            tokens: Vec::new(),
            unchanged: 0,
        };
        let count = pairs.len();
        for (done, pair) in pairs.into_iter().enumerate() {
            let visited = lines.visited();
            let mut token = TokenReport::new((old, new), lines, pair)?;
            let freed = kept.freed.iter().filter(|(of, _)| Some(*of) == token.after);
            token.changes.extend(freed.map(|(_, change)| change.clone()));
            let mine = |breach: &Breach| Some(breach.token) == token.after;
            let (mine, others) = kept.breaches.into_iter().partition(mine);
            (token.breaches, kept.breaches) = (mine, others);
            let took = lines.visited() - visited;
            if took > report.hardest.as_ref().map_or(0, |(_, most)| *most) {
                report.hardest = Some((token.name.clone(), took));
            }
            if token.is_unchanged() {
                report.unchanged += 1;
            } else {
                report.tokens.push(token);
            }
            progress(done + 1, count);
        }
        Ok(report)
    }

    /// Explains each request that is newly allowed. Costs more questions, of the steps that the proofs left.
    pub(in super::super) fn explain(&mut self, lines: &mut Lines<'_>, new: &Side) {
        for token in &mut self.tokens {
            let Some(after) = token.after else { continue };
            for example in &mut token.newly_allowed.examples {
                lines.explain(example, after);
                if example.allowed_by.is_none() {
                    example.unrestricted_at = unrestricted::place(new, after);
                }
            }
        }
    }

    /// Names the operation of the API that each request is a call of: of the most telling request, if there is one.
    pub(in super::super) fn name_operations(&mut self, name: &dyn Fn(&Request) -> Option<String>) {
        let tokens = self.tokens.iter_mut();
        let directions = tokens.flat_map(|token| [&mut token.newly_allowed, &mut token.newly_denied]);
        for example in directions.flat_map(|direction| &mut direction.examples) {
            let telling = example.telling().and_then(|(request, _)| name(request));
            example.operation = telling.or_else(|| name(&example.request));
        }
    }

    /// Whether the new side gives more, or may give more.
    pub(in super::super) fn widens(&self) -> bool {
        self.finds() || self.is_open()
    }

    /// Whether the new side certainly gives more.
    pub(in super::super) fn finds(&self) -> bool {
        self.tokens.iter().any(TokenReport::finds)
            || self.configuration.iter().any(|change| change.widens.is_some())
            || !self.invariants.is_empty()
    }

    /// Whether the new side gives more, and this is more than a changed setting whose direction is not known.
    pub(in super::super) fn surely_widens(&self) -> bool {
        let is_sure = |change: &Change| change.widens.is_some() && change.is_certain;
        self.tokens.iter().any(TokenReport::finds)
            || self.configuration.iter().any(is_sure)
            || !self.invariants.is_empty()
    }

    /// Whether a question was not settled, in either direction.
    pub(in super::super) fn has_open_question(&self) -> bool {
        self.tokens.iter().any(TokenReport::has_open_question)
    }

    /// Whether it was not settled that the new side gives no more.
    pub(in super::super) fn is_open(&self) -> bool {
        self.tokens.iter().any(TokenReport::is_open)
    }
}

impl TokenReport {
    fn new((old, new): (&Side, &Side), lines: &mut Lines<'_>, pair: Pair) -> Result<Self, Failure> {
        let Pair {
            before,
            after,
            namesake,
        } = pair;
        // Compare the keys with those of the first old version, which is the one to show.
        let first = before.first().copied();
        let (is, was) = (
            after.map(|id| new.program.token(id)),
            first.map(|id| old.program.token(id)),
        );
        let mut changes = is.map_or_else(Vec::new, |is| attributes::changes(was, is));
        // Add changes that give more than a further old version had, and the secret if the name belonged to another
        // token.
        for other in before.iter().skip(1) {
            let further = is.map(|is| attributes::changes(Some(old.program.token(*other)), is));
            let gives = |change: &Change| change.widens.is_some_and(|code| code != Code::NewCredential);
            for change in further.into_iter().flatten().filter(gives) {
                if !changes
                    .iter()
                    .any(|known| known.key == change.key && known.widens.is_some())
                {
                    changes.push(change);
                }
            }
        }
        let namesake = namesake.map(|id| old.program.token(id)).zip(is);
        changes.extend(namesake.and_then(|(was, is)| attributes::credential_of_name(was, is)));
        let renamed = is.filter(|is| was.is_some_and(|was| was.name != is.name));
        let strange_credentials =
            renamed.map_or_else(Vec::new, |is| attributes::strange_credentials(&old.program, is));
        let newly_allowed = match after {
            Some(after) => lines.beyond(&before, after, (&[], &[]))?,
            None => Direction::default(),
        };
        let newly_denied = match first {
            Some(first) => lines.short_of(first, after)?,
            None => Direction::default(),
        };
        Ok(Self {
            name: is.or(was).map_or_else(String::new, |token| token.name.clone()),
            standing: match (first, after) {
                (Some(_), Some(_)) => Standing::Kept,
                (None, _) => Standing::New,
                (Some(_), None) => Standing::Gone,
            },
            before,
            after,
            changes,
            strange_credentials,
            breaches: Vec::new(),
            newly_allowed,
            newly_denied,
        })
    }

    fn is_unchanged(&self) -> bool {
        self.standing == Standing::Kept
            && self.changes.is_empty()
            && self.breaches.is_empty()
            && self.newly_allowed.is_none()
            && self.newly_denied.is_none()
    }

    pub(in super::super) fn widens(&self) -> bool {
        self.finds() || self.is_open()
    }

    /// Whether it certainly gives more.
    pub(in super::super) fn finds(&self) -> bool {
        !self.newly_allowed.examples.is_empty()
            || self.changes.iter().any(|change| change.widens.is_some())
            || self.breaches.iter().any(|breach| breach.found.witness.is_some())
    }

    /// Whether it differs for certain.
    pub(in super::super) fn differs(&self) -> bool {
        self.finds()
            || self.standing != Standing::Kept
            || !self.changes.is_empty()
            || !self.newly_denied.examples.is_empty()
    }

    /// Whether a question about it was not settled, in either direction.
    pub(in super::super) fn has_open_question(&self) -> bool {
        self.is_open() || self.newly_denied.inconclusive.is_some()
    }

    /// Whether it was not settled that it gives no more than was found.
    pub(in super::super) fn is_open(&self) -> bool {
        self.newly_allowed.inconclusive.is_some()
            || self
                .breaches
                .iter()
                .any(|breach| breach.found.inconclusive.is_some())
    }
}
