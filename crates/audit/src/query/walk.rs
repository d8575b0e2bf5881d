//! Going through the blocks of a store, across periods, in either direction.

use std::path::Path;

use crate::error::{DiskError, QueryError};
use crate::index::bloom::{self, Key};
use crate::index::skipped::Skipped;
use crate::index::time_order::DELAY_MS;
use crate::period::database::StoredBlock;
use crate::period::name::{DAY_MS, Day, Period};
use crate::period::open::OpenPeriod;
use crate::query::source::Source;
use crate::store::periods::{Periods, open, unreadable};

/// The part of a store to go through. A field that is not set does not restrict.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    /// Only blocks that may have sequence numbers after this one.
    pub(crate) after: Option<u64>,
    /// Only blocks that may have sequence numbers before this one.
    pub(crate) before: Option<u64>,
    /// Blocks that may hold records from this time on.
    pub(crate) since_ms: Option<i64>,
    /// Blocks that may hold records from before this time.
    pub(crate) until_ms: Option<i64>,
}

/// Walks the blocks of a range.
pub(crate) struct Walk<'s> {
    source: &'s Source,
    range: Range,
    backward: bool,
    // Still to come; the next at the end.
    periods: Vec<Period>,
    visit: Option<Visit>,
    passing: Passing<'s>,
}

/// Returns the runs of a period, at a path, that need not be read.
type Passing<'s> = Box<dyn FnMut(&Path, &OpenPeriod) -> Skipped + 's>;

/// The period that a walk is in.
struct Visit {
    period: Period,
    // What of the range holds there.
    range: Range,
    opened: OpenPeriod,
    passed: Skipped,
    // First sequence number of the block that was returned last; absent before the first.
    last: Option<u64>,
}

impl<'s> Walk<'s> {
    /// A walk over `range`. Periods set aside are left out.
    pub(crate) fn new(source: &'s Source, range: Range, backward: bool) -> Result<Self, QueryError> {
        let store = source.periods();
        let listed = store.list();
        let listed = listed.map_err(|source| QueryError::List {
            path: store.root().to_owned(),
            source,
        })?;
        let mut periods: Vec<_> = listed
            .into_iter()
            .filter(|p| !p.is_damaged())
            .filter(|p| range.may_be_on(p.day) || !range.is_in_order(store, *p))
            .collect();
        if !backward {
            periods = Self::skip_before(store, periods, range.after)?;
            periods.reverse();
        }
        Ok(Self {
            source,
            range,
            backward,
            periods,
            visit: None,
            passing: Box::new(|_, _| Skipped::default()),
        })
    }

    /// Lets the walk skip blocks that do not have all of `keys`.
    pub(crate) fn wanting(self, keys: Vec<Key>) -> Self {
        self.passing_over(move |path, _| bloom::ruled_out(path, &keys))
    }

    /// Lets the walk skip the runs that `passing` returns for each period.
    pub(crate) fn passing_over(self, passing: impl FnMut(&Path, &OpenPeriod) -> Skipped + 's) -> Self {
        let passing = Box::new(passing);
        Self { passing, ..self }
    }

    /// Drops the periods that end before `after`, looking from the newest, so that following the store's end opens no other
    /// period.
    fn skip_before(
        store: &Periods,
        mut periods: Vec<Period>,
        after: Option<u64>,
    ) -> Result<Vec<Period>, QueryError> {
        let Some(after) = after else { return Ok(periods) };
        let mut kept = 0;
        for period in periods.iter().rev() {
            kept += 1;
            let first = match store.first_place(*period) {
                Err(_) if store.is_gone(*period) => None,
                first => first.map_err(unreadable(*period))?,
            };
            if first.is_some_and(|first| first <= after.saturating_add(1)) {
                break;
            }
        }
        Ok(periods.split_off(periods.len().saturating_sub(kept)))
    }

    /// The next block; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<StoredBlock>, QueryError> {
        loop {
            let Some(visit) = &mut self.visit else {
                match self.periods.pop() {
                    Some(period) => self.visit = self.enter(period)?,
                    None => return Ok(None),
                }
                continue;
            };
            let block = visit.next(self.backward);
            match block.map_err(unreadable(visit.period))? {
                None => self.visit = None,
                // Later periods have nothing that is wanted either.
                Some(block) if visit.range.is_past(&block, self.backward) => {
                    self.visit = None;
                    self.periods.clear();
                }
                Some(block) if visit.range.is_past_in_period(&block, self.backward) => {
                    // The period has no more, nor has one of another day. The clock may have been set back between periods of one day.
                    let (day, range, store) = (visit.period.day, self.range, self.source.periods());
                    self.visit = None;
                    self.periods
                        .retain(|p| p.day == day || !range.is_in_order(store, *p));
                }
                Some(block) => {
                    visit.last = Some(block.header.first);
                    return Ok(Some(block));
                }
            }
        }
    }

    /// Opens a period; `None` if retention has deleted it since the periods were listed.
    fn enter(&mut self, period: Period) -> Result<Option<Visit>, QueryError> {
        let store = self.source.periods();
        let opened = match open(store, period) {
            Err(_) if store.is_gone(period) => return Ok(None),
            opened => opened?,
        };
        self.source.note_gaps(period, &opened);
        let passed = (self.passing)(&store.path(period), &opened);
        let range = if self.range.is_in_order(store, period) {
            self.range
        } else {
            self.range.of_any_time()
        };
        Ok(Some(Visit {
            period,
            range,
            opened,
            passed,
            last: None,
        }))
    }
}

impl Visit {
    /// The next block of the period that is not passed over.
    fn next(&self, backward: bool) -> Result<Option<StoredBlock>, DiskError> {
        let Self { opened, passed, .. } = self;
        let found = match self.last {
            Some(sequence) if backward => opened.before(passed.backward(sequence)),
            // No block follows the last sequence number.
            Some(u64::MAX) => Ok(None),
            Some(sequence) => opened.at_or_after(passed.forward(sequence.saturating_add(1))),
            None if backward => last_of(opened, &self.range),
            None => first_of(opened, &self.range),
        };
        // The block found may begin a run that is passed over, or be in one.
        beyond(passed, opened, backward, found?)
    }
}

impl Range {
    /// Whether periods of this day may have matches, if they are in time order.
    fn may_be_on(&self, day: Day) -> bool {
        // Records of a day are in its periods or, if written late, in those of the next day.
        let begin = day.start_ms();
        self.since_ms.is_none_or(|t| begin.saturating_add(DAY_MS) > t)
            && self.until_ms.is_none_or(|t| begin < t.saturating_add(DELAY_MS))
    }

    /// Whether times show where in the period, and whether in the period, matches are.
    fn is_in_order(&self, store: &Periods, period: Period) -> bool {
        (self.since_ms, self.until_ms) == (None, None) || store.is_in_order(period)
    }

    /// The same range of sequence numbers, at any time.
    fn of_any_time(self) -> Self {
        Self {
            since_ms: None,
            until_ms: None,
            ..self
        }
    }

    /// Whether `block`, and everything after it in the walk's direction, is outside the range by its sequence numbers.
    fn is_past(&self, block: &StoredBlock, backward: bool) -> bool {
        let head = &block.header;
        if backward {
            self.after.is_some_and(|sequence| head.last() <= sequence)
        } else {
            self.before.is_some_and(|sequence| head.first >= sequence)
        }
    }

    /// Whether `block`, and the rest of its period in the walk's direction, is outside the range by its time.
    fn is_past_in_period(&self, block: &StoredBlock, backward: bool) -> bool {
        let written = block.header.written_ms;
        if backward {
            self.since_ms.is_some_and(|t| written < t)
        } else {
            self.until_ms
                .is_some_and(|t| written > t.saturating_add(DELAY_MS))
        }
    }
}

/// The block that a walk has come to, or the next one in its direction that is not passed over.
fn beyond(
    passed: &Skipped,
    opened: &OpenPeriod,
    backward: bool,
    mut found: Option<StoredBlock>,
) -> Result<Option<StoredBlock>, DiskError> {
    while let Some(block) = &found {
        let first = block.header.first;
        let behind = first.saturating_add(1);
        found = match (passed.forward(first), passed.backward(behind)) {
            (_, at) if backward && at != behind => opened.before(at)?,
            (at, _) if !backward && at != first => opened.at_or_after(at)?,
            _ => break,
        };
    }
    Ok(found)
}

/// First block of a forward walk in a period.
fn first_of(opened: &OpenPeriod, range: &Range) -> Result<Option<StoredBlock>, DiskError> {
    let by_place = match range.after {
        Some(sequence) => opened.at_or_before(sequence.saturating_add(1))?,
        None => None,
    };
    let by_place = match by_place {
        None => opened.at_or_after(0)?,
        found => found,
    };
    let (Some(sequence), Some(since)) = (&by_place, range.since_ms) else {
        return Ok(by_place);
    };
    let by_time = written_from(opened, since)?;
    Ok(by_time
        .filter(|t| t.header.first > sequence.header.first)
        .or(by_place))
}

/// First block of a backward walk in a period.
fn last_of(opened: &OpenPeriod, range: &Range) -> Result<Option<StoredBlock>, DiskError> {
    let by_place = match range.before {
        Some(sequence) => opened.before(sequence)?,
        None => opened.last()?,
    };
    let (Some(sequence), Some(until)) = (&by_place, range.until_ms) else {
        return Ok(by_place);
    };
    match written_from(opened, until.saturating_add(DELAY_MS))? {
        Some(beyond) if beyond.header.first < sequence.header.first => opened.before(beyond.header.first),
        _ => Ok(by_place),
    }
}

/// Sequence number from which on the chain contains all calls of `ms` or later: one for all periods, so that the chain has no
/// gaps from there on. If there is no such call, it is that of the last block; `None` in an empty store.
pub(crate) fn begin_of(source: &Source, ms: i64) -> Result<Option<u64>, QueryError> {
    let range = Range {
        since_ms: Some(ms),
        ..Range::default()
    };
    let mut walk = Walk::new(source, range, false)?;
    while let Some(block) = walk.next()? {
        // In a period out of order, which is walked from its beginning, each may be the first.
        if block.header.written_ms >= ms || block.header.latest_ms >= ms {
            return Ok(Some(block.header.first));
        }
    }
    let last = Walk::new(source, Range::default(), true)?.next()?;
    Ok(last.map(|block| block.header.first))
}

/// The first block written at `ms` or later, by bisection: blocks are in the order of writing.
fn written_from(opened: &OpenPeriod, ms: i64) -> Result<Option<StoredBlock>, DiskError> {
    let (Some(first), Some(last)) = (opened.at_or_after(0)?, opened.last()?) else {
        return Ok(None);
    };
    if last.header.written_ms < ms {
        return Ok(None);
    }
    let (mut low, mut high) = (first.header.first, last.header.first);
    while low < high {
        let middle = low + (high - low) / 2;
        match opened.at_or_before(middle)? {
            Some(block) if block.header.written_ms >= ms => high = block.header.first.max(low).min(middle),
            _ => low = middle + 1,
        }
    }
    opened.at_or_after(low)
}
