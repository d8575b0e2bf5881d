//! Judges the source of a fleet as a start does, for `tokenward config check`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokenward_fleet::accept::{Refused, accept};
use tokenward_fleet::freshness::ExpiryClock;
use tokenward_fleet::name::Name;
use tokenward_pdp::config::{Config, Fleet as Settings, FleetSource};

use super::clocks::clocks;
use super::engine::Part;
use super::error::FleetError;
use super::files::Files;
use super::member::{expiry, judge, knows, verifying_keys};
use super::source::Source;
use super::status;

/// What a source has, which a proxy would take.
pub(crate) struct Checked {
    /// A description.
    pub(crate) detail: String,
    /// Path or URL of the compiled policy.
    pub(crate) place: PathBuf,
    /// A copy of it, if it is not a file.
    copy: Option<PathBuf>,
}

impl Checked {
    /// File with the compiled policy.
    pub(crate) fn policy(&self) -> &Path {
        self.copy.as_ref().unwrap_or(&self.place)
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            let _ = fs::remove_file(copy);
        }
    }
}

/// Judges the source of a configuration as a start does. Changes nothing.
///
/// # Errors
/// The proxy would not take the manifest, or its compiled policy is another.
pub(crate) fn check(config: &Config, settings: &Settings) -> Result<Checked, FleetError> {
    let name: Name = settings.name.parse()?;
    let keys = verifying_keys(settings);
    let mark = Files::beside(&config.audit.path).mark()?;
    let mut clock = ExpiryClock::new(clocks(), Duration::ZERO);
    let engine = settings.engine.as_ref();
    let engine = engine.map(|engine| Part::open(settings, engine, &name, Files::beside(&config.audit.path)));
    let engine = engine.transpose()?;
    if let Some(engine) = &engine {
        engine.ask((settings.source == FleetSource::Nats).then_some(keys.as_slice()))?;
    }
    let source = Source::of(settings, engine.as_ref())?;
    let bytes = source.manifest()?;
    let knows = knows(engine.as_ref());
    let taken = accept(&bytes, &judge(&name, &keys, mark.as_ref(), &mut clock, &knows))?;
    let manifest = taken.verified.manifest();
    let version = manifest.version;
    // What a proxy has already is taken also after its end, and then decides about calls.
    if expiry(manifest, &mut clock).has_come(&clocks()) {
        let seconds = clock.now(clocks()).as_secs().saturating_sub(manifest.expires);
        return Err(Refused::Expired { version, seconds }.into());
    }
    let policy = source.artifact(manifest)?;
    let copy = source.has_no_files().then(|| copy(&policy)).transpose()?;
    Ok(Checked {
        detail: format!(
            "{name}: version {version}, expires {}",
            status::shown(manifest.expires)
        ),
        place: source.artifact_place(&manifest.digest),
        copy,
    })
}

/// Writes a compiled policy to a new file that only this user can read.
fn copy(policy: &[u8]) -> Result<PathBuf, FleetError> {
    let name = format!(
        "tokenward-{}-{}.twp",
        std::process::id(),
        clocks().boot.as_nanos()
    );
    let path = std::env::temp_dir().join(name);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(policy)
    };
    write().map_err(FleetError::file("write", &path))?;
    Ok(path)
}
