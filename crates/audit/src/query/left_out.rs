//! The entries that a query could not see, because their blocks are damaged or missing. Blocks are found by magic and checksum,
//! so a damaged block is not found. The sequence numbers and hashes of its neighbours show the gap.

use std::fmt;

use crate::format::chain::{COMMIT_BLOCKS, Chain};
use crate::period::edges;
use crate::period::name::Period;
use crate::period::open::OpenPeriod;
use crate::store::end_note;
use crate::store::lock::in_use;
use crate::store::periods::Periods;

/// Entries that a query left out, because their blocks are damaged or missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Name of the period.
    pub period: String,
    /// First sequence number; if it is not known, all entries from the period's beginning are missing.
    pub first: Option<u64>,
    /// Last sequence number.
    pub last: u64,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "period {}: ", self.period)?;
        match self.first {
            Some(first) => write!(f, "entries {first} to {}", self.last)?,
            None => write!(f, "entries before {}", self.last.saturating_add(1))?,
        }
        f.write_str(" are damaged or missing, and omitted; see `audit verify` and `audit salvage`")
    }
}

/// The gaps in a period that is read from its files. Errors of reading are reported by the query itself.
pub(crate) fn of(store: &Periods, period: Period, opened: &OpenPeriod) -> Vec<LeftOut> {
    let OpenPeriod::Files(files) = opened else {
        return Vec::new();
    };
    let lacks = |first, last| LeftOut {
        period: period.to_string(),
        first,
        last,
    };
    let mut found: Vec<LeftOut> = files
        .holes()
        .iter()
        .map(|(first, last)| lacks(*first, *last))
        .collect();
    let end = opened.last().ok().flatten();
    let last = end.as_ref().map_or(0, |block| block.header.last());
    let behind = end.as_ref().map(|block| block.header.last().saturating_add(1));
    match next(store, period) {
        Some(Chain {
            next: first,
            hash: previous,
        }) if first > last.saturating_add(1)
            && !continues(opened, previous)
            && !is_bridged(store, period, opened, previous) =>
        {
            found.push(lacks(behind, first.saturating_sub(1)));
        }
        // If a process writes both, the note may be newer than the file.
        None if !in_use(store.root()) && is_last(store, period) => {
            let noted = end_note::read(store.root()).map_or(0, |chain| chain.next.saturating_sub(1));
            if noted > last {
                found.push(lacks(behind, noted));
            }
        }
        _ => {}
    }
    found
}

/// The state of the chain at the beginning of the next period in use, if its first block is found.
fn next(store: &Periods, period: Period) -> Option<Chain> {
    let mut later = edges::beginnings_after(store.root(), period, Period::is_in_use)?;
    later.next()?.ok()?
}

fn is_last(store: &Periods, period: Period) -> bool {
    store.list().is_ok_and(|periods| periods.last() == Some(&period))
}

/// Whether the chain continues one of the period's last blocks.
fn continues(opened: &OpenPeriod, hash: [u8; 32]) -> bool {
    let mut block = opened.last().ok().flatten();
    for _ in 0..COMMIT_BLOCKS {
        let Some(at) = block else { return false };
        if at.hash == hash {
            return true;
        }
        block = opened.before(at.header.first).ok().flatten();
    }
    false
}

/// Whether the period has no block, and the next one continues an earlier one: nothing was written to the period, nor to those
/// between them.
fn is_bridged(store: &Periods, period: Period, opened: &OpenPeriod, hash: [u8; 32]) -> bool {
    if !matches!(opened.last(), Ok(None)) {
        return false;
    }
    let earlier = store.list().unwrap_or_default();
    let mut earlier = earlier
        .into_iter()
        .rev()
        .filter(|p| *p < period && !p.is_damaged());
    let written = earlier.find_map(|p| {
        let opened = store.get(p).ok()?;
        (!matches!(opened.last(), Ok(None))).then_some(opened)
    });
    written.is_some_and(|written| continues(&written, hash))
}
