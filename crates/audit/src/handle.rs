//! The handle through which the process appends and asks.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::config::{Config, Durability};
use crate::disk::permissions;
use crate::error::{AppendError, OpenError, QueryError};
use crate::integrity::findings::Verified;
use crate::integrity::heads_file::HeadsFile;
use crate::integrity::keys::{PublicKey, SigningKey};
use crate::model::entry::{Appended, Entry, Sequence};
use crate::model::filter::{Filter, Page};
use crate::model::item::{Ended, Event, Item};
use crate::model::packed::PackedRecord;
use crate::model::record::{Outcome, TEXT_LIMIT};
use crate::reader::Reader;
use crate::store::lock::lock;
use crate::store::periods::Periods;
use crate::writer::clock::Now;
use crate::writer::queue::{Pushed, Queue};
use crate::writer::quota::{Quotas, Refused};
use crate::writer::stats::{Counters, StoreStats, count};
use crate::writer::{Shared, Writer};

/// How long closing may take: a hanging disk must not keep the process from ending.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// An open store. Cheap to clone; all clones are the same store, which closes when the last goes.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    config: Config,
    key: Option<PublicKey>,
    report: OpenReport,
    shared: Shared,
    tail: watch::Receiver<u64>,
}

/// Warnings from opening a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// One sentence each, for the operator; empty if all was well.
    pub warnings: Vec<String>,
}

impl Store {
    /// Opens the store at `config.path`, made if absent. This blocks: call it before serving.
    ///
    /// A damaged period, or a disk that cannot be written at present, is not an error: see [`Store::opened`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(config: Config) -> Result<Self, OpenError> {
        Self::open_at(config, Arc::new(system_now))
    }

    /// Opens with a clock of the caller's.
    pub(crate) fn open_at(config: Config, now: Now) -> Result<Self, OpenError> {
        let io_error = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { doing, path, source }
        };
        // The lock comes first: nothing of a store is touched that another process writes.
        permissions::make(&config.path).map_err(io_error("make", &config.path))?;
        let lock = lock(&config.path)?;
        let waits = config.durability == Durability::Durable;
        let quotas = Quotas::new(config.outsider_quota_per_minute);
        let (sender, tail) = watch::channel(0);
        let shared = Shared {
            queue: Arc::new(Queue::new(config.queue_bytes, config.wait, waits, quotas)),
            periods: Arc::new(Periods::new(&config.path, config.cache_bytes)),
            counters: Arc::new(Counters::default()),
            tail: sender,
            now,
        };
        // A key that cannot be used fails before anything is written.
        let key = config.signing_key.as_deref().map(SigningKey::read).transpose()?;
        let public = key.as_ref().map(SigningKey::public);
        let heads = key.map(|key| HeadsFile::open(&config.path, key, config.signing_interval));
        let heads = heads.transpose().map_err(io_error("write", &config.path))?;
        let mut writer = Writer::new(shared.clone(), &config, lock, heads);
        let mut report = OpenReport {
            warnings: writer.start(),
        };
        report.warnings.extend(permissions::warning(&config.path));
        // Threads start last, so that the warnings of the first write are in the report.
        let queue = Arc::clone(&shared.queue);
        let threads = spawn("audit-writer", move || writer.run()).and_then(|()| {
            spawn("audit-deadlines", move || {
                let mut idle_ticks = 0;
                while queue.expire(&mut idle_ticks) {}
            })
        });
        let store = Self(Arc::new(Inner {
            config,
            key: public,
            report,
            shared,
            tail,
        }));
        threads.map_err(io_error("start the threads for", &store.0.config.path))?;
        Ok(store)
    }

    /// What opening met with: an end that is missing, a disk that gives or takes nothing.
    pub fn opened(&self) -> &OpenReport {
        &self.0.report
    }

    /// The settings it was opened with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Stores a record: done when it is on disk (`Durable`) or queued (`Buffered`).
    ///
    /// After `Busy` or `Failed` the record may still be found in the store later.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append(&self, record: impl Into<PackedRecord>) -> Result<Appended, AppendError> {
        let record = record.into();
        let refused = Refused::of(&record.parts());
        self.append_within(record, refused).await
    }

    /// Stores the record of a call that a limit refused, as [`Store::append`] does. A token that goes on calling would
    /// fill the disk, so that its records of this kind have a quota. Beyond it they are counted, and an event has the
    /// number.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append_over_limit(&self, record: impl Into<PackedRecord>) -> Result<Appended, AppendError> {
        self.append_within(record.into(), Some(Refused::OverLimit)).await
    }

    async fn append_within(
        &self,
        record: PackedRecord,
        refused: Option<Refused>,
    ) -> Result<Appended, AppendError> {
        let size = record.text_bytes();
        if size > TEXT_LIMIT {
            return Err(AppendError::TooLarge {
                size,
                limit: TEXT_LIMIT,
            });
        }
        let Shared {
            queue, counters, now, ..
        } = &self.0.shared;
        if let Some(refused) = refused
            && !queue.admit(refused, record.parts().token, now())
        {
            count(match refused {
                Refused::Outsider => &counters.counted_outsiders,
                Refused::Token => &counters.counted_refused_tokens,
                Refused::OverLimit => &counters.counted_over_limit,
            });
            return Ok(Appended::Counted);
        }
        let pushed = queue.push_record(Item::Decision(record))?;
        let appended = match pushed {
            Pushed::Now(appended) => appended,
            Pushed::Later(answer) => answer.await.map_err(|_| AppendError::Closed)??,
        };
        count(&counters.appended);
        Ok(appended)
    }

    /// Stores an action of somebody at the admin listener: done when it is on disk (`Durable`) or queued (`Buffered`). Longer
    /// texts than an entry may have are cut.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append_admin(
        &self,
        who: &str,
        client: IpAddr,
        action: &str,
        text: &str,
    ) -> Result<(), AppendError> {
        const MOST: usize = TEXT_LIMIT / 4;
        let within = |text: &str| {
            text.get(..text.floor_char_boundary(MOST))
                .unwrap_or_default()
                .to_owned()
        };
        let event = Event::Admin {
            time_ms: (self.0.shared.now)(),
            who: within(who),
            client,
            action: within(action),
            text: within(text),
        };
        match self.0.shared.queue.push_record(Item::Event(event))? {
            Pushed::Now(_) => Ok(()),
            Pushed::Later(answer) => answer.await.map_err(|_| AppendError::Closed)?.map(|_| ()),
        }
    }

    /// Stores an event of the caller, and waits until it is on disk, also with `Buffered`. Blocks: never call it from async code.
    ///
    /// After an error the event may still be found in the store later.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_event(&self, event: Event) -> Result<(), AppendError> {
        let answer = self.0.shared.queue.push_event(Item::Event(event))?;
        answer.blocking_recv().map_err(|_| AppendError::Closed)?.map(drop)
    }

    /// Returns the high-water mark of a fleet ([`Event::FleetMark`]) that was stored last, whatever its time says, if there is
    /// one. Each opening repeats the mark, so usually only the last blocks are read. Blocks.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn last_fleet_mark(&self) -> Result<Option<Event>, QueryError> {
        self.reader()
            .last_event(|event| matches!(event, Event::FleetMark { .. }))
    }

    /// Stores the outcome of a call with the next commit, without blocking. An outcome that cannot be kept is counted in
    /// [`StoreStats::lost_outcomes`].
    ///
    /// # Errors
    /// `Closed`, or `Busy` if the outcome was counted as lost.
    pub fn append_outcome(&self, outcome: Outcome) -> Result<(), AppendError> {
        let Shared {
            queue, counters, now, ..
        } = &self.0.shared;
        let at_ms = now();
        if queue.push_outcome(
            Item::Ended(Ended {
                at_ms,
                outcome,
                decision: None,
            }),
            at_ms,
        )? {
            return Ok(());
        }
        count(&counters.lost_outcomes);
        Err(AppendError::Busy {
            waited: Duration::ZERO,
        })
    }

    /// Counts a call that the caller let pass unrecorded; the count is stored when the disk works.
    pub fn count_unrecorded(&self) {
        let Shared {
            queue, counters, now, ..
        } = &self.0.shared;
        count(&counters.unrecorded);
        queue.count_unrecorded(now());
    }

    /// Returns the calls that `filter` wants, with their outcomes. This blocks on the disk: from async code, call it on a
    /// thread for blocking work. Writing continues meanwhile.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query(&self, filter: &Filter, page: Page) -> Result<Vec<Entry>, QueryError> {
        self.reader().query(filter, page)
    }

    /// Returns the store's own events from `since_ms` to before `until_ms`, oldest first. Blocks.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn events(&self, since_ms: i64, until_ms: i64) -> Result<Vec<(Sequence, Event)>, QueryError> {
        self.reader().events(since_ms, until_ms)
    }

    /// Answers questions beyond those here.
    pub fn reader(&self) -> Reader {
        Reader::of(Arc::clone(&self.0.shared.periods))
    }

    /// The keys that its heads are checked with: that of the configured signing key, or none.
    pub fn keys(&self) -> &[PublicKey] {
        self.0.key.as_slice()
    }

    /// Recomputes the chain over all periods and checks the signed heads. Blocks until everything is read.
    ///
    /// # Errors
    /// See [`QueryError`]. Faults of the chain are not errors: [`Verified`] lists them.
    pub fn verify(&self) -> Result<Verified, QueryError> {
        self.reader().verify(self.keys())
    }

    /// Sequence number of the last entry on disk.
    pub fn last(&self) -> Sequence {
        Sequence(*self.0.tail.borrow())
    }

    /// Waits, at most `timeout`, until an entry after `sequence` is on disk, and returns the newest sequence number.
    /// `None` if no entry came, or if the store was closed.
    pub async fn next_after(&self, sequence: Sequence, timeout: Duration) -> Option<Sequence> {
        let mut tail = self.0.tail.clone();
        let mut over = self.0.shared.queue.sleep(Instant::now() + timeout);
        let newer = async {
            tail.wait_for(|last| *last > sequence.0)
                .await
                .map(|last| Sequence(*last))
                .ok()
        };
        let mut newer = std::pin::pin!(newer);
        std::future::poll_fn(|cx| {
            use std::task::Poll;
            if let Poll::Ready(found) = newer.as_mut().poll(cx) {
                return Poll::Ready(found);
            }
            std::pin::Pin::new(&mut over).poll(cx).map(|_| None)
        })
        .await
    }

    /// Waits until no period is being flushed, which happens on a thread of its own.
    #[cfg(test)]
    pub(crate) fn wait_settled(&self) {
        let periods = &self.0.shared.periods;
        for period in periods.list().unwrap() {
            periods.get(period).unwrap().wait_settled();
        }
    }

    /// Whether it takes nothing more, because it is being closed.
    #[cfg(test)]
    pub(crate) fn is_closing(&self) -> bool {
        self.0.shared.queue.is_closing()
    }

    /// Counters and present state.
    pub fn stats(&self) -> StoreStats {
        let queued = u64::try_from(self.0.shared.queue.bytes()).unwrap_or(u64::MAX);
        self.0.shared.counters.read(self.last(), queued)
    }

    /// Writes all that is queued, and closes. Blocks. Later appends fail with `Closed`.
    ///
    /// # Errors
    /// `Failed` if something queued could not be written, `Busy` if the disk gives no answer.
    pub fn close(&self) -> Result<(), AppendError> {
        let Shared { queue, counters, .. } = &self.0.shared;
        let lost = || {
            let stats = counters.read(Sequence(0), 0);
            (stats.lost_records + stats.lost_outcomes, stats.last_error)
        };
        let (before, _) = lost();
        queue.close();
        if !queue.wait_stopped(CLOSE_LIMIT) {
            return Err(AppendError::Busy { waited: CLOSE_LIMIT });
        }
        match lost() {
            (after, Some(why)) if after > before => Err(AppendError::Failed {
                source: crate::error::DiskError::Database(why),
            }),
            _ => Ok(()),
        }
    }
}

impl Drop for Inner {
    /// Closes the queue. The writer stops by itself after the queued items; nothing waits for it here.
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.0.config.path)
            .finish_non_exhaustive()
    }
}

fn system_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(work).map(|_| ())
}
