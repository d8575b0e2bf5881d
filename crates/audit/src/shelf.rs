//! The periods of one store that are open, shared by the writer and all who ask.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::period::Period;
use crate::store::{OpenFailure, Opened};

/// How many past periods stay open for the next question.
const KEPT: usize = 3;

/// Open periods by name. One database can be open once only in a process.
#[derive(Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
    cache_bytes: u64,
    // Least recently used first.
    open: Mutex<Vec<(Period, Arc<Opened>)>>,
}

impl Shelf {
    /// No period is open yet.
    pub(crate) fn new(root: &Path, cache_bytes: u64) -> Self {
        Self {
            root: root.to_owned(),
            cache_bytes,
            open: Mutex::default(),
        }
    }

    /// Directory of the store.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Directory of a period.
    pub(crate) fn path(&self, period: Period) -> PathBuf {
        self.root.join(period.to_string())
    }

    fn open(&self) -> MutexGuard<'_, Vec<(Period, Arc<Opened>)>> {
        // Each change is one push or remove: nothing is left half done by a panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The period, opened if it is not: by the writer to be written, else to be read.
    pub(crate) fn get(&self, period: Period, writes: bool) -> Result<Arc<Opened>, OpenFailure> {
        let mut open = self.open();
        if let Some(at) = open.iter().position(|(p, _)| *p == period) {
            let found = open.remove(at);
            let opened = Arc::clone(&found.1);
            open.push(found);
            return Ok(opened);
        }
        let opened = Arc::new(Opened::open(&self.path(period), self.cache_bytes, writes)?);
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

    /// Closes the period, once nobody reads it any more.
    pub(crate) fn forget(&self, period: Period) {
        let mut open = self.open();
        let at = open.iter().position(|(p, _)| *p == period);
        let gone = at.map(|at| open.remove(at));
        drop(open);
        drop(gone);
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.open());
        drop(all);
    }
}
