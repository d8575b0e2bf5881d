//! The active policy, and its replacement (SEMANTICS section 6).

mod error;
mod file_revocations;
mod fingerprint;
mod load;
mod mode;
mod pin;
pub(crate) mod revoked;
pub(crate) mod watch;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokenward_compiler::ir::{Program, Token, TokenId};
use tokenward_pdp::secret::SecretHash;

use crate::hardening;
use crate::secret_table::SecretSet;

pub use error::{PolicyError, PolicyFault};
use file_revocations::FileRevocations;
use fingerprint::Fingerprint;
pub(crate) use load::{LoadSettings, artifact_of_file, policy_at, unbound_artifact};
use load::{Loaded, Memory, Purpose, load};
pub(crate) use mode::{ModeInForce, name as mode_name};
pub(crate) use pin::Pin;
pub use revoked::RevocationError;
pub(crate) use revoked::{Revocations, TokenValidity, beside};

/// An active policy: compiled, and bound to the public URL. A call keeps the policy that it began with.
#[derive(Debug)]
pub struct Live {
    program: Program,
    since: SystemTime,
    /// Tokens whose calls are refused, since one of their lines has an error.
    refused: HashSet<TokenId>,
}

impl Live {
    /// Returns the bound program.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    fn new(loaded: Loaded) -> Self {
        let Loaded { program, refused, .. } = loaded;
        let ids = program
            .tokens()
            .filter(|(_, token)| refused.contains(&token.name));
        Self {
            refused: ids.map(|(id, _)| id).collect(),
            program,
            since: SystemTime::now(),
        }
    }

    /// Whether all calls of a token are refused, since one of its lines has an error.
    pub(crate) fn refuses(&self, token: TokenId) -> bool {
        self.refused.contains(&token)
    }

    /// Names the tokens whose calls are refused.
    pub(crate) fn refused(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .refused
            .iter()
            .map(|id| self.program.token(*id).name.clone())
            .collect();
        names.sort();
        names
    }

    /// Returns the time at which the policy became active.
    pub(crate) fn since(&self) -> SystemTime {
        self.since
    }
}

/// Results of loading policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReloadStatus {
    /// Number of successful loads, including the first.
    pub(crate) succeeded: u64,
    /// Number of failed loads.
    pub(crate) failed: u64,
    /// Reason why the last load failed, if it did.
    pub(crate) failure: Option<String>,
    /// When the last load failed.
    pub(crate) failed_at: Option<SystemTime>,
    /// Forbid lines of the active policy that have no effect under this configuration, each with the reason.
    pub(crate) dead: Vec<String>,
    /// A changed setting that needs a restart, if there is one.
    pub(crate) waiting: Option<String>,
}

/// The active policy, and the path that it comes from.
pub(crate) struct Policies {
    directory: PathBuf,
    settings: LoadSettings,
    mode: ModeInForce,
    current: ArcSwap<Live>,
    revocations: Arc<Revocations>,
    files: Mutex<FileRevocations>,
    /// What the last policy was made of.
    memory: Mutex<Memory>,
    status: Mutex<ReloadStatus>,
    /// The directory's state immediately before it was first read, so that a change since then is noticed.
    first_seen: Fingerprint,
}

impl Policies {
    /// Loads the policy of a directory. Its revocations are added to `revocations`.
    ///
    /// There is no policy to keep yet. So errors of lines refuse only the calls of the tokens that own or include these
    /// lines, and so do forbid lines that this configuration leaves without effect.
    ///
    /// # Errors
    /// The policy cannot be read, or has another error.
    pub(crate) fn open(
        directory: &Path,
        settings: LoadSettings,
        mode: ModeInForce,
        revocations: Revocations,
    ) -> Result<Self, PolicyError> {
        // Notifications contain absolute paths.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let first_seen = Fingerprint::of(&directory);
        let mut files = FileRevocations::default();
        files.read(&directory, |revoked| note(&revocations, revoked));
        let mut memory = Memory::default();
        let (loaded, revoked) = load(&directory, &settings, &mode, &Purpose::Start, Some(&mut memory));
        note(&revocations, revoked);
        let loaded = loaded?;
        let program = &loaded.program;
        tracing::info!(
            policy = program.digest(),
            tokens = program.tokens().count(),
            "policy loaded"
        );
        let (failure, dead) = (loaded.failure(), loaded.dead.clone());
        if failure.is_some() {
            log_refused(&loaded);
        }
        warn_of(&dead);
        Ok(Self {
            directory,
            settings,
            mode,
            current: ArcSwap::from_pointee(Live::new(loaded)),
            revocations: Arc::new(revocations),
            files: Mutex::new(files),
            memory: Mutex::new(memory),
            status: Mutex::new(ReloadStatus {
                succeeded: 1,
                failed_at: failure.is_some().then(SystemTime::now),
                failure,
                dead,
                ..ReloadStatus::default()
            }),
            first_seen,
        })
    }

    /// Reads the policy from another path from now on: a fleet's compiled policy gets its place after it was loaded.
    pub(crate) fn moved_to(self, directory: &Path) -> Self {
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        Self { directory, ..self }
    }

    /// Returns the active policy.
    pub(crate) fn current(&self) -> Arc<Live> {
        self.current.load_full()
    }

    /// Returns every revocation, including those of policies that are no longer active, or never were because another
    /// part did not compile.
    pub(crate) fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Returns the validity of a token for a call that presented this secret.
    pub(crate) fn validity(&self, shown: SecretHash, token: &Token) -> TokenValidity {
        self.revocations.validity([shown, token.secret_hash])
    }

    /// Lists the secrets, current and previous, of the active policy's token with this name.
    pub(crate) fn secrets_of(&self, name: &str) -> Vec<SecretHash> {
        let live = self.current();
        let named = live.program().tokens().filter(|(_, token)| token.name == name);
        named
            .flat_map(|(_, token)| {
                std::iter::once(token.secret_hash).chain(token.previous.map(|(secret, _)| secret))
            })
            .collect()
    }

    /// Names the active policy's tokens that have one of these secrets, current or previous.
    pub(crate) fn names_of(&self, secrets: &[SecretHash]) -> Vec<String> {
        let live = self.current();
        let has = |token: &Token| {
            let previous = token.previous.map(|(secret, _)| secret);
            secrets.contains(&token.secret_hash) || previous.is_some_and(|secret| secrets.contains(&secret))
        };
        let named = live.program().tokens().filter(|(_, token)| has(token));
        named.map(|(_, token)| token.name.clone()).collect()
    }

    /// Logs the names of the tokens that these secrets newly revoke.
    fn log_revoked(&self, secrets: &[SecretHash]) {
        let new = secrets.iter().filter(|secret| !self.revocations.has(secret));
        for token in self.names_of(&new.copied().collect::<Vec<_>>()) {
            tracing::warn!(token, by = "policy", "token revoked");
        }
    }

    /// Names the tokens of the active policy that were revoked by command, but not in a policy file.
    pub(crate) fn revoked_beside_policy(&self) -> Vec<String> {
        let live = self.current();
        let beside = live
            .program()
            .tokens()
            .filter(|(_, token)| !token.revoked && self.revocations.is_permanent(&token.secret_hash));
        beside.map(|(_, token)| token.name.clone()).collect()
    }

    /// Returns the numbers of successful and failed loads, the last failure, and a setting that needs a restart.
    pub(crate) fn status(&self) -> ReloadStatus {
        self.lock_status().clone()
    }

    /// Names the tokens of the active policy that are suspended: a file that does not parse seems to revoke them.
    pub(crate) fn suspended(&self) -> Vec<String> {
        let live = self.current();
        let tokens = live.program().tokens();
        let suspended = tokens.filter(|(_, token)| self.revocations.is_suspended(&token.secret_hash));
        suspended.map(|(_, token)| token.name.clone()).collect()
    }

    /// Adds the revocations of the directory's files, without compiling them, and suspends the tokens that a broken file seems to
    /// revoke. Quick, whatever the policy: it reads only files that changed.
    pub(crate) fn revoke_from_files(&self) {
        if !self.directory.is_file() {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.read(&self.directory, |revoked| note(&self.revocations, revoked));
            self.suspend(&files);
        }
    }

    /// Suspends the tokens that broken files seem to revoke now, and no others.
    fn suspend(&self, files: &FileRevocations) {
        let live = self.current();
        let program = live.program();
        let mut by_name = HashMap::new();
        if files.suspects().next().is_some() {
            by_name.extend(program.tokens().map(|(id, token)| (token.name.as_str(), id)));
        }
        let mut secrets = SecretSet::default();
        for (path, suspect) in files.suspects() {
            // Also of tokens that the active policy does not have: calls that began with another one may be in progress.
            secrets.extend(&suspect.hashes);
            let by_hash = suspect
                .hashes
                .iter()
                .filter_map(|hash| program.token_by_secret_hash(hash));
            let by_name = suspect
                .names
                .iter()
                .filter_map(|name| by_name.get(name.as_str()).copied());
            for token in by_hash.chain(by_name).map(|id| program.token(id)) {
                secrets.insert(token.secret_hash);
                secrets.extend(token.previous.map(|(secret, _)| secret));
                if !self.revocations.has(&token.secret_hash) {
                    tracing::error!(
                        token = token.name,
                        file = %path.display(),
                        "token suspended: the file is not TOML, and seems to revoke the token; repair the file"
                    );
                }
            }
        }
        if self.revocations.suspend(secrets) {
            tracing::info!("tokens are no longer suspended");
        }
    }

    /// Reads the directory again. A policy that compiles becomes active; otherwise the active one is kept. In both
    /// cases, its revocations are added, before it is compiled.
    pub(crate) fn reload(&self) {
        self.revoke_from_files();
        self.look_at_mode();
        let purpose = Purpose::Reload {
            refused: self.current().refused(),
        };
        let (loaded, revoked) = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            load(
                &self.directory,
                &self.settings,
                &self.mode,
                &purpose,
                Some(&mut memory),
            )
        };
        self.log_revoked(&revoked);
        note(&self.revocations, revoked);
        match loaded {
            Ok(loaded) => self.take(loaded),
            Err(error) => {
                let failure = format!("{error}{}", hardening::advice(&error));
                self.log_not_replaced(&error);
                let mut status = self.lock_status();
                status.failed += 1;
                status.failure = Some(failure);
                status.failed_at = Some(SystemTime::now());
            }
        }
    }

    /// Does the same at an operator's request, and also logs that nothing has changed.
    pub(crate) fn reload_on_request(&self) {
        let before = self.status();
        self.reload();
        let (after, live) = (self.status(), self.current());
        if (after.succeeded, after.failed) == (before.succeeded, before.failed) {
            tracing::info!(
                policy = live.program().digest(),
                tokens = live.program().tokens().count(),
                "policy unchanged"
            );
        }
    }

    /// Reports if the configuration's mode differs from the active one.
    fn look_at_mode(&self) {
        let waiting = self.mode.waiting();
        let mut status = self.lock_status();
        if status.waiting != waiting {
            match &waiting {
                Some(waiting) => {
                    tracing::warn!(change = waiting, "restart needed to apply the configuration")
                }
                None => tracing::info!("restart no longer needed"),
            }
            status.waiting = waiting;
        }
    }

    /// Logs why the policy was not replaced: one event for the failure, and one for each error of the policy.
    fn log_not_replaced(&self, error: &PolicyError) {
        let live = self.current();
        let policy = live.program().digest();
        match error {
            PolicyError::Compile {
                directory, faults, ..
            } => {
                tracing::error!(
                    policy,
                    directory = %directory.display(),
                    errors = faults.len(),
                    "policy not replaced: it has errors"
                );
                log_faults(faults);
            }
            error => tracing::error!(
                policy,
                error = format!("{error}{}", hardening::advice(error)),
                "policy not replaced"
            ),
        }
    }

    fn take(&self, loaded: Loaded) {
        let (failure, dead) = (loaded.failure(), loaded.dead.clone());
        let next = Live::new(loaded);
        let (program, current) = (next.program(), self.current());
        // A policy in which tokens were refused is replaced even if only they differ.
        if program.digest() != current.program().digest() || next.refused() != current.refused() {
            tracing::info!(
                policy = program.digest(),
                tokens = program.tokens().count(),
                "policy replaced"
            );
            warn_of(&dead);
            self.current.store(Arc::new(next));
            {
                let mut status = self.lock_status();
                status.succeeded += 1;
                status.dead = dead;
            }
            let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            self.suspend(&files);
        }
        let mended = std::mem::replace(&mut self.lock_status().failure, failure);
        if mended.is_some() && self.current().refused.is_empty() {
            tracing::info!(
                policy = self.current().program().digest(),
                "the policy compiles again"
            );
        }
    }

    fn lock_status(&self) -> MutexGuard<'_, ReloadStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Maximum number of errors of a policy that the log reports one by one.
const LOGGED_FAULTS: usize = 20;

/// Logs the errors of a policy, one event each.
fn log_faults(faults: &[PolicyFault]) {
    for PolicyFault { code, place, error } in faults.iter().take(LOGGED_FAULTS) {
        tracing::error!(place, code, error, "error in the policy");
    }
    if let Some(more) = faults.len().checked_sub(LOGGED_FAULTS).filter(|more| *more > 0) {
        tracing::error!(
            more,
            "further errors in the policy; `tokenward compile` shows all"
        );
    }
}

/// Logs which tokens are refused, and the errors of their lines.
fn log_refused(loaded: &Loaded) {
    let mut names: Vec<&str> = loaded.refused.iter().map(String::as_str).collect();
    names.sort_unstable();
    tracing::error!(
        tokens = names.join(", "),
        errors = loaded.faults.len(),
        reason = "policy-error",
        "refusing the calls of tokens whose lines have errors"
    );
    log_faults(&loaded.faults);
}

fn warn_of(dead: &[String]) {
    for line in dead {
        tracing::warn!(line, "forbid line has no effect under this configuration");
    }
}

/// Adds the policy's revocations. If they cannot be written, they are still in effect, and writing is retried.
fn note(revocations: &Revocations, revoked: Vec<SecretHash>) {
    if let Err(error) = revocations.add(revoked) {
        tracing::error!(
            error = error.to_string(),
            "cannot write revocations to disk; they are in effect, but a restart would lose them"
        );
    }
}

#[cfg(test)]
mod tests;
