//! Limits the number of connections of each client, so that one client cannot use all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Counts = HashMap<IpAddr, usize>;

/// Number of connections by client, shared by all workers.
#[derive(Clone, Debug)]
pub(super) struct ConnectionLimit {
    counts: Arc<Mutex<Counts>>,
    most: usize,
}

/// The slot of one connection, freed when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    limit: ConnectionLimit,
    client: IpAddr,
}

impl ConnectionLimit {
    /// Makes a limit of `most` connections for each client.
    pub(super) fn new(most: usize) -> Self {
        Self {
            counts: Arc::default(),
            most,
        }
    }

    /// Takes a slot for one more connection of this client; `None` if all are taken.
    pub(super) fn take(&self, client: IpAddr) -> Option<Slot> {
        let client = network(client);
        let mut counts = self.counts();
        let count = counts.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Slot {
            limit: self.clone(),
            client,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic elsewhere leaves the counts consistent: every change is a single statement.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.limit.counts();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

/// Gives the key under which a client is counted: the IPv4 address, or the /64 of an IPv6 address, which may belong to
/// one machine.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_share() {
        let limit = ConnectionLimit::new(2);
        let take = |client: &str| limit.take(client.parse().unwrap());
        let (first, second) = (take("192.0.2.1"), take("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(take("192.0.2.1").is_none());
        let _other = take("192.0.2.2").unwrap();
        let _six = (take("2001:db8::1").unwrap(), take("2001:db8::2").unwrap());
        assert!(take("2001:db8::3").is_none());
        assert!(take("2001:db8:0:1::3").is_some());
        drop(first);
        assert!(take("192.0.2.1").is_some());
        drop(second);
        assert_eq!(limit.counts().len(), 2);
    }
}
