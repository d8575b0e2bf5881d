//! Operations that a work tree is in the middle of, and the committed version of a file.

use std::fs;
use std::path::{Path, PathBuf};

use super::Repository;

/// Files that git keeps during an unfinished operation, with the operation and its command.
const HALF_DONE: [(&str, &str, &str); 5] = [
    ("MERGE_HEAD", "merge", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick", "cherry-pick"),
    ("REVERT_HEAD", "revert", "revert"),
    ("rebase-merge", "rebase", "rebase"),
    ("rebase-apply", "rebase", "rebase"),
];

/// An operation, such as a merge, that a repository is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HalfDone {
    /// Path of the repository's top directory.
    pub(crate) repository: PathBuf,
    /// Name of the operation: `merge`, `rebase`, ….
    pub(crate) what: &'static str,
    /// The git subcommand that ends the operation, with `--continue` or `--abort`.
    pub(crate) command: &'static str,
}

/// Finds the operation that the directory's repository is in the middle of, if there is one. Reads only files.
pub(crate) fn half_done(directory: &Path) -> Option<HalfDone> {
    let (repository, git) = directory
        .ancestors()
        .find_map(|parent| Some((parent, git_directory(parent)?)))?;
    let (_, what, command) = HALF_DONE.iter().find(|(file, ..)| git.join(file).exists())?;
    Some(HalfDone {
        repository: repository.to_owned(),
        what,
        command,
    })
}

/// Finds `.git`, or the directory that a file of that name points to (worktrees, submodules).
fn git_directory(directory: &Path) -> Option<PathBuf> {
    let git = directory.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(git).ok()?;
    Some(directory.join(text.strip_prefix("gitdir:")?.trim()))
}

/// Whether a text has the marks that git leaves when a merge fails.
pub(crate) fn has_conflict(text: &str) -> bool {
    let marks = |mark: &str| text.lines().any(|line| line.starts_with(mark));
    marks("<<<<<<< ") && marks(">>>>>>> ")
}

/// Reads a file's last committed version; `None` if there is no repository, no commit of the file, or no git.
pub(crate) fn committed(file: &Path) -> Option<String> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let repository = Repository::discover(directory.unwrap_or(Path::new("."))).ok()??;
    let head = repository.resolve("HEAD").ok()?;
    let relative = repository.relative(file).ok()?;
    let bytes = repository.file(&head, &relative).ok()??;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_under_way_is_seen_from_below_and_from_a_worktree() {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("a/policies");
        fs::create_dir_all(&policies).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        assert_eq!(half_done(&policies), None);
        fs::write(folder.path().join(".git/MERGE_HEAD"), "").unwrap();
        assert_eq!(half_done(&policies).unwrap().what, "merge");
        fs::create_dir_all(folder.path().join("elsewhere/rebase-merge")).unwrap();
        fs::write(folder.path().join("a/.git"), "gitdir: ../elsewhere\n").unwrap();
        let found = half_done(&policies).unwrap();
        assert_eq!(
            (found.what, found.repository),
            ("rebase", folder.path().join("a"))
        );
    }

    #[test]
    fn marks_of_a_conflict() {
        assert!(has_conflict("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n"));
        assert!(!has_conflict("# <<<<<<< HEAD\n"));
    }
}
