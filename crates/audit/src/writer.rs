//! The one thread that writes: takes all that is queued, writes it as few blocks, makes them durable,
//! then answers those who wait (group commit).

pub(crate) mod queue;
pub(crate) mod quota;
pub(crate) mod stats;

use std::collections::HashMap;
use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::config::Config;
use crate::disk::space::Space;
use crate::error::{AppendError, DiskError};
use crate::format::block::{self, CONTENT_LIMIT, Header};
use crate::format::chain::{Chain, Hash};
use crate::format::encode::Encoder;
use crate::index::writer::IndexWriter;
use crate::integrity::heads_file::HeadsFile;
use crate::model::item::{Event, Item};
use crate::period::name::Day;
use crate::store::end_note::EndNote;
use crate::store::periods::Periods;
use crate::store::recover::{self, Current};
use crate::store::retention;
use crate::writer::queue::{Queue, Work};
use crate::writer::stats::Counters;

/// After a failure, appends within this time are answered with it, without another attempt.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the disk's free space is taken for what it was: what can be written meanwhile is far below the margin.
const SPACE_KNOWN: Duration = Duration::from_millis(50);
/// How often the clock is looked at when nothing comes.
const IDLE: Duration = Duration::from_secs(1);
/// Decisions whose end has not come that are remembered; beyond, ends carry the call's whole id.
const OPEN_CALLS: usize = if cfg!(test) { 3 } else { 1 << 17 };
/// Most bytes that an item's fields take index its texts.
const FIELDS: usize = 256;

/// The present, milliseconds since 1970 UTC.
pub(crate) type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the writer shares with the handle.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) queue: Arc<Queue>,
    pub(crate) periods: Arc<Periods>,
    pub(crate) counters: Arc<Counters>,
    /// Place of the last entry on disk.
    pub(crate) tail: watch::Sender<u64>,
    pub(crate) now: Now,
}

/// Everything that the writer owns.
pub(crate) struct Writer {
    shared: Shared,
    retention_days: Option<u32>,
    space: Space,
    // When there was room last.
    room: Option<Instant>,
    note: Option<EndNote>,
    heads: Option<HeadsFile>,
    index: Option<IndexWriter>,
    // Held as long as the store is open.
    _lock: File,
    // `None` until what is on disk could be read.
    chain: Option<Chain>,
    current: Option<Current>,
    // To be written before anything else.
    events: Vec<Event>,
    warnings: Vec<String>,
    outdated_on: Option<Day>,
    content: Encoder,
    calls: HashMap<[u8; 16], u64>,
    failed: Option<(Instant, DiskError)>,
}

impl Writer {
    /// A writer that has not yet looked at what is on disk.
    pub(crate) fn new(shared: Shared, config: &Config, lock: File, heads: Option<HeadsFile>) -> Self {
        let events = vec![Event::Opened {
            time_ms: (shared.now)(),
        }];
        Self {
            space: Space::new(&config.path, config.reserve_bytes),
            room: None,
            retention_days: config.retention_days,
            // Without it the store works; what it guards against then goes unnoticed.
            note: EndNote::open(&config.path).ok(),
            heads,
            index: None,
            shared,
            _lock: lock,
            chain: None,
            current: None,
            events,
            warnings: Vec::new(),
            outdated_on: None,
            content: Encoder::default(),
            calls: HashMap::new(),
            failed: None,
        }
    }

    /// Looks at what is on disk, and writes that the store was opened. Gives warnings for the operator.
    pub(crate) fn start(&mut self) -> Vec<String> {
        if let Err(error) = self.write(&[]) {
            let text = format!(
                "the audit cannot be written: {error}; until it can, calls are refused or pass unrecorded, by the setting `on_failure`"
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
        while let Work::Items(items) = queue.take(IDLE, &*now) {
            self.turn(items);
            self.sign(false);
        }
        self.sign(true);
        self.index = None;
        self.current = None;
        self.shared.periods.clear();
        // With it the lock goes, before those who wait for the end hear of it.
        drop(self);
        drop(stop);
    }

    /// Signs the end of the chain, if that is wanted and due.
    fn sign(&mut self, finally: bool) {
        if self.failed.is_some() {
            // Nor could it be written; there is a next time.
            return;
        }
        let (Some(heads), Some(chain)) = (&mut self.heads, &self.chain) else {
            return;
        };
        let now = (self.shared.now)();
        if let Err(error) = heads.sign(chain, now, finally) {
            // One that goes on failing would fill the chain with its complaints.
            self.heads = None;
            let text = format!("heads of the audit are signed no more until it is opened again: {error}");
            self.events.push(recover::trouble(now, &text));
        }
    }

    fn turn(&mut self, items: Vec<Item>) {
        let today = Day::of((self.shared.now)());
        let is_current = self.current.as_ref().is_some_and(|c| c.period.day >= today);
        if items.is_empty() && self.events.is_empty() && is_current {
            return;
        }
        let result = match &self.failed {
            // What waits when the store closes has no later attempt.
            Some((when, error)) if when.elapsed() < PAUSE && !self.shared.queue.is_closing() => {
                Err(error.clone())
            }
            _ => self.write(&items),
        };
        match result {
            Ok(first) => self.shared.queue.committed(first),
            Err(source) => {
                let error = AppendError::Failed { source };
                let (records, outcomes) = self.shared.queue.failed(&error, items, (self.shared.now)());
                self.shared.counters.lost(records, outcomes);
            }
        }
    }

    /// Puts `items` on disk, and gives the place of the first.
    fn write(&mut self, items: &[Item]) -> Result<u64, DiskError> {
        let written = self.prepare().and_then(|()| {
            self.retain()?;
            self.commit(items)
        });
        match &written {
            Ok(_) => self.failed = None,
            Err(error) => {
                self.shared.counters.failed(error);
                self.failed = Some((Instant::now(), error.clone()));
            }
        }
        written
    }

    /// Sees to it that there is room, that the end of the chain is known, and a period of today open.
    fn prepare(&mut self) -> Result<(), DiskError> {
        let now = (self.shared.now)();
        if self.room.is_none_or(|when| when.elapsed() > SPACE_KNOWN) {
            self.room = None;
            if !self.space.check()? {
                return Err(DiskError::Full);
            }
            self.room = Some(Instant::now());
        }
        if self.chain.is_none() {
            let found = recover::recover(&self.shared.periods)?;
            self.chain = Some(found.chain);
            self.events
                .extend(found.troubles.iter().map(|t| recover::trouble(now, t)));
            self.warnings.extend(found.troubles);
        }
        if self.current.as_ref().is_none_or(|c| c.period.day < Day::of(now)) {
            self.current = Some(recover::begin(&self.shared.periods, now)?);
        }
        Ok(())
    }

    /// Once a day, deletes what is older than is kept.
    fn retain(&mut self) -> Result<(), DiskError> {
        let now = (self.shared.now)();
        let today = Day::of(now);
        if self.outdated_on == Some(today) {
            return Ok(());
        }
        let current = self.current.as_ref().map(|c| c.period);
        let mut outdated = retention::outdated(&self.shared.periods, self.retention_days, now)?;
        outdated.retain(|p| Some(*p) != current);
        if !outdated.is_empty() {
            let cuts = outdated
                .iter()
                .map(|p| retention::cut(&self.shared.periods, *p, now).map(Item::Event));
            let cuts = cuts.collect::<Result<Vec<Item>, DiskError>>()?;
            self.commit(&cuts)?;
        }
        self.outdated_on = Some(today);
        for period in outdated {
            // The cut is on record; what cannot be deleted today is tried again tomorrow.
            if let Err(error) = retention::delete(&self.shared.periods, period) {
                let text = format!(
                    "the audit period {period} is outdated and cannot be deleted: {error}; check the rights of its directory"
                );
                self.events.push(recover::trouble(now, &text));
                self.warnings.push(text);
            }
        }
        Ok(())
    }

    /// Writes waiting events, then `items`. Whatever fails, the places are not used again.
    fn commit(&mut self, items: &[Item]) -> Result<u64, DiskError> {
        let (Some(chain), Some(current)) = (self.chain, self.current.take()) else {
            return Err(DiskError::Database("no period is open".into()));
        };
        let events: Vec<Item> = std::mem::take(&mut self.events)
            .into_iter()
            .map(Item::Event)
            .collect();
        let first = chain.next.saturating_add(count(events.len()));
        if self
            .index
            .as_ref()
            .is_none_or(|index| index.period != current.period)
        {
            let path = self.shared.periods.path(current.period);
            self.index = Some(IndexWriter::open(current.period, &path));
        }
        let (blocks, end) = self.blocks(chain, current.empty, events.iter().chain(items));
        if blocks.is_empty() {
            self.current = Some(current);
            return Ok(first);
        }
        let begun = Instant::now();
        match current.opened.commit(&blocks) {
            Ok(()) => {
                let entries = end.next.saturating_sub(chain.next);
                self.shared.counters.committed(entries, &blocks, begun.elapsed());
                self.chain = Some(end);
                if let Some(index) = &mut self.index {
                    index.committed(chain.next, end.next.saturating_sub(1));
                }
                if let Some(note) = &self.note {
                    let _ = note.write(&end);
                }
                self.current = Some(Current {
                    empty: false,
                    ..current
                });
                self.shared.tail.send_replace(end.next.saturating_sub(1));
                Ok(first)
            }
            Err(error) => {
                // The next period may have this one's name.
                if let Some(mut index) = self.index.take() {
                    index.failed();
                }
                let chain = Chain {
                    next: end.next,
                    ..chain
                };
                self.events.splice(0..0, events.into_iter().filter_map(event));
                self.give_up(current, chain, &error);
                for item in items {
                    if let Item::Decision(record) = item {
                        self.calls.remove(&record.request_id);
                    }
                }
                Err(error)
            }
        }
    }

    /// Leaves a period behind in which a write failed: neither the database nor, after a failed sync,
    /// the system's cache can be trusted with more.
    fn give_up(&mut self, current: Current, chain: Chain, error: &DiskError) {
        let Current {
            period,
            opened,
            empty,
        } = current;
        self.shared.periods.forget(period);
        drop(opened);
        self.chain = Some(chain);
        if empty {
            // Nothing in it was acknowledged. A disk that fails for a day would leave a hundred thousand of them.
            let _ = fs::remove_dir_all(self.shared.periods.path(period));
        }
        if !empty
            || self
                .events
                .iter()
                .all(|event| !matches!(event, Event::Trouble { .. }))
        {
            let text = format!("writing to the audit period {period} failed, a new one begins: {error}");
            self.events.push(recover::trouble((self.shared.now)(), &text));
        }
    }

    /// Encodes `items` as blocks that continue `chain`.
    fn blocks<'i>(
        &mut self,
        chain: Chain,
        first_of_period: bool,
        items: impl Iterator<Item = &'i Item>,
    ) -> (Vec<(u64, Vec<u8>)>, Chain) {
        let mut blocks = Vec::new();
        let mut sequence = chain.next;
        let fresh = |first, first_of_period, previous: Hash| Header {
            first_of_period,
            events: false,
            count: 0,
            first,
            earliest_ms: i64::MAX,
            latest_ms: i64::MIN,
            written_ms: (self.shared.now)(),
            tokens: 0,
            previous,
        };
        let mut header = fresh(sequence, first_of_period, chain.hash);
        let mut raw = Vec::new();
        for item in items {
            if header.count > 0 && self.content.size() + item.weight() + FIELDS > CONTENT_LIMIT {
                raw.clear();
                self.content.finish(&mut raw);
                if let Some(index) = &mut self.index {
                    index.end_block(&mut header);
                }
                let (bytes, hash) = block::encode(&header, &raw);
                blocks.push((header.first, bytes));
                header = fresh(sequence, false, hash);
            }
            match item {
                Item::Decision(record) => {
                    if self.calls.len() >= OPEN_CALLS {
                        self.calls.clear();
                    }
                    self.calls.insert(record.request_id, sequence);
                    header.cover(record.time_ms);
                    if let Some(index) = &mut self.index {
                        index.see(header.first, record);
                    }
                    header.tokens |= record.token.as_deref().map_or(0, block::token_mask);
                    self.content.push(item, sequence);
                }
                Item::Ended(ended) => {
                    if let Some(index) = &mut self.index {
                        index.see_end(header.first, &ended.outcome);
                    }
                    let decision = self.calls.remove(&ended.outcome.request_id);
                    self.content.push(
                        &Item::Ended(crate::model::item::Ended { decision, ..*ended }),
                        sequence,
                    );
                }
                Item::Event(event) => {
                    header.cover(event.time_ms());
                    header.events = true;
                    self.content.push(item, sequence);
                }
            }
            header.count += 1;
            sequence = sequence.saturating_add(1);
        }
        let mut hash = chain.hash;
        if header.count > 0 {
            raw.clear();
            self.content.finish(&mut raw);
            if let Some(index) = &mut self.index {
                index.end_block(&mut header);
            }
            let (bytes, last) = block::encode(&header, &raw);
            blocks.push((header.first, bytes));
            hash = last;
        }
        (blocks, Chain { next: sequence, hash })
    }
}

/// Tells those who wait that the writer has stopped, whichever way it did.
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
