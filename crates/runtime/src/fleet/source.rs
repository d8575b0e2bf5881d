//! The source of a fleet's versions: a directory or an HTTPS server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokenward_fleet::manifest::Manifest;
use tokenward_pdp::config::{Fleet as Settings, FleetSource};

use super::engine::{Held, Part};
use super::error::FleetError;
use super::published::{MANIFEST, Published, artifact_name, checked};
use super::remote::Remote;

/// The source of a fleet's versions.
pub(crate) enum Source {
    Directory(Published),
    Https(Box<Remote>),
    /// What was read from the engine.
    Engine(Arc<Held>),
}

impl Source {
    /// The source that a configuration names.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn of(settings: &Settings, engine: Option<&Part>) -> Result<Self, FleetError> {
        if let (FleetSource::Nats, Some(engine)) = (&settings.source, engine) {
            return Ok(Self::Engine(engine.held()));
        }
        let (ca_file, token_file) = (settings.ca_file.as_deref(), settings.token_file.as_deref());
        Self::at(&settings.source, ca_file, token_file)
    }

    /// A source of this place. The files are for an HTTPS server.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn at(
        place: &FleetSource,
        ca_file: Option<&Path>,
        token_file: Option<&Path>,
    ) -> Result<Self, FleetError> {
        match place {
            FleetSource::Directory(path) => Ok(Self::Directory(Published::at(path))),
            FleetSource::Https(url) => Ok(Self::Https(Box::new(Remote::at(url, ca_file, token_file)?))),
            FleetSource::Nats => Ok(Self::Engine(Arc::default())),
        }
    }

    /// Reads the manifest, as bytes of which nothing was checked but their number.
    ///
    /// # Errors
    /// It cannot be read, or is too long.
    pub(crate) fn manifest(&self) -> Result<Vec<u8>, FleetError> {
        match self {
            Self::Directory(published) => published.manifest(),
            Self::Https(remote) => remote.manifest(),
            Self::Engine(held) => held.manifest().ok_or(FleetError::NotHeld("manifest")),
        }
    }

    /// Reads the compiled policy that a manifest names.
    ///
    /// # Errors
    /// It cannot be read, or is another one.
    pub(crate) fn artifact(&self, manifest: &Manifest) -> Result<Vec<u8>, FleetError> {
        match self {
            Self::Directory(published) => published.artifact(manifest),
            Self::Https(remote) => remote.artifact(manifest),
            Self::Engine(held) => {
                let policy = held.policy(&manifest.digest);
                let policy = policy.ok_or(FleetError::NotHeld("compiled policy"))?;
                checked(policy.to_vec(), manifest, &self.artifact_place(&manifest.digest))
            }
        }
    }

    /// Path or URL of the manifest.
    pub(crate) fn manifest_place(&self) -> PathBuf {
        match self {
            Self::Directory(published) => published.manifest_path(),
            Self::Https(remote) => PathBuf::from(remote.place(MANIFEST)),
            Self::Engine(_) => Path::new("nats").join(MANIFEST),
        }
    }

    /// Path or URL of a compiled policy.
    pub(crate) fn artifact_place(&self, digest: &[u8; 32]) -> PathBuf {
        match self {
            Self::Directory(published) => published.artifact_path(digest),
            Self::Https(remote) => PathBuf::from(remote.place(&artifact_name(digest))),
            Self::Engine(_) => Path::new("nats").join(artifact_name(digest)),
        }
    }

    /// Notes that this compiled policy is in force.
    pub(super) fn done_with(&self, manifest: &Manifest) {
        if let Self::Engine(held) = self {
            held.done_with(&manifest.digest);
        }
    }

    /// Whether the compiled policy is not a file.
    pub(super) fn has_no_files(&self) -> bool {
        !matches!(self, Self::Directory(_))
    }

    /// Whether reading it can take long.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Https(_))
    }

    /// Ends a reading in progress, and refuses further ones.
    pub(super) fn stop(&self) {
        match self {
            Self::Directory(_) | Self::Engine(_) => {}
            Self::Https(remote) => remote.stop(),
        }
    }
}
