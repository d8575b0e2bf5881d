//! What a proxy keeps about the engine of its fleet, shared by the calls, the follower of manifests and the session.

use std::sync::Arc;

use tokenward_engine::EngineError;
use tokenward_fleet::name::Name;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Fleet, FleetEngine};

use super::first::first;
use super::fresh::Fresh;
use super::held::Held;
use super::known::Known;
use crate::fleet::error::FleetError;
use crate::fleet::files::Files;

/// A proxy's part in the engine of its fleet.
pub(crate) struct Part {
    pub(super) fleet: Fleet,
    pub(super) settings: FleetEngine,
    pub(super) revoking: Vec<VerifyingKey>,
    pub(super) known: Known,
    pub(super) fresh: Fresh,
    pub(super) held: Arc<Held>,
}

impl Part {
    /// Reads what the proxy knows. Changes nothing.
    ///
    /// # Errors
    /// The configuration names no node, or the file of revocations cannot be used.
    pub(crate) fn open(
        fleet: &Fleet,
        engine: &FleetEngine,
        name: &Name,
        files: Files,
    ) -> Result<Self, FleetError> {
        let Some(node) = &engine.node else {
            let why = "`node` is required in [fleet] for a proxy: each has a name of its own".to_owned();
            return Err(EngineError::Settings(why).into());
        };
        let keys = engine.revoking_keys.iter();
        let revoking: Vec<_> = keys.map(|key| VerifyingKey(key.to_bytes())).collect();
        Ok(Self {
            known: Known::open(files, name, &revoking)?,
            fresh: Fresh::new(node.parse()?, engine),
            held: Arc::default(),
            fleet: fleet.clone(),
            settings: engine.clone(),
            revoking,
        })
    }

    /// Reads revocations and, if `keys` are given, manifest and policy from the servers: a start needs them.
    ///
    /// # Errors
    /// The engine does not answer, or has no manifest.
    pub(crate) fn ask(&self, keys: Option<&[VerifyingKey]>) -> Result<(), EngineError> {
        let held = keys.map(|keys| (&*self.held, keys));
        first(&self.fleet, &self.settings, &self.known, held)
    }

    pub(crate) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }

    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    pub(crate) fn fresh(&self) -> &Fresh {
        &self.fresh
    }
}
