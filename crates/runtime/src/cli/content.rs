//! Files of others, such as descriptions and recorded calls, as a whole.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::audit::shown;
use super::failure::Failure;

/// Reads the standard input of at most so many MiB.
pub(super) fn standard_input(mebibytes: u64, cure: &str) -> Result<Vec<u8>, Failure> {
    let most = mebibytes << 20;
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Trouble(format!("cannot read the standard input: {error}")))?;
    if bytes.len() as u64 > most {
        return Err(Failure::Usage(format!(
            "the standard input is larger than {mebibytes} MiB; {cure}"
        )));
    }
    Ok(bytes)
}

/// Reads a file of at most so many MiB. `cure`: the advice about a larger one.
pub(super) fn read(path: &Path, mebibytes: u64, cure: &str) -> Result<Vec<u8>, Failure> {
    let file = shown(&path.display().to_string());
    let unreadable = |error: std::io::Error| Failure::Trouble(format!("cannot read `{file}`: {error}"));
    let open = File::open(path).map_err(unreadable)?;
    if open.metadata().map_err(unreadable)?.is_dir() {
        return Err(Failure::Usage(format!(
            "`{file}` is a directory; name the document itself"
        )));
    }
    let most = mebibytes << 20;
    let mut bytes = Vec::new();
    open.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(Failure::Usage(format!(
            "`{file}` is larger than {mebibytes} MiB; {cure}"
        )));
    }
    Ok(bytes)
}
