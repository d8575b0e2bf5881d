//! Default values of the settings, which an empty configuration file has.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokenward_compiler::BaseUrl;

use super::{
    Admin, Answers, Api, AuditConfig, Auth, CallLog, ClientAddress, Config, Hardening, Health, Identity,
    Keys, Limits, Lint, Log, LogFormat, Methods, Mode, Product, Server, Telemetry, Throttling, Tokens,
    Upstream, Values,
};

/// Default header of [`Identity::TrustedHeader`].
pub(super) const TRUSTED_HEADER: &str = "X-Forwarded-User";
/// Default header of [`Identity::ServiceAccount`].
pub(super) const CONTEXT_USER_HEADER: &str = "contextUser";

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            policies: PathBuf::from("policies"),
            deny_warnings: false,
            lint: Lint::default(),
            mode: Mode::Standard,
            keys: Keys::default(),
            fleet: None,
            tokens: Tokens::default(),
            server: Server::default(),
            admin: Admin::default(),
            health: Health::default(),
            upstream: Upstream::default(),
            api: Api::default(),
            identity: Identity::default(),
            auth: Auth::default(),
            audit: AuditConfig::at(".tokenward/audit"),
            audit_values: Values::default(),
            limits: Limits::default(),
            relax: Product::Jira.relax(),
            answers: Answers::default(),
            log: Log::default(),
            telemetry: Telemetry::default(),
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            service_name: "tokenward".to_owned(),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: loopback(8080),
            workers: 0,
            shutdown_grace: Duration::from_secs(10),
            trusted_proxies: Vec::new(),
            client_address: ClientAddress::Peer,
            tls: None,
            hardening: Hardening::BestEffort,
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: loopback(8081),
            secret_file: PathBuf::from(".tokenward/admin.secret"),
            names: Vec::new(),
            review: Vec::new(),
            tls: None,
            client_certificates: None,
            identity: None,
        }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            urls: vec!["http://127.0.0.1:8090".to_owned()],
            health_path: None,
            health_interval: Duration::from_secs(5),
            public_url: default_public_url(),
            endpoints: Vec::new(),
            streams: Vec::new(),
            product: Product::Jira,
            host: None,
            ca_file: None,
            client_certificate: None,
            refused_parameters: Vec::new(),
            refused_headers: Vec::new(),
            refused_members: Vec::new(),
            accepted_names: Vec::new(),
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant; a test makes the default")]
fn default_public_url() -> BaseUrl {
    BaseUrl::parse("http://127.0.0.1:8080").expect("the default public URL is one")
}

impl Default for Identity {
    fn default() -> Self {
        Self::TrustedHeader {
            header: TRUSTED_HEADER.to_owned(),
        }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            methods: Methods::Basic,
            query_parameter: None,
            product_header: false,
            schemes: Vec::new(),
            never_act_as: Vec::new(),
            throttling: Throttling {
                attempts: 20,
                window: Duration::from_secs(60),
                delay: Duration::from_millis(500),
            },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inspect_bytes: 1 << 20,
            inspected_total: 256 << 20,
            body_bytes: None,
            query_pairs: 256,
            head_bytes: 64 << 10,
            header_count: 96,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            stream_timeout: Duration::from_secs(3600),
            body_rate: 240,
            answer_rate: 240,
            connect_timeout: Duration::from_secs(5),
            upstream_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            max_connections: 4096,
            max_connections_per_client: 512,
            max_connections_per_56: 1024,
            max_connections_per_48: 2048,
            max_calls: None,
            http2_streams: 100,
            http2_resets: 100,
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            show_policy: true,
            cors_origins: Vec::new(),
            rewrite_links: false,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
            calls: CallLog::Debug,
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
