//! Limits the number of connections of each client, so that one client cannot use all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::network::Network;

type Counts = HashMap<Network, usize>;

/// Maximum number of connections of one client, for each network that may be one client's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Of an IPv4 address, or the /64 of an IPv6 address.
    pub(super) client: usize,
    /// Of a /56 of IPv6.
    pub(super) of_56: usize,
    /// Of a /48 of IPv6.
    pub(super) of_48: usize,
}

impl Most {
    fn within(self, network: Network) -> usize {
        match network.prefix() {
            48 => self.of_48,
            56 => self.of_56,
            _ => self.client,
        }
    }
}

/// Number of connections by client, shared by all workers.
#[derive(Clone, Debug)]
pub(super) struct ConnectionLimit {
    counts: Arc<Mutex<Counts>>,
    most: Most,
}

/// The slot of one connection, freed when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    limit: ConnectionLimit,
    client: IpAddr,
}

impl ConnectionLimit {
    /// Makes a limit of `most` connections for each client.
    pub(super) fn new(most: Most) -> Self {
        Self {
            counts: Arc::default(),
            most,
        }
    }

    /// Takes a slot for one more connection of this client.
    ///
    /// # Errors
    /// All slots of this network of the client are taken.
    pub(super) fn take(&self, client: IpAddr) -> Result<Slot, Network> {
        let mut counts = self.counts();
        let count = |network| counts.get(&network).copied().unwrap_or_default();
        if let Some(full) =
            Network::counted(client).find(|network| count(*network) >= self.most.within(*network))
        {
            return Err(full);
        }
        Ok(self.add(&mut counts, client))
    }

    /// Takes a slot although all are taken, since another connection of the client is being closed.
    pub(super) fn take_over(&self, client: IpAddr) -> Slot {
        self.add(&mut self.counts(), client)
    }

    fn add(&self, counts: &mut Counts, client: IpAddr) -> Slot {
        for network in Network::counted(client) {
            *counts.entry(network).or_default() += 1;
        }
        Slot {
            limit: self.clone(),
            client,
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic elsewhere leaves the counts consistent: nothing between their changes can panic.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.limit.counts();
        for network in Network::counted(self.client) {
            if let Some(count) = counts.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(client: usize, of_56: usize, of_48: usize) -> ConnectionLimit {
        ConnectionLimit::new(Most { client, of_56, of_48 })
    }

    #[test]
    fn each_client_has_its_own_share() {
        let limit = limit(2, 9, 9);
        let take = |client: &str| limit.take(client.parse().unwrap());
        let (first, second) = (take("192.0.2.1"), take("::ffff:192.0.2.1"));
        assert!(first.is_ok() && second.is_ok());
        assert!(take("192.0.2.1").is_err());
        let _other = take("192.0.2.2").unwrap();
        let _six = (take("2001:db8::1").unwrap(), take("2001:db8::2").unwrap());
        assert!(take("2001:db8::3").is_err());
        assert!(take("2001:db8:0:1::3").is_ok());
        drop(first);
        let third = take("192.0.2.1").unwrap();
        let over = limit.take_over("192.0.2.1".parse().unwrap());
        drop((second, third));
        assert!(take("192.0.2.1").is_ok());
        drop(over);
        // One IPv4 address, and three networks of the IPv6 address.
        assert_eq!(limit.counts().len(), 4);
    }

    #[test]
    fn the_networks_of_a_customer_are_one_client() {
        let limit = limit(2, 3, 5);
        let taken: Vec<_> = (0..400_u16)
            .filter_map(|n| limit.take(format!("2001:db8:0:{n:x}::1").parse().unwrap()).ok())
            .collect();
        assert_eq!(taken.len(), 5, "of a /48");
        let full = limit.take("2001:db8:0:9000::1".parse().unwrap()).unwrap_err();
        assert_eq!(full.prefix(), 48);
        drop(taken);
        let taken: Vec<_> = (0..256_u16)
            .filter_map(|n| limit.take(format!("2001:db8:0:{n:x}::1").parse().unwrap()).ok())
            .collect();
        assert_eq!(taken.len(), 3, "of a /56");
        let full = limit.take("2001:db8:0:ff::1".parse().unwrap()).unwrap_err();
        assert_eq!(full.prefix(), 56);
        assert!(limit.take("2001:db8:0:100::1".parse().unwrap()).is_ok());
        drop(taken);
        assert!(limit.counts().is_empty());
    }
}
