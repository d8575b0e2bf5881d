//! Delays responses to callers that repeatedly present wrong credentials (SEMANTICS section 5).
//!
//! Only responses to failed credentials are delayed. Valid ones from the same address are not, so nobody is locked out
//! by another client with the same address. The table is bounded; an attacker with many addresses can only make it
//! forget.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokenward_pdp::config::Throttling;

/// Maximum number of addresses that are counted in one window.
const ADDRESSES: usize = 8192;
/// Maximum number of delayed responses to one address at a time.
const HELD: usize = 16;
/// Maximum number of delayed responses to all addresses at a time. Each occupies a connection.
const HELD_BY_ALL: usize = 512;

/// Counts failed credentials by address.
pub(crate) struct Throttle {
    settings: Throttling,
    table: Mutex<Table>,
}

/// Failures in the current window and in the previous one. Both count, so that the end of a window does not
/// reset the count.
#[derive(Debug)]
struct Table {
    began: Instant,
    current: HashMap<IpAddr, u32>,
    before: HashMap<IpAddr, u32>,
    held: HashMap<IpAddr, usize>,
}

/// Pace of the response to failed credentials.
#[derive(Debug)]
pub(crate) enum Pace<'t> {
    /// Answer immediately.
    AtOnce,
    /// Answer after a delay.
    Held(Held<'t>),
    /// Answer immediately with 429: the maximum number is delayed already.
    TooMany,
}

/// A delayed response.
pub(crate) struct Held<'t> {
    throttle: &'t Throttle,
    source: IpAddr,
}

impl Throttle {
    /// Makes an empty table.
    pub(crate) fn new(settings: Throttling) -> Self {
        Self {
            settings,
            table: Mutex::new(Table {
                began: Instant::now(),
                current: HashMap::new(),
                before: HashMap::new(),
                held: HashMap::new(),
            }),
        }
    }

    /// Counts a failure of this client, and gives the pace of the response.
    pub(crate) fn failed(&self, client: IpAddr) -> Pace<'_> {
        self.failed_at(client, Instant::now())
    }

    fn failed_at(&self, client: IpAddr, now: Instant) -> Pace<'_> {
        if self.settings.attempts == 0 {
            return Pace::AtOnce;
        }
        let source = source(client);
        let mut table = self.lock();
        if table.count(source, now, self.settings.window) <= self.settings.attempts {
            return Pace::AtOnce;
        }
        let all: usize = table.held.values().sum();
        let own = table.held.get(&source).copied().unwrap_or_default();
        if own >= HELD || all >= HELD_BY_ALL {
            return Pace::TooMany;
        }
        table.held.insert(source, own + 1);
        Pace::Held(Held {
            throttle: self,
            source,
        })
    }

    /// Gives the time to wait after [`Pace::TooMany`], in whole seconds.
    pub(crate) fn retry_after(&self) -> u64 {
        self.settings.window.as_secs().max(1)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Counts one more failure, and gives the sum.
    fn count(&mut self, source: IpAddr, now: Instant, window: Duration) -> u32 {
        let age = now.saturating_duration_since(self.began);
        let full = self.current.len() >= ADDRESSES && !self.current.contains_key(&source);
        if age >= window || full {
            self.before = std::mem::take(&mut self.current);
            if age >= window * 2 {
                self.before.clear();
            }
            self.began = now;
        }
        let current = self.current.entry(source).or_insert(0);
        *current = current.saturating_add(1);
        current.saturating_add(self.before.get(&source).copied().unwrap_or_default())
    }
}

impl Held<'_> {
    /// Waits for the configured delay.
    pub(crate) async fn wait(self) {
        tokio::time::sleep(self.throttle.settings.delay).await;
    }
}

impl std::fmt::Debug for Held<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Held").field(&self.source).finish()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut table = self.throttle.lock();
        if let Some(held) = table.held.get_mut(&self.source) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                table.held.remove(&self.source);
            }
        }
    }
}

/// Gives the key under which a client is counted: the IPv4 address, or the /64 of an IPv6 address, which is one
/// customer's.
fn source(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn throttle(attempts: u32) -> Throttle {
        Throttle::new(Throttling {
            attempts,
            window: WINDOW,
            delay: Duration::from_secs(1),
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_few_are_answered_at_once_and_other_addresses_always() {
        let throttle = throttle(3);
        let now = Instant::now();
        for _ in 0..3 {
            assert!(matches!(throttle.failed_at(ip("192.0.2.1"), now), Pace::AtOnce));
        }
        assert!(matches!(throttle.failed_at(ip("192.0.2.1"), now), Pace::Held(_)));
        assert!(matches!(
            throttle.failed_at(ip("::ffff:192.0.2.1"), now),
            Pace::Held(_)
        ));
        assert!(matches!(throttle.failed_at(ip("192.0.2.2"), now), Pace::AtOnce));
    }

    #[test]
    fn a_network_counts_as_one() {
        let throttle = throttle(1);
        let now = Instant::now();
        assert!(matches!(throttle.failed_at(ip("2001:db8::1"), now), Pace::AtOnce));
        assert!(matches!(
            throttle.failed_at(ip("2001:db8::ffff:2"), now),
            Pace::Held(_)
        ));
        assert!(matches!(
            throttle.failed_at(ip("2001:db8:0:1::1"), now),
            Pace::AtOnce
        ));
    }

    #[test]
    fn failures_are_forgotten_after_two_windows() {
        let throttle = throttle(1);
        let now = Instant::now();
        let fails = |after: Duration| throttle.failed_at(ip("192.0.2.1"), now + after);
        assert!(matches!(fails(Duration::ZERO), Pace::AtOnce));
        assert!(matches!(fails(WINDOW), Pace::Held(_)), "the window before counts");
        assert!(matches!(fails(WINDOW * 4), Pace::AtOnce));
    }

    #[test]
    fn few_are_held_and_the_rest_refused() {
        let throttle = throttle(1);
        let now = Instant::now();
        let fails = || throttle.failed_at(ip("192.0.2.1"), now);
        assert!(matches!(fails(), Pace::AtOnce));
        let mut held: Vec<_> = (0..HELD).map(|_| fails()).collect();
        assert!(held.iter().all(|pace| matches!(pace, Pace::Held(_))));
        assert!(matches!(fails(), Pace::TooMany));
        held.pop();
        assert!(matches!(fails(), Pace::Held(_)));
        drop(held);
        assert!(throttle.lock().held.is_empty());
    }

    #[test]
    fn the_table_has_a_bound() {
        let throttle = throttle(1);
        let now = Instant::now();
        for n in 0..200_000_u32 {
            drop(throttle.failed_at(IpAddr::from(n.to_be_bytes()), now));
        }
        let table = throttle.lock();
        assert!(table.current.len() <= ADDRESSES && table.before.len() <= ADDRESSES);
        assert!(table.held.is_empty());
    }

    #[test]
    fn it_can_be_switched_off() {
        let throttle = throttle(0);
        for _ in 0..1000 {
            assert!(matches!(throttle.failed(ip("192.0.2.1")), Pace::AtOnce));
        }
        assert!(throttle.lock().current.is_empty());
    }
}
