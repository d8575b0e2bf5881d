//! Loads a program from a path: a directory of sources or an artifact.

use std::{collections::HashSet, fmt, fs, io, path::Path, thread};

use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Served, Universe},
    artifact::{self, Artifact, ReadError, Signers},
    assemble::{Assembled, Assembler, Terms},
    ceiling, compile_within,
    diagnostic::{Severity, render_json, render_some},
    findings::{DeadLine, dead_here},
    ir::Program,
    seal,
    source::{Links, ReadDirError, SourceSet},
};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::{served, universe};

use super::error::{PolicyError, PolicyFault};
use super::mode::ModeInForce;

/// Maximum size of an artifact. Policies are far smaller; the limit stops at devices and dumps.
const MAX_ARTIFACT_BYTES: u64 = 1 << 30;
/// Errors of a policy that the log and `/readyz` show.
const SHOWN: usize = 50;

/// The parts of the configuration that a policy is bound to.
#[derive(Clone, Debug)]
pub(crate) struct LoadSettings {
    /// The public URL.
    pub(crate) base: BaseUrl,
    /// Whether the upstream merges bodies with the query.
    pub(crate) merges: bool,
    /// The requests that the proxy accepts.
    pub(crate) universe: Universe,
    /// The paths that it serves.
    pub(crate) served: Served,
}

impl LoadSettings {
    /// Takes them from the configuration.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            base: config.upstream.public_url.clone(),
            merges: config.upstream.product.merges(),
            universe: universe(config),
            served: served(config),
        }
    }

    fn terms<'a>(&'a self, mode: &'a ModeInForce) -> Terms<'a> {
        Terms {
            base: &self.base,
            merges: self.merges,
            mode: mode.mode(),
            ceiling: mode.ceiling(),
            universe: self.universe,
            served: &self.served,
            now_ms: now_ms(),
        }
    }
}

/// The occasion of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// There is no policy to keep.
    Start,
    /// A policy is active, and is kept if the new one has an error.
    Reload {
        /// Tokens whose calls are refused now. They stay refused while one of their forbid lines has no effect.
        refused: Vec<String>,
    },
}

impl Purpose {
    /// Whether a forbid line without effect ends the rights of a token that owns or includes it.
    fn refuses(&self, token: &String) -> bool {
        match self {
            Self::Start => true,
            Self::Reload { refused } => refused.contains(token),
        }
    }
}

/// A policy that can be used.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The program, bound.
    pub(super) program: Program,
    /// Names of the tokens whose calls are refused.
    pub(super) refused: HashSet<String>,
    /// Errors of their lines, rendered.
    pub(super) errors: String,
    /// The same errors, for the log.
    pub(super) faults: Vec<PolicyFault>,
    /// Forbid lines without effect under this configuration, each with the reason.
    pub(super) dead: Vec<String>,
}

/// The tokens whose calls are refused, and the errors of their lines.
#[derive(Default)]
struct Faulty {
    refused: HashSet<String>,
    errors: String,
    faults: Vec<PolicyFault>,
}

/// A program that was compiled as a whole.
struct Unbound {
    program: Program,
    faulty: Faulty,
}

impl Unbound {
    fn whole(program: Program) -> Self {
        Self {
            program,
            faulty: Faulty::default(),
        }
    }
}

impl Loaded {
    /// A bound program with these lines without effect.
    fn with_dead(program: Program, dead: Vec<DeadLine>, faulty: Faulty, purpose: &Purpose) -> Self {
        let Faulty {
            mut refused,
            errors,
            faults,
        } = faulty;
        let owners = dead.iter().flat_map(|line| &line.tokens);
        refused.extend(owners.filter(|token| purpose.refuses(token)).cloned());
        let dead = dead
            .into_iter()
            .map(|line| format!("{}: {}", line.place, line.reason));
        Self {
            program,
            refused,
            errors,
            faults,
            dead: dead.collect(),
        }
    }

    /// The reason why calls of some tokens are refused, if they are.
    pub(super) fn failure(&self) -> Option<String> {
        if self.refused.is_empty() {
            return None;
        }
        let mut names: Vec<&str> = self.refused.iter().map(String::as_str).collect();
        names.sort_unstable();
        Some(format!(
            "calls of {} {} are refused with `policy-error`, since lines that they own or include have errors: {}\n{}{}",
            names.len(),
            if names.len() == 1 { "token" } else { "tokens" },
            names.join(", "),
            self.errors,
            self.dead.join("\n"),
        ))
    }
}

/// What the last policy was made of, so that the next one is made again only where it differs.
#[derive(Debug, Default)]
pub(super) struct Memory {
    sources: SourceSet,
    assembler: Assembler,
}

/// Loads the policy at a path, and the secrets that it revokes. The revocations count even if the policy does not
/// compile. Those of files that cannot be compiled at all are found by `file_revocations`.
///
/// With a memory, a directory without errors is compiled part by part; otherwise as a whole. Both give the same.
pub(super) fn load(
    place: &Path,
    settings: &LoadSettings,
    mode: &ModeInForce,
    purpose: &Purpose,
    memory: Option<&mut Memory>,
) -> (Result<Loaded, PolicyError>, Vec<[u8; 32]>) {
    if place.is_file() {
        let (program, revoked) = read_artifact(place, mode);
        let loaded = program.and_then(|program| bound(Unbound::whole(program), settings, purpose));
        return (loaded, revoked);
    }
    let sources = match read_directory(place, memory.as_deref()) {
        Ok(sources) => sources,
        Err(error) => return (Err(error.into()), Vec::new()),
    };
    if let Some(memory) = memory {
        memory.sources = sources.clone();
        let terms = settings.terms(mode);
        if let Some(assembled) = memory.assembler.assemble(&sources, terms, threads(purpose)) {
            let Assembled {
                program,
                revoked,
                dead,
                compiled,
            } = assembled;
            tracing::debug!(parts = compiled, "parts of the policy compiled");
            let loaded = Loaded::with_dead(program, dead, Faulty::default(), purpose);
            return (Ok(loaded), revoked);
        }
    }
    let (read, revoked) = compile_whole(place, sources, mode, purpose);
    (
        read.and_then(|unbound| bound(unbound, settings, purpose)),
        revoked,
    )
}

fn read_directory(directory: &Path, memory: Option<&Memory>) -> Result<SourceSet, ReadDirError> {
    match memory {
        Some(memory) => SourceSet::read_dir_again(directory, Links::WithinDirectory, &memory.sources),
        None => SourceSet::read_dir(directory, Links::WithinDirectory),
    }
}

/// Threads that compile. A start uses all processors; a reload leaves half of them to the calls.
fn threads(purpose: &Purpose) -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    match purpose {
        Purpose::Start => processors,
        Purpose::Reload { .. } => processors.div_ceil(2),
    }
}

fn bound(unbound: Unbound, settings: &LoadSettings, purpose: &Purpose) -> Result<Loaded, PolicyError> {
    let program = unbound.program.bind(&settings.base)?;
    let program = program.merging_body(settings.merges);
    let dead = dead_here(&program, settings.universe, &settings.served);
    Ok(Loaded::with_dead(program, dead, unbound.faulty, purpose))
}

/// Loads the policy at a path as a proxy with these settings does, without its revocations.
///
/// # Errors
/// The policy cannot be read, or has an error.
pub(crate) fn policy_at(
    place: &Path,
    settings: &LoadSettings,
    mode: &ModeInForce,
) -> Result<Program, PolicyError> {
    let purpose = Purpose::Reload { refused: Vec::new() };
    load(place, settings, mode, &purpose, None)
        .0
        .map(|loaded| loaded.program)
}

fn compile_whole(
    directory: &Path,
    sources: SourceSet,
    mode: &ModeInForce,
    purpose: &Purpose,
) -> (Result<Unbound, PolicyError>, Vec<[u8; 32]>) {
    let sources = sources.below(&directory.to_string_lossy());
    let Compilation {
        program,
        partial,
        mut diagnostics,
        revoked,
        source_map: _,
        allowed: _,
        unused: _,
    } = compile_within(&sources, mode.mode(), mode.ceiling(), now_ms());
    if let Some(program) = program {
        return (Ok(Unbound::whole(program)), revoked);
    }
    // Warnings would hide the errors that must be fixed.
    diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    let faults = PolicyFault::all(&render_json(&sources, &diagnostics));
    let diagnostics = render_some(&sources, &diagnostics, (SHOWN, false));
    let read = match partial.filter(|_| *purpose == Purpose::Start) {
        Some(partial) => Ok(Unbound {
            program: partial.program,
            faulty: Faulty {
                refused: partial.refused,
                errors: diagnostics,
                faults,
            },
        }),
        None => Err(PolicyError::Compile {
            directory: directory.to_owned(),
            diagnostics,
            faults,
        }),
    };
    (read, revoked)
}

/// Loads an artifact. An artifact that is not accepted revokes nothing: otherwise its author could end every token
/// permanently.
fn read_artifact(file: &Path, mode: &ModeInForce) -> (Result<Program, PolicyError>, Vec<[u8; 32]>) {
    let bytes = bytes_of_artifact(file).and_then(|bytes| {
        if mode.admits(&bytes) {
            return Ok(bytes);
        }
        Err(PolicyError::NotInManifest {
            path: file.to_owned(),
        })
    });
    let program = bytes.and_then(|bytes| Ok(artifact_of_bytes(&bytes, file, mode.signers())?.program));
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
    artifact_of_bytes(&bytes_of_artifact(file)?, file, signers)
}

fn bytes_of_artifact(file: &Path) -> Result<Vec<u8>, PolicyError> {
    let unreadable = |source| PolicyError::ReadArtifact {
        path: file.to_owned(),
        source,
    };
    let length = fs::metadata(file).map_err(unreadable)?.len();
    if length > MAX_ARTIFACT_BYTES {
        return Err(unreadable(io::Error::other(format!(
            "the file has {length} bytes, more than a compiled policy can have"
        ))));
    }
    fs::read(file).map_err(unreadable)
}

fn artifact_of_bytes(bytes: &[u8], file: &Path, signers: &Signers) -> Result<Artifact, PolicyError> {
    let path = || file.to_owned();
    artifact::read(bytes, signers).map_err(|error| match error {
        ReadError::Signature(source) => PolicyError::Signature { path: path(), source },
        ReadError::Decode(source) => PolicyError::Artifact { path: path(), source },
    })
}
