//! Writes certificates, for `tokenward-verify`.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Certificates, Claims};
use tokenward_compiler::artifact::MAGIC;
use tokenward_pdp::plural::plural;

use super::failure::Failure;
use super::output;

/// Writes the certificates, and says how many answers have one. `demands`: the compiled questions or invariants that they are about,
/// which are written next to them.
pub(super) fn write(
    file: &Path,
    certificates: Certificates<'_>,
    demands: Option<(&'static str, Vec<u8>)>,
) -> Result<(), Failure> {
    let Claims { proved, shown, open } = certificates.claims();
    put(file, certificates.finish().as_bytes())?;
    let mut beside = String::new();
    if let Some((what, bytes)) = demands {
        let place = beside_of(file);
        put(&place, &bytes)?;
        beside = format!("; {what} in `{}`", place.display());
    }
    output::note(&format!(
        "{} written to `{}` ({}, {}); {} without a certificate{beside}",
        counted(proved + shown, "certificate"),
        file.display(),
        counted(proved, "proof"),
        counted(shown, "request"),
        counted(open, "answer"),
    ));
    Ok(())
}

/// Makes sure that no file is lost to certificates: only a file of certificates is replaced, with a compiled policy next to it.
pub(super) fn check(file: &Path) -> Result<(), Failure> {
    let beside = beside_of(file);
    let files: [(&Path, &[u8], &str); 2] = [
        (file, CERTIFICATES, "does not contain certificates"),
        (&beside, MAGIC, "is not a compiled policy"),
    ];
    for (file, begin, what) in files {
        if !may_be_replaced(file, begin)? {
            return Err(Failure::Usage(format!(
                "`{}` exists and {what}; specify another file for --certificates, or remove this one",
                file.display()
            )));
        }
    }
    Ok(())
}

/// Whether a file is missing, empty, not a regular file (such as a pipe), or begins in this way.
fn may_be_replaced(file: &Path, begin: &[u8]) -> Result<bool, Failure> {
    let unreadable =
        |error: io::Error| Failure::trouble(format!("cannot read `{}`: {error}", file.display()));
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(unreadable(error)),
        Ok(found) if !found.is_file() => return Ok(!found.is_dir()),
        Ok(_) => {}
    }
    let mut first = Vec::new();
    let open = fs::File::open(file).map_err(unreadable)?;
    open.take(begin.len() as u64)
        .read_to_end(&mut first)
        .map_err(unreadable)?;
    Ok(first.is_empty() || first == begin)
}

/// The file for what the certificates are about: `check.jsonl.twp`.
fn beside_of(file: &Path) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(".twp");
    name.into()
}

fn put(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, bytes).map_err(|error| {
        Failure::trouble(format!(
            "cannot write the certificates to `{}`: {error}",
            file.display()
        ))
    })
}

/// The beginning of a file of certificates.
const CERTIFICATES: &[u8] = b"{\"tokenward\":";

fn counted(count: usize, what: &str) -> String {
    format!("{count} {}", plural(count, what))
}
