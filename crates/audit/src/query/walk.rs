//! Going through the blocks of a store, across periods, in either direction.

use std::path::Path;
use std::sync::Arc;

use crate::error::{DiskError, QueryError};
use crate::index::bloom::{self, Key};
use crate::index::skipped::Skipped;
use crate::index::time_order::DELAY_MS;
use crate::period::database::StoredBlock;
use crate::period::name::{DAY_MS, Day, Period};
use crate::period::open::OpenPeriod;
use crate::query::source::Source;
use crate::store::periods::Periods;

/// The part of a store that is gone through: what is not set does not restrict.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    /// Blocks that may hold places after this one.
    pub(crate) after: Option<u64>,
    /// Blocks that may hold places before this one.
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
    at: Option<Visit>,
    passing: Passing<'s>,
}

/// Tells of a period, at a path, what need not be read of it.
type Passing<'s> = Box<dyn FnMut(&Path, &OpenPeriod) -> Skipped + 's>;

/// The period that a walk is in.
struct Visit {
    period: Period,
    // What of the range holds there.
    range: Range,
    opened: Arc<OpenPeriod>,
    passed: Skipped,
    // Place of the block that was given last; none before the first.
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
            at: None,
            passing: Box::new(|_, _| Skipped::default()),
        })
    }

    /// The same walk, which may leave out blocks that do not have all of `keys`.
    pub(crate) fn wanting(self, keys: Vec<Key>) -> Self {
        self.passing_over(move |path, _| bloom::ruled_out(path, &keys))
    }

    /// The same walk, which leaves out what `passing` says of each period that it comes to.
    pub(crate) fn passing_over(self, passing: impl FnMut(&Path, &OpenPeriod) -> Skipped + 's) -> Self {
        let passing = Box::new(passing);
        Self { passing, ..self }
    }

    /// Leaves out the periods that end before `after`, looking from the newest: whoever follows the
    /// store's end opens no others.
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
        let store = self.source.periods();
        loop {
            let Some(Visit {
                period,
                range,
                opened,
                passed,
                last,
            }) = &mut self.at
            else {
                let Some(period) = self.periods.pop() else {
                    return Ok(None);
                };
                let opened = match open(store, period) {
                    Err(_) if store.is_gone(period) => continue,
                    opened => opened?,
                };
                self.source.note_gaps(period, &opened);
                let passed = (self.passing)(&store.path(period), &opened);
                let range = if self.range.is_in_order(store, period) {
                    self.range
                } else {
                    self.range.of_any_time()
                };
                self.at = Some(Visit {
                    period,
                    range,
                    opened,
                    passed,
                    last: None,
                });
                continue;
            };
            let block = match *last {
                Some(sequence) if self.backward => opened.before(passed.backward(sequence)),
                // None stands behind the last place there is.
                Some(u64::MAX) => Ok(None),
                Some(sequence) => opened.at_or_after(passed.forward(sequence.saturating_add(1))),
                None if self.backward => last_of(opened, range),
                None => first_of(opened, range),
            };
            // What comes next may begin a run, or be in one.
            let block = block.and_then(|found| beyond(passed, opened, self.backward, found));
            match block.map_err(unreadable(*period))? {
                None => self.at = None,
                Some(block) if range.is_past(&block, self.backward) => {
                    self.at = None;
                    self.periods.clear();
                }
                Some(block) if range.is_past_in_period(&block, self.backward) => {
                    // The clock may have been set back between two periods of a day.
                    let day = period.day;
                    self.at = None;
                    let range = self.range;
                    self.periods
                        .retain(|p| p.day == day || !range.is_in_order(store, *p));
                }
                Some(block) => {
                    *last = Some(block.header.first);
                    return Ok(Some(block));
                }
            }
        }
    }
}

impl Range {
    /// Whether what is wanted may stand in the periods of this day, if they are in order.
    fn may_be_on(&self, day: Day) -> bool {
        // A day's records stand in its periods, or, written late, in the next day's.
        let begin = day.start_ms();
        self.since_ms.is_none_or(|t| begin.saturating_add(DAY_MS) > t)
            && self.until_ms.is_none_or(|t| begin < t.saturating_add(DELAY_MS))
    }

    /// Whether the times tell where in the period, and whether there, what is wanted stands.
    fn is_in_order(&self, store: &Periods, period: Period) -> bool {
        (self.since_ms, self.until_ms) == (None, None) || store.is_in_order(period)
    }

    /// The same places, whatever the time.
    fn of_any_time(self) -> Self {
        Self {
            since_ms: None,
            until_ms: None,
            ..self
        }
    }

    /// Whether nothing that is wanted comes after `block` in the walk's direction, nor in it, by its place.
    fn is_past(&self, block: &StoredBlock, backward: bool) -> bool {
        let head = &block.header;
        if backward {
            self.after.is_some_and(|sequence| head.last() <= sequence)
        } else {
            self.before.is_some_and(|sequence| head.first >= sequence)
        }
    }

    /// The same of its period, by its time.
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

/// Where a walk forward begins in a period.
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

/// Where a walk backward begins in a period.
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

/// The place from which the chain has all calls of `ms` or later: one for all periods, so that what stands from there on has no
/// holes. Where there are none it is the last block's, which shows just that; `None` in an empty store.
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

/// The first block written at `ms` or later, by halving: blocks stand in the order of their writing.
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

/// Opens a period for a question.
pub(crate) fn open(store: &Periods, period: Period) -> Result<Arc<OpenPeriod>, QueryError> {
    store.get(period).map_err(unreadable(period))
}

/// The error that `period` gave `source`.
pub(crate) fn unreadable(period: Period) -> impl Fn(DiskError) -> QueryError {
    move |source| QueryError::Unreadable {
        period: period.to_string(),
        source,
    }
}
