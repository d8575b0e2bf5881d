//! Making the files of an index.

use std::fs::File;
use std::io;
use std::path::Path;

/// Begins a file of a period that is new: nobody writes it but this process, and nobody after it.
pub(crate) fn begin(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}
