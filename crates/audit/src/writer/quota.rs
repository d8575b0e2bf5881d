//! The outsiders' quota: so many records a minute are stored, further ones are counted.

use crate::model::item::{Counted, Event};

const MINUTE_MS: i64 = 60_000;

/// Counts of the present minute.
#[derive(Debug)]
pub(crate) struct Quota {
    per_minute: u32,
    minute: i64,
    used: u32,
    over: MissedCalls,
}

/// Calls that were not stored, and when they came.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct MissedCalls {
    count: u64,
    from_ms: i64,
    to_ms: i64,
}

impl MissedCalls {
    /// Counts one.
    pub(crate) fn add(&mut self, now_ms: i64) {
        if self.count == 0 {
            self.from_ms = now_ms;
        }
        self.count = self.count.saturating_add(1);
        self.to_ms = now_ms;
    }

    /// Whether no call was counted.
    pub(crate) fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Takes the count as an event; `None` if it is zero.
    pub(crate) fn take(&mut self, what: Counted) -> Option<Event> {
        let Self {
            count,
            from_ms,
            to_ms,
        } = std::mem::take(self);
        (count > 0).then_some(Event::Counted {
            what,
            count,
            from_ms,
            to_ms,
        })
    }

    /// Puts back what [`MissedCalls::take`] gave and could not be stored.
    pub(crate) fn restore(&mut self, count: u64, from_ms: i64, to_ms: i64) {
        self.to_ms = if self.count == 0 { to_ms } else { self.to_ms };
        self.from_ms = from_ms;
        self.count = self.count.saturating_add(count);
    }
}

impl Quota {
    /// A quota of `per_minute`.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            minute: i64::MIN,
            used: 0,
            over: MissedCalls::default(),
        }
    }

    /// Whether a record that comes now may be stored; if not, it is counted.
    pub(crate) fn admit(&mut self, now_ms: i64) -> bool {
        let minute = now_ms.div_euclid(MINUTE_MS);
        // Another thread may have read the clock in the minute before, and come late.
        if minute != self.minute && minute != self.minute.saturating_sub(1) {
            self.minute = minute;
            self.used = 0;
        }
        if self.used < self.per_minute {
            self.used += 1;
            return true;
        }
        self.over.add(now_ms);
        false
    }

    /// The tally of those over the quota.
    pub(crate) fn over(&mut self) -> &mut MissedCalls {
        &mut self.over
    }

    /// Whether the count of a past minute is due.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        !self.over.is_empty() && self.over.from_ms.div_euclid(MINUTE_MS) != now_ms.div_euclid(MINUTE_MS)
    }
}

#[cfg(test)]
mod tests;
