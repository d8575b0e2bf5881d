//! Finding the end of the chain when a store is opened, and beginning periods.

use std::fs;
use std::sync::Arc;

use crate::disk::permissions;
use crate::error::DiskError;
use crate::format::chain::Chain;
use crate::model::item::Event;
use crate::period::edges;
use crate::period::name::{Day, Period};
use crate::period::open::OpenPeriod;
use crate::store::end_note;
use crate::store::periods::Periods;

/// A period that is written.
#[derive(Debug)]
pub(crate) struct Current {
    /// Its name.
    pub(crate) period: Period,
    /// Its database.
    pub(crate) opened: Arc<OpenPeriod>,
    /// Whether it has no block yet.
    pub(crate) empty: bool,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The end of the chain.
    pub(crate) chain: Chain,
    /// What went wrong, a sentence each.
    pub(crate) troubles: Vec<String>,
}

/// Finds the end of the chain in the files, which it leaves as they are. What follows goes to a new period.
pub(crate) fn recover(store: &Periods) -> Result<Recovered, DiskError> {
    let noted = end_note::read(store.root());
    let mut end = None;
    let mut troubles = Vec::new();
    // Whether something may have stood behind the end that is found.
    let mut lost = false;
    for period in Period::list(store.root())?.into_iter().rev() {
        lost |= period.is_damaged();
        match edges::end(&store.path(period), noted) {
            Ok(Some(found)) => {
                end = Some(found);
                break;
            }
            Ok(None) => lost = true,
            // The disk may be sound again tomorrow, or never. The note tells enough to go on.
            Err(error) => match noted {
                Some(noted) => {
                    let there = noted.next.saturating_sub(1);
                    troubles.push(format!(
                        "the audit period {period} cannot be read, a new one begins after entry {there}, which is the last that was noted: {error}"
                    ));
                    return Ok(Recovered {
                        chain: noted.after_gap(),
                        troubles,
                    });
                }
                None => return Err(error.into()),
            },
        }
    }
    let mut chain = end.unwrap_or(Chain {
        next: 1,
        hash: [0; 32],
    });
    match noted {
        Some(noted) if noted.next == chain.next => {}
        Some(noted) if noted.next > chain.next => {
            let (there, last) = (chain.next.saturating_sub(1), noted.next.saturating_sub(1));
            troubles.push(format!(
                "the audit ends at entry {there}, and entry {last} had been written: the end is missing or damaged, a new period begins; look for a copy of the newest one"
            ));
            // What now follows does not continue what is there: verifying shows the place.
            chain = noted.after_gap();
        }
        // A first store has nothing, and lost nothing.
        _ if lost && (end.is_some() || noted.is_some()) => chain = chain.after_gap(),
        _ => {}
    }
    Ok(Recovered { chain, troubles })
}

/// Begins a period of today, after all that there are.
pub(crate) fn begin(store: &Periods, now_ms: i64) -> Result<Current, DiskError> {
    let first = Period::first(Day::of(now_ms));
    let period = match Period::list(store.root())?.last() {
        Some(last) => last.successor().max(first),
        None => first,
    };
    permissions::make(store.root())?;
    // Fails where it is there: what is removed below was made here.
    fs::create_dir(store.path(period))?;
    match store.begin(period) {
        Ok(opened) => Ok(Current {
            period,
            opened,
            empty: true,
        }),
        Err(error) => {
            // It holds nothing.
            let _ = fs::remove_dir_all(store.path(period));
            Err(error)
        }
    }
}

/// The event that tells a trouble.
pub(crate) fn trouble(time_ms: i64, text: &str) -> Event {
    Event::Trouble {
        time_ms,
        text: text.to_owned(),
    }
}
