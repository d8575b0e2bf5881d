//! The membership of a proxy in a fleet: the manifest in force, and how another one takes its place.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokenward_audit::Store;
use tokenward_fleet::Digest;
use tokenward_fleet::accept::{Judge, Refused, Taken, accept};
use tokenward_fleet::freshness::{Expiry, ExpiryClock};
use tokenward_fleet::manifest::{Manifest, Verified};
use tokenward_fleet::mark::{Mark, Marks};
use tokenward_fleet::name::Name;
use tokenward_fleet::revocation::Revocations;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Config, Fleet as Settings, FleetSource, OnExpired};

use super::chain::{event, last_mark};
use super::clocks::{clocks, own_release};
use super::decided::Decided;
use super::engine::Part;
use super::error::FleetError;
use super::files::{Files, First};
use super::source::Source;
use super::status::{FleetStatus, Shown};
use crate::live::{LoadSettings, ModeInForce, Pin, policy_at};

/// Seconds that the clock may be behind the last mark without a warning.
const MOST_BEHIND_S: u64 = 60;

/// Membership in a fleet, and the manifest in force.
pub(crate) struct Fleet {
    name: Name,
    keys: Vec<VerifyingKey>,
    source: Source,
    /// The part in the engine, if the fleet has one.
    engine: Option<Arc<Part>>,
    files: Files,
    settings: Settings,
    pin: Arc<Pin>,
    load: LoadSettings,
    mode: ModeInForce,
    expiry: ArcSwap<Expiry>,
    following: Mutex<Following>,
    shown: Mutex<Shown>,
    /// What the start found, until [`Fleet::attach`] puts it in its place.
    first: Mutex<Option<First>>,
}

/// What the next manifest is judged by.
struct Following {
    mark: Option<Mark>,
    in_force: Verified,
    clock: ExpiryClock,
    /// The last manifest that was decided.
    decided: Option<Decided>,
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
        let files = Files::beside(&config.audit.path);
        let mark = files.mark()?;
        let engine = settings.engine.as_ref();
        let engine =
            engine.map(|engine| Part::open(settings, engine, &name, Files::beside(&config.audit.path)));
        let engine = engine.transpose()?.map(Arc::new);
        let source = Source::of(settings, engine.as_deref())?;
        if let Some(other) = mark
            .as_ref()
            .filter(|mark| mark.fleet != name && mark.version > 0)
        {
            return Err(Refused::MarkOfOtherFleet(other.fleet.clone()).into());
        }
        let local = mark.as_ref().filter(|_| with_local);
        let (in_force, first, clock) = match local.and_then(|mark| files.local(mark, &keys)) {
            Some((local, first)) => {
                let clock = ExpiryClock::new(clocks(), Duration::from_secs(local.manifest().issued));
                (local, first, clock)
            }
            None => {
                let mut clock = ExpiryClock::new(clocks(), Duration::ZERO);
                if let Some(engine) = &engine {
                    let from_engine = settings.source == FleetSource::Nats;
                    engine.ask(from_engine.then_some(keys.as_slice()))?;
                }
                let knows = knows(engine.as_deref());
                let judge = judge(&name, &keys, mark.as_ref(), &mut clock, &knows);
                let bytes = source.manifest()?;
                let taken = accept(&bytes, &judge)?;
                let policy = source.artifact(taken.verified.manifest())?;
                (taken.verified, files.start_with(bytes, &policy)?, clock)
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
            engine,
            files,
            settings: settings.clone(),
            pin,
            first: Mutex::new(Some(first)),
        })
    }

    /// The compiled policy in force.
    pub(crate) fn policy(&self) -> PathBuf {
        self.files.policy()
    }

    /// The compiled policy that a start loads. [`Fleet::attach`] moves it to [`Fleet::policy`].
    pub(crate) fn first_policy(&self) -> PathBuf {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first
            .as_ref()
            .map_or_else(|| self.policy(), |first| first.policy().to_owned())
    }

    /// The compiled policies that may be loaded.
    pub(crate) fn pin(&self) -> Arc<Pin> {
        Arc::clone(&self.pin)
    }

    /// Compares the mark with the chain of the audit, writes it to both, and puts the files of the version in their place.
    /// Nothing may be served before. The caller's lock of the store is that of the files, too.
    ///
    /// # Errors
    /// The marks contradict each other, or cannot be written.
    pub(crate) fn attach(&self, audit: &Store) -> Result<(), FleetError> {
        let mut following = self.following();
        let chain = last_mark(audit)?;
        // A clock that was set back while the proxy was down makes nothing valid again.
        if let Some((_, time)) = &chain {
            let Following { in_force, clock, .. } = &mut *following;
            clock.at_least(*time);
            self.expiry.store(Arc::new(expiry(in_force.manifest(), clock)));
        }
        // Another process may have changed the file before the store was locked.
        let marks = Marks {
            file: self.files.mark()?,
            chain: chain.map(|(mark, _)| mark),
        };
        marks.joined()?;
        if marks.file != following.mark {
            return Err(FleetError::Shared);
        }
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(engine) = &self.engine {
            engine.known().save()?;
        }
        let mark = Mark::of(following.in_force.manifest());
        if let Some(first) = &first {
            self.files.stage_first(first)?;
        }
        if following.mark.as_ref() != Some(&mark) {
            self.files.write_mark(&mark)?;
        }
        following.append(audit, &mark)?;
        if let Some(first) = &first {
            self.files.promote_first(first)?;
        }
        following.mark = Some(mark);
        drop(following);
        let behind = self.clock_behind().as_secs();
        if behind > MOST_BEHIND_S {
            tracing::warn!(
                seconds = behind,
                "the clock is behind the last fleet mark in the audit, so versions expire by the time of that mark; if the clock was ahead then by mistake, run `tokenward fleet rewind`"
            );
        }
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
        if matches!(bytes, Err(FleetError::NotHeld(_))) {
            // The engine was not read yet, or nobody has published: the status tells of the connection.
            return Ok(Looked::Nothing);
        }
        let bytes = bytes.inspect_err(|_| following.decided = None)?;
        if following
            .decided
            .as_ref()
            .is_some_and(|it| it.holds_for(&bytes, Instant::now()))
        {
            return Ok(Looked::Nothing);
        }
        let knows = knows(self.engine.as_deref());
        let judge = judge(
            &self.name,
            &self.keys,
            following.mark.as_ref(),
            &mut following.clock,
            &knows,
        );
        let taken = accept(&bytes, &judge).inspect_err(|error| {
            // What may be taken later is judged again.
            following.decided = (!error.may_pass()).then(|| Decided::finally(&bytes));
        })?;
        if following.in_force.manifest() == taken.verified.manifest() {
            following.decided = Some(Decided::finally(&bytes));
            return Ok(Looked::Current);
        }
        let version = taken.mark.version;
        let result = self.take(following, &bytes, taken, audit, reload);
        following.decided = match &result {
            Ok(()) => Some(Decided::finally(&bytes)),
            // A policy that this configuration does not admit is not compiled at each look.
            Err(FleetError::Policy { .. }) => Some(Decided::for_now(&bytes, Instant::now())),
            // Nor is a wrong file of a server loaded at each look.
            Err(FleetError::Artifact { .. }) if self.is_remote() => {
                Some(Decided::for_now(&bytes, Instant::now()))
            }
            Err(_) => None,
        };
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
        following.append(audit, &taken.mark)?;
        // The effect.
        self.files.promote()?;
        following.clock.at_least(Duration::from_secs(manifest.issued));
        self.expiry
            .store(Arc::new(expiry(manifest, &mut following.clock)));
        self.pin.set(&[manifest.digest]);
        self.source.done_with(manifest);
        // In two statements: the lock is taken twice.
        let next = self.shown().replaced(&taken.verified);
        *self.shown() = next;
        following.in_force = taken.verified;
        reload();
        Ok(())
    }

    /// Writes the mark to the chain again, so that the end of the audit always has it and a time close to the present. What has
    /// expired by now stays expired, also if the clock is set back.
    pub(crate) fn state_again(&self, audit: &Store) {
        let mut following = self.following();
        let Following { in_force, clock, .. } = &mut *following;
        self.expiry.store(Arc::new(expiry(in_force.manifest(), clock)));
        let mark = following.mark.clone();
        if let Some(mark) = mark
            && let Err(error) = following.append(audit, &mark)
        {
            tracing::warn!(error = error.to_string(), "fleet mark not repeated in the audit");
        }
    }

    /// Time by which the clock of the system is behind the latest time that the proxy knows.
    pub(super) fn clock_behind(&self) -> Duration {
        let clocks = clocks();
        self.following().clock.now(clocks).saturating_sub(clocks.wall)
    }

    /// Whether the manifest in force has expired.
    pub(crate) fn has_expired(&self) -> bool {
        self.expiry.load().has_come(&clocks())
    }

    /// Whether calls are refused because the manifest in force has expired, or because revocations may be unknown.
    pub(crate) fn refuses(&self) -> bool {
        let stale = self
            .engine
            .as_ref()
            .is_some_and(|engine| engine.fresh().refuses());
        stale || self.settings.on_expired == OnExpired::Refuse && self.has_expired()
    }

    /// The part in the engine, if the fleet has one.
    pub(super) fn engine(&self) -> Option<Arc<Part>> {
        self.engine.clone()
    }

    /// The revocations that the fleet knows.
    pub(crate) fn revoked(&self) -> Vec<Digest> {
        let engine = self.engine.as_ref();
        engine.map(|engine| engine.known().hashes()).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// Version and digest of the policy in force.
    pub(super) fn in_force(&self) -> (u64, Digest) {
        self.shown().in_force()
    }

    /// Describes the membership to operators.
    pub(crate) fn status(&self) -> FleetStatus {
        let engine = self.engine.as_ref();
        let engine = engine.map(|engine| engine.fresh().status(engine.known().count()));
        self.shown()
            .status(&self.name, self.has_expired(), self.refuses(), engine)
    }

    /// Whether reading the source can take long.
    pub(crate) fn is_remote(&self) -> bool {
        self.source.is_remote()
    }

    /// Ends a reading of the source in progress, and refuses further ones.
    pub(super) fn stop_reading(&self) {
        self.source.stop();
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

impl Following {
    /// Writes a mark to the chain, with the time that manifests expire by: it never goes back.
    fn append(&mut self, audit: &Store, mark: &Mark) -> Result<(), FleetError> {
        let now = i64::try_from(self.clock.now(clocks()).as_millis()).unwrap_or(i64::MAX);
        Ok(audit.append_event(event(mark, now, String::new()))?)
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

pub(super) fn judge<'a>(
    fleet: &'a Name,
    keys: &'a [VerifyingKey],
    mark: Option<&'a Mark>,
    clock: &mut ExpiryClock,
    knows: &'a dyn Fn(&Digest) -> bool,
) -> Judge<'a> {
    Judge {
        fleet,
        keys,
        mark,
        now: clock.now(clocks()).as_secs(),
        own: own_release(),
        knows,
    }
}

/// Whether the revocations up to a head are known. Without an engine, only manifests that need none are taken.
pub(super) fn knows(engine: Option<&Part>) -> impl Fn(&Digest) -> bool {
    move |head| match engine {
        Some(engine) => engine.known().knows(head),
        None => *head == Revocations::first(),
    }
}

pub(super) fn expiry(manifest: &Manifest, clock: &mut ExpiryClock) -> Expiry {
    let clocks = clocks();
    Expiry::at(Duration::from_secs(manifest.expires), clock.now(clocks), &clocks)
}
