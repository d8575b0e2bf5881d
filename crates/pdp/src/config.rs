//! The proxy's settings: `tokenward.toml`, parsed and checked. Paths are resolved relative to the file, and values are
//! validated. The file `tokenward.toml` in the repository's root documents each key.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::artifact::Signers;
use tokenward_compiler::seal::PublicKey;

mod admin;
mod default;
mod error;
mod fields;
mod fleet;
mod keys;
mod lint;
mod load;
mod password;
pub mod reading;
mod server;
mod tls_files;
mod tokens;
pub mod universe;
mod value;
mod values;

pub use error::{ConfigError, Problem};
pub use fields::LogFilter;
pub use fleet::{Fleet, FleetEngine, FleetSource, OnExpired, OnStale};
pub use tokenward_audit::{Config as AuditConfig, Durability, OnFailure};

pub use lint::{Lint, LintException};
pub use password::PasswordSource;
pub use tls_files::TlsFiles;
pub use tokens::Tokens;
pub use value::parse_duration;
pub use values::Values;

pub use tokenward_compiler::seal::Mode;

pub use crate::request::{ClientAddress, Product, Relax};

/// All settings, each with a value. [`Config::default`] contains the values of an empty file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that the settings were read from, if any.
    pub file: Option<PathBuf>,
    /// The directory of the policy files.
    pub policies: PathBuf,
    /// Whether `compile` fails on warnings. The proxy loads a policy with warnings in any case.
    pub deny_warnings: bool,
    /// The lints of `compile`.
    pub lint: Lint,
    /// How tokens are stored. This is read only at the start.
    pub mode: Mode,
    /// Keys of tokens and of compiled policies.
    pub keys: Keys,
    /// The fleet that the proxy belongs to; `None` if it loads the policy of `policies`.
    pub fleet: Option<Fleet>,
    /// What every token is allowed at most.
    pub tokens: Tokens,
    /// The listener for clients.
    pub server: Server,
    /// The listener for operators.
    pub admin: Admin,
    /// The listener for health checks.
    pub health: Health,
    /// The protected REST API.
    pub upstream: Upstream,
    /// Descriptions of that API.
    pub api: Api,
    /// How the upstream learns on whose behalf a call is made.
    pub identity: Identity,
    /// How clients present their tokens.
    pub auth: Auth,
    /// Where calls are recorded, and what happens when that fails.
    pub audit: AuditConfig,
    /// How the audit stores the values that calls contain.
    pub audit_values: Values,
    /// Sizes and times beyond which a request is refused.
    pub limits: Limits,
    /// Refusals that are lifted for an upstream that needs it, including those that its product lifts.
    pub relax: Relax,
    /// Content of responses to clients.
    pub answers: Answers,
    /// The log of the proxy.
    pub log: Log,
    /// Export of spans for OpenTelemetry.
    pub telemetry: Telemetry,
}

/// Descriptions of the protected API, for commands and pages of the console that name its operations. Decisions do not depend on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// OpenAPI or Swagger documents, in JSON or YAML.
    pub descriptions: Vec<PathBuf>,
}

/// The keys of tokens and of compiled policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Keys of standard mode that encrypt secrets, so that they can be shown again. The first one encrypts; all of them
    /// can decrypt.
    pub sealing: Vec<PathBuf>,
    /// The key that signs tokens in secure mode, on the machine that creates them.
    pub signing: Option<PathBuf>,
    /// The key that signs compiled policies, on the machine that builds them.
    pub artifact: Option<PathBuf>,
    /// The public keys whose compiled policies are accepted.
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
    /// The source of the client's address when a trusted proxy reports it.
    pub client_address: ClientAddress,
    /// The certificate for clients; `None` disables TLS.
    pub tls: Option<TlsFiles>,
    /// How the process restricts itself.
    pub hardening: Hardening,
}

/// How the process restricts itself to what its configuration needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardening {
    /// The process does not restrict itself.
    Off,
    /// The process restricts itself as far as the kernel can.
    BestEffort,
    /// If the kernel cannot enforce all restrictions, the proxy does not start.
    Required,
}

/// The listener for operators: health checks and audit queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The address to listen on; without TLS always a loopback address.
    pub listen: SocketAddr,
    /// The file with the admin secret in one line; `serve` creates it if it is missing.
    pub secret_file: PathBuf,
    /// Names under which browsers and tools reach the listener, in addition to its address.
    pub names: Vec<String>,
    /// Directories and compiled policies that the console may compare with the active policy.
    pub review: Vec<PathBuf>,
    /// The certificate of the listener; `None` disables TLS.
    pub tls: Option<TlsFiles>,
    /// People who are admitted by a client certificate; needs TLS.
    pub client_certificates: Option<ClientCertificates>,
    /// People who are admitted by a header of a proxy that authenticates them.
    pub identity: Option<AdminIdentity>,
}

/// People who are admitted to the admin listener by a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// The authorities that sign the certificates, in PEM.
    pub ca_file: PathBuf,
    /// Roles by the SHA-256 fingerprint of the certificate.
    pub roles: BTreeMap<[u8; 32], Role>,
}

/// People who are admitted to the admin listener by a header of a proxy that authenticates them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminIdentity {
    /// Name of the header with the person's name, in lower case.
    pub header: String,
    /// The proxies that may send the header.
    pub proxies: Vec<IpNet>,
    /// Roles by the person's name. Other people are not admitted.
    pub roles: BTreeMap<String, Role>,
}

/// The rights of a person at the admin listener. Each role has those of the roles before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything.
    Viewer,
    /// Also revokes tokens.
    Revoker,
    /// Also exports and verifies the audit, drafts tokens and limits, and compares policies.
    Operator,
}

impl Role {
    /// All roles, with their names.
    pub const NAMES: [(&str, Self); 3] = [
        ("viewer", Self::Viewer),
        ("revoker", Self::Revoker),
        ("operator", Self::Operator),
    ];

    /// The name of the role.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Revoker => "revoker",
            Self::Operator => "operator",
        }
    }
}

/// The listener for health checks. It answers only whether the proxy runs and serves, so other machines may reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The address to listen on; `None` if there is no such listener.
    pub listen: Option<SocketAddr>,
}

/// The protected REST API.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// The base URLs `http://host:port[/context]` or `https://…`, without a final `/`. If there are several, they
    /// differ only in host and port.
    pub urls: Vec<String>,
    /// The path, with an optional query, of the health check of each URL; `None` disables health checks.
    pub health_path: Option<String>,
    /// Interval between health checks.
    pub health_interval: Duration,
    /// The URL that clients call, and that policy lines match.
    pub public_url: BaseUrl,
    /// Paths below the base URL that the proxy serves, each exact or ending in `/*`. If empty, the product's own are
    /// served.
    pub endpoints: Vec<String>,
    /// Paths below the base URL whose responses may pause for as long as an event stream, each exact or ending in `/*`.
    pub streams: Vec<String>,
    /// The product at the upstream, whose behaviour the proxy knows.
    pub product: Product,
    /// The `Host` header for the upstream; `None` uses the public URL's authority.
    pub host: Option<String>,
    /// The authorities that sign the upstream's certificate, in PEM; `None` uses those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The certificate that the proxy presents to the upstream.
    pub client_certificate: Option<TlsFiles>,
    /// Query parameters that are refused in addition to the product's, since they would name credentials or another
    /// identity.
    pub refused_parameters: Vec<String>,
    /// Headers that are refused in addition to the product's, since they would name credentials or another identity.
    pub refused_headers: Vec<String>,
    /// Top-level members of JSON bodies that are refused in addition to the product's, since they would name
    /// credentials or another identity.
    pub refused_members: Vec<String>,
    /// Names that the product's preset refuses but that this upstream does not interpret that way; they are accepted.
    pub accepted_names: Vec<String>,
}

impl Upstream {
    /// Whether the URLs use `https`.
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

/// How clients present their tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The accepted authentication schemes.
    pub methods: Methods,
    /// The query parameter that may contain the token; `None` if no parameter may.
    pub query_parameter: Option<String>,
    /// Whether the product's own header (`PRIVATE-TOKEN`, `X-Redmine-API-Key`) may contain the token.
    pub product_header: bool,
    /// Further schemes of `Authorization` that carry the token alone, in lower case.
    pub schemes: Vec<String>,
    /// Users, such as administrators, that no token and no `contextUser` may act as.
    pub never_act_as: Vec<String>,
    /// Delays for repeated authentication failures.
    pub throttling: Throttling,
}

/// Delays for repeated authentication failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// Number of failures of one address per window that are answered immediately; 0 if all are.
    pub attempts: u32,
    /// Length of the window.
    pub window: Duration,
    /// Delay of the response to each further failure.
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

/// Sizes (in bytes) and times beyond which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body that a policy inspects.
    pub inspect_bytes: usize,
    /// Total size of the request bodies that the process keeps in memory, inspected and read ahead.
    pub inspected_total: usize,
    /// The largest request body that is forwarded; `None` for any size.
    pub body_bytes: Option<u64>,
    /// Maximum number of query parameters of a request.
    pub query_pairs: usize,
    /// Maximum size of the request line and the headers together.
    pub head_bytes: usize,
    /// Maximum number of header fields of a request.
    pub header_count: usize,
    /// Time from the opening of the connection, or a request's first byte, to the end of the request's head.
    pub head_timeout: Duration,
    /// The longest pause within a body, in either direction.
    pub body_timeout: Duration,
    /// The longest pause within a response that is a stream: of type `text/event-stream`, or of `Upstream::streams`.
    pub stream_timeout: Duration,
    /// Minimum rate in bytes per second at which an awaited request body must arrive; 0 for no minimum.
    pub body_rate: u32,
    /// Minimum rate in bytes per second at which a client must read a response while it is waited for; 0 for no minimum.
    pub answer_rate: u32,
    /// Time to connect to the upstream, without TLS.
    pub connect_timeout: Duration,
    /// Time from the end of the request to the head of the upstream's response.
    pub upstream_timeout: Duration,
    /// The longest pause between two requests on one connection.
    pub idle_timeout: Duration,
    /// Maximum number of concurrent client connections.
    pub max_connections: usize,
    /// Maximum number of concurrent connections of one client; a trusted proxy has no such limit.
    pub max_connections_per_client: usize,
    /// Maximum number of concurrent connections of one /56 network of IPv6.
    pub max_connections_per_56: usize,
    /// Maximum number of concurrent connections of one /48 network of IPv6.
    pub max_connections_per_48: usize,
    /// Maximum number of calls in progress; `None` for as many as connections, or fewer if there is little memory.
    pub max_calls: Option<usize>,
    /// Maximum number of concurrent requests on one HTTP/2 connection.
    pub http2_streams: u32,
    /// Number of requests on one HTTP/2 connection that the client may cancel in excess of those answered.
    pub http2_resets: u32,
}

/// Content of responses to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Whether callers are shown policy text: denials name the nearest line, and a token's own page has its lines.
    pub show_policy: bool,
    /// Origins whose CORS preflights the proxy answers.
    pub cors_origins: Vec<String>,
    /// Whether links to the upstream's own origin in JSON responses are replaced by public ones.
    pub rewrite_links: bool,
}

/// Export of spans for OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// The URL of a collector that accepts OTLP over HTTP; `None` disables the export.
    pub otlp_endpoint: Option<String>,
    /// The service name in exported spans.
    pub service_name: String,
}

/// The proxy's own log, on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Format of the log.
    pub format: LogFormat,
    /// A level for Tokenward's own messages, or a filter for all messages as in `RUST_LOG`: `info`, `info,hyper=debug`.
    pub level: String,
    /// Whether each call is logged, and at which level.
    pub calls: CallLog,
}

/// The level at which each call is logged.
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
