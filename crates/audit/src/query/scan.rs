//! Going through the blocks: first decisions, then their outcomes, which are further on.

use std::collections::{BTreeMap, HashMap};

use crate::error::QueryError;
use crate::format::decode::ItemView;
use crate::index::bloom;
use crate::model::entry::{Entry, Sequence};
use crate::model::filter::{Filter, Page};
use crate::model::item::Event;
use crate::period::database::StoredBlock;
use crate::query::items::{broken, each};
use crate::query::source::Source;
use crate::query::walk::{Range, Walk};

/// No call takes longer than a week: so far its outcome is looked for.
const LONGEST_CALL_MS: i64 = 7 * 86_400_000;

/// Result of a scan.
pub(crate) enum Scanned {
    /// The calls that are wanted, as many as were asked for or as there are.
    All(Vec<Entry>),
    /// The scan was given up, because the status is rare: the calls found so far. The rest is before this sequence number.
    Rare(Vec<Entry>, Sequence),
}

/// Goes through the calls that may be wanted. Gives up if `is_rare` returns true for the number of entries read and the number
/// of ends with the wanted status among them.
pub(crate) fn scan(
    source: &Source,
    filter: &Filter,
    page: Page,
    is_rare: impl Fn(u64, u64) -> bool,
) -> Result<Scanned, QueryError> {
    let range = Range {
        after: page.after.map(|s| s.0),
        before: page.before.map(|s| s.0),
        since_ms: filter.since_ms,
        until_ms: filter.until_ms,
    };
    let mut walk = Walk::new(source, range, page.newest_first)?.wanting(bloom::keys_of(filter));
    let mut scan = Scan {
        filter,
        page,
        found: Vec::new(),
        examined: 0,
        ends: 0,
    };
    // So many of those found are known to be wanted, outcome and all.
    let mut settled = 0;
    while scan.found.len() < page.limit {
        let Some(block) = walk.next()? else { break };
        if !filter.may_be_in(&block.header) || !scan.block(&block)? {
            continue;
        }
        // Those that the outcome rules out make room for others.
        if filter.needs_outcome() && scan.found.len() >= page.limit {
            settled = settle(source, filter, &mut scan.found, settled)?;
        }
        if scan.found.len() < page.limit && is_rare(scan.examined, scan.ends) {
            settle(source, filter, &mut scan.found, settled)?;
            return Ok(Scanned::Rare(scan.found, Sequence(block.header.first)));
        }
    }
    settle(source, filter, &mut scan.found, settled)?;
    scan.found.truncate(page.limit);
    Ok(Scanned::All(scan.found))
}

/// Goes through all calls that may be wanted.
pub(crate) fn all(source: &Source, filter: &Filter, page: Page) -> Result<Vec<Entry>, QueryError> {
    match scan(source, filter, page, |_, _| false)? {
        Scanned::All(found) | Scanned::Rare(found, _) => Ok(found),
    }
}

struct Scan<'f> {
    filter: &'f Filter,
    page: Page,
    found: Vec<Entry>,
    // Entries that were looked at, and ends with the status that is asked for among them.
    examined: u64,
    ends: u64,
}

impl Scan<'_> {
    /// Adds the matching calls of a block. Returns `false` if its content cannot have a match.
    fn block(&mut self, block: &StoredBlock) -> Result<bool, QueryError> {
        let Self { filter, page, .. } = *self;
        self.examined = self.examined.saturating_add(u64::from(block.header.count));
        let content = block.content().map_err(broken(block))?;
        if !filter.may_be_among(&content) {
            return Ok(false);
        }
        let from = self.found.len();
        each(block, &content, |sequence, seen| match seen {
            ItemView::Ended(ended) if ended.outcome.status == filter.status => self.ends += 1,
            ItemView::Decision(view) if page.has(Sequence(sequence)) && filter.wants(&view) => {
                self.found
                    .push(Entry::decided(Sequence(sequence), view.to_record()));
            }
            _ => {}
        })?;
        if page.newest_first
            && let Some(new) = self.found.get_mut(from..)
        {
            new.reverse();
        }
        Ok(true)
    }
}

/// Returns the store's own events.
pub(crate) fn events(
    source: &Source,
    since_ms: i64,
    until_ms: i64,
) -> Result<Vec<(Sequence, Event)>, QueryError> {
    let range = Range {
        since_ms: Some(since_ms),
        until_ms: Some(until_ms),
        ..Range::default()
    };
    let mut walk = Walk::new(source, range, false)?;
    let mut found = Vec::new();
    while let Some(block) = walk.next()? {
        if !block.header.events {
            continue;
        }
        let content = block.content().map_err(broken(&block))?;
        each(&block, &content, |sequence, seen| {
            if let ItemView::Event(event) = seen
                && (since_ms..until_ms).contains(&event.time_ms())
            {
                found.push((Sequence(sequence), event));
            }
        })?;
    }
    Ok(found)
}

/// Returns the last of the store's own events that `wanted` admits: by order, since clocks can be set back.
pub(crate) fn last_event(
    source: &Source,
    wanted: impl Fn(&Event) -> bool,
) -> Result<Option<Event>, QueryError> {
    let mut walk = Walk::new(source, Range::default(), true)?;
    while let Some(block) = walk.next()? {
        if !block.header.events {
            continue;
        }
        let content = block.content().map_err(broken(&block))?;
        let mut last = None;
        each(&block, &content, |_, seen| match seen {
            ItemView::Event(event) if wanted(&event) => last = Some(event),
            _ => {}
        })?;
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

/// Joins the outcomes to `found` from `settled` on, drops calls that then do not match, and returns the number of calls left.
fn settle(
    source: &Source,
    filter: &Filter,
    found: &mut Vec<Entry>,
    settled: usize,
) -> Result<usize, QueryError> {
    let mut rest = found.split_off(settled.min(found.len()));
    join(source, &mut rest)?;
    rest.retain(|entry| filter.wants_outcome(entry.outcome.as_ref()));
    found.append(&mut rest);
    Ok(found.len())
}

/// The calls whose outcome is looked for.
struct Open<'e> {
    // By sequence number, so that the search continues at the first.
    entries: BTreeMap<u64, &'e mut Entry>,
    sequences: HashMap<[u8; 16], u64>,
}

/// Finds the outcomes of `entries`.
fn join(source: &Source, entries: &mut [Entry]) -> Result<(), QueryError> {
    let sequences = entries
        .iter()
        .map(|e| (e.record.request_id, e.sequence.0))
        .collect();
    let entries = entries.iter_mut().map(|e| (e.sequence.0, e)).collect();
    let mut open = Open { entries, sequences };
    while let Some((&first, _)) = open.entries.first_key_value() {
        let range = Range {
            after: Some(first.saturating_sub(1)),
            ..Range::default()
        };
        let mut walk = Walk::new(source, range, false)?;
        let mut begun = None;
        loop {
            let Some(block) = walk.next()? else { return Ok(()) };
            let written = block.header.written_ms;
            if written.saturating_sub(*begun.get_or_insert(written)) > LONGEST_CALL_MS {
                open.entries.remove(&first);
                break;
            }
            let content = block.content().map_err(broken(&block))?;
            each(&block, &content, |sequence, seen| open.see(sequence, &seen))?;
            match open.entries.first_key_value() {
                None => return Ok(()),
                // The next open call is further on: continue there.
                Some((&next, _)) if next > block.header.last() => break,
                Some(_) => {}
            }
        }
    }
    Ok(())
}

impl Open<'_> {
    fn see(&mut self, sequence: u64, seen: &ItemView<'_>) {
        match seen {
            ItemView::Ended(ended) => {
                let decision = ended.decision_in(&self.sequences);
                let entry = decision
                    .filter(|decision| *decision < sequence)
                    .and_then(|decision| self.entries.remove(&decision));
                if let Some(entry) = entry {
                    entry.end(&ended.outcome);
                }
            }
            // The process that would have recorded their end is gone.
            ItemView::Event(Event::Opened { .. }) => {
                let later = self.entries.split_off(&sequence);
                for (_, entry) in std::mem::replace(&mut self.entries, later) {
                    entry.is_lost = true;
                }
            }
            ItemView::Event(_) | ItemView::Decision(_) => {}
        }
    }
}
