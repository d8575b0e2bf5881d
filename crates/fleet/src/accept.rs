//! The decision whether a proxy takes a manifest (SEMANTICS section 8).

#[cfg(test)]
mod tests;

use crate::digest::Digest;
use crate::manifest::{ManifestError, Verified};
use crate::mark::Mark;
use crate::name::Name;
use crate::release::Release;
use crate::signature::VerifyingKey;

/// Versions that a manifest may be ahead of the mark. A publisher that leaps further has lost count, or wants to make it
/// impossible to publish again.
pub const MOST_AHEAD: u64 = 1_000;

/// Seconds that the time of issue may be after the proxy's own. The issue is a lower bound of the time for expiry, so a
/// publisher whose clock is wrong must not make every later manifest expired.
pub const MOST_EARLY: u64 = 3_600;

/// What a proxy judges manifests by.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The fleet of its configuration.
    pub fleet: &'a Name,
    /// The public keys of its configuration.
    pub keys: &'a [VerifyingKey],
    /// Its mark; `None` if it never took a manifest.
    pub mark: Option<&'a Mark>,
    /// Seconds since 1970 UTC.
    pub now: u64,
    /// Its own release.
    pub own: Release,
    /// Whether it has all revocations up to a head.
    pub knows: &'a dyn Fn(&Digest) -> bool,
}

/// A manifest that may take effect, once its artifact fits and its mark is on disk and in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The manifest.
    pub verified: Verified,
    /// The mark that it makes.
    pub mark: Mark,
    /// Whether its version is new. Otherwise it is the one that the proxy has; it may have expired.
    pub is_new: bool,
}

/// Reason why a proxy refuses a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The bytes are not a manifest, or the signature does not count.
    #[error("the manifest is refused: {0}")]
    Manifest(#[from] ManifestError),
    /// It is for another fleet.
    #[error("the manifest is for the fleet `{found}`, but this proxy belongs to `{own}`")]
    OtherFleet {
        /// Fleet of the manifest.
        found: Name,
        /// Fleet of the proxy.
        own: Name,
    },
    /// Its version is lower than one that the proxy had.
    #[error(
        "version {found} is lower than version {mark}, which this proxy already took; to go back, publish the old content under a higher version"
    )]
    RolledBack {
        /// Version of the manifest.
        found: u64,
        /// Version of the mark.
        mark: u64,
    },
    /// It has the version of the mark, but is another manifest.
    #[error(
        "version {0} has another content than the version {0} that this proxy took; publish under a higher version"
    )]
    SameVersion(u64),
    /// Its version is too far ahead.
    #[error("version {found} is more than {MOST_AHEAD} ahead of version {mark}, which this proxy took last")]
    FarAhead {
        /// Version of the manifest.
        found: u64,
        /// Version of the mark.
        mark: u64,
    },
    /// It has expired.
    #[error("version {version} expired {seconds} seconds ago; publish again")]
    Expired {
        /// Version of the manifest.
        version: u64,
        /// Seconds since then.
        seconds: u64,
    },
    /// It was issued in the future.
    #[error(
        "version {version} was issued more than an hour after the present time of this proxy; check the clocks of the proxy and of the publisher"
    )]
    Early {
        /// Version of the manifest.
        version: u64,
    },
    /// It needs a later release.
    #[error("version {version} needs Tokenward {least} or later, and this is {own}")]
    OldRelease {
        /// Version of the manifest.
        version: u64,
        /// The release that it needs.
        least: Release,
        /// The release that this is.
        own: Release,
    },
    /// The publisher knew revocations that the proxy lacks.
    #[error("version {0} knows revocations that this proxy lacks")]
    LacksRevocations(u64),
    /// The mark is of another fleet.
    #[error(
        "this proxy took manifests of the fleet `{0}` before; run `tokenward fleet rewind` to change its fleet"
    )]
    MarkOfOtherFleet(Name),
}

impl Refused {
    /// Whether the same manifest may be taken later, by the same proxy with the same keys.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Early { .. } | Self::LacksRevocations(_))
    }
}

/// Decides whether a proxy takes these bytes.
///
/// The signature comes first, so that nothing else of an unsigned manifest is believed.
///
/// # Errors
/// See [`Refused`].
pub fn accept(bytes: &[u8], judge: &Judge<'_>) -> Result<Taken, Refused> {
    let verified = Verified::read(bytes, judge.keys)?;
    let manifest = verified.manifest();
    let version = manifest.version;
    if manifest.fleet != *judge.fleet {
        return Err(Refused::OtherFleet {
            found: manifest.fleet.clone(),
            own: judge.fleet.clone(),
        });
    }
    let is_new = is_new(judge.mark, &verified)?;
    if manifest.least > judge.own {
        return Err(Refused::OldRelease {
            version,
            least: manifest.least,
            own: judge.own,
        });
    }
    // What the proxy has already stays its policy; expiry then decides about its calls.
    if is_new && manifest.expires <= judge.now {
        return Err(Refused::Expired {
            version,
            seconds: judge.now - manifest.expires,
        });
    }
    if is_new && manifest.issued > judge.now.saturating_add(MOST_EARLY) {
        return Err(Refused::Early { version });
    }
    if !(judge.knows)(&manifest.revocations) {
        return Err(Refused::LacksRevocations(version));
    }
    Ok(Taken {
        mark: Mark::of(manifest),
        verified,
        is_new,
    })
}

/// Compares a manifest with the mark.
fn is_new(mark: Option<&Mark>, verified: &Verified) -> Result<bool, Refused> {
    let manifest = verified.manifest();
    // A proxy that joins a fleet begins at any version, and so does one that was rewound to 0.
    let Some(mark) = mark.filter(|mark| mark.version > 0) else {
        return Ok(true);
    };
    if mark.fleet != manifest.fleet {
        return Err(Refused::MarkOfOtherFleet(mark.fleet.clone()));
    }
    let (found, mark_version) = (manifest.version, mark.version);
    if found < mark_version {
        return Err(Refused::RolledBack {
            found,
            mark: mark_version,
        });
    }
    if found == mark_version {
        return if mark.is_of(manifest) {
            Ok(false)
        } else {
            Err(Refused::SameVersion(found))
        };
    }
    if found - mark_version > MOST_AHEAD {
        return Err(Refused::FarAhead {
            found,
            mark: mark_version,
        });
    }
    Ok(true)
}
