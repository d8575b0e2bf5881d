//! A search of the database while blocks are written.

use super::*;
use crate::format::block::{self, Header};

const CACHE: u64 = 1 << 20;

/// A block with one entry, and the sequence number `first`.
fn block(first: u64, size: usize) -> (u64, Vec<u8>) {
    let header = Header {
        first_of_period: first == 1,
        events: false,
        count: 1,
        first,
        earliest_ms: 1,
        latest_ms: 1,
        written_ms: 1,
        tokens: 0,
        previous: [0; 32],
    };
    (first, block::encode(&header, &vec![7; size]).0)
}

/// These blocks, as a commit.
fn commit(database: &Database, blocks: &[(u64, Vec<u8>)]) {
    let mut batch = Batch::default();
    blocks.iter().for_each(|(first, bytes)| batch.push(*first, bytes));
    database.commit(&batch).unwrap();
}

/// A database in which the blocks 1 to 3 are in memory.
fn database(directory: &Path) -> Database {
    let database = Database::create(directory, CACHE).unwrap();
    commit(&database, &[block(1, 10), block(2, 10), block(3, 10)]);
    database
}

/// The sequence number that a search from `at` finds, if `more` is committed before its step number `step`.
fn found(at: u64, step: usize, more: &[(u64, Vec<u8>)]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let mut steps = 0;
    let found = database.search(at, || {
        if steps == step {
            commit(&database, more);
        }
        steps += 1;
    });
    found.unwrap().unwrap().0
}

#[test]
fn blocks_that_move_to_the_database_during_a_search_are_not_stepped_over() {
    // A long block goes to the database directly. The short ones before it must go there first.
    let long = || block(4, batch::SHORT);
    for step in 0..2 {
        for at in 1..=3 {
            assert_eq!(found(at, step, &[long()]), at, "{step}");
        }
        assert_eq!(
            found(4, step, &[block(4, 10), block(5, batch::SHORT)]),
            4,
            "{step}"
        );
    }
}

#[test]
fn blocks_that_two_batches_take_during_a_search_are_not_stepped_over() {
    let more: Vec<_> = (4..40).map(|first| block(first, 100)).collect();
    for step in 0..2 {
        for at in 1..=4 {
            assert_eq!(found(at, step, &more), at, "{step}");
        }
    }
}
