//! Reads a configuration file into [`Config`]. This module and those of its sections name the keys.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tokenward_compiler::BaseUrl;
use toml::de::DeTable;

use super::default::{CONTEXT_USER_HEADER, TRUSTED_HEADER};
use super::fields::{Fields, LogFilter, Sink, Wrong};
use super::{
    Admin, Answers, Api, AuditConfig, Auth, CallLog, Config, ConfigError, Durability, FleetSource, Health,
    Identity, Limits, Log, LogFormat, Methods, OnFailure, PasswordSource, Problem, Product, Relax, Server,
    Telemetry, Throttling, TlsFiles, Upstream, admin, fleet, keys, lint, server, tls_files, tokens, value,
    values,
};

impl Config {
    /// Reads and checks the text of the configuration file `path`; paths in it become relative to its directory.
    ///
    /// # Errors
    /// The text has problems. All of them are reported, each with its position.
    pub fn parse(text: &str, path: &Path, is_log_filter: LogFilter) -> Result<Self, ConfigError> {
        let config = Self::parse_as_written(text, path, is_log_filter)?;
        Ok(config.relative_to(path.parent().unwrap_or(Path::new(""))))
    }

    /// Reads a text like [`parse`](Self::parse), but keeps paths as written, to compare two versions of a file.
    ///
    /// # Errors
    /// The text has problems.
    pub fn parse_as_written(text: &str, path: &Path, is_log_filter: LogFilter) -> Result<Self, ConfigError> {
        let (config, sink) = Self::read(text, is_log_filter);
        let wrongs = sink.into_wrongs();
        match config {
            Some(config) if wrongs.is_empty() => Ok(config),
            _ => {
                let problem = |wrong: Wrong| Problem::at(path, text, wrong.offset, wrong.message);
                Err(ConfigError::Invalid(wrongs.into_iter().map(problem).collect()))
            }
        }
    }

    /// Lists every key that a configuration can have, such as `server.listen`.
    #[cfg(test)]
    pub(crate) fn keys() -> Vec<String> {
        Self::read("", |_| true).1.asked()
    }

    /// Reads the settings; `None` if the text is not TOML.
    pub(super) fn read(text: &str, is_log_filter: LogFilter) -> (Option<Self>, Sink) {
        let sink = Sink::new(is_log_filter);
        let (document, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let config = Fields::root(document.get_ref(), &sink, root);
            return (Some(config), sink);
        }
        for error in errors {
            sink.push(Wrong {
                offset: error.span().map_or(0, |span| span.start),
                message: format!("the file is not valid TOML: {}", error.message()),
            });
        }
        (None, sink)
    }

    fn relative_to(mut self, directory: &Path) -> Self {
        let place = |path: &mut PathBuf| *path = directory.join(&*path);
        place(&mut self.policies);
        place(&mut self.admin.secret_file);
        self.admin.review.iter_mut().for_each(place);
        if let Some(certificates) = &mut self.admin.client_certificates {
            place(&mut certificates.ca_file);
        }
        self.api.descriptions.iter_mut().for_each(place);
        place(&mut self.audit.path);
        self.audit.signing_key.iter_mut().for_each(place);
        if let Some(PasswordSource::File(key)) = &mut self.audit_values.key {
            place(key);
        }
        if let Some(fleet) = &mut self.fleet {
            if let FleetSource::Directory(directory) = &mut fleet.source {
                place(directory);
            }
            fleet.ca_file.iter_mut().for_each(place);
            fleet.token_file.iter_mut().for_each(place);
            if let Some(engine) = &mut fleet.engine {
                engine.revoking_key.iter_mut().for_each(place);
                if let Some(TlsFiles { certificate, key }) = &mut engine.client_certificate {
                    place(certificate);
                    place(key);
                }
            }
        }
        self.keys.sealing.iter_mut().for_each(place);
        self.keys.signing.iter_mut().for_each(place);
        self.keys.artifact.iter_mut().for_each(place);
        self.upstream.ca_file.iter_mut().for_each(place);
        let pairs = [
            &mut self.server.tls,
            &mut self.admin.tls,
            &mut self.upstream.client_certificate,
        ];
        for TlsFiles { certificate, key } in pairs.into_iter().flatten() {
            place(certificate);
            place(key);
        }
        match &mut self.identity {
            Identity::PerUser { credentials: file }
            | Identity::ServiceAccount {
                password: PasswordSource::File(file),
                ..
            } => place(file),
            Identity::TrustedHeader { .. } | Identity::ServiceAccount { .. } => {}
        }
        self
    }
}

fn root(it: &mut Fields<'_>) -> Config {
    let default = Config::default();
    let server = it.section("server", server::server);
    let admin = it.section("admin", |it| admin::admin(it, &server));
    let health = it.section("health", |it| health(it, &server, &admin));
    let (upstream, identity) = it.section("upstream", |it| upstream(it, &server));
    let (audit, audit_values) = it.section("audit", |it| {
        (audit(it, default.audit), it.section("values", values::values))
    });
    let (mode, keys) = keys::keys(it);
    let relax = it.section("relax", |it| relax(it, upstream.product));
    let doubled = upstream.endpoints.iter().find(|path| path.contains("//"));
    if let Some(path) = doubled.filter(|_| !relax.empty_segment) {
        let message = format!("`endpoints` has `{path}`, which needs `empty_segment = true` in [relax]");
        it.complain(&["upstream"], message);
    }
    Config {
        file: None,
        mode,
        keys,
        policies: it.or("policies", default.policies, value::path),
        deny_warnings: it.or("warnings", default.deny_warnings, |value| {
            value::choice(value, &[("allow", false), ("deny", true)])
        }),
        lint: it.section("lint", lint::lint),
        fleet: fleet::fleet(it),
        tokens: it.section("tokens", tokens::tokens),
        api: it.section("api", |it| Api {
            descriptions: it.or("descriptions", Vec::new(), |value| {
                value::any_of(value, value::path)
            }),
        }),
        auth: it.section("auth", |it| auth(it, upstream.product)),
        audit,
        audit_values,
        limits: it.section("limits", limits),
        relax,
        answers: it.section("answers", answers),
        log: it.section("log", log),
        telemetry: it.section("telemetry", telemetry),
        server,
        admin,
        health,
        upstream,
        identity,
    }
}

fn health(it: &mut Fields<'_>, server: &Server, admin: &Admin) -> Health {
    let listen = it.optional("listen", value::address);
    let taken = listen.filter(|address| address.port() != 0);
    for (section, other) in [("server", server.listen), ("admin", admin.listen)] {
        if taken.is_some_and(|address| overlap(address, other)) {
            it.complain(
                &["listen"],
                format!("`listen` of [health] overlaps with that of [{section}]: give each its own port"),
            );
        }
    }
    Health { listen }
}

/// Whether two sockets cannot listen at the same time.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

fn upstream(it: &mut Fields<'_>, server: &Server) -> (Upstream, Identity) {
    let default = Upstream::default();
    let upstream = Upstream {
        urls: it.or("url", default.urls, value::upstream_urls),
        health_path: it.optional("health_path", value::health_path),
        health_interval: it.or("health_interval", default.health_interval, value::duration),
        public_url: match it.optional("public_url", value::public_url) {
            Some(url) => url,
            None => listened_at(it, server).unwrap_or(default.public_url),
        },
        endpoints: it.or("endpoints", default.endpoints, value::endpoints),
        streams: it.or("streams", default.streams, |value| {
            value::any_of(value, value::endpoint)
        }),
        product: it.or("product", default.product, |value| {
            value::choice(value, &PRODUCTS)
        }),
        host: it.optional("host", value::host),
        ca_file: it.optional("ca_file", value::path),
        client_certificate: tls_files::files(it, "client_certificate", "client_key"),
        refused_parameters: it.or("refused_parameters", default.refused_parameters, value::texts),
        refused_headers: it.or("refused_headers", default.refused_headers, value::header_names),
        refused_members: it.or("refused_members", default.refused_members, value::texts),
        accepted_names: it.or("accepted_names", default.accepted_names, value::texts),
    };
    let plain = !upstream.speaks_tls();
    for key in ["ca_file", "client_certificate", "client_key"] {
        if plain && it.has(key) {
            it.complain(&[key], format!("`{key}` cannot be used with a `url` of http://"));
        }
    }
    (upstream, it.section("identity", identity))
}

/// Derives the public URL from the listener's address.
fn listened_at(it: &Fields<'_>, server: &Server) -> Option<BaseUrl> {
    let everywhere = match server.listen.ip() {
        IpAddr::V4(ip) => ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    if everywhere && !it.has("public_url") {
        let message = "`public_url` of [upstream] is required when the proxy listens on all addresses; set it to the URL that clients call";
        it.complain(&["url"], message.to_owned());
    }
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    BaseUrl::parse(&format!("{scheme}://{}", server.listen)).ok()
}

const PRODUCTS: [(&str, Product); 5] = [
    ("jira", Product::Jira),
    ("confluence", Product::Confluence),
    ("gitlab", Product::Gitlab),
    ("redmine", Product::Redmine),
    ("generic", Product::Generic),
];

#[derive(Clone, Copy, PartialEq)]
enum IdentityMode {
    TrustedHeader,
    PerUser,
    ServiceAccount,
}

const MODES: [(&str, IdentityMode); 3] = [
    ("trusted-header", IdentityMode::TrustedHeader),
    ("per-user", IdentityMode::PerUser),
    ("service-account", IdentityMode::ServiceAccount),
];

fn identity(it: &mut Fields<'_>) -> Identity {
    // Read all keys of all modes, so that each is known and checked.
    let mode = it.or("mode", IdentityMode::TrustedHeader, |value| {
        value::choice(value, &MODES)
    });
    let header = it.optional("header", value::identity_header);
    let credentials = it.optional("credentials", value::path);
    let user = it.optional("user", value::text);
    let file = it.optional("secret_file", value::path);
    let variable = it.optional("secret_env", value::environment_name);
    // A key of another mode is an error: it would be ignored silently.
    let foreign: &[&str] = match mode {
        IdentityMode::TrustedHeader => &["credentials", "user", "secret_file", "secret_env"],
        IdentityMode::PerUser => &["header", "user", "secret_file", "secret_env"],
        IdentityMode::ServiceAccount => &["credentials"],
    };
    let name = MODES
        .iter()
        .find(|(_, other)| *other == mode)
        .map_or("", |(name, _)| name);
    for key in foreign.iter().filter(|key| it.has(key)) {
        it.complain(&[key], format!("`{key}` cannot be used with mode = \"{name}\""));
    }
    // Build the mode's settings, and require the keys without a default.
    match mode {
        IdentityMode::TrustedHeader => Identity::TrustedHeader {
            header: header.unwrap_or_else(|| TRUSTED_HEADER.to_owned()),
        },
        IdentityMode::PerUser => {
            if !it.has("credentials") {
                let message = "`credentials` is required when mode = \"per-user\": the file with each user's credentials at the upstream";
                it.complain(&["mode"], message.to_owned());
            }
            Identity::PerUser {
                credentials: credentials.unwrap_or_default(),
            }
        }
        IdentityMode::ServiceAccount => {
            if !it.has("user") {
                it.complain(
                    &["mode"],
                    "`user` is required when mode = \"service-account\": the name of the account".to_owned(),
                );
            }
            if it.has("secret_file") == it.has("secret_env") {
                let message = "`secret_file` or `secret_env` is required when mode = \"service-account\": the password of the account";
                it.complain(&["mode"], message.to_owned());
            }
            Identity::ServiceAccount {
                user: user.unwrap_or_default(),
                password: match (file, variable) {
                    (_, Some(variable)) => PasswordSource::Environment(variable),
                    (file, None) => PasswordSource::File(file.unwrap_or_default()),
                },
                header: header.unwrap_or_else(|| CONTEXT_USER_HEADER.to_owned()),
            }
        }
    }
}

fn auth(it: &mut Fields<'_>, product: Product) -> Auth {
    const METHODS: [(&str, Methods); 3] = [
        ("basic", Methods::Basic),
        ("bearer", Methods::Bearer),
        ("both", Methods::Both),
    ];
    let default = Auth::default();
    let auth = Auth {
        methods: it.or("methods", default.methods, |value| value::choice(value, &METHODS)),
        query_parameter: it.optional("query_parameter", value::text),
        product_header: it.or("product_header", default.product_header, value::boolean),
        schemes: it.or("schemes", default.schemes, value::schemes),
        never_act_as: it.or("never_act_as", default.never_act_as, value::users),
        throttling: Throttling {
            attempts: it.or(
                "failed_attempts",
                default.throttling.attempts,
                value::count::<0, 1_000_000>,
            ),
            window: it.or("failed_window", default.throttling.window, value::duration),
            delay: it.or("failed_delay", default.throttling.delay, value::duration),
        },
    };
    if auth.product_header && product.token_header().is_none() {
        let message =
            "`product_header` cannot be used with this product, which has no token header of its own";
        it.complain(&["product_header"], message.to_owned());
    }
    auth
}

/// Minimum memory for records that wait for the disk. Less holds too few of the largest records (32 KiB) and loses
/// outcomes.
const LEAST_QUEUE: u64 = 1 << 20;

fn audit(it: &mut Fields<'_>, default: AuditConfig) -> AuditConfig {
    const DURABILITIES: [(&str, Durability); 2] = [
        ("durable", Durability::Durable),
        ("buffered", Durability::Buffered),
    ];
    const ON_FAILURE: [(&str, OnFailure); 2] =
        [("refuse", OnFailure::Refuse), ("allow", OnFailure::AllowSafe)];
    AuditConfig {
        path: it.or("path", default.path, value::path),
        durability: it.or("durability", default.durability, |value| {
            value::choice(value, &DURABILITIES)
        }),
        on_failure: it.or("on_failure", default.on_failure, |value| {
            value::choice(value, &ON_FAILURE)
        }),
        queue_bytes: it.or("queue_size", default.queue_bytes, value::size_from::<LEAST_QUEUE>),
        wait: it.or("wait", default.wait, value::duration),
        outsider_quota_per_minute: it.or(
            "outsiders_per_minute",
            default.outsider_quota_per_minute,
            value::count::<1, 1_000_000>,
        ),
        retention_days: match it.optional("retention_days", value::count::<0, 36_600>) {
            Some(0) => None,
            Some(days) => Some(days),
            None => default.retention_days,
        },
        reserve_bytes: it.or("reserve_size", default.reserve_bytes, value::size_u64),
        cache_bytes: it.or("cache_size", default.cache_bytes, value::size_u64),
        signing_key: it.optional("signing_key", value::path),
        signing_interval: it.or("signing_interval", default.signing_interval, value::duration),
    }
}

fn limits(it: &mut Fields<'_>) -> Limits {
    let default = Limits::default();
    let mut limits = Limits {
        inspect_bytes: it.or("inspect_size", default.inspect_bytes, value::size),
        inspected_total: it.optional("inspected_total", value::size).unwrap_or_default(),
        body_bytes: it.optional("body_size", value::size_u64),
        query_pairs: it.or(
            "query_pairs",
            default.query_pairs,
            value::count_usize::<1, 100_000>,
        ),
        head_bytes: it.or("head_size", default.head_bytes, value::size),
        header_count: it.or("header_count", default.header_count, value::count_usize::<1, 96>),
        head_timeout: it.or("head_timeout", default.head_timeout, value::duration),
        body_timeout: it.or("body_timeout", default.body_timeout, value::duration),
        stream_timeout: it.or("stream_timeout", default.stream_timeout, value::duration),
        body_rate: it.or("body_rate", default.body_rate, value::count::<0, 1_000_000_000>),
        answer_rate: it.or(
            "answer_rate",
            default.answer_rate,
            value::count::<0, 1_000_000_000>,
        ),
        connect_timeout: it.or("connect_timeout", default.connect_timeout, value::duration),
        upstream_timeout: it.or("upstream_timeout", default.upstream_timeout, value::duration),
        idle_timeout: it.or("idle_timeout", default.idle_timeout, value::duration),
        max_connections: it.or(
            "max_connections",
            default.max_connections,
            value::count_usize::<1, 1_000_000>,
        ),
        max_connections_per_client: it.or(
            "max_connections_per_client",
            default.max_connections_per_client,
            value::count_usize::<1, 1_000_000>,
        ),
        max_connections_per_56: it.or(
            "max_connections_per_56",
            default.max_connections_per_56,
            value::count_usize::<1, 1_000_000>,
        ),
        max_connections_per_48: it.or(
            "max_connections_per_48",
            default.max_connections_per_48,
            value::count_usize::<1, 1_000_000>,
        ),
        max_calls: it.optional("max_calls", value::count_usize::<16, 1_000_000>),
        http2_streams: it.or("http2_streams", default.http2_streams, value::count::<1, 10_000>),
        http2_resets: it.or("http2_resets", default.http2_resets, value::count::<1, 1_000_000>),
    };
    // One token gets at most half of the total, and the process takes it in steps.
    let least = limits.inspect_bytes.saturating_mul(2).saturating_add(256 * 1024);
    if !it.has("inspected_total") {
        limits.inspected_total = default.inspected_total.max(least.saturating_mul(2));
    } else if limits.inspected_total < least {
        it.complain(
            &["inspected_total"],
            format!(
                "`inspected_total` must be at least twice `inspect_size` and 256KiB more, which is \"{}KiB\"",
                least.div_ceil(1024)
            ),
        );
    }
    limits
}

fn relax(it: &mut Fields<'_>, product: Product) -> Relax {
    let mut relax = product.relax();
    for name in Relax::NAMES {
        if let Some(on) = it.optional(name, value::boolean) {
            relax.set(name, on);
        }
    }
    relax
}

fn answers(it: &mut Fields<'_>) -> Answers {
    let default = Answers::default();
    Answers {
        show_policy: it.or("show_policy", default.show_policy, value::boolean),
        cors_origins: it.or("cors_origins", default.cors_origins, value::origins),
        rewrite_links: it.or("rewrite_links", default.rewrite_links, value::boolean),
    }
}

fn telemetry(it: &mut Fields<'_>) -> Telemetry {
    let default = Telemetry::default();
    Telemetry {
        otlp_endpoint: it.optional("otlp_endpoint", value::endpoint_url),
        service_name: it.or("service_name", default.service_name, value::text),
    }
}

fn log(it: &mut Fields<'_>) -> Log {
    const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    const CALLS: [(&str, CallLog); 3] = [
        ("off", CallLog::Off),
        ("info", CallLog::Info),
        ("debug", CallLog::Debug),
    ];
    let default = Log::default();
    let level = it.or("level", default.level, value::text);
    if !it.is_log_filter(&level) {
        it.complain(
            &["level"],
            format!(
                "`level` is `{level}`; it must be off, error, warn, info, debug or trace, or a filter such as \"info,hyper=debug\""
            ),
        );
    }
    Log {
        format: it.or("format", default.format, |value| value::choice(value, &FORMATS)),
        level,
        calls: it.or("calls", default.calls, |value| value::choice(value, &CALLS)),
    }
}
