//! Who wakes whom.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use tokenward_testbed::eventually;

use super::*;
use crate::model::item::Ended;
use crate::tests::sample::{NOON, outcome, record};

const LONG: Duration = Duration::from_secs(20);

fn queue() -> Queue {
    Queue::new(1 << 20, LONG, true, Quotas::new(1))
}

fn decision(n: u8) -> Item {
    Item::Decision(record(n, NOON).into())
}

fn end(n: u8) -> Item {
    Item::Ended(Ended {
        at_ms: NOON,
        outcome: outcome(n),
        decision: None,
    })
}

fn taken(queue: &Queue) -> usize {
    match queue.take(LONG, || NOON, Spare::default()) {
        Work::Items(items) => items.len(),
        Work::Stop => 0,
    }
}

fn wakes(queue: &Queue) -> u64 {
    queue.wakes.load(Ordering::SeqCst)
}

#[test]
fn items_that_come_while_the_writer_is_busy_wake_nobody() {
    let queue = queue();
    let _first = queue.push_record(decision(1)).unwrap();
    assert_eq!(taken(&queue), 1);
    // The writer writes these now.
    queue.push_outcome(end(1), NOON).unwrap();
    let _more: Vec<_> = (2..40).map(|n| queue.push_record(decision(n)).unwrap()).collect();
    queue.committed(1);
    assert_eq!(taken(&queue), 39, "it finds them without being woken");
    assert_eq!(wakes(&queue), 0);
}

#[test]
fn a_writer_that_waits_for_items_is_woken_once() {
    let queue = Arc::new(queue());
    let writer = Arc::clone(&queue);
    let writer = thread::spawn(move || taken(&writer));
    let waits = || (queue.state().writer == Writer::Items).then_some(());
    eventually("the writer waits", waits);
    // Under the lock the writer cannot go on between them.
    let mut state = queue.state();
    for n in 1..4 {
        let (done, _) = oneshot::channel();
        let deadline = Instant::now() + LONG;
        let item = decision(n);
        let weight = item.weight();
        let waiter = Some(Waiter { deadline, done });
        queue.enter(&mut state, Queued { item, weight, waiter });
    }
    drop(state);
    assert_eq!(writer.join().unwrap(), 3);
    assert_eq!(wakes(&queue), 1);
}

#[test]
fn a_queue_that_fills_up_ends_the_pause_between_commits() {
    let queue = Arc::new(Queue::new(64 << 10, LONG, true, Quotas::new(1)));
    queue.state().not_before = Some(Instant::now() + LONG);
    let writer = Arc::clone(&queue);
    let writer = thread::spawn(move || taken(&writer));
    let waits = || (queue.state().writer == Writer::Spacing).then_some(());
    eventually("the writer waits", waits);
    let mut pushed = Vec::new();
    while wakes(&queue) == 0 {
        pushed.push(queue.push_record(decision(1)).unwrap());
        assert!(pushed.len() < 1_000);
    }
    assert!(pushed.len() > 10, "a few items do not");
    assert_eq!(writer.join().unwrap(), pushed.len());
}

#[test]
fn memory_of_a_batch_has_none_of_its_items_and_is_bounded() {
    let batch = |size: usize| {
        let items = vec![decision(1); size];
        let waiters = std::iter::repeat_with(|| None).take(size).collect();
        Spare::of(items, waiters)
    };
    let queue = queue();
    let spare = batch(3);
    assert!(spare.items.is_empty() && spare.items.capacity() > 0);
    queue.push_outcome(end(2), NOON).unwrap();
    let _waits = queue.push_record(decision(3)).unwrap();
    match queue.take(LONG, || NOON, spare) {
        Work::Items(items) => assert_eq!(items, [end(2), decision(3)]),
        Work::Stop => panic!("there are items"),
    }
    let spare = batch(KEPT + 1);
    assert_eq!((spare.items.capacity(), spare.waiters.capacity()), (0, 0));
}
