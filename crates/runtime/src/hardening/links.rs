//! Finds the directories from which a path is opened, now and after its links are swapped.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Maximum number of links on the way to a file, as in the kernel.
const LINKS: usize = 40;

/// Returns the existing directories in which files of this path have to be readable.
///
/// Landlock grants rights below an inode, not below a name. If the directory `policies` were granted, a new directory of that
/// name could not be read. So the parent is granted: that of the path, and that of the target of each link on the way.
/// The targets' parents hold what a link is swapped to, such as `..2026_08` of a ConfigMap or `archive/NAME/privkey2.pem`
/// of certbot.
///
/// The root of the file system is never among them: it would grant everything. A path directly below it is granted itself.
pub(super) fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> = targets(path)
        .iter()
        .filter_map(|target| fs::canonicalize(target.parent()?).ok())
        .collect();
    found.extend(parent(path));
    found.remove(Path::new("/"));
    if found.is_empty() {
        found.extend(fs::canonicalize(path));
    }
    found
}

/// Returns the existing directory in which the path is.
pub(super) fn parent(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(absolute(path).parent()?).ok()
}

/// Returns the target of each link that opening the path follows.
fn targets(path: &Path) -> Vec<PathBuf> {
    let mut targets = Vec::new();
    let mut walked = PathBuf::new();
    let mut parts = parts_of(&absolute(path));
    while let Some(part) = parts.pop_front() {
        walked.push(part);
        let Ok(target) = fs::read_link(&walked) else {
            continue;
        };
        if targets.len() == LINKS {
            break;
        }
        walked.pop();
        let target = walked.join(target);
        // An absolute target begins again at the root, as `join` has it.
        let mut rest = parts_of(&target);
        rest.append(&mut parts);
        parts = rest;
        walked.clear();
        targets.push(target);
    }
    targets
}

fn parts_of(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    fn below(top: &Path, names: &[&str]) -> BTreeSet<PathBuf> {
        names.iter().map(|name| top.join(name)).collect()
    }

    #[test]
    fn a_plain_path_needs_its_parent() {
        let (_folder, top) = folder();
        fs::create_dir_all(top.join("etc/policies")).unwrap();
        assert_eq!(directories(&top.join("etc/policies")), below(&top, &["etc"]));
        assert_eq!(directories(&top.join("etc/absent")), below(&top, &["etc"]));
    }

    #[test]
    fn each_link_on_the_way_needs_the_parent_of_its_target() {
        let (_folder, top) = folder();
        fs::create_dir_all(top.join("releases/41/policies")).unwrap();
        fs::create_dir_all(top.join("srv")).unwrap();
        symlink("../releases/41", top.join("srv/current")).unwrap();
        assert_eq!(
            directories(&top.join("srv/current/policies")),
            below(&top, &["releases", "releases/41"])
        );
        // certbot: live/NAME/privkey.pem -> ../../archive/NAME/privkey1.pem
        fs::create_dir_all(top.join("live/a")).unwrap();
        fs::create_dir_all(top.join("archive/a")).unwrap();
        fs::write(top.join("archive/a/privkey1.pem"), "").unwrap();
        symlink("../../archive/a/privkey1.pem", top.join("live/a/privkey.pem")).unwrap();
        assert_eq!(
            directories(&top.join("live/a/privkey.pem")),
            below(&top, &["archive/a", "live/a"])
        );
    }

    #[test]
    fn the_root_is_never_granted() {
        let (_folder, top) = folder();
        assert_eq!(directories(Path::new("/usr")).len(), 1);
        assert!(!directories(Path::new("/usr")).contains(Path::new("/")));
        symlink("/usr", top.join("link")).unwrap();
        assert_eq!(directories(&top.join("link")), BTreeSet::from([top.clone()]));
    }

    #[test]
    fn a_loop_of_links_ends() {
        let (_folder, top) = folder();
        symlink("b", top.join("a")).unwrap();
        symlink("a", top.join("b")).unwrap();
        assert_eq!(directories(&top.join("a")), BTreeSet::from([top]));
    }
}
