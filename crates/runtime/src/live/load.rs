//! Loads a program from a path: a directory of sources or an artifact.

use std::{fmt, fs, io, path::Path};

use tokenward_compiler::{
    BaseUrl, Compilation,
    artifact::{self, Artifact, ReadError, Signers},
    ceiling, compile, compile_within,
    diagnostic::{Severity, render_text},
    ir::Program,
    seal,
    source::{Links, SourceSet},
};

use super::error::PolicyError;
use super::mode::ModeInForce;

/// Maximum size of an artifact. Policies are far smaller; the limit stops at devices and dumps.
const MAX_ARTIFACT_BYTES: u64 = 1 << 30;
/// Maximum depth of directories; a deeper one is a loop of links.
const MAX_DEPTH: usize = 16;

/// Loads the policy at a path, and the secrets that it revokes. The revocations count even if the policy does not
/// compile.
pub(super) fn load(
    place: &Path,
    base: &BaseUrl,
    merges: bool,
    mode: &ModeInForce,
) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let (program, revoked) = if place.is_file() {
        read_artifact(place, mode)
    } else {
        read_sources(place, mode)
    };
    let bound = program.and_then(|program| Ok(program.bind(base)?.merging_body(merges)));
    (bound, revoked)
}

fn read_sources(directory: &Path, mode: &ModeInForce) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let sources = match SourceSet::read_dir(directory, Links::WithinDirectory) {
        Ok(sources) => sources,
        // A file that is not text must not undo the revocations of the others.
        Err(error) => return (Err(error.into()), compile(&readable(directory)).revoked),
    };
    let Compilation {
        program,
        mut diagnostics,
        revoked,
        source_map: _,
    } = compile_within(&sources, mode.mode(), mode.ceiling(), now_ms());
    let program = program.ok_or_else(|| {
        // Warnings would hide the errors that must be fixed.
        diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
        let diagnostics = render_text(&sources, &diagnostics, false);
        PolicyError::Compile {
            directory: directory.to_owned(),
            diagnostics,
        }
    });
    (program, revoked)
}

/// Reads the readable files below a directory, only to find revocations.
fn readable(directory: &Path) -> SourceSet {
    let mut files = Vec::new();
    let mut directories = vec![(directory.to_owned(), 0)];
    while let Some((directory, depth)) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_dir() && depth < MAX_DEPTH {
                directories.push((path, depth + 1));
            } else if path.is_file()
                && path.extension().is_some_and(|extension| extension == "toml")
                && let Ok(text) = fs::read_to_string(&path)
            {
                files.push((path.display().to_string(), text));
            }
        }
    }
    SourceSet::from_files(files)
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
        if !faults.is_empty() {
            return Err(PolicyError::Seals {
                path: file.to_owned(),
                faults: listed(&faults),
            });
        }
        let excesses = ceiling::excesses(&program, mode.ceiling(), now_ms());
        if !excesses.is_empty() {
            return Err(PolicyError::Ceiling {
                path: file.to_owned(),
                excesses: listed(&excesses),
            });
        }
        Ok(program)
    });
    (sealed, hashes)
}

/// Formats tokens, each with a problem.
fn listed(problems: &[(String, impl fmt::Display)]) -> Vec<String> {
    let told = problems
        .iter()
        .map(|(token, problem)| format!("`{token}` {problem}"));
    told.collect()
}

/// The present time, milliseconds since 1970 UTC.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
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
