//! A search in the audit by a person: the newest calls that a filter wants, in bounded time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokenward_audit::{Entry, Filter, Page, Sequence};

use super::heavy::Console;
use crate::admin::{AdminError, AdminState};

/// Calls of a page.
const OF_PAGE: usize = 50;
/// Time after which a search gives what it has found.
const PATIENCE: Duration = Duration::from_secs(3);
/// Number of records that are searched in one step.
const STEP: u64 = 100_000;

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The calls, the newest first.
    pub(super) entries: Vec<Entry>,
    /// Where the search goes on: before this record. Absent if all records were searched.
    pub(super) next_before: Option<u64>,
    /// Number of records that were searched, if older ones were not.
    pub(super) cut_after: Option<u64>,
}

/// Searches the newest calls before a record.
pub(super) async fn search(
    state: Arc<AdminState>,
    console: &Console,
    filter: Filter,
    before: Option<u64>,
) -> Result<Found, AdminError> {
    console.heavy(move || search_in(&state, &filter, before)).await
}

fn search_in(state: &AdminState, filter: &Filter, before: Option<u64>) -> Result<Found, AdminError> {
    let begun = Instant::now();
    let newest = state.audit.last().0.saturating_add(1);
    let first = before.unwrap_or(newest).min(newest);
    let (mut found, mut edge) = (Found::default(), first);
    while edge > 1 {
        let after = edge.saturating_sub(STEP.saturating_add(1));
        let wanted = OF_PAGE - found.entries.len();
        let page = Page {
            after: Some(Sequence(after)),
            before: Some(Sequence(edge)),
            limit: wanted,
            newest_first: true,
        };
        let entries = state.audit.query(filter, page)?;
        let is_full = entries.len() == wanted;
        found.entries.extend(entries);
        if is_full {
            found.next_before = found
                .entries
                .last()
                .map(|entry| entry.sequence.0)
                .filter(|last| *last > 1);
            return Ok(found);
        }
        edge = after.saturating_add(1);
        if begun.elapsed() >= PATIENCE && edge > 1 {
            found.next_before = Some(edge);
            found.cut_after = Some(first.saturating_sub(edge));
            return Ok(found);
        }
    }
    Ok(found)
}
