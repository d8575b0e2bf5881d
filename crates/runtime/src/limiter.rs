//! Limits of calls: the rate, the burst and the calls in progress of each token, and of all tokens together.
//!
//! The state is kept across reloads, by the token's secret, so that a new name gives no new burst. A token with a new
//! secret continues with the state of its previous one. The state is made by the first call of a token that has limits;
//! an unknown token makes none.
//!
//! `in_flight` bounds the calls in progress of the whole process.

mod bucket;
mod in_flight;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokenward_compiler::call_limits::CallLimits;
use tokenward_compiler::ir::{Program, Token};
use tokenward_pdp::problem::{Exceeded, Level, OverLimit};
use tokenward_pdp::secret::SecretHash;

use crate::secret_table::SecretMap;
use bucket::{Bucket, Clock};
pub(crate) use in_flight::{CallBudget, InFlight};

/// Number of states, in addition to twice the policy's tokens, from which on those of former tokens are removed.
const SPARE: usize = 1024;

/// The limits of the configuration, and what calls have used.
pub(crate) struct Limiter {
    /// Limits of a token that sets none itself.
    each: CallLimits,
    /// Limits of all tokens together.
    together: CallLimits,
    tokens: RwLock<Known>,
    all: Arc<Usage>,
    clock: Clock,
}

/// What the tokens have used.
#[derive(Default)]
struct Known {
    by_secret: SecretMap<Arc<Usage>>,
    /// The last secret of each name, for a token whose secret was replaced without an overlap.
    names: HashMap<String, SecretHash>,
}

/// What the calls of a token, or of all tokens, have used.
#[derive(Default)]
struct Usage {
    bucket: Mutex<Option<Bucket>>,
    in_progress: Arc<AtomicU32>,
}

/// A call within the limits. It counts as in progress until the last copy of this value is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// The token's rate after this call, if it has one.
    pub(crate) level: Option<Level>,
    /// `None` if nothing limits the calls in progress.
    slots: Option<Arc<[Option<Slot>; 2]>>,
}

impl Admitted {
    /// Whether the call counts towards a number of concurrent calls.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.slots.is_some()
    }
}

/// A call in progress.
#[derive(Debug)]
struct Slot(Arc<AtomicU32>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Limiter {
    /// Makes a limiter of the limits of each token, and of all together.
    pub(crate) fn new(each: CallLimits, together: CallLimits) -> Self {
        Self::at(each, together, Clock::default())
    }

    fn at(each: CallLimits, together: CallLimits, clock: Clock) -> Self {
        Self {
            each,
            together,
            tokens: RwLock::default(),
            all: Arc::default(),
            clock,
        }
    }

    /// The limits of a token that sets none itself.
    pub(crate) fn each(&self) -> CallLimits {
        self.each
    }

    /// Gives the limits that apply to a token: its own, or those of the configuration. The compiler has checked that its
    /// own are not higher.
    pub(crate) fn limits_of(&self, token: &Token) -> CallLimits {
        token.limits.or(self.each)
    }

    /// Counts a call of a token, if it is within all limits.
    ///
    /// # Errors
    /// The call is over a limit. It does not count then, except towards the token's own rate if only a limit of all tokens
    /// together is exceeded.
    pub(crate) fn admit(&self, program: &Program, token: &Token) -> Result<Admitted, OverLimit> {
        let own = self.limits_of(token);
        let usage = is_limited(own).then(|| self.usage_of(program, token));
        // A token beyond its own limits uses up nothing of what is shared.
        let (slot, level) = match &usage {
            Some(usage) => usage.take(own, &self.clock, false)?,
            None => (None, None),
        };
        let (shared, _) = self
            .all
            .take(self.together, &self.clock, true)
            .map_err(|over| OverLimit {
                level: level.or(over.level),
                ..over
            })?;
        Ok(Admitted {
            level,
            slots: (slot.is_some() || shared.is_some()).then(|| Arc::new([slot, shared])),
        })
    }

    fn usage_of(&self, program: &Program, token: &Token) -> Arc<Usage> {
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = known.find(token) {
            return Arc::clone(usage);
        }
        drop(known);
        let mut known = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        known.add(program, token)
    }
}

impl Known {
    /// Finds the state of a token whose name and secret are known.
    fn find(&self, token: &Token) -> Option<&Arc<Usage>> {
        let usage = self.by_secret.get(&token.secret_hash)?;
        (self.names.get(&token.name) == Some(&token.secret_hash)).then_some(usage)
    }

    /// Gives the state of a token, which may be that of its previous secret.
    fn add(&mut self, program: &Program, token: &Token) -> Arc<Usage> {
        let usage = match self.by_secret.get(&token.secret_hash) {
            Some(usage) => Arc::clone(usage),
            None => self.of_previous(program, token).unwrap_or_default(),
        };
        self.remove_former(program);
        self.by_secret.insert(token.secret_hash, Arc::clone(&usage));
        self.names.insert(token.name.clone(), token.secret_hash);
        usage
    }

    /// Finds the state of the secret that the token had before, unless another token goes on with it.
    fn of_previous(&self, program: &Program, token: &Token) -> Option<Arc<Usage>> {
        let of_name = self.names.get(&token.name).copied();
        let previous = token
            .previous
            .map(|(secret, _)| secret)
            .into_iter()
            .chain(of_name);
        let is_anothers = |usage: &Arc<Usage>| {
            let mut secrets = self
                .by_secret
                .iter()
                .filter(|(_, other)| Arc::ptr_eq(other, usage));
            secrets.any(|(secret, _)| {
                let owner = program.token_by_secret_hash(secret).map(|id| program.token(id));
                owner.is_some_and(|owner| owner.secret_hash != token.secret_hash)
            })
        };
        let mut found = previous.filter_map(|secret| self.by_secret.get(&secret));
        found.find(|usage| !is_anothers(usage)).cloned()
    }

    /// Removes the states of former tokens if there are many.
    fn remove_former(&mut self, program: &Program) {
        let most = program.tokens().count().saturating_mul(2).saturating_add(SPARE);
        if self.by_secret.len() >= most {
            self.by_secret
                .retain(|secret, usage| program.token_by_secret_hash(secret).is_some() || usage.is_in_use());
        }
        if self.names.len() >= most {
            let names: HashSet<&str> = program.tokens().map(|(_, token)| token.name.as_str()).collect();
            self.names.retain(|name, _| names.contains(name.as_str()));
        }
    }
}

fn is_limited(limits: CallLimits) -> bool {
    limits.rate.is_some() || limits.concurrent.is_some()
}

impl Usage {
    fn is_in_use(&self) -> bool {
        self.in_progress.load(Ordering::Acquire) > 0
    }

    fn take(
        &self,
        limits: CallLimits,
        clock: &Clock,
        together: bool,
    ) -> Result<(Option<Slot>, Option<Level>), OverLimit> {
        // The slot comes first: a call that finds none must not use up the rate.
        let slot = limits.concurrent.map(|most| self.slot(most)).transpose();
        let slot = slot.map_err(|NoSlot| OverLimit {
            limit: Exceeded::Concurrent,
            together,
            // Nobody knows when a call ends.
            retry_after: Duration::from_secs(1),
            level: None,
        })?;
        let level = self
            .fill(limits, clock)
            .map_err(|(level, retry_after)| OverLimit {
                limit: Exceeded::Rate,
                together,
                retry_after,
                level: (!together).then_some(level),
            })?;
        Ok((slot, level))
    }

    fn slot(&self, most: NonZeroU32) -> Result<Slot, NoSlot> {
        let more = |in_progress: u32| (in_progress < most.get()).then_some(in_progress + 1);
        self.in_progress
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map(|_| Slot(Arc::clone(&self.in_progress)))
            .map_err(|_| NoSlot)
    }

    /// Counts a call towards the rate, if there is one.
    fn fill(&self, limits: CallLimits, clock: &Clock) -> Result<Option<Level>, (Level, Duration)> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(rate), Some(burst)) = (limits.rate, limits.whole_burst()) else {
            *bucket = None;
            return Ok(None);
        };
        let current = bucket.take_if(|bucket| !bucket.has(rate, burst));
        let bucket = match current {
            // A policy with another rate was loaded.
            Some(old) => bucket.insert(Bucket::after(&old, rate, burst, clock)),
            None => bucket.get_or_insert_with(|| Bucket::new(rate, burst, clock)),
        };
        bucket.take().map(Some)
    }
}

/// As many calls are in progress as may be.
struct NoSlot;

#[cfg(test)]
mod tests;
