//! The active mode (SEMANTICS section 2) and its keys. They are read only at the start; a change that needs a restart
//! is reported.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokenward_compiler::artifact::Signers;
use tokenward_compiler::ceiling::Ceiling;
use tokenward_compiler::seal::Mode;
use tokenward_pdp::config::Config;

use super::pin::Pin;
use crate::config_file;

/// The mode and the signers from the start, and the configuration file, which may have changed since.
#[derive(Debug, Default)]
pub(crate) struct ModeInForce {
    mode: Mode,
    signers: Signers,
    ceiling: Ceiling,
    pin: Option<Arc<Pin>>,
    file: Option<PathBuf>,
    seen: Mutex<Option<(u64, SystemTime)>>,
}

impl ModeInForce {
    /// Takes mode and keys from a configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let mode = Self {
            mode: config.mode.clone(),
            signers: config.artifact_signers(),
            ceiling: config.tokens.ceiling(),
            pin: None,
            file: config.file.clone(),
            seen: Mutex::default(),
        };
        mode.file_changed();
        mode
    }

    /// Restricts compiled policies to those of a fleet.
    pub(crate) fn pinned(self, pin: Arc<Pin>) -> Self {
        Self {
            pin: Some(pin),
            ..self
        }
    }

    /// Whether a compiled policy of these bytes may be loaded.
    pub(super) fn admits(&self, bytes: &[u8]) -> bool {
        self.pin.as_ref().is_none_or(|pin| pin.admits(bytes))
    }

    /// Returns the mode in which policies are checked.
    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Returns the maximum that the configuration allows every token.
    pub(crate) fn ceiling(&self) -> &Ceiling {
        &self.ceiling
    }

    /// Returns the keys whose compiled policies are accepted.
    pub(crate) fn signers(&self) -> &Signers {
        &self.signers
    }

    /// Describes in a sentence how the configuration file now differs from the active mode; `None` if there is no
    /// difference, or the file cannot be used.
    pub(crate) fn waiting(&self) -> Option<String> {
        let now = config_file::load(self.file.as_deref()?).ok()?;
        let what = match (&self.mode, &now.mode) {
            (before, now_mode) if before == now_mode => {
                if self.signers == now.artifact_signers() {
                    return None;
                }
                "other `artifact_public_keys`".to_owned()
            }
            (Mode::Secure(_), Mode::Secure(_)) => "other `public_keys`".to_owned(),
            (_, now) => format!("mode = \"{}\"", name(now)),
        };
        Some(format!(
            "the configuration now says {what}; mode = \"{}\" and its keys stay in force until a restart",
            name(&self.mode)
        ))
    }

    /// Whether the configuration file has changed since the last call.
    pub(crate) fn file_changed(&self) -> bool {
        let looks = self.file.as_ref().and_then(|file| {
            let metadata = fs::metadata(file).ok()?;
            Some((metadata.len(), metadata.modified().ok()?))
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, looks) != looks
    }
}

/// Returns the name of a mode in the configuration.
pub(crate) fn name(mode: &Mode) -> &'static str {
    match mode {
        Mode::Standard => "standard",
        Mode::Secure(_) => "secure",
    }
}
