//! The state of a proxy in its fleet, as operators see it.

use serde::Serialize;
use tokenward_fleet::Digest;
use tokenward_fleet::manifest::Verified;
use tokenward_fleet::name::Name;
use tokenward_pdp::text::time;

use super::engine::EngineStatus;

/// The state of a proxy in its fleet.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FleetStatus {
    /// Name of the fleet.
    pub(crate) fleet: String,
    /// Version in force.
    pub(crate) version: u64,
    /// SHA-256 of the compiled policy in force.
    pub(crate) digest: String,
    /// Id of the key that signed its manifest.
    pub(crate) key: String,
    /// Time of the signature, RFC 3339.
    pub(crate) issued: String,
    /// Time from which the manifest is not valid, RFC 3339.
    pub(crate) expires: String,
    /// The same in seconds since 1970 UTC.
    pub(crate) expires_s: u64,
    /// Whether it has expired.
    pub(crate) expired: bool,
    /// Whether calls are refused because it has expired.
    pub(crate) refuses_calls: bool,
    /// Reason why the manifest of the source is not in force, if it is not.
    pub(crate) not_taken: Option<String>,
    /// Manifests that were refused since the start.
    pub(crate) refused: u64,
    /// The state in the engine, if the fleet has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) engine: Option<EngineStatus>,
}

/// The parts that change when the source is read.
pub(super) struct Shown {
    in_force: Verified,
    not_taken: Option<String>,
    refused: u64,
}

impl Shown {
    pub(super) fn of(in_force: &Verified) -> Self {
        Self {
            in_force: in_force.clone(),
            not_taken: None,
            refused: 0,
        }
    }

    /// The same with another manifest in force.
    pub(super) fn replaced(&self, in_force: &Verified) -> Self {
        Self {
            refused: self.refused,
            ..Self::of(in_force)
        }
    }

    /// Notes that the manifest of the source is in force.
    pub(super) fn clear(&mut self) {
        self.not_taken = None;
    }

    /// Notes why it is not. Returns whether that is news.
    pub(super) fn fail(&mut self, why: &str, is_refusal: bool) -> bool {
        let is_news = self.not_taken.as_deref() != Some(why);
        if is_news && is_refusal {
            self.refused += 1;
        }
        self.not_taken = Some(why.to_owned());
        is_news
    }

    /// Version and digest in force.
    pub(super) fn in_force(&self) -> (u64, Digest) {
        let manifest = self.in_force.manifest();
        (manifest.version, manifest.digest)
    }

    pub(super) fn status(
        &self,
        fleet: &Name,
        expired: bool,
        refuses_calls: bool,
        engine: Option<EngineStatus>,
    ) -> FleetStatus {
        let manifest = self.in_force.manifest();
        FleetStatus {
            fleet: fleet.to_string(),
            version: manifest.version,
            digest: format!("sha256:{}", hex::encode(manifest.digest)),
            key: hex::encode(self.in_force.key()),
            issued: shown(manifest.issued),
            expires: shown(manifest.expires),
            expires_s: manifest.expires,
            expired,
            refuses_calls,
            not_taken: self.not_taken.clone(),
            refused: self.refused,
            engine,
        }
    }
}

/// Formats seconds since 1970 UTC.
pub(crate) fn shown(seconds: u64) -> String {
    time(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000))
}
