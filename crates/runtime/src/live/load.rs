//! From a place, a directory of sources or an artifact, to a program that decides.

use std::{fs, io, path::Path};

use tokenward_compiler::{
    BaseUrl, Compilation, artifact, compile,
    diagnostic::{Severity, render_text},
    ir::Program,
    source::SourceSet,
};

use super::PolicyError;

/// No policy comes near; a device or a dump does.
const MAX_ARTIFACT_BYTES: u64 = 1 << 30;

/// The policy of a place, and the secrets that it revokes: those count whether it compiles or not.
pub(super) fn load(
    place: &Path,
    base: &BaseUrl,
    merges: bool,
) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let (program, revoked) = if place.is_file() {
        read_artifact(place)
    } else {
        read_sources(place)
    };
    let bound = program.and_then(|program| Ok(program.bind(base)?.merging_body(merges)));
    (bound, revoked)
}

fn read_sources(directory: &Path) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let sources = match SourceSet::read_dir(directory) {
        Ok(sources) => sources,
        Err(error) => return (Err(error.into()), Vec::new()),
    };
    let Compilation {
        program,
        mut diagnostics,
        revoked,
    } = compile(&sources);
    let program = program.ok_or_else(|| {
        // Warnings would bury what has to be mended.
        diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
        let diagnostics = render_text(&sources, &diagnostics, false);
        PolicyError::Compile {
            directory: directory.to_owned(),
            diagnostics,
        }
    });
    (program, revoked)
}

fn read_artifact(file: &Path) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let program = unbound_artifact(file);
    let revoked = program
        .iter()
        .flat_map(Program::tokens)
        .filter(|(_, token)| token.revoked);
    let hashes = revoked.flat_map(|(_, token)| {
        std::iter::once(token.secret_hash).chain(token.previous.map(|(hash, _)| hash))
    });
    let hashes = hashes.collect();
    (program, hashes)
}

/// The program of an artifact, unbound.
///
/// # Errors
/// The file cannot be read, or is no artifact of this version.
pub(crate) fn unbound_artifact(file: &Path) -> Result<Program, PolicyError> {
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
    artifact::decode(&bytes).map_err(|source| PolicyError::Artifact {
        path: file.to_owned(),
        source,
    })
}
