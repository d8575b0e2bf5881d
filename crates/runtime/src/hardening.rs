//! Restricts the process of `serve` to what its configuration needs, as far as the kernel can: files and TCP ports by
//! Landlock, and attributes of the process. A fault in a parser then reaches no more than the proxy itself does.

mod grants;
mod kernel;
mod links;

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::OnceLock;

use tokenward_pdp::config::{Config, Hardening};

use grants::{DirectoryError, Grants};
use kernel::Held;

/// The directories that the process can read, once it is restricted. A restriction belongs to the process and is never
/// lifted, so its record belongs to the process too.
static READABLE: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// Reason why the process is not restricted as the configuration demands.
#[derive(Debug, thiserror::Error)]
pub enum HardeningError {
    /// The system cannot enforce a part, and `hardening = "required"`.
    #[error(
        "[server] hardening = \"required\", but this system does not enforce all of it: {0}; use a kernel that does, or set \"best-effort\""
    )]
    Incomplete(String),
    /// A directory that the restriction needs cannot be created.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// Restricts the process, and logs in one line what is enforced. It has to be called before any thread is started: Landlock
/// restricts the calling thread and the threads that it starts later.
///
/// # Errors
/// The configuration requires more than the system enforces, or a directory cannot be created.
pub(crate) fn apply(config: &Config) -> Result<(), HardeningError> {
    let level = config.server.hardening;
    if level == Hardening::Off {
        tracing::warn!("hardening: disabled by [server] hardening");
        return Ok(());
    }
    let grants = Grants::of(config)?;
    let held = kernel::restrict(&grants);
    let missing = held.missing.join("; ");
    if level == Hardening::Required && !missing.is_empty() {
        return Err(HardeningError::Incomplete(missing));
    }
    log(&held, &missing, &grants);
    if held.files {
        let readable = grants.read.iter().chain(&grants.write).cloned().collect();
        // A second call in one process adds a restriction; the first record stays valid.
        let _ = READABLE.set(readable);
    }
    Ok(())
}

/// Returns the reason why this kernel cannot enforce all restrictions, if there is one. Restricts nothing.
pub(crate) fn unsupported() -> Option<String> {
    kernel::unsupported()
}

fn log(held: &Held, missing: &str, grants: &Grants) {
    let holds = held.holds.join(", ");
    let (read, write) = (shown(&grants.read), shown(&grants.write));
    if missing.is_empty() {
        tracing::info!(holds, read, write, "hardening: fully enforced");
    } else {
        tracing::warn!(holds, missing, read, write, "hardening: only partly enforced");
    }
}

fn shown<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> String {
    let paths: Vec<String> = paths.into_iter().map(|path| path.display().to_string()).collect();
    paths.join(":")
}

/// Returns the advice to be appended to the message of an error, if the restriction may be its cause; otherwise nothing.
pub(crate) fn advice(error: &(dyn Error + 'static)) -> String {
    let Some(readable) = READABLE.get().filter(|_| is_denial(error)) else {
        return String::new();
    };
    format!(
        "; the hardening of this process may be the cause: since its start it opens files only below {}. \
         If the file was moved elsewhere, restart the proxy, or set [server] hardening = \"off\"",
        shown(readable)
    )
}

/// Whether the system denied the access, in this error or in one that caused it.
fn is_denial(error: &(dyn Error + 'static)) -> bool {
    let denied = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::PermissionDenied);
    denied || error.source().is_some_and(is_denial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::TlsError;

    #[test]
    fn a_denial_is_recognised_through_its_wrappers() {
        let denied = |kind| TlsError::Unreadable {
            path: PathBuf::from("k.pem"),
            source: io::Error::from(kind),
        };
        assert!(is_denial(&denied(ErrorKind::PermissionDenied)));
        assert!(!is_denial(&denied(ErrorKind::NotFound)));
    }

    #[test]
    fn a_process_without_restrictions_blames_none() {
        let error = io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(advice(&error), "");
    }
}
