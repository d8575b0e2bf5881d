//! Stores, records and clocks for tests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::writer::clock::Now;
use crate::{AppendError, Appended, Config, End, LineRef, Outcome, Record, Sequence, Store, Verdict};

/// Noon of 2026-11-24.
pub(crate) const NOON: i64 = 1_795_521_600_000;
pub(super) const DAY: i64 = 86_400_000;

/// A clock that stands until it is set.
#[derive(Clone)]
pub(super) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(super) fn at(ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(ms)))
    }
    pub(super) fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }
    pub(super) fn now(&self) -> Now {
        let ms = Arc::clone(&self.0);
        Arc::new(move || ms.load(Ordering::SeqCst))
    }
}

/// Holds the writer up, as a disk that hangs would: it asks the time before each commit.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(super) fn set(&self, shut: bool) {
        *self.0.0.lock().unwrap() = shut;
        self.0.1.notify_all();
    }
    pub(super) fn clock(&self) -> Now {
        let gate = self.clone();
        Arc::new(move || {
            if std::thread::current().name() == Some("audit-writer") {
                let shut = gate.0.0.lock().unwrap();
                drop(gate.0.1.wait_while(shut, |shut| *shut).unwrap());
            }
            NOON
        })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.set(false);
    }
}

pub(super) fn config(root: &Path) -> Config {
    Config {
        reserve_bytes: 0,
        wait: Duration::from_secs(20),
        ..Config::at(root.join("audit"))
    }
}

pub(super) fn open(root: &Path, clock: &Clock) -> Store {
    open_with(config(root), clock)
}

pub(super) fn open_with(config: Config, clock: &Clock) -> Store {
    Store::open_at(config, clock.now()).expect("the store opens")
}

pub(crate) fn record(n: u8, time_ms: i64) -> Record {
    Record {
        time_ms,
        request_id: [n; 16],
        client_request_id: (n.is_multiple_of(5)).then(|| format!("client-{n}")),
        token: Some(format!("token-{}", n % 3)),
        user: Some(format!("user-{}", n % 4)),
        on_behalf_of: (n.is_multiple_of(7)).then(|| "alice".to_owned()),
        client: if n.is_multiple_of(2) {
            IpAddr::from([10, 0, 0, n])
        } else {
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, u16::from(n)])
        },
        method: if n.is_multiple_of(2) {
            "GET".into()
        } else {
            "POST".into()
        },
        url: format!("https://jira.example.com/rest/api/2/issue/KANBAN-{n}"),
        line: (!n.is_multiple_of(4)).then(|| LineRef {
            file: "ci.toml".into(),
            number: u32::from(n),
            digest: "00ff".into(),
        }),
        verdict: if n.is_multiple_of(4) {
            Verdict::Deny
        } else {
            Verdict::Allow
        },
        reason: if n.is_multiple_of(4) {
            "no-line".into()
        } else {
            "line".into()
        },
        policy: "ab".repeat(32),
        request_bytes: (n % 2 == 1).then_some(u64::from(n) * 1000),
        decision_ns: 900,
        authenticated: true,
        nodes: Vec::new(),
        tried: Vec::new(),
        lacking: None,
        unread: None,
    }
}

pub(crate) fn outcome(n: u8) -> Outcome {
    Outcome {
        request_id: [n; 16],
        status: Some(if n.is_multiple_of(4) { 403 } else { 200 }),
        upstream_status: (!n.is_multiple_of(4)).then_some(200),
        sent_bytes: 0,
        received_bytes: 512,
        total_us: 4_200,
        upstream_us: (!n.is_multiple_of(4)).then_some(4_000),
        end: End::Complete,
    }
}

/// Skipped `future` without any runtime's clock or drivers: the store must not need them.
pub(super) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

pub(super) fn append(store: &Store, record: Record) -> Result<Appended, AppendError> {
    run(store.append(record))
}

pub(super) fn stored(store: &Store, record: Record) -> Sequence {
    match append(store, record).expect("the record is stored") {
        Appended::Stored(sequence) => sequence,
        other => panic!("{other:?}"),
    }
}

/// Copies a store as it is on disk now, as a crash would leave it.
pub(super) fn copy(from: &Path, to: &Path) {
    crate::disk::permissions::make(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("it lists") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("it copies");
        }
    }
}

/// Lets `change` work on the blocks of a closed period, by the place of their first entry, as a tamperer with access to its
/// files could.
pub(super) fn tamper(period: &Path, change: impl FnOnce(&mut BTreeMap<u64, Vec<u8>>)) {
    let (found, _) = crate::period::edges::blocks(period).unwrap();
    let mut blocks = found
        .into_iter()
        .map(|(first, block)| (first, block.bytes().to_vec()))
        .collect();
    change(&mut blocks);
    std::fs::write(
        period.join("db"),
        blocks.into_values().collect::<Vec<_>>().concat(),
    )
    .unwrap();
}

/// Makes the content of a block unreadable, though its checksum holds.
pub(super) fn spoil(bytes: &mut [u8]) {
    bytes[crate::format::block::HEADER_SIZE..].fill(0xff);
    super::codec::mend_checksum(bytes);
}
