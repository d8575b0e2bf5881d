//! One budget for the calls that the process has in progress, so that nobody can use up its memory and its descriptors.
//!
//! The budget is shared like that of bodies. A token may have as many calls as remain free after its call: one token
//! alone gets half of the budget, the next one half of the rest. The calls of one address may be three times as many as
//! remain free. So one token cannot lock out another one at the same address, and an address with many tokens leaves a
//! quarter to the others. Strangers, that is callers without a valid token, get a quarter of the budget together, which
//! their networks share by the first rule.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenward_pdp::secret::SecretHash;

use crate::network::Network;
use crate::secret_table::SecretMap;

/// The part of the budget that all strangers share: one in so many.
const STRANGERS: usize = 4;
/// The calls of an address may be so many times as many as remain free.
const ADDRESS: usize = 3;

/// The budget for all calls in progress. A clone is the same budget.
#[derive(Clone, Debug)]
pub(crate) struct CallBudget {
    table: Arc<Mutex<Table>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Table {
    used: usize,
    by_token: SecretMap<usize>,
    by_network: HashMap<Network, usize>,
    strangers: usize,
    strangers_of: HashMap<Network, usize>,
}

/// A call in progress. It counts until the last copy of this value is dropped.
#[derive(Clone, Debug)]
pub(crate) struct InFlight(#[expect(dead_code, reason = "counts until it is dropped")] Arc<Counted>);

/// A counted call.
#[derive(Debug)]
struct Counted {
    budget: CallBudget,
    holder: Holder,
}

#[derive(Clone, Copy, Debug)]
enum Holder {
    /// A token, and the network of the caller; no network if a trusted proxy calls for unnamed clients.
    Token(SecretHash, Option<Network>),
    /// A caller without a valid token.
    Stranger(Network),
}

/// The budget has no room for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl CallBudget {
    /// Makes a budget of `most` calls.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            table: Arc::default(),
            most,
        }
    }

    /// Counts a call of a token that comes from this address. `None` leaves the address out.
    ///
    /// # Errors
    /// The token or the address has its share of the budget in progress.
    pub(crate) fn of_token(&self, token: SecretHash, client: Option<IpAddr>) -> Result<InFlight, NoRoom> {
        let network = client.map(Network::largest);
        let mut table = self.table();
        let free = self.most.saturating_sub(table.used + 1);
        let is_over = count(&table.by_token, &token) + 1 > free
            || network
                .is_some_and(|network| count(&table.by_network, &network) + 1 > free.saturating_mul(ADDRESS));
        if is_over {
            return Err(NoRoom);
        }
        *table.by_token.entry(token).or_default() += 1;
        if let Some(network) = network {
            *table.by_network.entry(network).or_default() += 1;
        }
        Ok(self.counted(&mut table, Holder::Token(token, network)))
    }

    /// Counts a call without a valid token that comes from this address.
    ///
    /// # Errors
    /// The strangers of the address's network, or all of them, have their share of the budget in progress.
    pub(crate) fn of_stranger(&self, client: IpAddr) -> Result<InFlight, NoRoom> {
        let network = Network::largest(client);
        let mut table = self.table();
        let free = (self.most / STRANGERS).saturating_sub(table.strangers + 1);
        if count(&table.strangers_of, &network) + 1 > free || table.used >= self.most {
            return Err(NoRoom);
        }
        table.strangers += 1;
        *table.strangers_of.entry(network).or_default() += 1;
        Ok(self.counted(&mut table, Holder::Stranger(network)))
    }

    fn counted(&self, table: &mut Table, holder: Holder) -> InFlight {
        table.used += 1;
        InFlight(Arc::new(Counted {
            budget: self.clone(),
            holder,
        }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: nothing between its changes can panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count<K: Hash + Eq, S: BuildHasher>(counts: &HashMap<K, usize, S>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or_default()
}

fn release<K: Hash + Eq, S: BuildHasher>(counts: &mut HashMap<K, usize, S>, key: K) {
    if let Entry::Occupied(mut entry) = counts.entry(key) {
        match entry.get().checked_sub(1) {
            None | Some(0) => _ = entry.remove(),
            Some(left) => _ = entry.insert(left),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut table = self.budget.table();
        table.used = table.used.saturating_sub(1);
        match self.holder {
            Holder::Token(token, network) => {
                release(&mut table.by_token, token);
                if let Some(network) = network {
                    release(&mut table.by_network, network);
                }
            }
            Holder::Stranger(network) => {
                table.strangers = table.strangers.saturating_sub(1);
                release(&mut table.strangers_of, network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// Calls of a token until one is refused.
    fn fill(budget: &CallBudget, token: u8, client: Option<IpAddr>) -> Vec<InFlight> {
        std::iter::from_fn(|| budget.of_token([token; 32], client).ok()).collect()
    }

    fn strangers(budget: &CallBudget, client: &str) -> Vec<InFlight> {
        std::iter::from_fn(|| budget.of_stranger(client.parse().unwrap()).ok()).collect()
    }

    fn assert_empty(budget: &CallBudget) {
        let table = budget.table();
        assert_eq!((table.used, table.strangers), (0, 0));
        assert!(table.by_token.is_empty() && table.by_network.is_empty() && table.strangers_of.is_empty());
    }

    #[test]
    fn a_token_gets_half_of_what_is_free_and_an_address_three_quarters() {
        let budget = CallBudget::new(64);
        let first = fill(&budget, 1, ip("192.0.2.1"));
        assert_eq!(first.len(), 32);
        // Another token of the same address is not locked out, and many of them leave something to other addresses.
        let second = fill(&budget, 2, ip("192.0.2.1"));
        assert_eq!(second.len(), 16);
        let more: usize = (3..20)
            .map(|token| fill(&budget, token, ip("192.0.2.1")).len())
            .sum();
        assert_eq!(more, 0);
        let other = fill(&budget, 1, ip("192.0.2.2"));
        assert_eq!(other.len(), 0, "the same token at another address");
        let other = fill(&budget, 3, ip("192.0.2.2"));
        assert_eq!(other.len(), 8);
        let unnamed = fill(&budget, 4, None);
        assert_eq!(unnamed.len(), 4);
        drop((first, second, other, unnamed));
        assert_empty(&budget);
    }

    #[test]
    fn strangers_get_a_quarter_and_take_nothing_from_the_rest() {
        let budget = CallBudget::new(64);
        let first = strangers(&budget, "2001:db8::1");
        assert_eq!(first.len(), 8);
        assert_eq!(
            strangers(&budget, "2001:db8:0:ffff::1").len(),
            0,
            "of the same /48"
        );
        let all: Vec<_> = (0..200)
            .map(|n| strangers(&budget, &format!("2001:db8:{:x}::1", n + 1)))
            .collect();
        let others: usize = all.iter().map(Vec::len).sum();
        assert!(others + 8 <= 16, "{others}");
        let tokens = fill(&budget, 1, ip("2001:db8::1"));
        assert!(tokens.len() >= 24, "{}", tokens.len());
        drop((first, all, tokens));
        assert_empty(&budget);
    }

    #[test]
    fn a_call_counts_until_its_last_copy_is_dropped() {
        let budget = CallBudget::new(16);
        let mut held = fill(&budget, 1, None);
        let one = held.pop().unwrap();
        let copy = one.clone();
        drop(one);
        assert!(budget.of_token([1; 32], None).is_err());
        drop(copy);
        assert!(budget.of_token([1; 32], None).is_ok());
    }
}
