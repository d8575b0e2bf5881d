//! Deleting old periods, after the cut is recorded in the chain.

use std::fs;

use crate::error::DiskError;
use crate::model::item::Event;
use crate::period::edges;
use crate::period::name::{Day, Period};
use crate::store::periods::Periods;

/// The periods to keep, and the day of the last deletion.
#[derive(Debug)]
pub(crate) struct Retention {
    /// Number of full days to keep in addition to today; all if absent.
    days: Option<u32>,
    /// Day on which outdated periods were last deleted.
    done_on: Option<Day>,
}

impl Retention {
    /// Keeps so many full days in addition to today, or all.
    pub(crate) fn of_days(days: Option<u32>) -> Self {
        Self { days, done_on: None }
    }

    /// The periods to delete, oldest first, each with the event that records it: those of full days before the configured number of
    /// days, except `current`, which is written. Empty after [`Retention::done`] on the same day.
    pub(crate) fn outdated(
        &self,
        store: &Periods,
        current: Period,
        now_ms: i64,
    ) -> Result<Vec<(Period, Event)>, DiskError> {
        let today = Day::of(now_ms);
        let Some(days) = self.days.filter(|_| self.done_on != Some(today)) else {
            return Ok(Vec::new());
        };
        let first = Day(today.0.saturating_sub(i64::from(days)));
        let outdated = Period::list(store.root())?
            .into_iter()
            .filter(|period| period.day < first && *period != current);
        Ok(outdated
            .map(|period| (period, cut(store, period, now_ms)))
            .collect())
    }

    /// Notes that the outdated periods of `today` were deleted.
    pub(crate) fn done(&mut self, today: Day) {
        self.done_on = Some(today);
    }
}

/// The event that records the deletion of `period`, with the end of its chain. The first block of a later period shows that end
/// even if this one cannot be read. Only if none does is this one read, since the writer waits meanwhile.
fn cut(store: &Periods, period: Period, now_ms: i64) -> Event {
    let later = edges::beginnings_after(store.root(), period, |_| true);
    let end = later.and_then(|mut later| later.find_map(|begin| begin.ok().flatten()));
    let end = end.or_else(|| edges::end(&store.path(period), None).ok().flatten());
    let (last, hash) = end.map_or((0, [0; 32]), |end| (end.next.saturating_sub(1), end.hash));
    Event::Cut {
        time_ms: now_ms,
        period: period.to_string(),
        last,
        hash,
    }
}

/// Deletes `period`, whose cut is on disk.
pub(crate) fn delete(store: &Periods, period: Period) -> Result<(), DiskError> {
    store.forget(period);
    Ok(fs::remove_dir_all(store.path(period))?)
}
