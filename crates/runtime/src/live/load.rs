//! Loads a program from a path: a directory of sources or an artifact.

use std::{fs, io, path::Path};

use tokenward_compiler::{
    BaseUrl, Compilation,
    artifact::{self, Artifact, ReadError, Signers},
    compile_for,
    diagnostic::{Severity, render_some},
    ir::Program,
    seal::{self, Mode},
    source::{Links, SourceSet},
};

use super::error::PolicyError;
use super::mode::ModeInForce;

/// Maximum size of an artifact. Policies are far smaller; the limit stops at devices and dumps.
const MAX_ARTIFACT_BYTES: u64 = 1 << 30;
/// Errors of a policy that the log and `/readyz` show.
const SHOWN: usize = 50;

/// Loads the policy at a path, and the secrets that it revokes. The revocations count even if the policy does not
/// compile. Those of files that cannot be compiled at all are found by `file_revocations`.
pub(super) fn load(
    place: &Path,
    base: &BaseUrl,
    merges: bool,
    mode: &ModeInForce,
) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let (program, revoked) = if place.is_file() {
        read_artifact(place, mode)
    } else {
        read_sources(place, mode.mode())
    };
    let bound = program.and_then(|program| Ok(program.bind(base)?.merging_body(merges)));
    (bound, revoked)
}

fn read_sources(directory: &Path, mode: &Mode) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let sources = match SourceSet::read_dir(directory, Links::WithinDirectory) {
        Ok(sources) => sources,
        Err(error) => return (Err(error.into()), Vec::new()),
    };
    let Compilation {
        program,
        mut diagnostics,
        revoked,
        source_map: _,
    } = compile_for(&sources, mode);
    let program = program.ok_or_else(|| {
        // Warnings would hide the errors that must be fixed.
        diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
        let diagnostics = render_some(&sources, &diagnostics, (SHOWN, false));
        PolicyError::Compile {
            directory: directory.to_owned(),
            diagnostics,
        }
    });
    (program, revoked)
}

/// Loads an artifact. An artifact that is not accepted revokes nothing: otherwise its author could end every token
/// permanently.
fn read_artifact(file: &Path, mode: &ModeInForce) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let program = unbound_artifact(file, mode.signers());
    let revoked = program
        .iter()
        .flat_map(Program::tokens)
        .filter(|(_, token)| token.revoked);
    let hashes = revoked.flat_map(|(_, token)| {
        std::iter::once(token.secret_hash).chain(token.previous.map(|(hash, _)| hash))
    });
    let hashes = hashes.collect();
    let sealed = program.and_then(|program| {
        let faults = seal::faults(&program, mode.mode());
        if faults.is_empty() {
            return Ok(program);
        }
        Err(PolicyError::Seals {
            path: file.to_owned(),
            faults: faults
                .iter()
                .map(|(token, fault)| format!("`{token}` {fault}"))
                .collect(),
        })
    });
    (sealed, hashes)
}

/// Reads the unbound program of an artifact that one of these signers has signed.
///
/// # Errors
/// See [`artifact_of_file`].
pub(crate) fn unbound_artifact(file: &Path, signers: &Signers) -> Result<Program, PolicyError> {
    Ok(artifact_of_file(file, signers)?.program)
}

/// Reads the artifact in a file, if one of these signers has signed it.
///
/// # Errors
/// The file cannot be read, is not signed by one of them, or is not an artifact of this version.
pub(crate) fn artifact_of_file(file: &Path, signers: &Signers) -> Result<Artifact, PolicyError> {
    let unreadable = |source| PolicyError::ReadArtifact {
        path: file.to_owned(),
        source,
    };
    let length = fs::metadata(file).map_err(unreadable)?.len();
    if length > MAX_ARTIFACT_BYTES {
        return Err(unreadable(io::Error::other(format!(
            "{length} bytes are more than a policy can have"
        ))));
    }
    let bytes = fs::read(file).map_err(unreadable)?;
    let path = || file.to_owned();
    artifact::read(&bytes, signers).map_err(|error| match error {
        ReadError::Signature(source) => PolicyError::Signature { path: path(), source },
        ReadError::Decode(source) => PolicyError::Artifact { path: path(), source },
    })
}
