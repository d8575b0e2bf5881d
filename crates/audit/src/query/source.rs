//! The periods that a question is put to, with a list of the entries that it could not see.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::period::name::Period;
use crate::period::open::OpenPeriod;
use crate::query::left_out::{self, LeftOut};
use crate::store::periods::Periods;

/// Periods to be asked, and whether the gaps in them are listed.
#[derive(Debug)]
pub(crate) struct Source {
    periods: Arc<Periods>,
    gaps: Gaps,
}

/// The gaps in the periods that questions have opened so far.
#[derive(Debug)]
enum Gaps {
    /// Nobody asks for them.
    Ignored,
    /// By period.
    Listed(Mutex<BTreeMap<Period, Vec<LeftOut>>>),
}

impl Source {
    /// The periods of a store that this process has open. Gaps are not listed: the store reports them when it is opened.
    pub(crate) fn of_store(periods: Arc<Periods>) -> Self {
        Self {
            periods,
            gaps: Gaps::Ignored,
        }
    }

    /// The files of the store in the directory `root`, or a file of blocks. Only a store has gaps to list.
    pub(crate) fn of_files(root: &Path) -> io::Result<Self> {
        let periods = Arc::new(Periods::files(root)?);
        let gaps = if periods.is_one_file() {
            Gaps::Ignored
        } else {
            Gaps::Listed(Mutex::default())
        };
        Ok(Self { periods, gaps })
    }

    /// The periods.
    pub(crate) fn periods(&self) -> &Periods {
        &self.periods
    }

    /// Lists the gaps in a period that a question has opened.
    pub(crate) fn note_gaps(&self, period: Period, opened: &OpenPeriod) {
        let Gaps::Listed(gaps) = &self.gaps else { return };
        let mut gaps = gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.entry(period)
            .or_insert_with(|| left_out::of(&self.periods, period, opened));
    }

    /// All gaps that were listed, in the order of the chain.
    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        let Gaps::Listed(gaps) = &self.gaps else {
            return Vec::new();
        };
        let gaps = gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.values().flatten().cloned().collect()
    }
}
