//! The operations of the API by name, for pages: from the descriptions that the configuration lists, which are read once for each
//! version of their files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokenward_pdp::compare;
use tokenward_pdp::config::Config;

/// How a file looks: its time of change and its length; `None` if it cannot be read.
type Look = Option<(SystemTime, u64)>;
/// The files of a configuration, as they look.
pub(super) type Looks = Vec<(PathBuf, Look)>;
/// The descriptions that were read, and their names if all could be read.
type Known = (Looks, Option<Arc<Described>>);
/// The operations of descriptions.
pub(super) type Described = dyn compare::Operations + Send + Sync;
/// Reads the descriptions of a configuration; `None` if there are none, or one cannot be read. The command brings it.
pub(crate) type ReadOperations = fn(&Config) -> Option<Arc<Described>>;

/// The names of operations that were read last.
pub(super) struct Operations {
    read: ReadOperations,
    known: Mutex<Option<Known>>,
}

impl Operations {
    pub(super) fn new(read: ReadOperations) -> Self {
        Self {
            read,
            known: Mutex::default(),
        }
    }

    /// The descriptions that the configuration lists, as they look now.
    pub(super) fn looks(config: &Config) -> Looks {
        let look = |file: &PathBuf| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        let files = config.api.descriptions.iter();
        files.map(|file| (file.clone(), look(file))).collect()
    }

    /// The names under this configuration; `None` if it lists no description, or one that cannot be read. Reading takes seconds for
    /// large descriptions, so this belongs on a thread that may block.
    pub(super) fn names(&self, config: &Config) -> Option<Arc<Described>> {
        let looks = Self::looks(config);
        if looks.is_empty() {
            return None;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, names)) = known.as_ref()
            && *of == looks
        {
            return names.clone();
        }
        let names = (self.read)(config);
        *known = Some((looks, names.clone()));
        names
    }
}

/// All operations of some lists, each once.
pub(super) fn each_once<'n>(lists: impl IntoIterator<Item = &'n Vec<String>>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in lists.into_iter().flatten() {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}
