//! The comparison of two sides as data: `diff` shows it, and `--no-new-access` requires reviews for it.

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::Code;
use tokenward_compiler::ir::TokenId;

use super::change::Change;
use super::invariants::{Breach, Kept, Lost};
use super::lines::{Bound, Direction, Lines};
use super::pairing::{Pair, pairs};
use super::sets::{self, Grown};
use super::{attributes, configuration, unrestricted};
use crate::Unanswered;
use crate::side::Side;

/// Differences between two sides.
pub struct Report {
    /// Changed settings.
    pub configuration: Vec<Change>,
    /// Invariants of the old side that the new one lacks.
    pub invariants: Vec<Lost>,
    /// Sets that grew and that no token includes.
    pub sets: Vec<Grown>,
    /// Changed tokens in the order of the new policy, then the removed ones.
    pub tokens: Vec<TokenReport>,
    /// Number of unchanged tokens.
    pub unchanged: usize,
    /// The token whose comparison visited the most states, with their number.
    pub(crate) hardest: Option<(String, u64)>,
}

/// Differences of one token.
pub struct TokenReport {
    /// Name of the token.
    pub name: String,
    /// Which sides have the token.
    pub standing: Standing,
    /// Old versions with which the token is compared.
    pub before: Vec<TokenId>,
    /// The token in the new policy; `None` if it was removed.
    pub after: Option<TokenId>,
    /// Changes of the token's keys.
    pub changes: Vec<Change>,
    /// Credentials that the name did not have, if it was another token's.
    pub strange_credentials: Vec<Change>,
    /// Invariants of the old side that it breaks.
    pub breaches: Vec<Breach>,
    /// Requests that only the new side allows.
    pub newly_allowed: Direction,
    /// Requests that only the old side allows.
    pub newly_denied: Direction,
}

/// Whether a token is in both policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Both sides have the token.
    Kept,
    /// Only the new side has the token.
    New,
    /// Only the old side has the token.
    Gone,
}

impl Report {
    /// Compares two sides. `progress` receives the number of compared tokens, and their total.
    pub fn new(
        (old, new): (&Side, &Side),
        (bound, lines): (&Bound, &mut Lines<'_>),
        budget: &Budget,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self, Unanswered> {
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

    /// Compares the lines of one token, and explains each request that is newly allowed. Keys of tokens, settings and invariants are
    /// not compared.
    ///
    /// # Errors
    /// A proof failed.
    pub fn of_token(
        lines: &mut Lines<'_>,
        name: &str,
        (before, after): (Option<TokenId>, TokenId),
    ) -> Result<Self, Unanswered> {
        let old: Vec<TokenId> = before.into_iter().collect();
        let mut newly_allowed = lines.beyond(&old, after, (&[], &[]))?;
        let newly_denied = match before {
            Some(before) => lines.short_of(before, Some(after))?,
            None => Direction::default(),
        };
        for example in &mut newly_allowed.examples {
            lines.explain(example, after);
        }
        let token = TokenReport {
            name: name.to_owned(),
            standing: match before {
                Some(_) => Standing::Kept,
                None => Standing::New,
            },
            before: old,
            after: Some(after),
            changes: Vec::new(),
            strange_credentials: Vec::new(),
            breaches: Vec::new(),
            newly_allowed,
            newly_denied,
        };
        Ok(Self {
            configuration: Vec::new(),
            invariants: Vec::new(),
            sets: Vec::new(),
            unchanged: usize::from(token.is_unchanged()),
            tokens: vec![token],
            hardest: None,
        })
    }

    /// Explains each request that is newly allowed. Costs more questions, of the steps that the proofs left.
    pub fn explain(&mut self, lines: &mut Lines<'_>, new: &Side) {
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

    /// Whether the new side gives more, or may give more.
    pub fn widens(&self) -> bool {
        self.finds() || self.is_open()
    }

    /// Whether the new side certainly gives more.
    pub fn finds(&self) -> bool {
        self.tokens.iter().any(TokenReport::finds)
            || self.configuration.iter().any(|change| change.widens.is_some())
            || !self.invariants.is_empty()
    }

    /// Whether the new side gives more, and this is more than a changed setting whose direction is not known.
    pub fn surely_widens(&self) -> bool {
        let is_sure = |change: &Change| change.widens.is_some() && change.is_certain;
        self.tokens.iter().any(TokenReport::finds)
            || self.configuration.iter().any(is_sure)
            || !self.invariants.is_empty()
    }

    /// Whether a question was not settled, in either direction.
    pub fn has_open_question(&self) -> bool {
        self.tokens.iter().any(TokenReport::has_open_question)
    }

    /// Whether it was not settled that the new side gives no more.
    pub fn is_open(&self) -> bool {
        self.tokens.iter().any(TokenReport::is_open)
    }
}

impl TokenReport {
    fn new((old, new): (&Side, &Side), lines: &mut Lines<'_>, pair: Pair) -> Result<Self, Unanswered> {
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

    /// Whether the change gives access, or may give it.
    pub fn widens(&self) -> bool {
        self.finds() || self.is_open()
    }

    /// Whether it certainly gives more.
    pub fn finds(&self) -> bool {
        !self.newly_allowed.examples.is_empty()
            || self.changes.iter().any(|change| change.widens.is_some())
            || self.breaches.iter().any(|breach| breach.found.witness.is_some())
    }

    /// Whether it differs for certain.
    pub fn differs(&self) -> bool {
        self.finds()
            || self.standing != Standing::Kept
            || !self.changes.is_empty()
            || !self.newly_denied.examples.is_empty()
    }

    /// Whether a question about it was not settled, in either direction.
    pub fn has_open_question(&self) -> bool {
        self.is_open() || self.newly_denied.inconclusive.is_some()
    }

    /// Whether it was not settled that it gives no more than was found.
    pub fn is_open(&self) -> bool {
        self.newly_allowed.inconclusive.is_some()
            || self
                .breaches
                .iter()
                .any(|breach| breach.found.inconclusive.is_some())
    }
}
