//! The proxy's settings: `tokenward.toml`, parsed and checked. Paths are resolved relative to the file, and values are
//! validated. The file `tokenward.toml` in the repository's root documents each key.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::artifact::Signers;
use tokenward_compiler::seal::PublicKey;

pub mod admin_secret;
mod default;
mod error;
mod fields;
mod keys;
mod load;
mod password;
mod server;
mod value;
mod values;

pub use error::{ConfigError, Problem};
pub use tokenward_audit::{Config as AuditConfig, Durability, OnFailure};

pub use password::PasswordSource;
pub use value::parse_duration;
pub use values::{Values, ValuesError};

pub use tokenward_compiler::seal::Mode;

pub use crate::request::{ClientAddress, Product, Relax};

/// Every setting, each with a value. [`Config::default`] is what an empty file means.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that all this was read from, if it was.
    pub file: Option<PathBuf>,
    /// The directory of the policy files.
    pub policies: PathBuf,
    /// How tokens are kept. Read at the start only.
    pub mode: Mode,
    /// Keys of tokens and of compiled policies.
    pub keys: Keys,
    /// The listener for clients.
    pub server: Server,
    /// The listener for operators.
    pub admin: Admin,
    /// The protected REST API.
    pub upstream: Upstream,
    /// How the upstream learns on whose behalf a call is made.
    pub identity: Identity,
    /// How clients show their tokens.
    pub auth: Auth,
    /// Where calls are recorded, and what happens when that fails.
    pub audit: AuditConfig,
    /// How the audit stores the values that calls contain.
    pub audit_values: Values,
    /// Sizes and times past which a request is refused.
    pub limits: Limits,
    /// Refusals that are lifted for an upstream that needs it, the product's own among them.
    pub relax: Relax,
    /// Content of responses to clients.
    pub answers: Answers,
    /// The log of the proxy.
    pub log: Log,
    /// Export of spans for OpenTelemetry.
    pub telemetry: Telemetry,
}

/// The keys of tokens and of compiled policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Standard mode: encrypt secrets, so that they can be shown again. The first does, all can show.
    pub sealing: Vec<PathBuf>,
    /// Secure mode, where tokens are made: signs them.
    pub signing: Option<PathBuf>,
    /// The key that signs compiled policies, on the machine that makes them.
    pub artifact: Option<PathBuf>,
    /// The keys by which compiled policies are accepted.
    pub artifact_public: Vec<PublicKey>,
}

impl Config {
    /// The keys whose compiled policies are accepted. Secure mode accepts only signed ones, even if no key is
    /// configured.
    #[must_use]
    pub fn artifact_signers(&self) -> Signers {
        match self.mode {
            Mode::Standard if self.keys.artifact_public.is_empty() => Signers::Anyone,
            Mode::Standard | Mode::Secure(_) => Signers::Keys(self.keys.artifact_public.clone()),
        }
    }
}

/// The listener for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Worker threads; 0 means one for each processor.
    pub workers: usize,
    /// Time that requests in progress get to finish when the proxy is stopped.
    pub shutdown_grace: Duration,
    /// Proxies that are trusted to name the client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they name it.
    pub client_address: ClientAddress,
    /// The certificate that clients are shown; absent: TLS is not spoken.
    pub tls: Option<TlsFiles>,
}

/// A certificate and its private key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// Path of the private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// Where operators call: health, audit reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Address to listen on; a loopback address.
    pub listen: SocketAddr,
    /// Holds the admin secret in one line; made by `serve` if it is absent.
    pub secret_file: PathBuf,
}

/// The protected REST API.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// `http://host:port[/context]` or `https://…`, without a final `/`. If there are several, they differ only in host
    /// and port.
    pub urls: Vec<String>,
    /// The path, and perhaps query, by which each is asked whether it is well; absent: it is not.
    pub health_path: Option<String>,
    /// Interval between health checks.
    pub health_interval: Duration,
    /// The URL that clients call, and that policy lines match.
    pub public_url: BaseUrl,
    /// Paths below the base URL that are served, each exact or ending in `/*`; empty: the product's own.
    pub endpoints: Vec<String>,
    /// The kind of product, whose behaviour the proxy knows.
    pub product: Product,
    /// The `Host` header sent upstream; absent: the public URL's authority.
    pub host: Option<String>,
    /// The authorities that sign the upstream's certificate, in PEM; absent: those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The certificate that the proxy presents to the upstream.
    pub client_certificate: Option<TlsFiles>,
    /// Query parameters, beyond the product's, that would name credentials or another identity: refused.
    pub refused_parameters: Vec<String>,
    /// Headers, beyond the product's, that would: refused.
    pub refused_headers: Vec<String>,
    /// Top-level members of JSON bodies, beyond the product's, that would: refused.
    pub refused_members: Vec<String>,
    /// Names that the product's preset refuses and this upstream does not read so.
    pub accepted_names: Vec<String>,
}

impl Upstream {
    /// Whether its URLs are `https`.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.urls.iter().any(|url| url.starts_with("https://"))
    }
}

/// How the upstream learns on whose behalf a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A header with the user's name, which the upstream accepts only from the proxy.
    TrustedHeader {
        /// Name of the header.
        header: String,
    },
    /// The user's own credentials at the upstream.
    PerUser {
        /// A TOML file: user name to `{ basic = "user:password" }` or `{ token = "…" }`.
        credentials: PathBuf,
    },
    /// One account for all, and a header with the user's name.
    ServiceAccount {
        /// Name of the account.
        user: String,
        /// Source of its password.
        password: PasswordSource,
        /// The header with the user's name: `contextUser`.
        header: String,
    },
}

/// How clients show their tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The accepted authentication schemes.
    pub methods: Methods,
    /// The query parameter that may contain the token; absent if none may.
    pub query_parameter: Option<String>,
    /// Whether the product's own header (`PRIVATE-TOKEN`, `X-Redmine-API-Key`) may carry the token.
    pub product_header: bool,
    /// Users whose part no token and no `contextUser` may take: administrators.
    pub never_act_as: Vec<String>,
    /// How credentials that fail again and again are slowed.
    pub throttling: Throttling,
}

/// How credentials that fail again and again are slowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// Number of failures of one address per window that are answered immediately; 0 for all.
    pub attempts: u32,
    /// Length of the window.
    pub window: Duration,
    /// Each further one is answered so much later.
    pub delay: Duration,
}

/// The accepted authentication schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// `Authorization: Basic`, user name and token.
    Basic,
    /// `Authorization: Bearer` with only the token.
    Bearer,
    /// Both schemes.
    Both,
}

impl Methods {
    /// Whether `Authorization: Basic` is accepted.
    #[must_use]
    pub fn basic(self) -> bool {
        !matches!(self, Self::Bearer)
    }

    /// Whether `Authorization: Bearer` is accepted.
    #[must_use]
    pub fn bearer(self) -> bool {
        !matches!(self, Self::Basic)
    }
}

/// Sizes (bytes) and times past which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body that a policy inspects.
    pub inspect_bytes: usize,
    /// The largest body of a request that is sent on; absent: any.
    pub body_bytes: Option<u64>,
    /// Query parameters of one request.
    pub query_pairs: usize,
    /// Request line and headers together.
    pub head_bytes: usize,
    /// Header fields of one request.
    pub header_count: usize,
    /// From the connection's opening, or a request's first byte, to the end of its head.
    pub head_timeout: Duration,
    /// The longest pause within a body, either way.
    pub body_timeout: Duration,
    /// Bytes a second that a request's body must bring while it is waited for; 0 asks for none.
    pub body_rate: u32,
    /// From the asking for a connection to the upstream to its being there, TLS aside.
    pub connect_timeout: Duration,
    /// From the end of the request to the head of the upstream's answer.
    pub upstream_timeout: Duration,
    /// The longest pause between two requests of one connection.
    pub idle_timeout: Duration,
    /// Connections of clients at one time.
    pub max_connections: usize,
    /// Connections of one client at one time; a trusted proxy has no such limit.
    pub max_connections_per_client: usize,
    /// Maximum number of concurrent requests on one HTTP/2 connection.
    pub http2_streams: u32,
    /// How many more requests of an HTTP/2 connection may be given up by the client than answered.
    pub http2_resets: u32,
}

/// Content of responses to clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Refusals name the nearest policy line.
    pub show_policy: bool,
    /// Origins whose CORS preflights the proxy answers.
    pub cors_origins: Vec<String>,
    /// Links to the upstream's own origin in JSON answers become public.
    pub rewrite_links: bool,
}

/// Export of spans for OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// The URL that a collector takes OTLP over HTTP at; `None` sends none.
    pub otlp_endpoint: Option<String>,
    /// The name that the spans bear.
    pub service_name: String,
}

/// The proxy's own log, on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Format of the log.
    pub format: LogFormat,
    /// A level, which is then Tokenward's own, or a filter of all as in `RUST_LOG`: `info`, `info,hyper=debug`.
    pub level: String,
    /// Whether there is a line for each call.
    pub calls: CallLog,
}

/// At which level there is a line for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallLog {
    /// Calls are not logged; the audit has all of them.
    Off,
    /// Calls are logged at level `info`.
    Info,
    /// Calls are logged at level `debug`.
    Debug,
}

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests;
