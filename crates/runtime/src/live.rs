//! The active policy, and its replacement (SEMANTICS section 6).

mod error;
mod file_revocations;
mod fingerprint;
mod load;
mod mode;
pub(crate) mod revoked;
pub(crate) mod watch;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::ir::{Program, Token};

pub use error::PolicyError;
use file_revocations::FileRevocations;
use fingerprint::Fingerprint;
use load::load;
pub(crate) use load::{artifact_of_file, unbound_artifact};
pub(crate) use mode::{ModeInForce, name as mode_name};
pub use revoked::RevocationError;
pub(crate) use revoked::{
    Revocations, SecretHash, TokenValidity, beside, parse as parse_hash, shown as shown_hash,
};

/// An active policy: compiled, and bound to the public URL. A call keeps the policy that it began with.
#[derive(Debug)]
pub struct Live {
    program: Program,
    since: SystemTime,
}

impl Live {
    /// Returns the bound program.
    pub(crate) fn program(&self) -> &Program {
        &self.program
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
    /// A changed setting that needs a restart, if there is one.
    pub(crate) waiting: Option<String>,
}

/// The active policy, and the path that it comes from.
pub(crate) struct Policies {
    directory: PathBuf,
    base: BaseUrl,
    merges: bool,
    mode: ModeInForce,
    current: ArcSwap<Live>,
    revocations: Arc<Revocations>,
    files: Mutex<FileRevocations>,
    status: Mutex<ReloadStatus>,
    /// The directory's state immediately before it was first read, so that a change since then is noticed.
    first_seen: Fingerprint,
}

impl Policies {
    /// Loads the policy of a directory, for an upstream that merges bodies with the query or does not. Its revocations
    /// are added to `revocations`.
    ///
    /// # Errors
    /// The policy cannot be read, or does not compile.
    pub(crate) fn open(
        directory: &Path,
        base: &BaseUrl,
        merges: bool,
        mode: ModeInForce,
        revocations: Revocations,
    ) -> Result<Self, PolicyError> {
        // Notifications contain absolute paths.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let first_seen = Fingerprint::of(&directory);
        let mut files = FileRevocations::default();
        files.read(&directory, |revoked| note(&revocations, revoked));
        let (program, revoked) = load(&directory, base, merges, &mode);
        note(&revocations, revoked);
        let program = program?;
        tracing::info!(
            policy = program.digest(),
            tokens = program.tokens().count(),
            "policy loaded"
        );
        Ok(Self {
            directory,
            base: base.clone(),
            merges,
            mode,
            current: ArcSwap::from_pointee(Live {
                program,
                since: SystemTime::now(),
            }),
            revocations: Arc::new(revocations),
            files: Mutex::new(files),
            status: Mutex::new(ReloadStatus {
                succeeded: 1,
                ..ReloadStatus::default()
            }),
            first_seen,
        })
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
        let mut secrets = HashSet::new();
        for (path, suspect) in files.suspects() {
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
        let (program, revoked) = load(&self.directory, &self.base, self.merges, &self.mode);
        note(&self.revocations, revoked);
        match program {
            Ok(program) => self.take(program),
            Err(error) => {
                tracing::error!(
                    policy = self.current().program().digest(),
                    "the policy was not replaced: {error}"
                );
                let mut status = self.lock_status();
                status.failed += 1;
                status.failure = Some(error.to_string());
            }
        }
    }

    /// Reports if the configuration's mode differs from the active one.
    fn look_at_mode(&self) {
        let waiting = self.mode.waiting();
        let mut status = self.lock_status();
        if status.waiting != waiting {
            match &waiting {
                Some(waiting) => tracing::warn!("{waiting}"),
                None => tracing::info!("the configuration says the mode in force again"),
            }
            status.waiting = waiting;
        }
    }

    fn take(&self, program: Program) {
        if program.digest() != self.current().program().digest() {
            tracing::info!(
                policy = program.digest(),
                tokens = program.tokens().count(),
                "policy replaced"
            );
            self.current.store(Arc::new(Live {
                program,
                since: SystemTime::now(),
            }));
            self.lock_status().succeeded += 1;
            let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            self.suspend(&files);
        }
        let mended = self.lock_status().failure.take();
        if mended.is_some() {
            tracing::info!("the policy compiles again");
        }
    }

    fn lock_status(&self) -> MutexGuard<'_, ReloadStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the policy's revocations. If they cannot be written, they are still in effect, and writing is retried.
fn note(revocations: &Revocations, revoked: Vec<SecretHash>) {
    if let Err(error) = revocations.add(revoked) {
        tracing::error!("revocations are in force and not on disk, a restart would forget them: {error}");
    }
}

#[cfg(test)]
mod tests;
