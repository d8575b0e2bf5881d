//! Finding the end of the chain when a store is opened, and beginning periods.

use std::fs;
use std::io;
use std::sync::Arc;

use crate::disk::permissions;
use crate::error::DiskError;
use crate::format::chain::Chain;
use crate::model::item::Event;
use crate::period::database::Database;
use crate::period::edges;
use crate::period::name::{Day, Period};
use crate::store::end_note;
use crate::store::periods::Periods;

/// Result of a recovery.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The end of the chain.
    pub(crate) chain: Chain,
    /// What went wrong, a sentence each.
    pub(crate) troubles: Vec<String>,
}

/// Finds the end of the chain in the files, without changing them. Later blocks go to a new period.
pub(crate) fn recover(store: &Periods) -> Result<Recovered, DiskError> {
    let noted = end_note::read(store.root());
    let mut end = None;
    let mut troubles = Vec::new();
    // The last sound block of the last period that has one. Whether blocks may have been lost after the end that is found.
    let mut lost = false;
    for period in Period::list(store.root())?.into_iter().rev() {
        lost |= period.is_damaged();
        match edges::end(&store.path(period), noted) {
            Ok(Some(found)) => {
                end = Some(found);
                break;
            }
            Ok(None) => lost = true,
            // The disk may be sound again tomorrow, or never. The note suffices to continue.
            Err(error) => {
                return match noted {
                    Some(noted) => Ok(after_unreadable(period, noted, &error)),
                    None => Err(error.into()),
                };
            }
        }
    }
    // The note is written after each commit: if it is ahead of the blocks, these were lost.
    let mut chain = end.unwrap_or(Chain {
        next: 1,
        hash: [0; 32],
    });
    match noted {
        Some(noted) if noted.next == chain.next => {}
        Some(noted) if noted.next > chain.next => {
            let (there, last) = (chain.next.saturating_sub(1), noted.next.saturating_sub(1));
            troubles.push(format!(
                "the audit ends at entry {there}, but entry {last} had been written: the end is missing or damaged; a new period begins; look for a copy of the newest period"
            ));
            // Later blocks do not continue the blocks on disk: verification shows the gap.
            chain = noted.after_gap();
        }
        // A first store has nothing, and lost nothing.
        _ if lost && (end.is_some() || noted.is_some()) => chain = chain.after_gap(),
        _ => {}
    }
    Ok(Recovered { chain, troubles })
}

/// The end by the note, of a store whose last period cannot be read.
fn after_unreadable(period: Period, noted: Chain, error: &io::Error) -> Recovered {
    let there = noted.next.saturating_sub(1);
    Recovered {
        chain: noted.after_gap(),
        troubles: vec![format!(
            "cannot read the audit period {period}; a new period begins after entry {there}, the last recorded one: {error}"
        )],
    }
}

/// Begins a period of today, after all that exist: its name and its database.
pub(crate) fn begin(store: &Periods, now_ms: i64) -> Result<(Period, Arc<Database>), DiskError> {
    let first = Period::first(Day::of(now_ms));
    let period = match Period::list(store.root())?.last() {
        Some(last) => last.successor().max(first),
        None => first,
    };
    permissions::make(store.root())?;
    // Fails if the directory exists, so that only one that was made here is removed below.
    fs::create_dir(store.path(period))?;
    let begun = store.begin(period);
    if begun.is_err() {
        // Nothing is in it.
        let _ = fs::remove_dir_all(store.path(period));
    }
    begun.map(|database| (period, database))
}

/// An event that reports an error.
pub(crate) fn trouble(time_ms: i64, text: &str) -> Event {
    Event::Trouble {
        time_ms,
        text: text.to_owned(),
    }
}
