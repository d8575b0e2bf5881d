//! Writes whole files.

use std::path::Path;

use crate::ownership::{WriteError, write_version};

/// Writes a file atomically: a proxy that watches it must never see half of it. A file that is replaced keeps its owner, mode,
/// ACL and extended attributes.
pub(in crate::cli) fn write(bytes: &[u8], file: &Path) -> Result<(), WriteError> {
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = directory.join(name);
    let written = write_version(&temporary, bytes, file);
    let renamed = written.and_then(|()| Ok(std::fs::rename(&temporary, file)?));
    if renamed.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    renamed
}
