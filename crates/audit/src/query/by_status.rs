//! Finding calls by their status, from their ends: Bloom filters show which blocks have an end with that status, and an end
//! contains the sequence number of its decision.

use std::collections::BTreeMap;

use crate::error::QueryError;
use crate::format::decode::ItemView;
use crate::index::bloom;
use crate::model::entry::{Entry, Sequence};
use crate::model::filter::{Filter, Page};
use crate::model::item::Ended;
use crate::query::items::{broken, each};
use crate::query::scan;
use crate::query::source::Source;
use crate::query::walk::{Range, Walk};

/// How far from where its end's duration says it the time of a decision is looked for.
const AROUND_MS: i64 = 60_000;

/// The newest calls that `filter`, which has a status, wants within `page`, the newest first.
pub(crate) fn newest(
    source: &Source,
    filter: &Filter,
    status: u16,
    page: Page,
) -> Result<Vec<Entry>, QueryError> {
    let range = Range {
        after: page.after.map(|sequence| sequence.0),
        since_ms: filter.since_ms,
        ..Range::default()
    };
    let mut walk = Walk::new(source, range, true)?.wanting(vec![bloom::status_key(status)]);
    let mut found: BTreeMap<u64, Entry> = BTreeMap::new();
    while let Some(block) = walk.next()? {
        // Every call that ends here or earlier was decided earlier.
        let oldest_kept = found.keys().rev().nth(page.limit.saturating_sub(1));
        if page.limit == 0 || oldest_kept.is_some_and(|sequence| *sequence > block.header.last()) {
            break;
        }
        let content = block.content().map_err(broken(&block))?;
        let mut ends = Vec::new();
        each(&block, &content, |_, seen| {
            if let ItemView::Ended(ended) = seen
                && ended.outcome.status == Some(status)
            {
                ends.push(ended);
            }
        })?;
        for ended in ends {
            if let Some(entry) = decided(source, filter, &ended, page)? {
                found.insert(entry.sequence.0, entry);
            }
        }
    }
    Ok(found.into_values().rev().take(page.limit).collect())
}

/// The call that ended so, if it is wanted.
fn decided(source: &Source, filter: &Filter, ended: &Ended, page: Page) -> Result<Option<Entry>, QueryError> {
    let mut wanted = Filter {
        status: None,
        ..filter.clone()
    };
    let mut sequence = Page {
        limit: 1,
        newest_first: false,
        ..page
    };
    match ended.decision {
        Some(at) => {
            let at = Sequence(at);
            if !page.has(at) {
                return Ok(None);
            }
            sequence.after = at.0.checked_sub(1).map(Sequence);
            sequence.before = at.0.checked_add(1).map(Sequence);
        }
        // The writer had forgotten the decision.
        None => {
            let took = i64::try_from(ended.outcome.total_us / 1000).unwrap_or(i64::MAX);
            let about = ended.at_ms.saturating_sub(took);
            let id = ended.outcome.request_id;
            if wanted.request_id.is_some_and(|asked| asked != id) {
                return Ok(None);
            }
            wanted.request_id = Some(id);
            let (since, until) = (about.saturating_sub(AROUND_MS), about.saturating_add(AROUND_MS));
            wanted.since_ms = Some(wanted.since_ms.map_or(since, |t| t.max(since)));
            wanted.until_ms = Some(wanted.until_ms.map_or(until, |t| t.min(until)));
        }
    }
    let found = scan::all(source, &wanted, sequence)?.pop();
    Ok(found.filter(|entry| filter.wants_outcome(entry.outcome.as_ref())))
}
