//! The calls that a filter wants: by going through them, or, once their status proves rare, by their ends.

use crate::error::QueryError;
use crate::model::entry::Entry;
use crate::model::filter::{Filter, Page};
use crate::query::by_status;
use crate::query::scan::{self, Scanned};
use crate::query::source::Source;

/// Entries that are looked through for calls of a status before it may count as rare.
const ENTRIES: u64 = if cfg!(test) { 20 } else { 50_000 };
/// A status is rare if fewer than one entry in so many is an end with it: finding a call from its end costs as much as going
/// through thousands of entries.
const RARE: u64 = if cfg!(test) { 1 } else { 2_000 };

/// The calls that `filter` wants.
pub(crate) fn calls(source: &Source, filter: &Filter, page: Page) -> Result<Vec<Entry>, QueryError> {
    let Some(status) = filter.status.filter(|_| page.newest_first) else {
        return scan::all(source, filter, page);
    };
    let is_rare = |examined: u64, ends: u64| examined > ENTRIES.max(ends.saturating_mul(RARE));
    match scan::scan(source, filter, page, is_rare)? {
        Scanned::All(found) => Ok(found),
        // From here on the ends with this status are looked for.
        Scanned::Rare(mut found, before) => {
            let rest = Page {
                before: Some(before),
                limit: page.limit.saturating_sub(found.len()),
                ..page
            };
            found.extend(by_status::newest(source, filter, status, rest)?);
            Ok(found)
        }
    }
}
