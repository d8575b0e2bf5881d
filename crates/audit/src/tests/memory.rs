//! What a period keeps in memory does not grow with what is in it.

use std::fs;

use tokenward_testbed::Invocation;

use crate::format::batch::Batch;
use crate::period::database::Database;

const VALUE: usize = 4 << 10;
const BATCH: u64 = 100;

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

fn put(database: &Database, batch: u64) {
    let mut blocks = Batch::default();
    (batch * BATCH..(batch + 1) * BATCH)
        .for_each(|first| blocks.push(first, &[u8::try_from(first % 251).unwrap(); VALUE]));
    database.commit(&blocks).unwrap();
}

/// Set in the process that measures itself.
const ALONE: &str = "TOKENWARD_TEST_ALONE";

#[test]
fn the_database_keeps_no_more_than_its_cache() {
    let folder = tempfile::tempdir().unwrap();
    if std::env::var_os(ALONE).is_none() {
        // In a process of its own: other tests of this one use memory meanwhile.
        let name = "tests::memory::the_database_keeps_no_more_than_its_cache";
        let ran = Invocation::new(std::env::current_exe().unwrap(), folder.path())
            .arguments(&["--exact", name])
            .environment(&[(ALONE, "1")])
            .run();
        assert!(ran.ok().contains("1 passed"), "{}", ran.out);
        return;
    }
    let database = Database::create(folder.path(), 4 << 20).unwrap();
    (0..10).for_each(|batch| put(&database, batch));
    let before = resident();
    (10..250).for_each(|batch| put(&database, batch));
    // Of the 98 MB that were put: one leaf of each of sled's 256 shards, and what waits to be evicted.
    let grown = resident().saturating_sub(before);
    assert!(grown < 18 << 20, "{grown}");
}
