//! How often what was used: calls by token, line, reason and hour.

use std::collections::BTreeMap;

use crate::block::Block;
use crate::decode::{Seen, View};
use crate::entry::Entry;
use crate::error::QueryError;
use crate::query::{Filter, Page};
use crate::record::Verdict;
use crate::scan;
use crate::shelf::Shelf;
use crate::store::Bytes;
use crate::summary;
use crate::walk::{Range, Walk};

const HOUR_MS: i64 = 3_600_000;
/// Entries taken at once where outcomes have to be joined.
const PAGE: usize = 5_000;

/// How many calls there were, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Calls that were allowed.
    pub allowed: u64,
    /// Calls that the policy denied.
    pub denied: u64,
    /// Calls refused before the policy was asked.
    pub refused: u64,
    /// The first of them, milliseconds since 1970 UTC.
    pub first_ms: i64,
    /// The last of them, milliseconds since 1970 UTC.
    pub last_ms: i64,
}

/// Where a line stands, and which text it had: a changed line counts apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey {
    /// Policy file.
    pub file: String,
    /// Line number.
    pub number: u32,
    /// Digest of its text.
    pub digest: String,
}

/// Calls by what they have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// All of them.
    pub calls: Tally,
    /// By token; those without one under `None`.
    pub tokens: BTreeMap<Option<String>, Tally>,
    /// By the line that decided.
    pub lines: BTreeMap<LineKey, Tally>,
    /// By reason code.
    pub reasons: BTreeMap<String, Tally>,
    /// By hour, its begin in milliseconds since 1970 UTC.
    pub hours: BTreeMap<i64, Tally>,
}

impl Default for Tally {
    /// Of no calls.
    fn default() -> Self {
        Self {
            allowed: 0,
            denied: 0,
            refused: 0,
            first_ms: i64::MAX,
            last_ms: i64::MIN,
        }
    }
}

impl Tally {
    /// All calls.
    pub fn all(&self) -> u64 {
        self.allowed
            .saturating_add(self.denied)
            .saturating_add(self.refused)
    }

    fn add(&mut self, verdict: Verdict, ms: i64) {
        let count = match verdict {
            Verdict::Allow => &mut self.allowed,
            Verdict::Deny => &mut self.denied,
            Verdict::Refuse => &mut self.refused,
        };
        *count = count.saturating_add(1);
        self.first_ms = self.first_ms.min(ms);
        self.last_ms = self.last_ms.max(ms);
    }
}

/// One call, its texts not copied.
struct Used<'c> {
    time_ms: i64,
    verdict: Verdict,
    token: Option<&'c str>,
    line: Option<(&'c str, u32, &'c str)>,
    reason: &'c str,
}

impl<'c> Used<'c> {
    fn seen(view: &View<'c>) -> Self {
        Self {
            time_ms: view.time_ms,
            verdict: view.verdict,
            token: view.token,
            line: view.line,
            reason: view.reason,
        }
    }

    fn stored(entry: &'c Entry) -> Self {
        let record = &entry.record;
        let line = record.line.as_ref();
        Self {
            time_ms: record.time_ms,
            verdict: record.verdict,
            token: record.token.as_deref(),
            line: line.map(|l| (l.file.as_str(), l.number, l.digest.as_str())),
            reason: &record.reason,
        }
    }
}

impl Usage {
    fn add(&mut self, call: &Used<'_>) {
        let (verdict, ms) = (call.verdict, call.time_ms);
        self.calls.add(verdict, ms);
        self.tokens
            .entry(call.token.map(str::to_owned))
            .or_default()
            .add(verdict, ms);
        if let Some((file, number, digest)) = call.line {
            let key = LineKey {
                file: file.to_owned(),
                number,
                digest: digest.to_owned(),
            };
            self.lines.entry(key).or_default().add(verdict, ms);
        }
        if let Some(tally) = self.reasons.get_mut(call.reason) {
            tally.add(verdict, ms);
        } else {
            self.reasons
                .entry(call.reason.to_owned())
                .or_default()
                .add(verdict, ms);
        }
        let hour = ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS);
        self.hours.entry(hour).or_default().add(verdict, ms);
    }
}

/// Counts the calls that `filter` wants.
pub(crate) fn usage(shelf: &Shelf, filter: &Filter) -> Result<Usage, QueryError> {
    let mut usage = Usage::default();
    if filter.needs_outcome() {
        let mut page = Page {
            limit: PAGE,
            newest_first: false,
            ..Page::default()
        };
        loop {
            let entries = scan::calls(shelf, filter, page)?;
            for entry in &entries {
                usage.add(&Used::stored(entry));
            }
            match entries.last() {
                Some(last) if entries.len() == PAGE => page.after = Some(last.sequence),
                _ => return Ok(usage),
            }
        }
    }
    let range = Range {
        since_ms: filter.since_ms,
        until_ms: filter.until_ms,
        ..Range::default()
    };
    let mut walk = Walk::new(shelf, range, false)?.wanting(summary::keys_of(filter));
    while let Some(block) = walk.next()? {
        if filter.may_be_in(&block.head) {
            count_block(&block, filter, &mut usage)?;
        }
    }
    Ok(usage)
}

fn count_block(block: &Block<Bytes>, filter: &Filter, usage: &mut Usage) -> Result<(), QueryError> {
    let content = block.content().map_err(scan::broken(block))?;
    if !filter.may_be_among(&content) {
        return Ok(());
    }
    scan::each(block, &content, |_, seen| {
        if let Seen::Decision(view) = seen
            && filter.wants(&view)
        {
            usage.add(&Used::seen(&view));
        }
    })
}
