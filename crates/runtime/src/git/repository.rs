//! Finds the repository of a directory.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use tokenward_compiler::source::is_module_directory;

use super::objects::Objects;
use super::run::Runner;
use super::{GitError, owner};

/// Maximum size of a `.git` file; real paths are much shorter.
const MAX_GITDIR_BYTES: u64 = 64 << 10;

/// A git repository with a work tree, and the processes that read it.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The top of the work tree, links resolved.
    pub(super) top: PathBuf,
    /// Directory with the objects and the branches; differs from the git directory in a linked work tree.
    pub(super) common_directory: PathBuf,
    pub(super) runner: Runner,
    /// The process that reads objects; started by the first query.
    pub(super) objects: RefCell<Option<Objects>>,
}

impl Repository {
    /// Finds the repository whose work tree contains `directory`, which need not exist; `None` if it is not in a work
    /// tree.
    ///
    /// Looks for `.git` in the directory and in those above it, as they are written, then with links resolved. A bare
    /// repository, or a directory with the entries of one, is never used: a pull request can add these entries.
    ///
    /// # Errors
    /// The repository is bare, damaged or another user's, or git is not installed.
    pub(crate) fn discover(directory: &Path) -> Result<Option<Self>, GitError> {
        let written = absolute(directory)?;
        if let Some(found) = Self::above(&written)? {
            return Ok(Some(found));
        }
        match fs::canonicalize(directory) {
            Ok(resolved) if resolved != written => Self::above(&resolved),
            _ => Ok(None),
        }
    }

    fn above(directory: &Path) -> Result<Option<Self>, GitError> {
        for parent in directory.ancestors() {
            match fs::symlink_metadata(parent.join(".git")) {
                Ok(_) => return Self::at(parent).map(Some),
                Err(error) if is_absence(&error) => {}
                Err(source) => {
                    return Err(GitError::Io {
                        path: parent.join(".git"),
                        source,
                    });
                }
            }
            if looks_like_one(parent) {
                return Err(GitError::LooksBare(parent.to_owned()));
            }
        }
        Ok(None)
    }

    /// Opens the repository whose work tree has its top, with `.git`, at this path.
    fn at(top: &Path) -> Result<Self, GitError> {
        let top = canonical(top)?;
        let entry = top.join(".git");
        let metadata = fs::symlink_metadata(&entry).map_err(reading(&entry))?;
        if metadata.is_symlink() {
            return Err(GitError::LinkedDirectory(entry));
        }
        let git_directory = if metadata.is_dir() {
            entry.clone()
        } else {
            canonical(&named(&entry, "gitdir:")?)?
        };
        let common = git_directory.join("commondir");
        let common_directory = match fs::symlink_metadata(&common) {
            Ok(_) => canonical(&named(&common, "")?)?,
            Err(_) => git_directory.clone(),
        };
        if !git_directory.join("HEAD").is_file() || !has_objects(&common_directory) {
            return Err(GitError::Broken {
                path: git_directory,
                why: "HEAD, objects or refs is missing",
            });
        }
        owner::check(&top, &[&top, &entry, &git_directory, &common_directory])?;
        let runner = Runner::new(&git_directory, &top)?;
        Ok(Self {
            top,
            common_directory,
            runner,
            objects: RefCell::new(None),
        })
    }

    /// The top of the work tree, with links resolved.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// Whether the repository is a submodule's: the superproject's pull requests choose where such a repository comes from.
    pub(crate) fn is_submodule(&self) -> bool {
        is_module_directory(&self.common_directory)
    }

    /// Whether commits are missing, so that histories end early.
    pub(crate) fn is_shallow(&self) -> bool {
        self.common_directory.join("shallow").exists()
    }

    /// Returns the path relative to the top of the work tree, with `/`; empty for the top itself. The path need not
    /// exist, and links below the top are not followed.
    ///
    /// # Errors
    /// The path is outside, is not UTF-8, or is in a submodule or another repository within this one.
    pub(crate) fn relative(&self, path: &Path) -> Result<String, GitError> {
        let outside = || GitError::Outside {
            path: path.to_owned(),
            top: self.top.clone(),
        };
        let written = absolute(path)?;
        let below = self.below(&written).or_else(|| {
            let resolved = fs::canonicalize(path).ok()?;
            self.below(&resolved)
        });
        let below = below.ok_or_else(outside)?;
        let mut at = self.top.clone();
        let mut parts = Vec::new();
        for part in below.components() {
            at.push(part);
            if fs::symlink_metadata(at.join(".git")).is_ok() {
                return Err(GitError::Nested(at));
            }
            parts.push(part.as_os_str().to_str().ok_or_else(outside)?.to_owned());
        }
        Ok(parts.join("/"))
    }

    fn below(&self, path: &Path) -> Option<PathBuf> {
        let top = path
            .ancestors()
            .find(|parent| fs::canonicalize(parent).is_ok_and(|parent| parent == self.top))?;
        path.strip_prefix(top).ok().map(Path::to_owned)
    }
}

/// Makes a path absolute. `.` and `..` are removed as text, and no link is resolved.
///
/// # Errors
/// The working directory does not exist any more.
fn absolute(path: &Path) -> Result<PathBuf, GitError> {
    let mut whole = PathBuf::new();
    let base = if path.is_absolute() {
        PathBuf::new()
    } else {
        env::current_dir().map_err(reading(Path::new(".")))?
    };
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    Ok(whole)
}

/// Reads the path in a file, such as `.git` of a linked work tree. The path is relative to the file's directory.
fn named(file: &Path, before: &str) -> Result<PathBuf, GitError> {
    let broken = |why| GitError::Broken {
        path: file.to_owned(),
        why,
    };
    let metadata = fs::symlink_metadata(file).map_err(reading(file))?;
    if !metadata.is_file() || metadata.len() > MAX_GITDIR_BYTES {
        return Err(broken("it is neither a directory nor a short file"));
    }
    let text = fs::read_to_string(file).map_err(reading(file))?;
    let path = text
        .strip_prefix(before)
        .map(str::trim)
        .filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| broken("it does not name a directory"))?;
    Ok(file.parent().unwrap_or(Path::new("/")).join(path))
}

fn canonical(path: &Path) -> Result<PathBuf, GitError> {
    fs::canonicalize(path).map_err(reading(path))
}

fn reading(path: &Path) -> impl FnOnce(io::Error) -> GitError + use<> {
    let path = path.to_owned();
    move |source| GitError::Io { path, source }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether git would take the directory itself for a repository (`is_git_directory` in its setup.c).
pub(crate) fn looks_like_one(directory: &Path) -> bool {
    fs::symlink_metadata(directory.join("HEAD")).is_ok() && has_objects(directory)
}

fn has_objects(directory: &Path) -> bool {
    directory.join("objects").is_dir() && directory.join("refs").is_dir()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Creates a folder with the entries of a repository in `r`, without any commit.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap().join("r");
        for directory in ["policies/team", ".git/objects", ".git/refs"] {
            fs::create_dir_all(top.join(directory)).unwrap();
        }
        fs::write(top.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        (folder, top)
    }

    fn found(directory: &Path) -> Repository {
        Repository::discover(directory).unwrap().unwrap()
    }

    #[test]
    fn the_nearest_repository_is_found_also_from_a_directory_that_is_absent() {
        let (folder, top) = folder();
        for below in [
            "",
            "policies",
            "policies/team",
            "absent/below",
            "policies/../absent",
        ] {
            assert_eq!(found(&top.join(below)).top(), top, "{below}");
        }
        assert!(Repository::discover(folder.path()).unwrap().is_none());
        symlink(top.join("policies"), folder.path().join("link")).unwrap();
        assert_eq!(found(&folder.path().join("link")).top(), top);
    }

    #[test]
    fn paths_from_the_top_are_as_they_are_written() {
        let (folder, top) = folder();
        let repository = found(&top);
        let relative = |path: &str| repository.relative(&top.join(path));
        for (path, expected) in [
            ("", ""),
            (".", ""),
            ("policies/", "policies"),
            ("policies/./team/../absent", "policies/absent"),
        ] {
            assert_eq!(relative(path).unwrap(), expected);
        }
        // Read the link itself and not its target: a revision has one or the other at this path.
        symlink("policies", top.join("linked")).unwrap();
        symlink("..", top.join("up")).unwrap();
        assert_eq!(relative("linked/team").unwrap(), "linked/team");
        assert_eq!(relative("up").unwrap(), "up");
        assert!(matches!(relative(".."), Err(GitError::Outside { .. })));
        assert!(matches!(
            relative("../r2/policies"),
            Err(GitError::Outside { .. })
        ));
        // The path leads through a link outside the repository.
        symlink(&top, folder.path().join("r2")).unwrap();
        let by_link = repository.relative(&folder.path().join("r2/policies"));
        assert_eq!(by_link.unwrap(), "policies");
    }

    #[test]
    fn a_path_in_a_submodule_is_an_error() {
        let (_folder, top) = folder();
        let repository = found(&top);
        fs::create_dir_all(top.join(".git/modules/policies/objects")).unwrap();
        fs::create_dir_all(top.join(".git/modules/policies/refs")).unwrap();
        fs::write(top.join(".git/modules/policies/HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(top.join("policies/.git"), "gitdir: ../.git/modules/policies\n").unwrap();
        for path in ["policies", "policies/team"] {
            let relative = repository.relative(&top.join(path));
            assert!(matches!(relative, Err(GitError::Nested(_))), "{relative:?}");
        }
        assert_eq!(found(&top.join("policies/team")).top(), top.join("policies"));
    }

    #[test]
    fn the_entries_of_a_bare_repository_are_an_error_from_below_too() {
        let (_folder, top) = folder();
        for directory in ["policies/objects", "policies/refs"] {
            fs::create_dir(top.join(directory)).unwrap();
        }
        fs::write(top.join("policies/HEAD"), "").unwrap();
        for below in ["policies", "policies/team", ".git", ".git/refs"] {
            let found = Repository::discover(&top.join(below));
            assert!(matches!(found, Err(GitError::LooksBare(_))), "{below}: {found:?}");
        }
    }
}
