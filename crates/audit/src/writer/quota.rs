//! The quotas of refused callers: so many records a minute are stored, further ones are counted.

use std::collections::HashMap;

use crate::model::item::{Counted, Event};
use crate::model::record::RecordRef;

const MINUTE_MS: i64 = 60_000;

/// The quotas, one for each kind of refused callers. Anyone can use up that of outsiders. It must not hide that a
/// revoked or expired token is still used, for which its secret is needed. Calls that a limit refused have a quota for
/// each token, so that no token hides what others are refused.
#[derive(Debug)]
pub(crate) struct Quotas {
    per_minute: u32,
    outsiders: Quota,
    refused_tokens: Quota,
    /// By name. Tokens that a limit refused lately.
    over_limit: HashMap<String, Quota>,
    /// The minute in which these were last looked through: there may be many, and the writer asks for each commit.
    looked_through: Option<i64>,
}

/// A kind of refused callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No token was recognised.
    Outsider,
    /// The recognised token does not work for the caller.
    Token,
    /// The token works, and a limit refused its call.
    OverLimit,
}

impl Refused {
    /// The kind of the record's caller; `None` if the token works, so that no quota applies.
    pub(crate) fn of(record: &RecordRef<'_>) -> Option<Self> {
        match (record.authenticated, record.token) {
            (true, _) => None,
            (false, Some(_)) => Some(Self::Token),
            (false, None) => Some(Self::Outsider),
        }
    }
}

impl Quotas {
    /// Quotas of `per_minute` each.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            outsiders: Quota::new(per_minute),
            refused_tokens: Quota::new(per_minute),
            over_limit: HashMap::new(),
            looked_through: None,
        }
    }

    /// The quota of a token's calls that a limit refused.
    fn of_token(&mut self, name: &str) -> &mut Quota {
        self.over_limit
            .entry(name.to_owned())
            .or_insert_with(|| Quota::new(self.per_minute))
    }

    /// The quota of a kind of callers; `token` is the recognised token's name.
    pub(crate) fn of(&mut self, refused: Refused, token: &str) -> &mut Quota {
        match refused {
            Refused::Outsider => &mut self.outsiders,
            Refused::Token => &mut self.refused_tokens,
            Refused::OverLimit => self.of_token(token),
        }
    }

    /// Takes the counts that are due as events: those of past minutes, or `all`.
    pub(crate) fn take_due(&mut self, now_ms: i64, all: bool) -> Vec<Event> {
        let is_due = |quota: &Quota| all || quota.is_due(now_ms);
        let mut events = Vec::new();
        for (quota, what) in [
            (&mut self.outsiders, Counted::Outsiders),
            (&mut self.refused_tokens, Counted::RefusedTokens),
        ] {
            if is_due(quota) {
                events.extend(quota.over().take(what));
            }
        }
        // Their counts become due when a minute ends.
        let minute = Some(now_ms.div_euclid(MINUTE_MS));
        if all || self.looked_through != minute {
            self.looked_through = minute;
            for (token, quota) in &mut self.over_limit {
                if is_due(quota) {
                    events.extend(quota.over().take_of(token));
                }
            }
            self.over_limit
                .retain(|_, quota| !quota.over.is_empty() || quota.is_current(now_ms));
        }
        events
    }
}

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

    /// Takes the count as an event of a token's calls that a limit refused; `None` if it is zero.
    fn take_of(&mut self, token: &str) -> Option<Event> {
        let Self {
            count,
            from_ms,
            to_ms,
        } = std::mem::take(self);
        (count > 0).then(|| Event::OverLimit {
            token: token.to_owned(),
            count,
            from_ms,
            to_ms,
        })
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

    /// Whether the quota was used in the present minute, or the one before.
    fn is_current(&self, now_ms: i64) -> bool {
        now_ms.div_euclid(MINUTE_MS).saturating_sub(self.minute) <= 1
    }

    /// Whether the count of a past minute is due.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        !self.over.is_empty() && self.over.from_ms.div_euclid(MINUTE_MS) != now_ms.div_euclid(MINUTE_MS)
    }
}

#[cfg(test)]
mod tests;
