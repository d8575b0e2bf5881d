//! One budget for the request bodies that the process keeps in memory.
//!
//! A body is kept while it is read ahead or inspected. The budget is shared: a token may keep at most as many bytes as
//! remain free. One token alone gets half of the budget, two get a third each, and so on. So some of it always remains
//! for a token that keeps nothing yet, and no token can lock out the others.

use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenward_pdp::secret::SecretHash;

use crate::metrics::Metrics;
use crate::secret_table::SecretMap;

/// Bytes are taken from the budget in steps of this size, so that a body of many pieces does not take each of them.
const STEP: usize = 16 * 1024;

/// The budget for all bodies that the process keeps in memory. A clone is the same budget.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget {
    table: Arc<Mutex<Table>>,
    most: usize,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Table {
    used: usize,
    by_token: SecretMap<usize>,
}

/// The part of the budget that one body uses. It is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: BodyBudget,
    token: SecretHash,
    bytes: usize,
}

/// The budget has no room for a body's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl BodyBudget {
    /// Makes a budget of `most` bytes.
    pub(crate) fn new(most: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            table: Arc::default(),
            most,
        }
    }

    /// Opens the share of one body of a token's call.
    pub(crate) fn share(&self, token: SecretHash) -> Share {
        Share {
            budget: self.clone(),
            token,
            bytes: 0,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: nothing between its changes can panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Grows the share so that it covers this number of bytes.
    ///
    /// # Errors
    /// The token would use more than what remained free.
    pub(crate) fn cover(&mut self, bytes: usize) -> Result<(), Spent> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let wanted = bytes.next_multiple_of(STEP);
        let more = wanted - self.bytes;
        let mut table = self.budget.table();
        let of_token = table.by_token.get(&self.token).copied().unwrap_or_default() + more;
        let free = self.budget.most.saturating_sub(table.used + more);
        if of_token > free {
            return Err(Spent);
        }
        table.used += more;
        table.by_token.insert(self.token, of_token);
        self.budget.metrics.bodies_held(table.used);
        drop(table);
        self.bytes = wanted;
        Ok(())
    }

    /// Gives the whole share back.
    pub(crate) fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes == 0 {
            return;
        }
        let mut table = self.budget.table();
        table.used = table.used.saturating_sub(bytes);
        self.budget.metrics.bodies_held(table.used);
        if let Entry::Occupied(mut of_token) = table.by_token.entry(self.token) {
            let left = of_token.get().saturating_sub(bytes);
            if left == 0 {
                of_token.remove();
            } else {
                of_token.insert(left);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: [SecretHash; 3] = [[1; 32], [2; 32], [3; 32]];

    fn budget(most: usize) -> BodyBudget {
        BodyBudget::new(most, Arc::default())
    }

    /// Takes steps for a token until one is refused.
    fn fill(budget: &BodyBudget, token: SecretHash) -> Vec<Share> {
        let mut shares = Vec::new();
        loop {
            let mut share = budget.share(token);
            if share.cover(STEP).is_err() {
                return shares;
            }
            shares.push(share);
        }
    }

    #[test]
    fn one_token_gets_half_and_the_next_a_share_of_the_rest() {
        let budget = budget(64 * STEP);
        let first = fill(&budget, TOKENS[0]);
        assert_eq!(first.len(), 32);
        let second = fill(&budget, TOKENS[1]);
        assert_eq!(second.len(), 16);
        let third = fill(&budget, TOKENS[2]);
        assert_eq!(third.len(), 8);
        assert_eq!(budget.table().used, 56 * STEP);
        drop((first, second, third));
        assert_eq!(budget.table().used, 0);
        assert!(budget.table().by_token.is_empty());
    }

    #[test]
    fn a_share_grows_in_steps_and_is_given_back() {
        let budget = budget(8 * STEP);
        let mut share = budget.share(TOKENS[0]);
        assert_eq!(budget.table().used, 0);
        for bytes in [1, STEP, STEP - 1] {
            share.cover(bytes).unwrap();
            assert_eq!(budget.table().used, STEP);
        }
        share.cover(STEP + 1).unwrap();
        assert_eq!(budget.table().used, 2 * STEP);
        assert_eq!(share.cover(5 * STEP), Err(Spent));
        assert_eq!(budget.table().used, 2 * STEP, "a refused growth takes nothing");
        share.release();
        assert_eq!(budget.table().used, 0);
        share.cover(4 * STEP).unwrap();
        drop(share);
        assert_eq!(budget.table().used, 0);
    }
}
