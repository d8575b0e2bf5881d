//! Key files, certificates and secrets that the configuration names.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokenward_audit::{PrivateFileError, SigningKey as AuditKey, read_private};
use tokenward_pdp::config::{Config, Identity, PasswordSource, TlsFiles};
use tokenward_pdp::plural::plural;

use super::super::descriptions::read_one;
use super::super::failure::Failure;
use super::item::{Item, Result, item};
use crate::admin_secret;
use crate::authoring::keys::{ArtifactKey, SealingKey, SigningKey};
use crate::serve::creatable;
use crate::tls::{Expiry, Pair, TlsError, certificates, contents};

pub(super) fn all(config: &Config) -> Vec<Item> {
    let mut items = certificates_of(config);
    items.push(item("admin secret", admin(&config.admin.secret_file)));
    if let Some(key) = &config.audit.signing_key {
        let read = AuditKey::read(key).map(|_| shown(key));
        items.push(item("audit key", Result::of(read)));
    }
    for secret in secrets(config) {
        items.push(item("secret file", private(secret)));
    }
    items.extend(keys(config));
    items.extend(descriptions(config));
    items
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn certificates_of(config: &Config) -> Vec<Item> {
    let mut items = Vec::new();
    let pairs = [
        ("certificate", &config.server.tls),
        ("admin certificate", &config.admin.tls),
        ("client certificate", &config.upstream.client_certificate),
    ];
    for (subject, files) in pairs {
        let Some(files) = files else { continue };
        let key = private(&files.key);
        // A key that cannot be used is reported once; the certificate is then checked without it.
        let checked = match &key {
            Result::Wrong(_) => authorities(&files.certificate),
            _ => certificate(files),
        };
        items.push(item(subject, checked));
        items.push(item("certificate key", key));
    }
    if let Some(people) = &config.admin.client_certificates {
        items.push(item("admin CA", authorities(&people.ca_file)));
    }
    if let Some(file) = &config.upstream.ca_file {
        items.push(item("upstream CA", authorities(file)));
    }
    if let Some(file) = config.fleet.as_ref().and_then(|fleet| fleet.ca_file.as_ref()) {
        items.push(item("fleet CA", authorities(file)));
    }
    if let Some(file) = config.fleet.as_ref().and_then(|fleet| fleet.token_file.as_ref()) {
        items.push(item("fleet token", private(file)));
    }
    items
}

fn certificate(files: &TlsFiles) -> Result {
    let certified = Pair::read(files).and_then(|pair| pair.certified(files));
    match certified {
        Ok(certified) => validity(&files.certificate, certified.cert.iter().map(AsRef::as_ref)),
        Err(error) => Result::Wrong(error.to_string()),
    }
}

fn authorities(file: &Path) -> Result {
    let read = contents(file).and_then(|bytes| certificates(&bytes, file));
    match read {
        Ok(all) => validity(file, all.iter().map(AsRef::as_ref)),
        Err(error) => Result::Wrong(TlsError::to_string(&error)),
    }
}

/// Checks the dates of the certificates of a file. The first one to end counts.
fn validity<'c>(file: &Path, certificates: impl Iterator<Item = &'c [u8]>) -> Result {
    let now = Timestamp::now();
    let mut first = None;
    for certificate in certificates {
        match Expiry::of(certificate, now) {
            Expiry::Unknown => {
                return Result::NotChecked(format!("{}: cannot read the dates", file.display()));
            }
            Expiry::Past(end) => {
                return Result::Wrong(format!("{}: a certificate has expired on {end}", file.display()));
            }
            Expiry::Soon(end) | Expiry::Later(end) => {
                first = Some(first.map_or(end, |first: Timestamp| first.min(end)));
            }
        }
    }
    let end = first
        .map(|end| format!(", valid until {end}"))
        .unwrap_or_default();
    Result::Right(format!("{}{end}", file.display()))
}

fn admin(path: &Path) -> Result {
    if path.exists() {
        return match admin_secret::read(path) {
            Ok(_) => private(path),
            Err(error) => Result::Wrong(error.to_string()),
        };
    }
    Result::of(creatable(path).map(|()| format!("{}: `serve` creates it", path.display())))
}

/// Files with secrets that the proxy reads and that have no check of their mode of their own.
fn secrets(config: &Config) -> Vec<&Path> {
    match &config.identity {
        Identity::TrustedHeader { .. } => Vec::new(),
        Identity::PerUser { credentials } => vec![credentials],
        Identity::ServiceAccount { password, .. } => match password {
            PasswordSource::File(file) => vec![file],
            PasswordSource::Environment(_) => Vec::new(),
        },
    }
}

/// Checks that the proxy would read a file with a secret: other users must not be able to.
fn private(path: &Path) -> Result {
    let shown = path.display();
    match read_private(path) {
        Ok(_) => Result::Right(shown.to_string()),
        Err(PrivateFileError::Exposed(exposed)) => Result::Wrong(format!("`{shown}`: {exposed}")),
        Err(PrivateFileError::Io(error)) => Result::Wrong(format!("cannot read `{shown}`: {error}")),
    }
}

/// Keys that only the commands need. They should not be on the proxy's machine.
fn keys(config: &Config) -> Vec<Item> {
    let mut items = Vec::new();
    let keys = &config.keys;
    for key in &keys.sealing {
        items.push(item(
            "sealing key",
            key_file(key, |key| SealingKey::read(key).map(drop)),
        ));
    }
    if let Some(key) = &keys.signing {
        items.push(item(
            "signing key",
            key_file(key, |key| SigningKey::read(key).map(drop)),
        ));
    }
    if let Some(key) = &keys.artifact {
        items.push(item(
            "artifact key",
            key_file(key, |key| ArtifactKey::read(key).map(drop)),
        ));
    }
    items
}

/// Descriptions of the API. Only commands read them.
fn descriptions(config: &Config) -> Vec<Item> {
    let read = |path: &PathBuf| {
        if !path.exists() {
            let text = format!("{}: not here; the proxy does not need it", path.display());
            return item("description", Result::Skipped(text));
        }
        let counted = read_one(path).and_then(|read| {
            let (file, losses) = (shown(path), read.losses().count());
            if let Some(first) = read.losses().next() {
                return Err(Failure::Usage(format!(
                    "{file}: operations may be missing because of {losses} {}, the first: {first}; `tokenward reach --defects` lists all",
                    plural(losses, "defect")
                )));
            }
            let count = read.operations.len();
            let defects = match read.defects.len() {
                0 => String::new(),
                count => format!(", {count} {} by which none is missing", plural(count, "defect")),
            };
            Ok(format!("{file}: {count} {}{defects}", plural(count, "operation")))
        });
        item(
            "description",
            Result::of(counted.map_err(|failure| failure.message().to_owned())),
        )
    };
    config.api.descriptions.iter().map(read).collect()
}

fn key_file<E: std::fmt::Display>(
    path: &Path,
    read: impl FnOnce(&Path) -> std::result::Result<(), E>,
) -> Result {
    if path.exists() {
        Result::of(read(path).map(|()| shown(path)))
    } else {
        Result::Skipped(format!(
            "{}: not here; the proxy does not need it",
            path.display()
        ))
    }
}
