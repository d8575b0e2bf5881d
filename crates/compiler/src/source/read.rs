//! Reading a policy directory: the one place of this crate that touches the file system.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use super::SourceSet;

mod error;
mod walk;

use error::Files;
pub use error::{Links, ReadDirError};
pub use walk::is_module_directory;

/// A directory that changes under every reading is given up after this many.
const ATTEMPTS: usize = 5;
/// Age of a file's last change from which on the file counts as written.
const SETTLED: Duration = Duration::from_millis(25);
/// The same for a file that had text and is empty. Whoever writes a file anew empties it first, and on a busy disk that may wait
/// for what was written before.
const EMPTIED: Duration = Duration::from_millis(300);
/// Time after which a directory is read as it is, although its files are still being written.
const PATIENCE: Duration = Duration::from_millis(400);

impl SourceSet {
    /// Reads every `*.toml` and `*.limits` file below `directory`, names with a leading dot left out, links as `links` says.
    ///
    /// A directory that changes while it is read is read again, so that a policy is never half of one state and half of
    /// another. Each file is opened without following a link and then checked, so that a change between the two opens
    /// happens to no other file.
    ///
    /// # Errors
    /// See [`ReadDirError`].
    pub fn read_dir(directory: &Path, links: Links) -> Result<Self, ReadDirError> {
        check_directory(directory)?;
        let read = steady(directory, Files::new(), |before| {
            Ok(read_once(directory, links, before)?.0)
        });
        read.map(Self::sharing)
    }

    /// Like [`SourceSet::read_dir`], for a directory in which people write meanwhile.
    ///
    /// Files with the same bytes as in `before` share its texts. If a file changed less than 25 milliseconds ago, it may be half
    /// written: then the directory is read again after that time. If a file has text in `before` and is empty now, a program may
    /// be about to fill it: then the time is 300 milliseconds. After 400 milliseconds the directory is taken as it is.
    ///
    /// # Errors
    /// See [`ReadDirError`].
    pub fn read_dir_again(directory: &Path, links: Links, before: &Self) -> Result<Self, ReadDirError> {
        check_directory(directory)?;
        settled(directory, links, before, (SystemTime::now, thread::sleep)).map(Self::sharing)
    }
}

/// The files, once none is being written. `now` and `pause` are the seams at which tests have time pass.
fn settled(
    directory: &Path,
    links: Links,
    before: &SourceSet,
    (now, mut pause): (impl Fn() -> SystemTime, impl FnMut(Duration)),
) -> Result<Files, ReadDirError> {
    let files = before.iter();
    let mut known: Files = files
        .map(|(_, source)| (source.path.clone(), Arc::clone(&source.text)))
        .collect();
    let began = now();
    loop {
        let mut latest = None;
        known = steady(directory, known, |before| {
            let (files, changed) = read_once(directory, links, before)?;
            latest = changed;
            Ok(files)
        })?;
        let age = if has_emptied(before, &known) {
            EMPTIED
        } else {
            SETTLED
        };
        let is_patient = now().duration_since(began).is_ok_and(|waited| waited < PATIENCE);
        match unsettled(latest, now(), age) {
            Some(rest) if is_patient => pause(rest.min(SETTLED)),
            _ => return Ok(known),
        }
    }
}

fn check_directory(directory: &Path) -> Result<(), ReadDirError> {
    if !directory.is_dir() {
        return match fs::metadata(directory) {
            Err(source) => Err(ReadDirError::Io {
                path: directory.to_owned(),
                source,
            }),
            Ok(_) => Err(ReadDirError::NotADirectory(directory.to_owned())),
        };
    }
    Ok(())
}

/// What two readings in a row agree on. `read` is the seam at which tests have a directory change; it is given what the reading
/// before found, first `known`.
fn steady(
    directory: &Path,
    known: Files,
    mut read: impl FnMut(&Files) -> Result<Files, ReadDirError>,
) -> Result<Files, ReadDirError> {
    let mut before = read(&known);
    for _ in 0..ATTEMPTS {
        let after = read(before.as_ref().unwrap_or(&known));
        match (before, after) {
            (Ok(before), Ok(after)) if are_same(&before, &after) => return Ok(after),
            // A file that vanished between listing and reading: look again, report it only if it lasts.
            (Err(_), Err(after)) => return Err(after),
            (_, after) => before = after,
        }
    }
    Err(ReadDirError::Unsteady(directory.to_owned()))
}

/// Whether two readings found the same. Equal texts are shared, so most are not compared again.
fn are_same(one: &Files, other: &Files) -> bool {
    let mut pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.all(|(one, other)| one.0 == other.0 && is_same_text(&one.1, &other.1))
}

fn is_same_text(one: &Arc<str>, other: &Arc<str>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// The files, and the time of the last change of one.
fn read_once(
    directory: &Path,
    links: Links,
    before: &Files,
) -> Result<(Files, Option<SystemTime>), ReadDirError> {
    let (mut files, latest) = walk::files(directory, links, before)?;
    files.sort();
    Ok((files, latest))
}

/// Whether a file is empty that had text before.
fn has_emptied(before: &SourceSet, now: &Files) -> bool {
    let empty: HashSet<&str> = now
        .iter()
        .filter(|(_, text)| text.is_empty())
        .map(|(path, _)| path.as_str())
        .collect();
    let mut before = before.iter();
    !empty.is_empty()
        && before.any(|(_, source)| !source.text.is_empty() && empty.contains(source.path.as_str()))
}

/// The time until a change has this age. A change in the future is old: the clock was set back.
fn unsettled(changed: Option<SystemTime>, now: SystemTime, age: Duration) -> Option<Duration> {
    let since = now.duration_since(changed?).ok()?;
    age.checked_sub(since).filter(|rest| !rest.is_zero())
}

#[cfg(test)]
mod tests;
