//! The one thread that writes (group commit): it takes everything that is queued, writes it as few blocks, makes these
//! durable, then answers the callers that wait.

mod block_builder;
pub(crate) mod clock;
mod current;
pub(crate) mod queue;
pub(crate) mod quota;
mod signing;
pub(crate) mod stats;

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use self::block_builder::BlockBuilder;
use self::clock::Now;
use self::current::Current;
use self::queue::{Queue, Spare, Work};
use self::signing::Signing;
use self::stats::Counters;
use crate::config::Config;
use crate::disk::space::Space;
use crate::error::{AppendError, DiskError};
use crate::format::batch::Batch;
use crate::format::chain::Chain;
use crate::integrity::heads_file::HeadsFile;
use crate::model::item::{Event, Item};
use crate::period::name::Day;
use crate::store::end_note::EndNote;
use crate::store::periods::Periods;
use crate::store::recover;
use crate::store::retention::{self, Retention};

/// Time after a failure in which appends are answered with the same error, without another attempt.
const PAUSE: Duration = Duration::from_millis(500);
/// Interval at which the writer looks at the clock if nothing is queued.
const IDLE: Duration = Duration::from_secs(1);

/// The parts that the writer shares with the handle.
#[derive(Clone)]
pub(crate) struct Shared {
    /// Queue of items to write.
    pub(crate) queue: Arc<Queue>,
    /// Periods of the store.
    pub(crate) periods: Arc<Periods>,
    /// Counters for health pages and metrics.
    pub(crate) counters: Arc<Counters>,
    /// Sequence number of the last entry on disk.
    pub(crate) tail: watch::Sender<u64>,
    /// Clock of the store.
    pub(crate) now: Now,
}

/// The writer of one store.
pub(crate) struct Writer {
    shared: Shared,
    progress: Progress,
    builder: BlockBuilder,
    space: Space,
    retention: Retention,
    note: EndNote,
    signing: Signing,
    health: Health,
    /// Events to be written before anything else.
    events: Vec<Event>,
    /// Warnings for the operator, until opening reports them.
    warnings: Vec<String>,
    /// The store's lock, held as long as the store is open.
    _lock: File,
}

/// How far the writer has come.
#[derive(Default)]
enum Progress {
    /// The end of the chain is not known: the files could not be read yet.
    #[default]
    Unread,
    /// The end of the chain is known. The next commit begins a period.
    Between(Chain),
    /// A period is open.
    Writing(Box<Current>),
}

/// Whether the last attempt to write succeeded.
enum Health {
    /// The last attempt succeeded, or none was made yet.
    Working,
    /// The last attempt failed at this time, with this error.
    Failed(Instant, DiskError),
}

impl Progress {
    /// The end of the chain, if it is known.
    fn chain(&self) -> Option<Chain> {
        match self {
            Self::Unread => None,
            Self::Between(chain) => Some(*chain),
            Self::Writing(current) => Some(current.chain),
        }
    }

    /// Whether the period of `day`, or a later one, is open.
    fn is_at(&self, day: Day) -> bool {
        matches!(self, Self::Writing(current) if current.period.day >= day)
    }
}

impl Writer {
    /// Makes a writer that has not read the files of the store yet. `heads` is given if heads are to be signed.
    pub(crate) fn new(shared: Shared, config: &Config, lock: File, heads: Option<HeadsFile>) -> Self {
        let events = vec![Event::Opened {
            time_ms: (shared.now)(),
        }];
        Self {
            shared,
            progress: Progress::Unread,
            builder: BlockBuilder::default(),
            space: Space::new(&config.path, config.reserve_bytes),
            retention: Retention::of_days(config.retention_days),
            note: EndNote::open(&config.path),
            signing: heads.map_or(Signing::Off, |heads| Signing::On(Box::new(heads))),
            health: Health::Working,
            events,
            warnings: Vec::new(),
            _lock: lock,
        }
    }

    /// Reads the end of the chain from the files, and writes the event that the store was opened. Returns warnings for the
    /// operator.
    pub(crate) fn start(&mut self) -> Vec<String> {
        if let Err(error) = self.write(&[]) {
            let text = format!(
                "cannot write to the audit: {error}; until this works, calls are refused or forwarded unrecorded, depending on `on_failure`"
            );
            self.warnings.push(text);
        }
        std::mem::take(&mut self.warnings)
    }

    /// Writes until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let queue = Arc::clone(&self.shared.queue);
        let stop = Stop(Arc::clone(&queue));
        let now = Arc::clone(&self.shared.now);
        let mut spare = Spare::default();
        while let Work::Items(items) = queue.take(IDLE, &*now, spare) {
            spare = self.turn(items);
            self.sign(false);
        }
        self.sign(true);
        self.progress = Progress::Unread;
        self.shared.periods.clear();
        // This releases the lock before those who wait for the end hear of it.
        drop(self);
        drop(stop);
    }

    /// Signs the end of the chain if that is due, or if no later one follows (`finally`).
    fn sign(&mut self, finally: bool) {
        // What could not be written cannot be signed either.
        if matches!(self.health, Health::Failed(..)) {
            return;
        }
        let Some(chain) = self.progress.chain() else {
            return;
        };
        let now = (self.shared.now)();
        if let Err(error) = self.signing.sign(&chain, now, finally) {
            let text = format!("heads of the audit are no longer signed until it is opened again: {error}");
            self.events.push(recover::trouble(now, &text));
        }
    }

    /// Writes one batch of the queue, and answers those who wait for it. Gives memory for the next batch.
    fn turn(&mut self, items: Vec<Item>) -> Spare {
        let today = Day::of((self.shared.now)());
        if items.is_empty() && self.events.is_empty() && self.progress.is_at(today) {
            return Spare::default();
        }
        let result = match &self.health {
            // What waits when the store closes has no later attempt.
            Health::Failed(when, error) if when.elapsed() < PAUSE && !self.shared.queue.is_closing() => {
                Err(error.clone())
            }
            _ => self.write(&items),
        };
        match result {
            Ok(first) => Spare::of(items, self.shared.queue.committed(first)),
            Err(source) => {
                let error = AppendError::Failed { source };
                let (records, outcomes) = self.shared.queue.failed(&error, items, (self.shared.now)());
                self.shared.counters.lost(records, outcomes);
                Spare::default()
            }
        }
    }

    /// Puts `items` on disk, and gives the sequence number of the first.
    fn write(&mut self, items: &[Item]) -> Result<u64, DiskError> {
        let written = self.attempt(items);
        self.health = match &written {
            Ok(_) => Health::Working,
            Err(error) => {
                self.shared.counters.failed(error);
                Health::Failed(Instant::now(), error.clone())
            }
        };
        written
    }

    fn attempt(&mut self, items: &[Item]) -> Result<u64, DiskError> {
        if !self.space.has_room()? {
            return Err(DiskError::Full);
        }
        let current = self.period_of_today()?;
        let current = self.delete_outdated(current)?;
        let (current, first) = self.commit(current, items)?;
        self.progress = Progress::Writing(current);
        Ok(first)
    }

    /// Takes the period that is open, or begins one if none of today is.
    fn period_of_today(&mut self) -> Result<Box<Current>, DiskError> {
        let now = (self.shared.now)();
        let chain = match std::mem::take(&mut self.progress) {
            Progress::Writing(current) if current.period.day >= Day::of(now) => return Ok(current),
            Progress::Writing(current) => {
                // It stays open until the next one could be begun.
                let chain = current.chain;
                self.progress = Progress::Writing(current);
                chain
            }
            Progress::Between(chain) => {
                self.progress = Progress::Between(chain);
                chain
            }
            Progress::Unread => {
                let found = recover::recover(&self.shared.periods)?;
                self.events
                    .extend(found.troubles.iter().map(|t| recover::trouble(now, t)));
                self.warnings.extend(found.troubles);
                self.progress = Progress::Between(found.chain);
                found.chain
            }
        };
        let current = Current::begin(&self.shared.periods, chain, now)?;
        // This closes the last one.
        self.progress = Progress::Between(chain);
        Ok(Box::new(current))
    }

    /// Deletes, once a day, the periods that are older than the configured number of days. Their deletion is committed first.
    fn delete_outdated(&mut self, mut current: Box<Current>) -> Result<Box<Current>, DiskError> {
        let now = (self.shared.now)();
        let periods = Arc::clone(&self.shared.periods);
        let outdated = match self.retention.outdated(&periods, current.period, now) {
            Ok(outdated) => outdated,
            Err(error) => {
                self.progress = Progress::Writing(current);
                return Err(error);
            }
        };
        if !outdated.is_empty() {
            let cuts = outdated.iter().map(|(_, cut)| Item::Event(cut.clone()));
            let cuts: Vec<Item> = cuts.collect();
            (current, _) = self.commit(current, &cuts)?;
        }
        self.retention.done(Day::of(now));
        for (period, _) in outdated {
            // The cut is on record. What cannot be deleted today is tried again tomorrow.
            if let Err(error) = retention::delete(&periods, period) {
                let text = format!(
                    "cannot delete the expired audit period {period}: {error}; check the permissions of its directory"
                );
                self.events.push(recover::trouble(now, &text));
                self.warnings.push(text);
            }
        }
        Ok(current)
    }

    /// Writes the events that wait, then `items`, and gives the sequence number of the first of these. After an error the
    /// period is given up. Its sequence numbers are not used again.
    fn commit(
        &mut self,
        mut current: Box<Current>,
        items: &[Item],
    ) -> Result<(Box<Current>, u64), DiskError> {
        let events: Vec<Item> = std::mem::take(&mut self.events)
            .into_iter()
            .map(Item::Event)
            .collect();
        let before = current.chain;
        let first = before.next.saturating_add(count(events.len()));
        let (blocks, end) = self.builder.build(
            &mut current.index,
            before,
            current.is_empty,
            &self.shared.now,
            events.iter().chain(items),
        );
        if blocks.is_empty() {
            return Ok((current, first));
        }
        let begun = Instant::now();
        match current.commit(&blocks) {
            Ok(()) => {
                self.committed(before, end, &blocks, begun.elapsed());
                self.builder.reuse(blocks);
                current.advance(end);
                Ok((current, first))
            }
            Err(error) => {
                self.builder.forget(items);
                // They are written with the next attempt.
                self.events = events.into_iter().filter_map(event).collect();
                self.give_up(current, end, &error);
                Err(error)
            }
        }
    }

    /// Publishes the new end of the chain: to counters, to the note, and to those who follow it.
    fn committed(&self, before: Chain, end: Chain, blocks: &Batch, took: Duration) {
        let entries = end.next.saturating_sub(before.next);
        self.shared.counters.committed(entries, blocks, took);
        self.note.write(&end);
        self.shared.tail.send_replace(end.next.saturating_sub(1));
    }

    /// Leaves a period in which a write failed. The next one continues the chain before that write, after the sequence
    /// numbers that it was to have.
    fn give_up(&mut self, current: Box<Current>, end: Chain, error: &DiskError) {
        let (period, is_empty) = (current.period, current.is_empty);
        self.progress = Progress::Between(Chain {
            next: end.next,
            ..current.chain
        });
        current.give_up(&self.shared.periods);
        // Periods that fail one after the other, before anything is written to them, are reported once.
        let is_reported = self
            .events
            .iter()
            .any(|event| matches!(event, Event::Trouble { .. }));
        if !is_empty || !is_reported {
            let text = format!("writing to the audit period {period} failed, a new one begins: {error}");
            self.events.push(recover::trouble((self.shared.now)(), &text));
        }
    }
}

/// Wakes those who wait for the writer to stop, even if it panicked.
struct Stop(Arc<Queue>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stopped();
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn event(item: Item) -> Option<Event> {
    match item {
        Item::Event(event) => Some(event),
        _ => None,
    }
}
