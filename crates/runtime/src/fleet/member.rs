//! The membership of a proxy in a fleet: the manifest in force, and how another one takes its place.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokenward_audit::{Event, Store};
use tokenward_fleet::accept::{Judge, Refused, Taken, accept};
use tokenward_fleet::freshness::{Expiry, ExpiryClock};
use tokenward_fleet::manifest::{Manifest, Verified};
use tokenward_fleet::mark::{Mark, Marks};
use tokenward_fleet::name::Name;
use tokenward_fleet::revocation::Revocations;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Config, Fleet as Settings, OnExpired};

use super::clocks::{clocks, now_ms, own_release};
use super::error::FleetError;
use super::files::Files;
use super::published::Published;
use super::status::{self, FleetStatus, Shown};
use crate::live::{LoadSettings, ModeInForce, Pin, policy_at};

/// Membership in a fleet, and the manifest in force.
pub(crate) struct Fleet {
    name: Name,
    keys: Vec<VerifyingKey>,
    source: Published,
    files: Files,
    settings: Settings,
    pin: Arc<Pin>,
    load: LoadSettings,
    mode: ModeInForce,
    expiry: ArcSwap<Expiry>,
    following: Mutex<Following>,
    shown: Mutex<Shown>,
}

/// What the next manifest is judged by.
struct Following {
    mark: Option<Mark>,
    in_force: Verified,
    clock: ExpiryClock,
    /// The bytes of the last manifest that was decided finally.
    decided: Option<Vec<u8>>,
}

impl Fleet {
    /// Opens the fleet of a configuration, if it has one. The manifest in force is the one that the proxy had; only without it
    /// the source is read.
    ///
    /// # Errors
    /// The mark cannot be read, or there is no manifest that the proxy may use.
    pub(crate) fn open(config: &Config) -> Result<Option<Self>, FleetError> {
        let fleet = config.fleet.as_ref();
        fleet.map(|fleet| Self::open_as(config, fleet, true)).transpose()
    }

    /// Opens the same fleet by the manifest of the source: what the proxy had cannot be used any more.
    ///
    /// # Errors
    /// As [`Fleet::open`].
    pub(crate) fn open_from_source(&self, config: &Config) -> Result<Self, FleetError> {
        Self::open_as(config, &self.settings, false)
    }

    fn open_as(config: &Config, settings: &Settings, with_local: bool) -> Result<Self, FleetError> {
        let name: Name = settings.name.parse()?;
        let keys = verifying_keys(settings);
        let source = Published::at(&settings.source);
        let files = Files::beside(&config.audit.path);
        let mark = files.mark()?;
        if let Some(other) = mark
            .as_ref()
            .filter(|mark| mark.fleet != name && mark.version > 0)
        {
            return Err(Refused::MarkOfOtherFleet(other.fleet.clone()).into());
        }
        let local = mark.as_ref().filter(|_| with_local);
        let (in_force, clock) = match local.and_then(|mark| files.local(mark, &keys)) {
            Some(local) => {
                let clock = ExpiryClock::new(clocks(), Duration::from_secs(local.manifest().issued));
                (local, clock)
            }
            None => {
                let mut clock = ExpiryClock::new(clocks(), Duration::ZERO);
                let judge = judge(&name, &keys, mark.as_ref(), &mut clock);
                let bytes = source.manifest()?;
                let taken = accept(&bytes, &judge)?;
                files.stage(&bytes, &source.artifact(taken.verified.manifest())?)?;
                files.promote()?;
                (taken.verified, clock)
            }
        };
        let pin = Arc::new(Pin::default());
        pin.set(&[in_force.manifest().digest]);
        Ok(Self {
            expiry: ArcSwap::from_pointee(expiry(in_force.manifest(), &mut clock.clone())),
            shown: Mutex::new(Shown::of(&in_force)),
            following: Mutex::new(Following {
                mark,
                in_force,
                clock,
                decided: None,
            }),
            load: LoadSettings::of(config),
            mode: ModeInForce::of(config).pinned(Arc::clone(&pin)),
            name,
            keys,
            source,
            files,
            settings: settings.clone(),
            pin,
        })
    }

    /// The compiled policy in force.
    pub(crate) fn policy(&self) -> PathBuf {
        self.files.policy()
    }

    /// The compiled policies that may be loaded.
    pub(crate) fn pin(&self) -> Arc<Pin> {
        Arc::clone(&self.pin)
    }

    /// Compares the mark with the chain of the audit, and writes it to both. Nothing may be served before.
    ///
    /// # Errors
    /// The marks contradict each other, or cannot be written.
    pub(crate) fn attach(&self, audit: &Store) -> Result<(), FleetError> {
        let mut following = self.following();
        let marks = Marks {
            file: following.mark.clone(),
            chain: last_mark(audit)?,
        };
        marks.joined()?;
        let mark = Mark::of(following.in_force.manifest());
        if following.mark.as_ref() != Some(&mark) {
            self.files.write_mark(&mark)?;
        }
        append(audit, &mark)?;
        following.mark = Some(mark);
        drop(following);
        tracing::info!(
            fleet = self.name.as_str(),
            version = self.status().version,
            "manifest in force"
        );
        Ok(())
    }

    /// Reads the source once, and takes its manifest if the rules allow it. `reload` loads the policy.
    pub(crate) fn look(&self, audit: &Store, reload: &dyn Fn()) {
        let mut following = self.following();
        let result = self.offer(&mut following, audit, reload);
        drop(following);
        match result {
            Ok(Looked::Nothing) => {}
            Ok(Looked::Current) => self.shown().clear(),
            Ok(Looked::Taken(version)) => {
                self.shown().clear();
                tracing::info!(fleet = self.name.as_str(), version, "manifest taken");
            }
            Err(error) => {
                let text = error.to_string();
                if self.shown().fail(&text, error.is_refusal()) {
                    tracing::error!(
                        fleet = self.name.as_str(),
                        error = text,
                        "manifest not taken; the policy in force stays"
                    );
                }
            }
        }
    }

    fn offer(
        &self,
        following: &mut Following,
        audit: &Store,
        reload: &dyn Fn(),
    ) -> Result<Looked, FleetError> {
        // If the source comes back, its manifest is looked at again.
        let bytes = self.source.manifest();
        let bytes = bytes.inspect_err(|_| following.decided = None)?;
        if following.decided.as_ref() == Some(&bytes) {
            return Ok(Looked::Nothing);
        }
        let judge = judge(
            &self.name,
            &self.keys,
            following.mark.as_ref(),
            &mut following.clock,
        );
        let taken = accept(&bytes, &judge).inspect_err(|_| following.decided = Some(bytes.clone()))?;
        if following.in_force.manifest() == taken.verified.manifest() {
            following.decided = Some(bytes);
            return Ok(Looked::Current);
        }
        let version = taken.mark.version;
        let result = self.take(following, &bytes, taken, audit, reload);
        // A policy that this configuration does not admit is not compiled again and again.
        if matches!(result, Ok(()) | Err(FleetError::Policy { .. })) {
            following.decided = Some(bytes);
        }
        result.map(|()| Looked::Taken(version))
    }

    /// Puts a manifest in force: policy on disk and checked, mark on disk, mark in the chain, policy in effect. A crash between
    /// two steps leaves the mark and either policy; the next start finds the one that the mark names.
    fn take(
        &self,
        following: &mut Following,
        bytes: &[u8],
        taken: Taken,
        audit: &Store,
        reload: &dyn Fn(),
    ) -> Result<(), FleetError> {
        let manifest = taken.verified.manifest();
        let before = following.in_force.manifest().digest;
        // The policy, which this configuration may not admit.
        self.files.stage(bytes, &self.source.artifact(manifest)?)?;
        self.pin.set(&[before, manifest.digest]);
        let checked = policy_at(&self.files.staged_policy(), &self.load, &self.mode);
        if let Err(error) = checked {
            self.pin.set(&[before]);
            return Err(FleetError::Policy {
                version: manifest.version,
                source: Box::new(error),
            });
        }
        // The mark, in the file and then in the chain.
        self.files.write_mark(&taken.mark)?;
        following.mark = Some(taken.mark.clone());
        append(audit, &taken.mark)?;
        // The effect.
        self.files.promote()?;
        following.clock.at_least(Duration::from_secs(manifest.issued));
        self.expiry
            .store(Arc::new(expiry(manifest, &mut following.clock)));
        self.pin.set(&[manifest.digest]);
        // In two statements: the lock is taken twice.
        let next = self.shown().replaced(&taken.verified);
        *self.shown() = next;
        following.in_force = taken.verified;
        reload();
        Ok(())
    }

    /// Writes the mark to the chain again, so that the last days of the audit always have it.
    pub(crate) fn state_again(&self, audit: &Store) {
        let mark = self.following().mark.clone();
        if let Some(mark) = mark
            && let Err(error) = append(audit, &mark)
        {
            tracing::warn!(error = error.to_string(), "fleet mark not repeated in the audit");
        }
    }

    /// Whether the manifest in force has expired.
    pub(crate) fn has_expired(&self) -> bool {
        self.expiry.load().has_come(&clocks())
    }

    /// Whether calls are refused because the manifest in force has expired.
    pub(crate) fn refuses(&self) -> bool {
        self.settings.on_expired == OnExpired::Refuse && self.has_expired()
    }

    /// Describes the membership to operators.
    pub(crate) fn status(&self) -> FleetStatus {
        self.shown()
            .status(&self.name, self.has_expired(), self.refuses())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn following(&self) -> MutexGuard<'_, Following> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Result of reading the source.
enum Looked {
    /// The manifest was decided before.
    Nothing,
    /// It is the one in force.
    Current,
    /// It has been taken.
    Taken(u64),
}

/// The public keys of a fleet.
pub(crate) fn verifying_keys(settings: &Settings) -> Vec<VerifyingKey> {
    let keys = settings.public_keys.iter();
    keys.map(|key| VerifyingKey(key.to_bytes())).collect()
}

fn judge<'a>(
    fleet: &'a Name,
    keys: &'a [VerifyingKey],
    mark: Option<&'a Mark>,
    clock: &mut ExpiryClock,
) -> Judge<'a> {
    Judge {
        fleet,
        keys,
        mark,
        now: clock.now(clocks()).as_secs(),
        own: own_release(),
        // There is no stream of revocations yet, so only manifests that need none are taken.
        knows: &|head| *head == Revocations::first(),
    }
}

fn expiry(manifest: &Manifest, clock: &mut ExpiryClock) -> Expiry {
    let clocks = clocks();
    Expiry::at(Duration::from_secs(manifest.expires), clock.now(clocks), &clocks)
}

/// The last mark in the chain of the audit.
pub(crate) fn last_mark(audit: &Store) -> Result<Option<Mark>, FleetError> {
    let Some(Event::FleetMark {
        fleet,
        version,
        manifest,
        ..
    }) = audit.last_fleet_mark()?
    else {
        return Ok(None);
    };
    Ok(Some(Mark {
        fleet: fleet.parse()?,
        version,
        manifest,
    }))
}

fn append(audit: &Store, mark: &Mark) -> Result<(), FleetError> {
    Ok(audit.append_event(event(mark, String::new()))?)
}

/// The event of the audit for a mark. `why`: why it was set back by hand.
pub(crate) fn event(mark: &Mark, why: String) -> Event {
    Event::FleetMark {
        time_ms: now_ms(),
        fleet: mark.fleet.to_string(),
        version: mark.version,
        manifest: mark.manifest,
        why,
    }
}

/// The mark after a rewind: versions above it are taken again.
pub(crate) fn rewound(fleet: Name, version: u64) -> Mark {
    Mark {
        fleet,
        version,
        manifest: [0; 32],
    }
}

/// Judges the source of a configuration as a start does, and changes nothing. Returns the path of the compiled policy, and a
/// description.
///
/// # Errors
/// The proxy would not take the manifest, or its compiled policy is another.
pub(crate) fn check(config: &Config, settings: &Settings) -> Result<(PathBuf, String), FleetError> {
    let name: Name = settings.name.parse()?;
    let keys = verifying_keys(settings);
    let mark = Files::beside(&config.audit.path).mark()?;
    let mut clock = ExpiryClock::new(clocks(), Duration::ZERO);
    let source = Published::at(&settings.source);
    let bytes = source.manifest()?;
    let taken = accept(&bytes, &judge(&name, &keys, mark.as_ref(), &mut clock))?;
    let manifest = taken.verified.manifest();
    let version = manifest.version;
    // What a proxy has already is taken also after its end, and then decides about calls.
    if expiry(manifest, &mut clock).has_come(&clocks()) {
        let seconds = clock.now(clocks()).as_secs().saturating_sub(manifest.expires);
        return Err(Refused::Expired { version, seconds }.into());
    }
    source.artifact(manifest)?;
    let detail = format!(
        "{name}: version {version}, expires {}",
        status::shown(manifest.expires)
    );
    Ok((source.artifact_path(&manifest.digest), detail))
}
