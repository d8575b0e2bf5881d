//! The policy that decides now, and how it is replaced (SEMANTICS section 6).

mod error;
mod fingerprint;
mod load;
mod mode;
pub(crate) mod revoked;
pub(crate) mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::ir::{Program, Token};

pub use error::PolicyError;
use fingerprint::Fingerprint;
use load::load;
pub(crate) use load::{artifact_of_file, unbound_artifact};
pub(crate) use mode::{ModeInForce, name as mode_name};
pub use revoked::RevocationError;
pub(crate) use revoked::{
    Revocations, SecretHash, TokenValidity, beside, parse as parse_hash, shown as shown_hash,
};

/// A policy in force: compiled, and bound to the public URL. A call keeps the one that it began with.
#[derive(Debug)]
pub struct Live {
    program: Program,
    since: SystemTime,
}

impl Live {
    /// Gives the bound program.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// When it came into force.
    pub(crate) fn since(&self) -> SystemTime {
        self.since
    }
}

/// How the last attempt to load a policy went.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReloadStatus {
    /// Loads that took effect, the first included.
    pub(crate) succeeded: u64,
    /// Number of failed loads.
    pub(crate) failed: u64,
    /// Why the last one did not, if it did not.
    pub(crate) failure: Option<String>,
    /// A changed setting that needs a restart, if there is one.
    pub(crate) waiting: Option<String>,
}

/// The policy in force and the place that it comes from.
pub(crate) struct Policies {
    directory: PathBuf,
    base: BaseUrl,
    merges: bool,
    mode: ModeInForce,
    current: ArcSwap<Live>,
    revocations: Arc<Revocations>,
    status: Mutex<ReloadStatus>,
    /// The directory just before it was read first: what changed since has to be noticed.
    first_seen: Fingerprint,
}

impl Policies {
    /// Loads the policy of a directory, for an upstream that merges bodies with the query or does not. Its revocations
    /// are added to `revocations`.
    ///
    /// # Errors
    /// There is no policy that compiles.
    pub(crate) fn open(
        directory: &Path,
        base: &BaseUrl,
        merges: bool,
        mode: ModeInForce,
        revocations: Revocations,
    ) -> Result<Self, PolicyError> {
        // Notifications name absolute paths.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let first_seen = Fingerprint::of(&directory);
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
            status: Mutex::new(ReloadStatus {
                succeeded: 1,
                ..ReloadStatus::default()
            }),
            first_seen,
        })
    }

    /// Gives the active policy.
    pub(crate) fn current(&self) -> Arc<Live> {
        self.current.load_full()
    }

    /// Every revocation, also of policies that are in force no more, or never were because something else in them did
    /// not compile.
    pub(crate) fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Gives the validity of a token for a call that presented this secret.
    pub(crate) fn validity(&self, shown: SecretHash, token: &Token) -> TokenValidity {
        self.revocations.validity([shown, token.secret_hash])
    }

    /// The secrets of the token of this name, in force or rotated away, in the policy in force.
    pub(crate) fn secrets_of(&self, name: &str) -> Vec<SecretHash> {
        let live = self.current();
        let named = live.program().tokens().filter(|(_, token)| token.name == name);
        named
            .flat_map(|(_, token)| {
                std::iter::once(token.secret_hash).chain(token.previous.map(|(secret, _)| secret))
            })
            .collect()
    }

    /// Tokens of the policy in force that were revoked by command, and are not revoked in it.
    pub(crate) fn revoked_beside_policy(&self) -> Vec<String> {
        let live = self.current();
        let beside = live
            .program()
            .tokens()
            .filter(|(_, token)| !token.revoked && self.revocations.has(&token.secret_hash));
        beside.map(|(_, token)| token.name.clone()).collect()
    }

    /// Gives the numbers of successful and failed loads.
    pub(crate) fn status(&self) -> ReloadStatus {
        self.lock_status().clone()
    }

    /// Reads the directory again. What compiles is in force from now on; what does not changes nothing. What either revokes
    /// is revoked.
    pub(crate) fn reload(&self) {
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
