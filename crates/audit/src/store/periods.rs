//! The open periods of one store, shared by the writer and all queries.
//!
//! Only [`Periods::begin`] makes a database. An existing period is read from its files, which nothing changes any more: opening
//! it as a database could lose blocks, see `period/database`.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{DiskError, QueryError};
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
    // For a period that is written.
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
    periods: Vec<(Period, OpenPeriod)>,
    // The beginning of a period never changes.
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

    /// The periods of the store at `root`, or of a file of blocks, for reading only.
    pub(crate) fn files(root: &Path) -> io::Result<Self> {
        if root.is_dir() {
            return Ok(Self::of(root, Kind::Files, Vec::new()));
        }
        let periods = Files::split(File::open(root)?)?
            .into_iter()
            .map(|(period, files)| (period, OpenPeriod::Files(Arc::new(files))));
        Ok(Self::of(root, Kind::OneFile, periods.collect()))
    }

    fn of(root: &Path, kind: Kind, periods: Vec<(Period, OpenPeriod)>) -> Self {
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

    /// Directory of the store, or the file of blocks.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Directory of a period.
    pub(crate) fn path(&self, period: Period) -> PathBuf {
        self.root.join(period.to_string())
    }

    /// Whether times show in which period calls are, and where in it. For a file of blocks this is not known.
    pub(crate) fn is_in_order(&self, period: Period) -> bool {
        !self.is_one_file() && !time_order::is_broken(&self.path(period))
    }

    /// Whether the periods are in a file of blocks, which may be a part of a store.
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

    /// Makes the period. This process writes it until it begins another one.
    pub(crate) fn begin(&self, period: Period) -> Result<Arc<Database>, DiskError> {
        let mut guard = self.open();
        let database = Arc::new(Database::create(&self.path(period), self.cache_bytes)?);
        // A question may have come when its directory was there, and nothing in it.
        guard.periods.retain(|(p, _)| *p != period);
        keep(
            &mut guard.periods,
            period,
            OpenPeriod::Database(Arc::clone(&database)),
        );
        Ok(database)
    }

    /// The period, opened if it is not.
    pub(crate) fn get(&self, period: Period) -> Result<OpenPeriod, DiskError> {
        let mut guard = self.open();
        let open = &mut guard.periods;
        if let Some(at) = open.iter().position(|(p, _)| *p == period) {
            let found = open.remove(at);
            let opened = found.1.clone();
            open.push(found);
            return Ok(opened);
        }
        let files = Files::open(&self.path(period))?;
        let opened = OpenPeriod::Files(Arc::new(files));
        keep(open, period, opened.clone());
        Ok(opened)
    }

    /// Whether a period that could not be opened no longer exists: retention may have deleted it since it was listed.
    pub(crate) fn is_gone(&self, period: Period) -> bool {
        !self.is_one_file() && matches!(self.path(period).try_exists(), Ok(false))
    }

    /// First sequence number of a period; `None` if it has no block. The period is opened for it once.
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

    /// Closes the periods that are read from files of a store, so that the next question reads the files as they are then.
    pub(crate) fn close_files(&self) {
        if !self.is_one_file() {
            let is_database = |opened: &OpenPeriod| matches!(opened, OpenPeriod::Database(_));
            self.open().periods.retain(|(_, opened)| is_database(opened));
        }
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.open());
        drop(all);
    }
}

/// Adds an open period, and closes one if there are too many.
fn keep(open: &mut Vec<(Period, OpenPeriod)>, period: Period, opened: OpenPeriod) {
    open.push((period, opened));
    // The writer holds its period, and the next query must find that one here. So only unshared ones are closed.
    if open.len() > KEPT + 1
        && let Some(at) = open.iter().position(|(_, opened)| !opened.is_shared())
    {
        open.remove(at);
    }
}

/// Opens a period, for a question.
pub(crate) fn open(store: &Periods, period: Period) -> Result<OpenPeriod, QueryError> {
    store.get(period).map_err(unreadable(period))
}

/// The error that `period` gave `source`.
pub(crate) fn unreadable(period: Period) -> impl Fn(DiskError) -> QueryError {
    move |source| QueryError::Unreadable {
        period: period.to_string(),
        source,
    }
}
