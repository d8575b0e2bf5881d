//! Counting calls by token, line, reason and hour.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use crate::error::QueryError;
use crate::format::decode::ItemView;
use crate::index::bloom;
use crate::index::counts::{self, CallCount, GroupKey, Groups};
use crate::index::skipped::Skipped;
use crate::model::entry::Entry;
use crate::model::filter::{Filter, Page};
use crate::model::record::Verdict;
use crate::period::database::StoredBlock;
use crate::period::open::OpenPeriod;
use crate::query::calls;
use crate::query::items::{broken, each};
use crate::query::source::Source;
use crate::query::walk::{Range, Walk};

/// Groups that are counted in memory before they are taken together.
const GROUPS: usize = 1 << 14;
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

/// A policy line: its position and a digest of its text. A changed line counts separately.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey {
    /// Policy file.
    pub file: String,
    /// Line number.
    pub number: u32,
    /// Digest of its text.
    pub digest: String,
}

/// Number of calls by their common properties.
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
    /// A tally of zero calls.
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

    fn add(&mut self, verdict: Verdict, sum: &CallCount) {
        let count = match verdict {
            Verdict::Allow => &mut self.allowed,
            Verdict::Deny => &mut self.denied,
            Verdict::Refuse => &mut self.refused,
        };
        *count = count.saturating_add(sum.count);
        self.first_ms = self.first_ms.min(sum.first_ms);
        self.last_ms = self.last_ms.max(sum.last_ms);
    }
}

impl Usage {
    fn add(&mut self, common: &GroupKey<'_>, sum: &CallCount) {
        let verdict = common.verdict;
        self.calls.add(verdict, sum);
        self.tokens
            .entry(common.token.map(str::to_owned))
            .or_default()
            .add(verdict, sum);
        if let Some((file, number, digest)) = common.line {
            let key = LineKey {
                file: file.to_owned(),
                number,
                digest: digest.to_owned(),
            };
            self.lines.entry(key).or_default().add(verdict, sum);
        }
        self.reasons
            .entry(common.reason.to_owned())
            .or_default()
            .add(verdict, sum);
        self.hours.entry(common.hour).or_default().add(verdict, sum);
    }

    /// Adds the counted calls, and empties `counted`.
    fn take(&mut self, counted: &mut Groups) {
        for (common, sum) in counted.iter() {
            self.add(&common, &sum);
        }
        counted.clear();
    }
}

/// Counts the calls that `filter` wants.
pub(crate) fn usage(source: &Source, filter: &Filter) -> Result<Usage, QueryError> {
    let usage = RefCell::new(Usage::default());
    let answered = |path: &Path, opened: &OpenPeriod| {
        counts::answer(path, opened, filter, |common, sum| {
            usage.borrow_mut().add(common, sum);
        })
    };
    let read = read(source, filter, answered, |counted| {
        usage.borrow_mut().take(counted)
    });
    read.map(|()| usage.into_inner())
}

/// Counts as [`usage`] does, from the blocks only.
#[cfg(test)]
pub(crate) fn by_reading(source: &Source, filter: &Filter) -> Result<Usage, QueryError> {
    let mut usage = Usage::default();
    read(
        source,
        filter,
        |_, _| Skipped::default(),
        |counted| usage.take(counted),
    )?;
    Ok(usage)
}

/// Counts the calls that `filter` wants in blocks that `answered` does not cover, and gives them to `take`, which empties its
/// argument.
fn read(
    source: &Source,
    filter: &Filter,
    mut answered: impl FnMut(&Path, &OpenPeriod) -> Skipped,
    mut take: impl FnMut(&mut Groups),
) -> Result<(), QueryError> {
    let mut counted = Groups::default();
    // Outcomes are not in the index: the calls are read, a page at a time.
    if filter.needs_outcome() {
        let mut page = Page {
            limit: PAGE,
            newest_first: false,
            ..Page::default()
        };
        loop {
            let entries = calls::calls(source, filter, page)?;
            for Entry { record, .. } in &entries {
                counted.count(&GroupKey::from(record), record.time_ms);
            }
            take(&mut counted);
            match entries.last() {
                Some(last) if entries.len() == PAGE => page.after = Some(last.sequence),
                _ => return Ok(()),
            }
        }
    }
    // Otherwise only blocks are read that the counts do not cover and the Bloom filters do not rule out.
    let range = Range {
        since_ms: filter.since_ms,
        until_ms: filter.until_ms,
        ..Range::default()
    };
    let keys = bloom::keys_of(filter);
    let mut walk = Walk::new(source, range, false)?
        .passing_over(|path, opened| answered(path, opened).joined(bloom::ruled_out(path, &keys)));
    while let Some(block) = walk.next()? {
        if filter.may_be_in(&block.header) {
            count_block(&block, filter, &mut counted)?;
        }
        if counted.len() >= GROUPS {
            take(&mut counted);
        }
    }
    take(&mut counted);
    Ok(())
}

fn count_block(block: &StoredBlock, filter: &Filter, counted: &mut Groups) -> Result<(), QueryError> {
    let content = block.content().map_err(broken(block))?;
    if !filter.may_be_among(&content) {
        return Ok(());
    }
    each(block, &content, |_, seen| {
        if let ItemView::Decision(view) = seen
            && filter.wants(&view)
        {
            counted.count(&GroupKey::from(&view), view.time_ms);
        }
    })
}
