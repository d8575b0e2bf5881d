//! Writes certificates, for `tokenward-verify`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Certificates, Claims};
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

fn counted(count: usize, what: &str) -> String {
    format!("{count} {}", plural(count, what))
}
