//! The work tree in which the command runs, for reports whose readers know files by their paths in it.

use std::path::{Path, PathBuf};

/// The directory that a report's paths are relative to.
pub(super) struct Checkout {
    /// Top of the git work tree, otherwise the working directory.
    root: Option<PathBuf>,
}

impl Checkout {
    /// Finds the work tree of the working directory. Runs no git: only the place of `.git` matters.
    pub(super) fn discover() -> Self {
        Self::around(Path::new("."))
    }

    /// Finds the work tree around a file or a directory. The paths of a file in no work tree are relative to the working directory.
    pub(super) fn around(place: &Path) -> Self {
        let here = Path::new(".").canonicalize().ok();
        let place = place.canonicalize().ok();
        let top = place.as_deref().and_then(|place| {
            let mut around = place.ancestors();
            around.find(|directory| directory.join(".git").symlink_metadata().is_ok())
        });
        Self {
            root: top.map(Path::to_owned).or(here),
        }
    }

    /// The path of a file in the work tree, with `/`. One that is not in the work tree, or does not exist, stays as messages show it.
    pub(super) fn relative(&self, path: &str) -> String {
        let below = Path::new(path).canonicalize().ok().and_then(|whole| {
            let below = whole.strip_prefix(self.root.as_ref()?).ok()?;
            let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
            Some(parts?.join("/"))
        });
        below.unwrap_or_else(|| path.strip_prefix("./").unwrap_or(path).to_owned())
    }
}
