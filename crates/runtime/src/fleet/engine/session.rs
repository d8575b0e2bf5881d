//! One session with the engine: the stream is read from its beginning, then followed. What is applied is proved by nonces.
//!
//! Each session reads the whole stream, so it also finds what the engine lost, whatever happened to it meanwhile. The stream has
//! one entry for each revoked secret and one manifest.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokenward_engine::control::{Kind, Stored};
use tokenward_engine::{Engine, EngineError};
use tokenward_fleet::Digest;
use tokenward_fleet::freshness::Nonce;
use tokenward_fleet::manifest::Verified;
use tokenward_fleet::proof::Proof;
use tokenward_fleet::revocation::Revocation;
use tokenward_pdp::config::FleetSource;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::part::Part;
use super::pending::Pending;
use super::told::Told;
use super::write_back::write_back;
use crate::fleet::member::Fleet;
use crate::live::Revocations;

/// Interval at which pending revocations are looked for, and failed work is tried again.
const LOOK: Duration = Duration::from_secs(1);
/// Entries that are applied at once while the stream is read.
const BATCH: usize = 1_000;
/// Own nonces that are remembered.
const NONCES: usize = 256;

/// What outlives a session.
pub(super) struct Follow {
    pub(super) fleet: Arc<Fleet>,
    pub(super) part: Arc<Part>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) pending: Pending,
    /// Makes the follower of manifests look.
    pub(super) look: Arc<dyn Fn() + Send + Sync>,
    pub(super) told: Told,
    pub(super) nonces: VecDeque<Nonce>,
}

/// A proof that is being appended; its place.
type Put = Pin<Box<dyn Future<Output = Result<u64, EngineError>> + Send>>;
/// A manifest, and the task that reads its policy.
type Fetching = (Vec<u8>, JoinHandle<Result<(), EngineError>>);

/// A proof on its way.
struct Flight {
    nonce: Nonce,
    sent: Instant,
    acknowledged: bool,
    seen: bool,
    put: Option<Put>,
}

/// The state of one session.
#[derive(Default)]
struct Session {
    /// The place up to which all is applied.
    applied: u64,
    /// Hashes whose entry in the stream is valid.
    valid: HashSet<Digest>,
    /// Places of entries that hide a revocation.
    hidden: HashMap<Digest, u64>,
    /// Entries that are not in force yet.
    batch: Vec<Digest>,
    flight: Option<Flight>,
    last_proof: Option<Instant>,
    /// Whether others wait for a proof.
    wants_proof: bool,
    /// Whether a nonce of this session was seen, so that all before it is applied.
    caught_up: bool,
    /// Whether the stream lacks entries that this proxy knows.
    lacks: bool,
    writing: Option<JoinHandle<Result<usize, EngineError>>>,
    /// The manifest whose policy is to be read.
    wanted: Option<Vec<u8>>,
    fetching: Option<Fetching>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(task) = &self.writing {
            task.abort();
        }
        if let Some((_, task)) = &self.fetching {
            task.abort();
        }
    }
}

impl Follow {
    /// Follows until something fails.
    ///
    /// # Errors
    /// Always: the reason for the end.
    pub(super) async fn session(&mut self, engine: &Engine) -> Result<Infallible, EngineError> {
        let mut lost = engine.connections();
        lost.mark_unchanged();
        let node = self.part.fresh.node().clone();
        self.part.known.begin_stream();
        let mut following = engine.follow(&node).await?;
        let mut session = Session::default();
        let every = self.part.fresh.interval();
        // A server that does not store a proof in this time is left for another one.
        let patience = (every * 2).clamp(Duration::from_secs(1), tokenward_engine::connect::DEADLINE);
        let mut ticks = tokio::time::interval(every.min(LOOK));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let acknowledged = async {
                match session.flight.as_mut().and_then(|flight| flight.put.as_mut()) {
                    Some(put) => put.await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = lost.changed() => {
                    return Err(EngineError::Failed { doing: "following the control stream", why: "the connection was lost".to_owned() });
                }
                stored = acknowledged => {
                    stored?;
                    if let Some(flight) = session.flight.as_mut() {
                        flight.put = None;
                        flight.acknowledged = true;
                    }
                }
                next = following.next() => {
                    let (kind, stored, rest) = next?;
                    self.apply(&mut session, kind, &stored)?;
                    if rest == 0 || session.batch.len() >= BATCH {
                        self.put_in_force(&mut session)?;
                    }
                    session.applied = stored.sequence;
                }
                _ = ticks.tick() => {
                    self.put_in_force(&mut session)?;
                    if session.flight.as_ref().is_some_and(|flight| flight.sent.elapsed() > patience) {
                        return Err(EngineError::Silent { doing: "storing a proof of freshness", within: patience });
                    }
                    self.look_again(&mut session, engine).await;
                }
            }
            self.prove(&mut session);
            if session
                .fetching
                .as_ref()
                .is_none_or(|(_, task)| task.is_finished())
                && let Some(bytes) = session.wanted.take()
            {
                self.fetch(&mut session, engine, bytes);
            }
            let is_due = session.wants_proof || session.last_proof.is_none_or(|last| last.elapsed() >= every);
            if is_due && session.flight.is_none() {
                self.put_in_force(&mut session)?;
                self.send_proof(&mut session, engine)?;
            }
        }
    }

    /// Applies one message. An entry that counts for nothing is told, and changes nothing.
    fn apply(&mut self, session: &mut Session, kind: Kind, stored: &Stored) -> Result<(), EngineError> {
        match kind {
            Kind::Manifest => self.manifest(session, &stored.bytes),
            Kind::Revocation(hash) => self.revocation(session, &hash, stored)?,
            Kind::Proof(_) => {
                // All before it must be in force.
                self.put_in_force(session)?;
                self.proof(session, &stored.bytes);
            }
            Kind::Other(subject) => self.ignore(&format!("nothing belongs at `{subject}`")),
        }
        Ok(())
    }

    fn ignore(&mut self, why: &str) {
        self.told.ignore(&self.part.fresh, why);
    }

    fn revocation(
        &mut self,
        session: &mut Session,
        hash: &Digest,
        stored: &Stored,
    ) -> Result<(), EngineError> {
        let part = Arc::clone(&self.part);
        let read = Revocation::read(&stored.bytes, self.fleet.name(), &part.revoking);
        let why = match read {
            Ok(entry) if entry.hash == *hash => {
                session.hidden.remove(hash);
                if !session.valid.insert(*hash) {
                    // It was written again, so the order of the stream is another one.
                    return Err(EngineError::Content(
                        "a revocation was written again; reading the stream again".to_owned(),
                    ));
                }
                if part.known.apply(&entry, &stored.bytes) {
                    session.batch.push(*hash);
                }
                self.pending.done(hash);
                return Ok(());
            }
            Ok(_) => "the entry at it is for another secret".to_owned(),
            Err(error) => error.to_string(),
        };
        if part.known.has(hash) {
            session.hidden.insert(*hash, stored.sequence);
            session.valid.remove(hash);
            session.lacks = true;
        }
        let shown = hex::encode(hash);
        let short = shown.get(..12).unwrap_or_default();
        self.ignore(&format!("revocation of sha256:{short}…: {why}"));
        Ok(())
    }

    /// Puts the batch in force, and then on disk. Only afterwards may it be acknowledged.
    fn put_in_force(&mut self, session: &mut Session) -> Result<(), EngineError> {
        if session.batch.is_empty() {
            return Ok(());
        }
        let failed = |why: String| EngineError::Failed {
            doing: "storing revocations on this machine",
            why,
        };
        self.revocations
            .add(session.batch.iter().copied())
            .map_err(|error| failed(error.to_string()))?;
        self.part
            .known
            .save()
            .map_err(|error| failed(error.to_string()))?;
        tracing::info!(count = session.batch.len(), "revocations of the fleet in force");
        session.batch.clear();
        session.wants_proof = true;
        // A manifest may have waited for them.
        (self.look)();
        Ok(())
    }

    fn manifest(&mut self, session: &mut Session, bytes: &[u8]) {
        if self.part.fleet.source != FleetSource::Nats {
            return;
        }
        session.wanted = Some(bytes.to_vec());
    }

    /// Reads the policy of a manifest, and offers both to the follower of manifests.
    fn fetch(&mut self, session: &mut Session, engine: &Engine, bytes: Vec<u8>) {
        let held = self.part.held();
        let offer = match Verified::read(&bytes, self.fleet.keys()) {
            Ok(verified) => {
                Some(verified.manifest().clone()).filter(|it| it.digest != self.fleet.in_force().1)
            }
            Err(_) => None,
        };
        // Only a signed length bounds what is read; the follower tells why it refuses another one.
        let Some(manifest) = offer else {
            held.offer(bytes);
            (self.look)();
            return;
        };
        let (engine, look, read) = (engine.clone(), Arc::clone(&self.look), bytes.clone());
        let task = tokio::spawn(async move {
            let policy = engine.policy(&manifest.digest, manifest.length).await?;
            held.keep(manifest.digest, policy);
            held.offer(read);
            look();
            Ok(())
        });
        session.fetching = Some((bytes, task));
    }

    fn proof(&mut self, session: &mut Session, bytes: &[u8]) {
        let Ok(proof) = Proof::read(bytes) else {
            self.ignore("the proof at this node's subject is not one");
            return;
        };
        if let Some(flight) = session
            .flight
            .as_mut()
            .filter(|flight| flight.nonce == proof.nonce)
        {
            flight.seen = true;
        } else if session.caught_up && !self.nonces.contains(&proof.nonce) {
            self.ignore(&format!(
                "another proxy proves as node `{}`; each needs a name of its own",
                self.part.fresh.node()
            ));
        }
    }

    /// Counts a proof that was acknowledged and seen.
    fn prove(&mut self, session: &mut Session) {
        let is_proven = |flight: &mut Flight| flight.acknowledged && flight.seen;
        let Some(flight) = session.flight.take_if(is_proven) else {
            return;
        };
        self.part.fresh.proven(&flight.nonce);
        if !session.caught_up {
            session.caught_up = true;
            session.lacks = true;
            tracing::info!(
                node = self.part.fresh.node().as_str(),
                "following the fleet's stream"
            );
        }
    }

    fn send_proof(&mut self, session: &mut Session, engine: &Engine) -> Result<(), EngineError> {
        let mut nonce = Nonce::default();
        getrandom::fill(&mut nonce)
            .map_err(|error| EngineError::Settings(format!("no randomness: {error}")))?;
        let (version, digest) = self.fleet.in_force();
        let node = self.part.fresh.node().clone();
        let proof = Proof {
            fleet: self.fleet.name().clone(),
            node: node.clone(),
            nonce,
            applied: session.applied,
            version,
            digest,
            revocations: self.part.known.head(),
        };
        if self.nonces.len() == NONCES {
            self.nonces.pop_front();
        }
        self.nonces.push_back(nonce);
        session.wants_proof = false;
        session.last_proof = Some(Instant::now());
        self.part.fresh.sending(nonce);
        let engine = engine.clone();
        session.flight = Some(Flight {
            nonce,
            sent: Instant::now(),
            acknowledged: false,
            seen: false,
            put: Some(Box::pin(
                async move { engine.put_proof(&node, proof.bytes()).await },
            )),
        });
        Ok(())
    }

    /// Does what is left to do: policies to read, entries to write back, pending revocations to send.
    async fn look_again(&mut self, session: &mut Session, engine: &Engine) {
        if let Some((bytes, task)) = session.fetching.take_if(|(_, task)| task.is_finished())
            && let Ok(Err(error)) = task.await
        {
            self.ignore(&format!("the policy of the manifest cannot be read: {error}"));
            // Unless another one came meanwhile.
            session.wanted.get_or_insert(bytes);
        }
        if session.writing.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(task) = session.writing.take()
        {
            match task.await {
                Ok(Ok(0)) => {}
                Ok(Ok(count)) => tracing::warn!(
                    count,
                    "revocations that the fleet's stream lacked were written back"
                ),
                Ok(Err(error)) => {
                    session.lacks = true;
                    self.ignore(&format!("revocations cannot be written to the stream: {error}"));
                }
                Err(_) => {}
            }
        }
        if !session.caught_up || session.writing.is_some() {
            return;
        }
        let mut entries = Vec::new();
        for bytes in self.pending.all() {
            match Revocation::read(&bytes, self.fleet.name(), &self.part.revoking) {
                Ok(entry) if session.valid.contains(&entry.hash) => self.pending.done(&entry.hash),
                Ok(entry) => {
                    // On this machine it need not wait for the stream.
                    let _ = self.revocations.add([entry.hash]);
                    entries.push((entry.hash, bytes));
                }
                Err(error) => self.ignore(&format!("a pending revocation counts for nothing: {error}")),
            }
        }
        if session.lacks {
            session.lacks = false;
            entries.extend(self.part.known.entries(|hash| !session.valid.contains(hash)));
        }
        if !entries.is_empty() {
            let (engine, hidden) = (engine.clone(), session.hidden.clone());
            let part = Arc::clone(&self.part);
            session.writing = Some(tokio::spawn(async move {
                write_back(&engine, entries, &hidden, &part.revoking).await
            }));
        }
    }
}
