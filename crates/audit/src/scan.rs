//! Answering questions: decisions first, then their outcomes, which stand further on.

use std::collections::{BTreeMap, HashMap};

use crate::by_status;
use crate::bytes::Malformed;
use crate::decode::Seen;
use crate::entry::{Entry, Sequence};
use crate::error::{DiskError, QueryError};
use crate::item::Event;
use crate::query::{Filter, Page};
use crate::source::Source;
use crate::store::Stored;
use crate::summary;
use crate::walk::{Range, Walk};

/// No call takes longer than a week: so far its outcome is looked for.
const LONGEST_CALL_MS: i64 = 7 * 86_400_000;

/// Entries that are looked through for calls of a status before it may count as rare.
const ENTRIES: u64 = if cfg!(test) { 20 } else { 50_000 };
/// A status is rare if fewer than one entry in so many is an end with it: finding a call from its end costs as much as going
/// through thousands of entries.
const RARE: u64 = if cfg!(test) { 1 } else { 2_000 };

/// The calls that `filter` wants.
pub(crate) fn calls(source: &Source, filter: &Filter, page: Page) -> Result<Vec<Entry>, QueryError> {
    let (after, before) = (page.after.map(|s| s.0), page.before.map(|s| s.0));
    let range = Range {
        after,
        before,
        since_ms: filter.since_ms,
        until_ms: filter.until_ms,
    };
    let mut walk = Walk::new(source, range, page.newest_first)?.wanting(summary::keys_of(filter));
    let mut found: Vec<Entry> = Vec::new();
    // So many of `found` are known to be wanted, outcome and all.
    let mut settled = 0;
    let (mut examined, mut ends) = (0_u64, 0_u64);
    while found.len() < page.limit {
        let Some(block) = walk.next()? else { break };
        if !filter.may_be_in(&block.head) {
            continue;
        }
        examined = examined.saturating_add(u64::from(block.head.count));
        let from = found.len();
        let content = block.content().map_err(broken(&block))?;
        if !filter.may_be_among(&content) {
            continue;
        }
        each(&block, &content, |place, seen| {
            if let Seen::Ended(ended) = &seen
                && ended.outcome.status == filter.status
            {
                ends += 1;
            }
            if let Seen::Decision(view) = seen
                && after.is_none_or(|a| place > a)
                && before.is_none_or(|b| place < b)
                && filter.wants(&view)
            {
                found.push(Entry {
                    sequence: Sequence(place),
                    record: view.to_record(),
                    outcome: None,
                    is_lost: false,
                });
            }
        })?;
        if page.newest_first
            && let Some(new) = found.get_mut(from..)
        {
            new.reverse();
        }
        // Those that the outcome rules out make room for others.
        if filter.needs_outcome() && found.len() >= page.limit {
            settled = settle(source, filter, &mut found, settled)?;
        }
        if let Some(status) = filter.status
            && page.newest_first
            && examined > ENTRIES.max(ends.saturating_mul(RARE))
            && found.len() < page.limit
        {
            // It is rare: from here on its ends are looked for.
            settle(source, filter, &mut found, settled)?;
            let rest = Page {
                before: Some(Sequence(block.head.first)),
                limit: page.limit.saturating_sub(found.len()),
                ..page
            };
            found.extend(by_status::newest(source, filter, status, rest)?);
            return Ok(found);
        }
    }
    settle(source, filter, &mut found, settled)?;
    found.truncate(page.limit);
    Ok(found)
}

/// What the store itself had to say.
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
        if !block.head.events {
            continue;
        }
        let content = block.content().map_err(broken(&block))?;
        each(&block, &content, |place, seen| {
            if let Seen::Event(event) = seen
                && (since_ms..until_ms).contains(&event.time_ms())
            {
                found.push((Sequence(place), event));
            }
        })?;
    }
    Ok(found)
}

/// Joins the outcomes to `found` from `settled` on, drops what is then not wanted, and gives how many
/// are left.
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
    // By place, so that the next to look from is the first.
    entries: BTreeMap<u64, &'e mut Entry>,
    places: HashMap<[u8; 16], u64>,
}

/// Finds the outcomes of `entries`.
fn join(source: &Source, entries: &mut [Entry]) -> Result<(), QueryError> {
    let places = entries
        .iter()
        .map(|e| (e.record.request_id, e.sequence.0))
        .collect();
    let entries = entries.iter_mut().map(|e| (e.sequence.0, e)).collect();
    let mut open = Open { entries, places };
    while let Some((&first, _)) = open.entries.first_key_value() {
        let range = Range {
            after: Some(first.saturating_sub(1)),
            ..Range::default()
        };
        let mut walk = Walk::new(source, range, false)?;
        let mut begun = None;
        loop {
            let Some(block) = walk.next()? else { return Ok(()) };
            let written = block.head.written_ms;
            if written.saturating_sub(*begun.get_or_insert(written)) > LONGEST_CALL_MS {
                open.entries.remove(&first);
                break;
            }
            let content = block.content().map_err(broken(&block))?;
            each(&block, &content, |place, seen| open.see(place, &seen))?;
            match open.entries.first_key_value() {
                None => return Ok(()),
                // None is left from before here: go on from where the next stands.
                Some((&next, _)) if next > block.head.last() => break,
                Some(_) => {}
            }
        }
    }
    Ok(())
}

impl Open<'_> {
    fn see(&mut self, place: u64, seen: &Seen<'_>) {
        match seen {
            Seen::Ended(ended) => {
                let decision = ended
                    .decision
                    .or_else(|| self.places.get(&ended.outcome.request_id).copied());
                if let Some(entry) = decision
                    .filter(|d| *d < place)
                    .and_then(|d| self.entries.remove(&d))
                {
                    let request_id = entry.record.request_id;
                    entry.outcome = Some(crate::record::Outcome {
                        request_id,
                        ..ended.outcome
                    });
                }
            }
            // The process that would have told their end is gone.
            Seen::Event(Event::Opened { .. }) => {
                let later = self.entries.split_off(&place);
                for (_, entry) in std::mem::replace(&mut self.entries, later) {
                    entry.is_lost = true;
                }
            }
            Seen::Event(_) | Seen::Decision(_) => {}
        }
    }
}

/// Calls `with` for each item of a block.
pub(crate) fn each(
    block: &Stored,
    content: &[u8],
    mut with: impl FnMut(u64, Seen<'_>),
) -> Result<(), QueryError> {
    let mut items = block.items(content).map_err(broken(block))?;
    while let Some((place, seen)) = items.next().map_err(broken(block))? {
        with(place, seen);
    }
    Ok(())
}

/// The error that a block's content gave.
pub(crate) fn broken(block: &Stored) -> impl Fn(Malformed) -> QueryError {
    let written = block.head.written_ms;
    // Named only when there is an error: this is asked for at each item.
    move |error| QueryError::Unreadable {
        period: crate::period::Day::of(written).to_string(),
        source: DiskError::Database(error.to_string()),
    }
}
