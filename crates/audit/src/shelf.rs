//! The periods of one store that are open, shared by the writer and all who ask.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::DiskError;
use crate::frozen::Frozen;
use crate::opened::Opened;
use crate::period::Period;
use crate::store::{Database, OpenFailure};

/// How many past periods stay open for the next question.
const KEPT: usize = 3;

/// Open periods by name. One database can be open once only in a process.
#[derive(Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
    from: From,
    open: Mutex<Open>,
}

/// How periods are opened.
#[derive(Debug)]
enum From {
    /// As databases, of which each may use so much memory.
    Databases { cache_bytes: u64 },
    /// From their files, changing nothing.
    Files,
    /// All are in one file, and open already.
    OneFile,
}

#[derive(Debug, Default)]
struct Open {
    // Least recently used first.
    periods: Vec<(Period, Arc<Opened>)>,
    // Where a period begins never changes.
    firsts: HashMap<Period, u64>,
}

impl Shelf {
    /// No period is open yet; they will be as databases.
    pub(crate) fn new(root: &Path, cache_bytes: u64) -> Self {
        Self::of(root, From::Databases { cache_bytes }, Vec::new())
    }

    /// For whoever only reads: the store at `root`, or a file of blocks.
    pub(crate) fn frozen(root: &Path) -> io::Result<Self> {
        if root.is_dir() {
            return Ok(Self::of(root, From::Files, Vec::new()));
        }
        let periods = Frozen::split(File::open(root)?)?
            .into_iter()
            .map(|(period, frozen)| (period, Arc::new(Opened::Frozen(frozen))));
        Ok(Self::of(root, From::OneFile, periods.collect()))
    }

    fn of(root: &Path, from: From, periods: Vec<(Period, Arc<Opened>)>) -> Self {
        let open = Open {
            periods,
            firsts: HashMap::new(),
        };
        Self {
            root: root.to_owned(),
            from,
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

    /// Whether it is a file of blocks, which may be a part of a store.
    pub(crate) fn is_one_file(&self) -> bool {
        matches!(self.from, From::OneFile)
    }

    /// The periods that there are, in the order of the chain.
    pub(crate) fn periods(&self) -> io::Result<Vec<Period>> {
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

    /// The period, opened if it is not.
    pub(crate) fn get(&self, period: Period) -> Result<Arc<Opened>, OpenFailure> {
        let mut guard = self.open();
        let open = &mut guard.periods;
        if let Some(at) = open.iter().position(|(p, _)| *p == period) {
            let found = open.remove(at);
            let opened = Arc::clone(&found.1);
            open.push(found);
            return Ok(opened);
        }
        let path = self.path(period);
        let opened = match self.from {
            From::Databases { cache_bytes } => Opened::Database(Database::open(&path, cache_bytes)?),
            From::Files | From::OneFile => {
                Opened::Frozen(Frozen::open(&path).map_err(|e| OpenFailure::Disk(e.into()))?)
            }
        };
        let opened = Arc::new(opened);
        open.push((period, Arc::clone(&opened)));
        // The writer's is used by it all the time, and held by it: dropping it here closes nothing,
        // but then the next question could not open it. So only those held here alone go.
        if open.len() > KEPT + 1
            && let Some(at) = open.iter().position(|(_, o)| Arc::strong_count(o) == 1)
        {
            open.remove(at);
        }
        Ok(opened)
    }

    /// Where a period begins; `None` if it has no block. Opened for it once.
    pub(crate) fn first_place(&self, period: Period) -> Result<Option<u64>, OpenFailure> {
        if let Some(first) = self.open().firsts.get(&period) {
            return Ok(Some(*first));
        }
        let first = self.get(period)?.at_or_after(0).map_err(|e| match e {
            DiskError::Database(why) => OpenFailure::Damaged(why),
            disk => OpenFailure::Disk(disk),
        })?;
        let first = first.map(|block| block.head.first);
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
