//! Deleting periods older than what is kept, the cut recorded in the chain first.

use std::fs;

use crate::error::DiskError;
use crate::model::item::Event;
use crate::period::edges;
use crate::period::name::{Day, Period};
use crate::store::periods::Periods;

/// The periods that may go, oldest first: those of whole days before the last `kept` ones.
pub(crate) fn outdated(store: &Periods, kept: Option<u32>, now_ms: i64) -> Result<Vec<Period>, DiskError> {
    let Some(kept) = kept else { return Ok(Vec::new()) };
    let first = Day(Day::of(now_ms).0.saturating_sub(i64::from(kept)));
    Ok(Period::list(store.root())?
        .into_iter()
        .filter(|p| p.day < first)
        .collect())
}

/// The event that records that `period` goes. Where it ends the next one says with its first block, also where this one cannot
/// be read any more; a day of calls is read only where nothing else tells, since the writer waits for it.
pub(crate) fn cut(store: &Periods, period: Period, now_ms: i64) -> Result<Event, DiskError> {
    let later = Period::list(store.root())?.into_iter().filter(|p| *p > period);
    let end = later
        .filter_map(|next| edges::begin(&store.path(next)).ok().flatten())
        .next();
    let end = end.or_else(|| edges::end(&store.path(period), None).ok().flatten());
    let (last, hash) = end.map_or((0, [0; 32]), |end| (end.next.saturating_sub(1), end.hash));
    Ok(Event::Cut {
        time_ms: now_ms,
        period: period.to_string(),
        last,
        hash,
    })
}

/// Deletes `period`, whose cut is on disk.
pub(crate) fn delete(store: &Periods, period: Period) -> Result<(), DiskError> {
    store.forget(period);
    Ok(fs::remove_dir_all(store.path(period))?)
}
