//! `[fleet]`: the fleet that the proxy belongs to.

mod engine;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokenward_compiler::BaseUrl;
use tokenward_compiler::seal::PublicKey;
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Wrong};
use super::value;
pub use engine::{FleetEngine, OnStale};

/// The `source` that stands for the servers.
const NATS: &str = "nats";

/// The fleet that the proxy belongs to, and the source of its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// Name of the fleet, as manifests have it.
    pub name: String,
    /// The source of manifests and compiled policies.
    pub source: FleetSource,
    /// Authorities that sign the certificates of an HTTPS source and of the engine's servers, in PEM; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
    /// File with the bearer token for an HTTPS source.
    pub token_file: Option<PathBuf>,
    /// NATS, which has the revocations and proofs of freshness; `None` if they are separate for each proxy.
    pub engine: Option<FleetEngine>,
    /// The public keys that sign manifests.
    pub public_keys: Vec<PublicKey>,
    /// Interval at which the source is read, in addition to notifications.
    pub poll: Duration,
    /// What happens to calls when the manifest has expired.
    pub on_expired: OnExpired,
}

/// The source of a fleet's manifests and compiled policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FleetSource {
    /// A directory that `tokenward publish` writes, or a copy of it.
    Directory(PathBuf),
    /// A copy of it on an HTTPS server.
    Https(BaseUrl),
    /// The servers of [`FleetEngine`].
    Nats,
}

impl FleetSource {
    /// The directory, if it is one.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) => Some(path),
            Self::Https(_) | Self::Nats => None,
        }
    }

    /// Reads a directory or a URL.
    ///
    /// # Errors
    /// It is a URL of another kind. The reason does not quote the text, which may contain a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text == NATS {
            return Ok(Self::Nats);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Directory(PathBuf::from(text)));
        };
        if !scheme.eq_ignore_ascii_case("https") {
            return Err("must be a directory or an https:// URL");
        }
        if rest.contains('@') {
            return Err(
                "must not contain a name or a password; put a bearer token into a file, and specify it with `token_file`",
            );
        }
        BaseUrl::parse(text).map(Self::Https).map_err(
            |_| "must be the https:// URL of a directory: host, port and a plain path, without a query",
        )
    }
}

impl Default for FleetSource {
    fn default() -> Self {
        Self::Directory(PathBuf::new())
    }
}

impl fmt::Display for FleetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Https(url) => url.fmt(f),
            Self::Nats => f.write_str(NATS),
        }
    }
}

/// What happens to calls when the manifest has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExpired {
    /// They are refused.
    Refuse,
    /// They are served by the expired policy, and the log says so each minute.
    Serve,
}

/// Reads the section, if the file has it.
pub(super) fn fleet(it: &mut Fields<'_>) -> Option<Fleet> {
    const ON_EXPIRED: [(&str, OnExpired); 2] = [("refuse", OnExpired::Refuse), ("serve", OnExpired::Serve)];
    const REQUIRED: [&str; 3] = ["name", "source", "public_keys"];
    it.section("fleet", |it| {
        let is_there = REQUIRED.iter().any(|key| it.has(key));
        let source = it.optional("source", source).unwrap_or_default();
        let fleet = Fleet {
            name: it.optional("name", engine::name).unwrap_or_default(),
            engine: engine::engine(it, source == FleetSource::Nats),
            source,
            ca_file: it.optional("ca_file", value::path),
            token_file: it.optional("token_file", value::path),
            public_keys: it.or("public_keys", Vec::new(), |value| {
                value::any_of(value, value::public_key)
            }),
            poll: it.or("poll", Duration::from_secs(5), value::duration),
            on_expired: it.or("on_expired", OnExpired::Refuse, |value| {
                value::choice(value, &ON_EXPIRED)
            }),
        };
        for key in REQUIRED.iter().filter(|key| is_there && !it.has(key)) {
            it.complain(&REQUIRED, format!("`{key}` is required in [fleet]"));
        }
        if is_there && it.has("public_keys") && fleet.public_keys.is_empty() {
            let message = "`public_keys` of [fleet] is empty, so no manifest would be accepted; `tokenward keys new fleet` prints one";
            it.complain(&["public_keys"], message.to_owned());
        }
        let is_https = matches!(fleet.source, FleetSource::Https(_));
        if !is_https && fleet.engine.is_none() && it.has("ca_file") {
            it.complain(&["ca_file"], "`ca_file` needs a `source` of https://, or `servers`".to_owned());
        }
        if !is_https && it.has("token_file") {
            it.complain(&["token_file"], "`token_file` needs a `source` of https://".to_owned());
        }
        is_there.then_some(fleet)
    })
}

/// Reads the place of the published files.
fn source(value: &Spanned<DeValue<'_>>) -> Result<FleetSource, Wrong> {
    let text = value::path(value)?;
    FleetSource::parse(&text.to_string_lossy()).map_err(|why| Wrong::at(value, why))
}
