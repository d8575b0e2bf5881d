//! The source of a fleet's versions: a directory or an HTTPS server.

use std::path::{Path, PathBuf};

use tokenward_fleet::manifest::Manifest;
use tokenward_pdp::config::{Fleet as Settings, FleetSource};

use super::error::FleetError;
use super::published::{MANIFEST, Published, artifact_name};
use super::remote::Remote;

/// The source of a fleet's versions.
pub(crate) enum Source {
    Directory(Published),
    Https(Box<Remote>),
}

impl Source {
    /// The source that a configuration names.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn of(settings: &Settings) -> Result<Self, FleetError> {
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
        }
    }

    /// Path or URL of the manifest.
    pub(crate) fn manifest_place(&self) -> PathBuf {
        match self {
            Self::Directory(published) => published.manifest_path(),
            Self::Https(remote) => PathBuf::from(remote.place(MANIFEST)),
        }
    }

    /// Path or URL of a compiled policy.
    pub(crate) fn artifact_place(&self, digest: &[u8; 32]) -> PathBuf {
        match self {
            Self::Directory(published) => published.artifact_path(digest),
            Self::Https(remote) => PathBuf::from(remote.place(&artifact_name(digest))),
        }
    }

    /// Whether reading it can take long.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Https(_))
    }

    /// Ends a reading in progress, and refuses further ones.
    pub(super) fn stop(&self) {
        match self {
            Self::Directory(_) => {}
            Self::Https(remote) => remote.stop(),
        }
    }
}
