//! Finding the end of the chain when a store is opened, and beginning periods.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::block::Hash;
use crate::error::DiskError;
use crate::item::Event;
use crate::note;
use crate::opened::Opened;
use crate::period::{Day, Period};
use crate::salvage;
use crate::shelf::Shelf;
use crate::store::OpenFailure;

/// Places skipped where the end of the chain was damaged: more than can have been lost unseen, so that
/// none is given twice.
const GAP: u64 = 1 << 20;

/// Where the chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Place of the next entry.
    pub(crate) next: u64,
    /// Hash of the last block.
    pub(crate) hash: Hash,
}

/// A period that is written.
#[derive(Debug)]
pub(crate) struct Current {
    /// Its name.
    pub(crate) period: Period,
    /// Its database.
    pub(crate) opened: Arc<Opened>,
    /// Whether it has no block yet.
    pub(crate) empty: bool,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The end of the chain.
    pub(crate) chain: Chain,
    /// The newest period, if it is of today (or later: a clock was set back).
    pub(crate) current: Option<Current>,
    /// What went wrong, a sentence each.
    pub(crate) troubles: Vec<String>,
}

/// Finds the end of the chain. A newest period that is damaged is set aside.
pub(crate) fn recover(shelf: &Shelf, now_ms: i64) -> Result<Recovered, DiskError> {
    let mut chain = None;
    let mut current = None;
    let mut troubles = Vec::new();
    let mut lost = false;
    let periods = Period::list(shelf.root())?;
    for (n, period) in periods.into_iter().rev().enumerate() {
        let end = if period.is_damaged() {
            lost = true;
            salvage::last(&shelf.path(period))?.map(|(head, hash)| (head.last(), hash))
        } else {
            match end_of(shelf, period) {
                Ok((opened, end)) => {
                    if n == 0 && period.day >= Day::of(now_ms) {
                        current = Some(Current {
                            period,
                            opened,
                            empty: end.is_none(),
                        });
                    }
                    end
                }
                Err(OpenFailure::Disk(error)) => return Err(error),
                Err(OpenFailure::Damaged(why)) => {
                    let found = salvage::last(&shelf.path(period))?.map(|(head, hash)| (head.last(), hash));
                    lost = true;
                    shelf.forget(period);
                    troubles.push(set_aside(shelf.root(), period, &why)?);
                    found
                }
            }
        };
        if let Some((last, hash)) = end {
            let next = last.saturating_add(1).saturating_add(if lost { GAP } else { 0 });
            chain = Some(Chain { next, hash });
            break;
        }
    }
    let mut chain = chain.unwrap_or(Chain {
        next: if lost { GAP } else { 1 },
        hash: [0; 32],
    });
    if let Some(Chain { next, hash }) = note::read(shelf.root()).filter(|noted| noted.next > chain.next) {
        let (there, noted) = (chain.next.saturating_sub(1), next.saturating_sub(1));
        troubles.push(format!(
            "the audit ends at entry {there}, and entry {noted} had been written: the end is missing; look for a copy of the newest period"
        ));
        // What now follows does not continue what is there: verifying shows the place.
        chain = Chain {
            next: noted.saturating_add(GAP),
            hash,
        };
    }
    Ok(Recovered {
        chain,
        current,
        troubles,
    })
}

type End = Option<(u64, Hash)>;

fn end_of(shelf: &Shelf, period: Period) -> Result<(Arc<Opened>, End), OpenFailure> {
    let opened = shelf.get(period)?;
    let last = opened.last().map_err(|e| match e {
        DiskError::Database(why) => OpenFailure::Damaged(why),
        disk => OpenFailure::Disk(disk),
    })?;
    Ok((opened, last.map(|block| (block.head.last(), block.hash))))
}

/// Renames a period, so that it is no longer in the way and nothing of it is lost; says so.
fn set_aside(root: &Path, period: Period, why: &str) -> io::Result<String> {
    let mut n = 1;
    while root.join(period.damaged(n).to_string()).exists() {
        n += 1;
    }
    let aside = period.damaged(n).to_string();
    fs::rename(root.join(period.to_string()), root.join(&aside))?;
    File::open(root)?.sync_all()?;
    Ok(format!(
        "the audit period {period} is damaged and was set aside as {aside}, a new one begins; `tokenward audit salvage` recovers what is left of it ({why})"
    ))
}

/// Begins a period of today, after all that there are.
pub(crate) fn begin(shelf: &Shelf, now_ms: i64) -> Result<Current, DiskError> {
    let first = Period::first(Day::of(now_ms));
    let period = match Period::list(shelf.root())?.last() {
        Some(last) => last.successor().max(first),
        None => first,
    };
    match shelf.get(period) {
        Ok(opened) => Ok(Current {
            period,
            opened,
            empty: true,
        }),
        Err(failure) => {
            // It was made just now, and holds nothing.
            let _ = fs::remove_dir_all(shelf.path(period));
            Err(match failure {
                OpenFailure::Disk(error) => error,
                OpenFailure::Damaged(why) => DiskError::Database(why),
            })
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
