//! Detects changes of a policy's files.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// State of the directory without file contents: names, times and sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) identity: Option<(u64, u64)>,
    files: BTreeMap<PathBuf, Look>,
}

/// Metadata by which a change of a file shows: device, inode, length, time of the last change in seconds and nanoseconds.
pub(super) type Look = (u64, u64, u64, i64, i64);

impl Fingerprint {
    pub(super) fn of(directory: &Path) -> Self {
        let mut files = BTreeMap::new();
        match fs::metadata(directory) {
            // An artifact is a single file, so its metadata is the complete state.
            Ok(metadata) if metadata.is_file() => {
                files.insert(directory.to_owned(), look(&metadata));
            }
            _ => walk(directory, 0, &mut files),
        }
        Self {
            identity: fs::metadata(directory)
                .ok()
                .map(|metadata| (metadata.dev(), metadata.ino())),
            files,
        }
    }
}

/// Collects the metadata of policy files. Links are followed, up to a depth that stops loops.
fn walk(directory: &Path, depth: usize, files: &mut BTreeMap<PathBuf, Look>) {
    if depth > 16 {
        return;
    }
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => walk(&path, depth + 1, files),
            Ok(metadata) if is_policy(&path) => {
                files.insert(path, look(&metadata));
            }
            _ => {}
        }
    }
}

fn is_policy(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "toml" || extension == "limits")
}

/// Time after a change within which another change may leave a file's metadata the same.
const CLOCK: Duration = Duration::from_secs(2);

/// Whether a change of the file from now on would show in its metadata.
pub(super) fn is_settled(metadata: &Metadata) -> bool {
    let changed = metadata.modified().unwrap_or(UNIX_EPOCH);
    SystemTime::now()
        .duration_since(changed)
        .is_ok_and(|age| age > CLOCK)
}

pub(super) fn look(metadata: &Metadata) -> Look {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    )
}
