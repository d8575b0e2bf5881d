//! The part of `[fleet]` about NATS: servers, the node's name, revocations and freshness.

use std::path::PathBuf;
use std::time::Duration;

use tokenward_compiler::seal::PublicKey;
use toml::Spanned;
use toml::de::DeValue;

use super::super::fields::{Fields, Wrong};
use super::super::tls_files::{TlsFiles, files};
use super::super::value;

/// Default of `max_staleness`: an election takes 4 to 5 s, and up to 10 s until a client knows; three times that.
const MAX_STALENESS: Duration = Duration::from_secs(30);
/// Least `max_staleness`, so that a proof has time for its way.
const LEAST_STALENESS: Duration = Duration::from_secs(1);

/// Longest name of a fleet, in bytes.
const LONGEST_NAME: usize = 64;

/// The keys that need `servers`.
const KEYS: [&str; 7] = [
    "node",
    "client_certificate",
    "client_key",
    "revoking_keys",
    "revoking_key",
    "max_staleness",
    "on_stale",
];

/// The servers of the fleet's engine, and what the proxy does with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetEngine {
    /// URLs of the NATS servers.
    pub servers: Vec<String>,
    /// Name of this proxy in the fleet; `None` for a configuration that only publishes or revokes.
    pub node: Option<String>,
    /// The certificate that this client presents.
    pub client_certificate: Option<TlsFiles>,
    /// The public keys that sign revocations.
    pub revoking_keys: Vec<PublicKey>,
    /// The private key that signs the revocations made here.
    pub revoking_key: Option<PathBuf>,
    /// Largest age of a proof that all revocations are known.
    pub max_staleness: Duration,
    /// What happens to calls past `max_staleness`.
    pub on_stale: OnStale,
}

/// What happens to calls when the proof is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStale {
    /// They are refused.
    Refuse,
    /// They are served, and the log says so each minute.
    Serve,
}

/// Reads the keys, if `servers` is among them.
pub(super) fn engine(it: &mut Fields<'_>, from_engine: bool) -> Option<FleetEngine> {
    const ON_STALE: [(&str, OnStale); 2] = [("refuse", OnStale::Refuse), ("serve", OnStale::Serve)];
    let engine = FleetEngine {
        servers: it.or("servers", Vec::new(), |value| value::some_of(value, server_url)),
        node: it.optional("node", name),
        client_certificate: files(it, "client_certificate", "client_key"),
        revoking_keys: it.or("revoking_keys", Vec::new(), |value| {
            value::any_of(value, value::public_key)
        }),
        revoking_key: it.optional("revoking_key", value::path),
        max_staleness: it.or("max_staleness", MAX_STALENESS, staleness),
        on_stale: it.or("on_stale", OnStale::Refuse, |value| {
            value::choice(value, &ON_STALE)
        }),
    };
    if it.has("servers") {
        return Some(engine);
    }
    if from_engine {
        it.complain(
            &["source"],
            "`servers` is required in [fleet] when `source` is \"nats\"; for a directory of this name, write \"./nats\"".to_owned(),
        );
    }
    for key in KEYS.iter().filter(|key| it.has(key) && !is_default(key, &engine)) {
        it.complain(&[key], format!("`{key}` needs `servers` in [fleet]"));
    }
    None
}

/// Whether the key has its default: the commented configuration has it too.
fn is_default(key: &str, engine: &FleetEngine) -> bool {
    match key {
        "max_staleness" => engine.max_staleness == MAX_STALENESS,
        "on_stale" => engine.on_stale == OnStale::Refuse,
        "revoking_keys" => engine.revoking_keys.is_empty(),
        _ => false,
    }
}

fn staleness(value: &Spanned<DeValue<'_>>) -> Result<Duration, Wrong> {
    let duration = value::duration(value)?;
    if duration < LEAST_STALENESS {
        return Err(Wrong::at(
            value,
            "must be at least 1s: a proof has to reach a quorum",
        ));
    }
    Ok(duration)
}

/// Reads the URL of a server. Without TLS, anyone on the way could withhold revocations, so it is for this machine only.
fn server_url(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    let url = value::text(value)?;
    let host = |rest: &str| !rest.is_empty() && !rest.contains(['/', '@', '?', '#', ' ']);
    if url.strip_prefix("tls://").is_some_and(host) {
        return Ok(url);
    }
    let Some(rest) = url.strip_prefix("nats://").filter(|rest| host(rest)) else {
        return Err(Wrong::at(
            value,
            format!(
                "has `{url}`, which is not the URL of a NATS server; write tls://HOST:4222, without a user or a path"
            ),
        ));
    };
    let is_local = ["127.", "[::1]", "localhost"]
        .iter()
        .any(|local| rest.starts_with(local));
    if is_local {
        return Ok(url);
    }
    Err(Wrong::at(
        value,
        format!("has `{url}`, which is not encrypted; write tls://{rest} (nats:// is for this machine only)"),
    ))
}

/// Reads the name of a fleet. The crate of the fleet's rules has the same form.
pub(super) fn name(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    let text = value::text(value)?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let begins = text.bytes().next().is_some_and(is_plain);
    let continues = text
        .bytes()
        .all(|byte| is_plain(byte) || matches!(byte, b'-' | b'_'));
    if begins && continues && text.len() <= LONGEST_NAME {
        return Ok(text);
    }
    Err(Wrong::at(
        value,
        "must have 1 to 64 lower-case letters, digits, `-` and `_`, and begin with a letter or a digit",
    ))
}
