//! The manifest that the engine has, with its compiled policy, until the proxy takes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenward_fleet::Digest;

/// What the engine has published, as bytes of which nothing was checked.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    manifest: Option<Vec<u8>>,
    policy: Option<(Digest, Arc<Vec<u8>>)>,
}

impl Held {
    /// Replaces the manifest.
    pub(super) fn offer(&self, manifest: Vec<u8>) {
        self.lock().manifest = Some(manifest);
    }

    /// Replaces the compiled policy.
    pub(super) fn keep(&self, digest: Digest, policy: Vec<u8>) {
        self.lock().policy = Some((digest, Arc::new(policy)));
    }

    /// Drops the compiled policy with this digest: it is on disk.
    pub(crate) fn done_with(&self, digest: &Digest) {
        let mut inner = self.lock();
        if inner.policy.as_ref().is_some_and(|(held, _)| held == digest) {
            inner.policy = None;
        }
    }

    /// The manifest; `None` if the engine has none.
    pub(crate) fn manifest(&self) -> Option<Vec<u8>> {
        self.lock().manifest.clone()
    }

    /// The compiled policy with this digest, if it is there.
    pub(crate) fn policy(&self, digest: &Digest) -> Option<Arc<Vec<u8>>> {
        let inner = self.lock();
        let (_, policy) = inner.policy.as_ref().filter(|(held, _)| held == digest)?;
        Some(Arc::clone(policy))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
