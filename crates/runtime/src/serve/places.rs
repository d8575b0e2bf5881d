//! Places for the connections of all clients. If all are taken, an idle connection gives way to a new one.
//!
//! Anyone can open connections and leave them idle. So a connection keeps its place only while it serves a call whose
//! token is valid. Others give way: first those of strangers, that is connections without such a call so far; of these
//! first the connections of the network that has most of them, and of these the oldest. If there are no strangers, the
//! connection gives way that was idle for the longest time. A client of HTTP must expect that (RFC 9112 section 9.5).

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use crate::network::Network;

/// State of a connection that gave its place away.
const GAVE_WAY: u32 = u32::MAX;

/// The places, shared by all workers. A clone is the same places.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    began: Instant,
    table: Mutex<Table>,
    /// Number of connections that wait for a place.
    waiting: AtomicUsize,
    freed: Notify,
}

/// The connections that have a place.
#[derive(Debug, Default)]
struct Table {
    taken: usize,
    next: u64,
    /// Strangers by network, in the order of their arrival.
    strangers: HashMap<Network, BTreeMap<u64, Stranger>>,
    /// The networks of strangers: number of strangers, and arrival of the oldest. The last is the first to give way.
    by_weight: BTreeSet<(usize, Reverse<u64>, Network)>,
    /// All other connections.
    known: HashMap<u64, Arc<Entry>>,
}

/// A connection without a call that has a valid token so far.
#[derive(Debug)]
struct Stranger {
    client: IpAddr,
    entry: Arc<Entry>,
}

/// The part of a place that others see.
#[derive(Debug)]
struct Entry {
    /// Number of calls that keep the place, or [`GAVE_WAY`].
    state: AtomicU32,
    /// Whether the place went to another connection. A call that was just beginning is served nevertheless.
    turned_out: AtomicBool,
    /// Milliseconds from the beginning to the end of the last such call.
    idle_since: AtomicU64,
    waker: AtomicWaker,
}

/// The place of one connection, freed when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    id: u64,
    entry: Arc<Entry>,
    /// The client, while it is a stranger.
    stranger: Cell<Option<IpAddr>>,
}

/// Keeps the connection's place while a call is in progress.
#[derive(Debug)]
pub(super) struct Kept<'p>(&'p Place);

impl Places {
    /// Makes `most` places.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Shared {
            most,
            began: Instant::now(),
            table: Mutex::default(),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
        }))
    }

    /// Takes a place for a client's connection. If no place is free and none becomes free by an idle connection that
    /// gives way, waits for one. Connections of trusted proxies are not strangers.
    pub(super) async fn take(&self, client: IpAddr, trusted: bool) -> Place {
        if let Some(place) = self.try_take(client, trusted) {
            return place;
        }
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.0.waiting);
        loop {
            let freed = self.0.freed.notified();
            if let Some(place) = self.try_take(client, trusted) {
                // The connection that has just taken it is idle, so that the next one in the queue need not wait.
                self.0.freed.notify_one();
                return place;
            }
            freed.await;
        }
    }

    fn try_take(&self, client: IpAddr, trusted: bool) -> Option<Place> {
        let mut table = self.table();
        if table.taken >= self.0.most && !table.give_way() {
            return None;
        }
        let id = table.next;
        table.next += 1;
        table.taken += 1;
        let entry = Arc::new(Entry {
            state: AtomicU32::new(0),
            turned_out: AtomicBool::new(false),
            idle_since: AtomicU64::new(self.0.now()),
            waker: AtomicWaker::new(),
        });
        if trusted {
            table.known.insert(id, Arc::clone(&entry));
        } else {
            table.add_stranger(id, client, Arc::clone(&entry));
        }
        Some(Place {
            places: self.clone(),
            id,
            entry,
            stranger: Cell::new((!trusted).then_some(client)),
        })
    }

    /// Lets the oldest stranger of the network give way, other than `except`; `false` if there is none.
    pub(super) fn give_way_in(&self, network: Network, except: &Place) -> bool {
        self.table().give_way_in(network, except.id)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: nothing between its changes can panic.
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn notify_waiting(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
        }
    }
}

/// One connection that waits.
struct Waiting<'w>(&'w AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Table {
    fn add_stranger(&mut self, id: u64, client: IpAddr, entry: Arc<Entry>) {
        let stranger = Stranger { client, entry };
        self.reweigh(Network::largest(client), |strangers| {
            strangers.insert(id, stranger);
        });
    }

    fn remove_stranger(&mut self, id: u64, client: IpAddr) -> Option<Arc<Entry>> {
        let mut removed = None;
        self.reweigh(Network::largest(client), |strangers| {
            removed = strangers.remove(&id);
        });
        removed.map(|stranger: Stranger| stranger.entry)
    }

    /// Changes the strangers of a network, and its weight with them.
    fn reweigh(&mut self, network: Network, change: impl FnOnce(&mut BTreeMap<u64, Stranger>)) {
        let strangers = self.strangers.entry(network).or_default();
        if let Some(weight) = weight(network, strangers) {
            self.by_weight.remove(&weight);
        }
        change(strangers);
        match weight(network, strangers) {
            Some(weight) => _ = self.by_weight.insert(weight),
            None => _ = self.strangers.remove(&network),
        }
    }

    /// Lets one idle connection give way; `false` if there is none.
    fn give_way(&mut self) -> bool {
        if let Some(&(_, Reverse(oldest), network)) = self.by_weight.last() {
            let stranger = self.strangers.get(&network).and_then(|all| all.get(&oldest));
            if let Some(client) = stranger.map(|stranger| stranger.client) {
                return self.turn_out(oldest, client);
            }
        }
        let idle = self.known.iter().filter(|(_, entry)| entry.is_idle());
        let oldest = idle.min_by_key(|(id, entry)| (entry.idle_since.load(Ordering::Relaxed), **id));
        let Some((&id, _)) = oldest else { return false };
        let Some(entry) = self.known.remove(&id) else {
            return false;
        };
        self.taken = self.taken.saturating_sub(1);
        entry.give_way();
        true
    }

    fn give_way_in(&mut self, network: Network, except: u64) -> bool {
        let mut strangers = self
            .strangers
            .get(&network.largest_around())
            .into_iter()
            .flatten();
        let oldest = strangers.find_map(|(id, stranger)| {
            (*id != except && network.contains(stranger.client)).then_some((*id, stranger.client))
        });
        oldest.is_some_and(|(id, client)| self.turn_out(id, client))
    }

    fn turn_out(&mut self, id: u64, client: IpAddr) -> bool {
        let Some(entry) = self.remove_stranger(id, client) else {
            return false;
        };
        self.taken = self.taken.saturating_sub(1);
        entry.give_way();
        true
    }
}

fn weight(network: Network, strangers: &BTreeMap<u64, Stranger>) -> Option<(usize, Reverse<u64>, Network)> {
    let (oldest, _) = strangers.first_key_value()?;
    Some((strangers.len(), Reverse(*oldest), network))
}

impl Entry {
    fn is_idle(&self) -> bool {
        self.state.load(Ordering::SeqCst) == 0
    }

    /// Gives the place away: now, or after the calls that have just begun.
    fn give_way(&self) {
        self.turned_out.store(true, Ordering::SeqCst);
        let _ = self
            .state
            .compare_exchange(0, GAVE_WAY, Ordering::SeqCst, Ordering::SeqCst);
        self.waker.wake();
    }
}

impl Place {
    /// Resolves when the connection is to be closed, since it gave way to another one.
    pub(super) async fn gave_way(&self) {
        poll_fn(|cx| {
            self.entry.waker.register(cx.waker());
            match self.entry.state.load(Ordering::SeqCst) {
                GAVE_WAY => Poll::Ready(()),
                _ => Poll::Pending,
            }
        })
        .await;
    }

    /// Makes the connection that of a stranger, whom a trusted proxy has named.
    pub(super) fn belongs_to(&self, client: IpAddr) {
        let mut table = self.places.table();
        if let Some(entry) = table.known.remove(&self.id) {
            table.add_stranger(self.id, client, entry);
            self.stranger.set(Some(client));
        }
    }

    /// Keeps the place while a call with a valid token is in progress. From then on the connection is not a stranger's.
    pub(super) fn keep(&self) -> Kept<'_> {
        if let Some(client) = self.stranger.take() {
            let mut table = self.places.table();
            if let Some(entry) = table.remove_stranger(self.id, client) {
                table.known.insert(self.id, entry);
            }
        }
        // A call that begins at the moment at which the connection gives way is served nevertheless.
        let _ = self
            .entry
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |calls| {
                Some(if calls == GAVE_WAY { 1 } else { calls + 1 })
            });
        Kept(self)
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let Place { places, entry, .. } = self.0;
        entry.idle_since.store(places.0.now(), Ordering::Relaxed);
        let before = entry.state.fetch_sub(1, Ordering::SeqCst);
        if before > 1 {
            return;
        }
        if entry.turned_out.load(Ordering::SeqCst) {
            entry.give_way();
        } else {
            places.0.notify_waiting();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        let had_place = match self.stranger.get() {
            Some(client) => table.remove_stranger(self.id, client).is_some(),
            None => table.known.remove(&self.id).is_some(),
        };
        // A connection that gave way is not counted any more.
        if had_place {
            table.taken = table.taken.saturating_sub(1);
        }
        drop(table);
        if had_place {
            self.places.0.notify_waiting();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Whether the connection is to be closed.
    async fn is_out(place: &Place) -> bool {
        poll!(pin!(place.gave_way())).is_ready()
    }

    async fn outs<'p>(places: impl IntoIterator<Item = &'p Place>) -> Vec<bool> {
        let mut outs = Vec::new();
        for place in places {
            outs.push(is_out(place).await);
        }
        outs
    }

    /// The place that is there at once.
    async fn at_once(place: impl Future<Output = Place>) -> Place {
        match poll!(pin!(place)) {
            Poll::Ready(place) => place,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[tokio::test]
    async fn the_oldest_of_the_network_with_most_strangers_gives_way() {
        let places = Places::new(5);
        let mut taken = Vec::new();
        for client in [
            "192.0.2.1",
            "2001:db8::1",
            "2001:db8:0:1::1",
            "2001:db8:0:ffff::1",
            "192.0.2.2",
        ] {
            taken.push(at_once(places.take(ip(client), false)).await);
        }
        assert_eq!(outs(&taken).await, [false; 5]);
        // The /48 has three of five, then two; then all networks have one, and the oldest goes.
        let mut later = Vec::new();
        for (client, expected) in [
            ("192.0.2.3", [false, true, false, false, false]),
            ("192.0.2.4", [false, true, true, false, false]),
            ("192.0.2.5", [true, true, true, false, false]),
        ] {
            later.push(at_once(places.take(ip(client), false)).await);
            assert_eq!(outs(&taken).await, expected, "{client}");
        }
        assert_eq!(places.table().taken, 5);
        drop((taken, later));
        let table = places.table();
        assert!(table.taken == 0 && table.strangers.is_empty() && table.by_weight.is_empty());
    }

    #[tokio::test]
    async fn strangers_go_before_others_and_calls_keep_their_place() {
        let places = Places::new(3);
        let client = ip("192.0.2.1");
        let busy = at_once(places.take(client, false)).await;
        let kept = busy.keep();
        let idle = at_once(places.take(client, false)).await;
        drop(idle.keep());
        let stranger = at_once(places.take(client, false)).await;
        let proxy = at_once(places.take(client, true)).await;
        assert_eq!(outs([&busy, &idle, &stranger]).await, [false, false, true]);
        // Without a stranger, the one that was idle for the longest time goes; a trusted proxy's is not a stranger's.
        let last = at_once(places.take(client, false)).await;
        assert_eq!(outs([&busy, &idle, &proxy]).await, [false, true, false]);
        drop(last.keep());
        let _another = at_once(places.take(client, true)).await;
        assert_eq!(outs([&busy, &proxy, &last]).await, [false, true, false]);
        drop(kept);
        assert!(!is_out(&busy).await);
    }

    #[tokio::test]
    async fn a_call_that_begins_as_its_connection_gives_way_is_served() {
        let places = Places::new(1);
        let first = at_once(places.take(ip("192.0.2.1"), false)).await;
        let second = at_once(places.take(ip("192.0.2.2"), false)).await;
        let kept = first.keep();
        assert!(!is_out(&first).await);
        drop(kept);
        assert!(is_out(&first).await);
        assert!(!is_out(&second).await);
    }

    #[tokio::test]
    async fn where_all_are_busy_the_next_to_end_makes_room_for_all_that_wait() {
        let places = Places::new(1);
        let client = ip("192.0.2.1");
        let busy = at_once(places.take(client, false)).await;
        let kept = busy.keep();
        let mut second = pin!(places.take(client, false));
        let mut third = pin!(places.take(client, false));
        assert!(poll!(second.as_mut()).is_pending() && poll!(third.as_mut()).is_pending());
        drop(kept);
        let second = second.await;
        assert!(is_out(&busy).await);
        let third = third.await;
        assert!(is_out(&second).await && !is_out(&third).await);
        assert_eq!(places.0.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn one_client_makes_room_within_its_own_network() {
        let places = Places::new(9);
        let other = at_once(places.take(ip("192.0.2.9"), false)).await;
        let mine = at_once(places.take(ip("192.0.2.1"), false)).await;
        let new = at_once(places.take(ip("192.0.2.1"), false)).await;
        let network = Network::largest(ip("192.0.2.1"));
        assert!(places.give_way_in(network, &new));
        assert_eq!(outs([&other, &mine, &new]).await, [false, true, false]);
        assert!(!places.give_way_in(network, &new), "itself does not count");
        // A connection of a trusted proxy is that of the client that it names.
        let named = at_once(places.take(ip("192.0.2.200"), true)).await;
        assert!(!places.give_way_in(network, &new));
        named.belongs_to(ip("192.0.2.1"));
        assert!(places.give_way_in(network, &new));
        assert!(is_out(&named).await);
    }
}
