//! Marks in the chain of the audit.

use std::time::Duration;

use tokenward_audit::{Event, Store};
use tokenward_fleet::mark::Mark;
use tokenward_fleet::name::Name;

use super::error::FleetError;

/// The last mark in the chain of the audit, and its time since 1970 UTC.
pub(crate) fn last_mark(audit: &Store) -> Result<Option<(Mark, Duration)>, FleetError> {
    let Some(Event::FleetMark {
        time_ms,
        fleet,
        version,
        manifest,
        ..
    }) = audit.last_fleet_mark()?
    else {
        return Ok(None);
    };
    let mark = Mark {
        fleet: fleet.parse()?,
        version,
        manifest,
    };
    let time = Duration::from_millis(u64::try_from(time_ms).unwrap_or_default());
    Ok(Some((mark, time)))
}

/// The event of the audit for a mark. `why`: why it was set back by hand.
pub(crate) fn event(mark: &Mark, time_ms: i64, why: String) -> Event {
    Event::FleetMark {
        time_ms,
        fleet: mark.fleet.to_string(),
        version: mark.version,
        manifest: mark.manifest,
        why,
    }
}

/// The mark after a rewind: versions above it are taken again.
pub(crate) fn rewound(fleet: Name, version: u64) -> Mark {
    Mark {
        fleet,
        version,
        manifest: [0; 32],
    }
}
