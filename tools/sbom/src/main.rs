//! Writes the software bill of materials of the `tokenward` binary to the standard output: CycloneDX 1.6 in JSON.
//!
//! The same source gives the same bytes. `SOURCE_DATE_EPOCH` adds a time, and `TARGET` names another target than the host's.

mod bom;
mod cargo;

use std::io::Write as _;
use std::process::ExitCode;

use bom::{Bom, Time};

fn main() -> ExitCode {
    match written() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sbom: {error}");
            ExitCode::FAILURE
        }
    }
}

fn written() -> Result<(), Box<dyn std::error::Error>> {
    let time = std::env::var("SOURCE_DATE_EPOCH").ok();
    let time = time.map(|seconds| Time::from_epoch(&seconds)).transpose()?;
    let target = std::env::var("TARGET").ok().map_or_else(cargo::host, Ok)?;
    let build = cargo::Build::read(&target)?;
    let text = Bom::of(&build, time.as_ref())?.to_json()?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
