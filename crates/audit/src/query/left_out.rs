//! What a question could not see: places of a period whose blocks are damaged or missing. Blocks are found by their marks and
//! checksums, so that a damaged one is simply not there; the places and hashes of those around it tell.

use std::fmt;

use crate::period::edges;
use crate::period::name::Period;
use crate::period::open::OpenPeriod;
use crate::store::end_note;
use crate::store::lock::in_use;
use crate::store::periods::Periods;

/// Places that a question left out, since their blocks are damaged or missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Name of the period.
    pub period: String,
    /// The first place; where it is not known, all from the period's beginning.
    pub first: Option<u64>,
    /// The last place.
    pub last: u64,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "period {}: ", self.period)?;
        match self.first {
            Some(first) => write!(f, "entries {first} to {}", self.last)?,
            None => write!(f, "entries before {}", self.last.saturating_add(1))?,
        }
        f.write_str(" are damaged or missing and left out; see `audit verify`, `audit salvage`")
    }
}

/// How many blocks before the end of a period the next may continue: those of one failed commit.
const RUN: usize = 1024;

/// What a period that is read from its file lacks. What cannot be read is told where it is asked for.
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
        Some((first, previous))
            if first > last.saturating_add(1)
                && !continues(opened, previous)
                && !is_bridged(store, period, opened, previous) =>
        {
            found.push(lacks(behind, first.saturating_sub(1)));
        }
        // The note may be newer than the file where a process writes both.
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

/// Where the period behind begins, and the hash that it continues.
fn next(store: &Periods, period: Period) -> Option<(u64, [u8; 32])> {
    let periods = store.list().ok()?;
    let next = periods.into_iter().find(|p| *p > period && !p.is_damaged())?;
    let chain = edges::begin(&store.path(next)).ok()??;
    Some((chain.next, chain.hash))
}

fn is_last(store: &Periods, period: Period) -> bool {
    store.list().is_ok_and(|periods| periods.last() == Some(&period))
}

/// Whether the chain goes on from one of the period's last blocks.
fn continues(opened: &OpenPeriod, hash: [u8; 32]) -> bool {
    let mut block = opened.last().ok().flatten();
    for _ in 0..RUN {
        let Some(at) = block else { return false };
        if at.hash == hash {
            return true;
        }
        block = opened.before(at.header.first).ok().flatten();
    }
    false
}

/// Whether the period has no block, and the one behind it continues an earlier one: nothing was written to it, nor to those
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
