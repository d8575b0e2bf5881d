//! Whether what is at a place is an audit: a question to anything else is a mistake, and not answered by "nothing".

use std::fs;
use std::io;
use std::path::Path;

use crate::period::Period;
use crate::shelf::Shelf;
use crate::{note, proof};

/// What is at `path`, or would be, that is no audit; `None` if it is one.
pub(crate) fn other_than_audit(path: &Path, shelf: &Shelf) -> io::Result<Option<&'static str>> {
    if shelf.is_one_file() {
        let is_one = !shelf.periods()?.is_empty() || proof::is_at(path);
        return Ok((!is_one).then_some("a file without blocks"));
    }
    // A store that was only just begun has its lock, one that lost its periods what tells of them.
    let is_one = !shelf.periods()?.is_empty()
        || path.join("LOCK").is_file()
        || note::read(path).is_some()
        || proof::read_all(path).map_or(true, |heads| !heads.is_empty());
    if is_one {
        return Ok(None);
    }
    let is_period = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| Period::parse(name).is_some());
    let mut entries = fs::read_dir(path)?;
    Ok(Some(match entries.next() {
        _ if is_period => "the directory of one period, and the store's is the one above it",
        None => "an empty directory, in which no proxy has run yet",
        Some(_) => "a directory with other things",
    }))
}
