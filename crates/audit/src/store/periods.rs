//! The periods of one store that are open, shared by the writer and all who ask.
//!
//! Only [`Periods::begin`] makes a database. A period that is there already is read from its files, which nothing changes any
//! more: sled's recovery takes a read that fails, or a flipped bit, for the end of its log, and zeroes what stands behind it.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::DiskError;
use crate::index::time_order;
use crate::period::database::Database;
use crate::period::files::Files;
use crate::period::name::Period;
use crate::period::open::OpenPeriod;

/// How many past periods stay open for the next question.
const KEPT: usize = 3;

/// Open periods by name. One database can be open once only in a process.
#[derive(Debug)]
pub(crate) struct Periods {
    root: PathBuf,
    kind: Kind,
    // Of a period that is written.
    cache_bytes: u64,
    open: Mutex<Open>,
}

/// How periods are opened.
#[derive(Debug)]
enum Kind {
    /// From their files, changing nothing.
    Files,
    /// All are in one file, and open already.
    OneFile,
}

#[derive(Debug, Default)]
struct Open {
    // Least recently used first.
    periods: Vec<(Period, Arc<OpenPeriod>)>,
    // Where a period begins never changes.
    firsts: HashMap<Period, u64>,
}

impl Periods {
    /// No period is open yet; one that is begun may use so much memory.
    pub(crate) fn new(root: &Path, cache_bytes: u64) -> Self {
        Self {
            cache_bytes,
            ..Self::of(root, Kind::Files, Vec::new())
        }
    }

    /// For whoever only reads: the store at `root`, or a file of blocks.
    pub(crate) fn files(root: &Path) -> io::Result<Self> {
        if root.is_dir() {
            return Ok(Self::of(root, Kind::Files, Vec::new()));
        }
        let periods = Files::split(File::open(root)?)?
            .into_iter()
            .map(|(period, files)| (period, Arc::new(OpenPeriod::Files(files))));
        Ok(Self::of(root, Kind::OneFile, periods.collect()))
    }

    fn of(root: &Path, kind: Kind, periods: Vec<(Period, Arc<OpenPeriod>)>) -> Self {
        let open = Open {
            periods,
            firsts: HashMap::new(),
        };
        Self {
            root: root.to_owned(),
            kind,
            cache_bytes: 0,
            open: Mutex::new(open),
        }
    }

    /// Directory of the store, or the file that stands for it.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Directory of a period.
    pub(crate) fn path(&self, period: Period) -> PathBuf {
        self.root.join(period.to_string())
    }

    /// Whether times tell where in a period, and in which, calls are. A file of blocks does not say.
    pub(crate) fn is_in_order(&self, period: Period) -> bool {
        !self.is_one_file() && !time_order::is_broken(&self.path(period))
    }

    /// Whether it is a file of blocks, which may be a part of a store.
    pub(crate) fn is_one_file(&self) -> bool {
        matches!(self.kind, Kind::OneFile)
    }

    /// The periods that there are, in the order of the chain.
    pub(crate) fn list(&self) -> io::Result<Vec<Period>> {
        if self.is_one_file() {
            let mut periods: Vec<Period> = self.open().periods.iter().map(|(period, _)| *period).collect();
            periods.sort_unstable();
            return Ok(periods);
        }
        Period::list(&self.root)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Each change is one push or remove: nothing is left half done by a panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the period, to be written by this process until it is left behind.
    pub(crate) fn begin(&self, period: Period) -> Result<Arc<OpenPeriod>, DiskError> {
        let mut guard = self.open();
        let database = Database::create(&self.path(period), self.cache_bytes)?;
        let opened = Arc::new(OpenPeriod::Database(database));
        // A question may have come when its directory was there, and nothing in it.
        guard.periods.retain(|(p, _)| *p != period);
        keep(&mut guard.periods, period, &opened);
        Ok(opened)
    }

    /// The period, opened if it is not.
    pub(crate) fn get(&self, period: Period) -> Result<Arc<OpenPeriod>, DiskError> {
        let mut guard = self.open();
        let open = &mut guard.periods;
        if let Some(at) = open.iter().position(|(p, _)| *p == period) {
            let found = open.remove(at);
            let opened = Arc::clone(&found.1);
            open.push(found);
            return Ok(opened);
        }
        let files = Files::open(&self.path(period))?;
        let opened = Arc::new(OpenPeriod::Files(files));
        keep(open, period, &opened);
        Ok(opened)
    }

    /// Whether a period that could not be opened is none any more: retention may have deleted it since it was listed.
    pub(crate) fn is_gone(&self, period: Period) -> bool {
        !self.is_one_file() && matches!(self.path(period).try_exists(), Ok(false))
    }

    /// Where a period begins; `None` if it has no block. OpenPeriod for it once.
    pub(crate) fn first_place(&self, period: Period) -> Result<Option<u64>, DiskError> {
        if let Some(first) = self.open().firsts.get(&period) {
            return Ok(Some(*first));
        }
        let first = self.get(period)?.at_or_after(0)?;
        let first = first.map(|block| block.header.first);
        if let Some(first) = first {
            self.open().firsts.insert(period, first);
        }
        Ok(first)
    }

    /// Closes the period, once nobody reads it any more.
    pub(crate) fn forget(&self, period: Period) {
        let mut open = self.open();
        let at = open.periods.iter().position(|(p, _)| *p == period);
        let gone = at.map(|at| open.periods.remove(at));
        open.firsts.remove(&period);
        drop(open);
        drop(gone);
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.open());
        drop(all);
    }
}

/// Adds an open period, and closes one where there are too many.
fn keep(open: &mut Vec<(Period, Arc<OpenPeriod>)>, period: Period, opened: &Arc<OpenPeriod>) {
    open.push((period, Arc::clone(opened)));
    // The writer's is held by it, and the next question must find it here. So only those held here alone go.
    if open.len() > KEPT + 1
        && let Some(at) = open.iter().position(|(_, o)| Arc::strong_count(o) == 1)
    {
        open.remove(at);
    }
}
