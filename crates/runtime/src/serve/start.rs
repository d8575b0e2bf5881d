//! Starts the two listeners from the configuration, and stops them.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use actix_server::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use tokenward_audit::Store;

use super::ServeError;
use super::connection_limit::ConnectionLimit;
use super::date::DateCache;
use super::front::{Front, service};
use super::http1::Http1Settings;
use super::http2::Http2Settings;
use super::tls::Certificate;
use super::worker::Worker;
use crate::admin::{AdminState, routes};
use crate::call::CallReporting;
use crate::config::{Config, admin_secret};
use crate::identity::{self, Identities};
use crate::live::watch::Watcher;
use crate::live::{ModeInForce, Policies, Revocations, mode_name, revoked};
use crate::metrics::Metrics;
use crate::pep::{AuthRules, Gate, GateSettings, Throttle};
use crate::proxy::{BodyPace, HealthChecks, Upstream, UpstreamSettings};
use crate::request::{Kept, Rules, Settings, Trust};
use crate::telemetry::Sender;
use crate::wire::parse::HeadLimits;

/// Time that workers get to drop their calls when they are stopped.
const OUTCOMES: Duration = Duration::from_secs(2);

/// Serves until the process is stopped (SIGTERM, SIGINT). Then it accepts nothing new, requests in progress get
/// `server.shutdown_grace` to finish, and the audit is closed.
///
/// # Errors
/// The proxy cannot start; see [`ServeError`].
pub fn run(config: Config) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Register first, so that no signal during the start is lost.
    let mut signals = {
        let _entered = runtime.enter();
        Signals::install()?
    };
    let running = start(config)?;
    let received = runtime.block_on(async {
        tokio::select! {
            name = signals.next() => Some(name),
            () = running.ended() => None,
        }
    });
    match received {
        Some(name) => {
            tracing::info!(signal = name, "stopping: requests under way may finish");
            running.stop()
        }
        None => {
            let _ = running.stop();
            Err(ServeError::Stopped)
        }
    }
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// A running proxy, on threads of its own.
pub struct Running {
    proxy_addr: SocketAddr,
    admin_addr: SocketAddr,
    proxy: ServerHandle,
    admin: ServerHandle,
    servers: JoinHandle<std::io::Result<()>>,
    ended: tokio::sync::watch::Receiver<()>,
    audit: Store,
    metrics: Arc<Metrics>,
    watcher: Watcher,
    health: Option<HealthChecks>,
    certificate: Option<Certificate>,
    telemetry: Option<Sender>,
}

impl Running {
    /// Address of the listener for clients.
    #[must_use]
    pub fn proxy_addr(&self) -> SocketAddr {
        self.proxy_addr
    }

    /// Address of the listener for operators.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// Gives the audit store.
    #[cfg(test)]
    pub(super) fn audit(&self) -> &Store {
        &self.audit
    }

    /// Resolves when the servers have ended, on request or not.
    async fn ended(&self) {
        // The sender is dropped at the end of the servers' thread.
        while self.ended.clone().changed().await.is_ok() {}
    }

    /// Stops accepting, gives requests in progress `server.shutdown_grace` to finish, and closes the audit. Blocks
    /// until then.
    ///
    /// # Errors
    /// The audit did not write its last entries, or a server failed.
    pub fn stop(self) -> Result<(), ServeError> {
        // The command is sent immediately; the end of the threads shows that it is carried out.
        drop(self.proxy.stop(true));
        drop(self.watcher);
        drop(self.health);
        drop(self.certificate);
        let ended = self.servers.join().map_err(|_| ServeError::Stopped);
        wait_for_outcomes(&self.metrics);
        drop(self.admin.stop(false));
        if let Some(telemetry) = self.telemetry {
            telemetry.stop();
        }
        self.audit.close()?;
        ended??;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Waits for the outcomes of calls that were cancelled at the end of the grace: worker threads may drop them after the
/// servers' thread has ended.
fn wait_for_outcomes(metrics: &Metrics) {
    let until = Instant::now() + OUTCOMES;
    while !metrics.is_idle() && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Starts serving on threads of its own; port 0 takes a free one.
///
/// # Errors
/// A required resource is missing or in use; see [`ServeError`].
pub fn start(config: Config) -> Result<Running, ServeError> {
    // Read everything that can be wrong before a port or the audit is opened.
    let upstream = UpstreamSettings::read(&config)?;
    let rules = Rules::new(&reading(
        &config,
        Some(upstream.path().to_owned()),
        config.audit_values.load()?,
    ))?;
    let identities = Identities::load(&config.identity)?;
    let policies = Arc::new(Policies::open(
        &config.policies,
        &config.upstream.public_url,
        rules.merges(),
        ModeInForce::of(&config),
        Revocations::open(&revoked::beside(&config.audit.path))?,
    )?);
    let certificate = config.server.tls.clone().map(Certificate::load).transpose();
    let certificate = certificate.map_err(ServeError::Tls)?;
    let secret = admin_secret::read_or_create(&config.admin.secret_file)?;
    // Bind the ports before the audit is opened: a second proxy must fail without touching it.
    let proxy_listener = listen("server", config.server.listen)?;
    let admin_listener = listen("admin", config.admin.listen)?;
    let (proxy_addr, admin_addr) = (proxy_listener.local_addr()?, admin_listener.local_addr()?);
    let audit = Store::open(config.audit.clone())?;
    for warning in &audit.opened().warnings {
        tracing::warn!("audit: {warning}");
    }
    // State that the listeners share.
    let metrics = Arc::new(Metrics::default());
    let telemetry = Sender::start(&config.telemetry)?;
    let state = AdminState::new(
        &secret,
        Arc::clone(&policies),
        audit.clone(),
        Arc::clone(&metrics),
        Arc::clone(upstream.addresses()),
    );
    let gate = Arc::new(Gate {
        rules,
        trust: Trust::new(
            config.server.trusted_proxies.clone(),
            config.server.client_address,
        ),
        policies: Arc::clone(&policies),
        audit: audit.clone(),
        metrics: Arc::clone(&metrics),
        identities,
        auth: AuthRules::new(config.auth.methods, &config.auth.never_act_as),
        throttle: Throttle::new(config.auth.throttling),
        settings: GateSettings {
            inspect_bytes: config.limits.inspect_bytes,
            pace: BodyPace {
                pause: config.limits.body_timeout,
                rate: config.limits.body_rate,
                most: config.limits.body_bytes.unwrap_or(u64::MAX),
            },
            show_policy: config.answers.show_policy,
            cors_origins: config.answers.cors_origins.clone(),
            reporting: CallReporting {
                calls: config.log.calls,
                spans: telemetry.as_ref().map(Sender::spans),
            },
        },
    });
    // Background threads: reloads and health checks.
    let watcher = Watcher::start(policies)?;
    let health = HealthChecks::start(upstream.clone())?;
    // The servers come last, so that the first request finds everything in place.
    let plan = Plan {
        workers: workers(&config),
        config: config.clone(),
        gate,
        upstream,
        tls: certificate.as_ref().map(Certificate::config),
        state,
    };
    let (servers, ended, proxy, admin) = spawn(plan, proxy_listener, admin_listener)?;
    tracing::info!(
        listen = %proxy_addr,
        mode = mode_name(&config.mode),
        admin = %admin_addr,
        upstream = config.upstream.urls.join(","),
        public_url = %config.upstream.public_url,
        "serving"
    );
    Ok(Running {
        proxy_addr,
        admin_addr,
        proxy,
        admin,
        servers,
        ended,
        audit,
        metrics,
        watcher,
        health,
        certificate,
        telemetry,
    })
}

fn listen(section: &'static str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => ServeError::PortInUse { section, address },
        _ => ServeError::Listen {
            section,
            address,
            source,
        },
    })
}

fn workers(config: &Config) -> usize {
    match config.server.workers {
        0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        workers => workers,
    }
    .min(512)
}

/// Makes the settings for reading requests: from the configuration, the context path at the upstream, and the rules for
/// values in the audit.
pub(crate) fn reading(config: &Config, upstream_path: Option<String>, kept: Kept) -> Settings {
    Settings {
        endpoints: config.upstream.endpoints.clone(),
        upstream_path,
        relax: config.relax,
        query_pairs: config.limits.query_pairs,
        header_count: config.limits.header_count,
        head_bytes: config.limits.head_bytes,
        identity_headers: identity::header_names(&config.identity),
        refused_parameters: config.upstream.refused_parameters.clone(),
        refused_headers: config.upstream.refused_headers.clone(),
        refused_members: config.upstream.refused_members.clone(),
        accepted_names: config.upstream.accepted_names.clone(),
        query_token: config.auth.query_parameter.clone(),
        product_header: config.auth.product_header,
        kept,
        ..Settings::new(config.upstream.public_url.clone(), config.upstream.product)
    }
}

/// Everything that the servers' thread needs.
struct Plan {
    workers: usize,
    config: Config,
    gate: Arc<Gate>,
    upstream: UpstreamSettings,
    tls: Option<Arc<rustls::ServerConfig>>,
    state: AdminState,
}

type Spawned = (
    JoinHandle<std::io::Result<()>>,
    tokio::sync::watch::Receiver<()>,
    ServerHandle,
    ServerHandle,
);

/// Runs both servers on a thread of their own.
fn spawn(plan: Plan, proxy: TcpListener, admin: TcpListener) -> Result<Spawned, ServeError> {
    let (handles, received) = mpsc::sync_channel(1);
    let (alive, ended) = tokio::sync::watch::channel(());
    let servers = thread::Builder::new().name("servers".to_owned()).spawn(move || {
        let _alive = alive;
        actix_rt::System::new().block_on(async move {
            let built = proxy_server(&plan, proxy)
                .and_then(|proxy| Ok((proxy, admin_server((plan.state, plan.gate), admin)?)));
            match built {
                Err(error) => {
                    let _ = handles.send(Err(error));
                    Ok(())
                }
                Ok((proxy, admin)) => {
                    let admin_handle = admin.handle();
                    let _ = handles.send(Ok((proxy.handle(), admin_handle.clone())));
                    let admin = actix_rt::spawn(admin);
                    let proxy = proxy.await;
                    admin_handle.stop(false).await;
                    let _ = admin.await;
                    proxy
                }
            }
        })
    })?;
    let (proxy, admin) = received.recv().map_err(|_| ServeError::Stopped)??;
    Ok((servers, ended, proxy, admin))
}

fn proxy_server(plan: &Plan, listener: TcpListener) -> std::io::Result<Server> {
    let limits = &plan.config.limits;
    let settings = Http1Settings {
        head: HeadLimits {
            bytes: limits.head_bytes,
            fields: limits.header_count,
        },
        head_timeout: limits.head_timeout,
        idle_timeout: limits.idle_timeout,
        write_timeout: limits.body_timeout,
    };
    // Settings of both versions of HTTP.
    let front = Front {
        tls: plan.tls.clone(),
        limit: ConnectionLimit::new(limits.max_connections_per_client),
        patience: limits.head_timeout,
        http1: settings,
        http2: Http2Settings {
            streams: limits.http2_streams,
            resets: limits.http2_resets,
            head_bytes: u32::try_from(limits.head_bytes).unwrap_or(u32::MAX),
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            write_timeout: limits.body_timeout,
        },
    };
    // Signals are handled by the caller, which also closes the audit.
    let builder = Server::build()
        .workers(plan.workers)
        .max_concurrent_connections((limits.max_connections / plan.workers).max(1))
        .shutdown_timeout(
            plan.config
                .server
                .shutdown_grace
                .max(Duration::from_secs(1))
                .as_secs(),
        )
        .disable_signals();
    let shutdown = builder.graceful_shutdown_signal();
    // Each worker has its own connections to the upstream.
    let (gate, upstream) = (Arc::clone(&plan.gate), plan.upstream.clone());
    let builder = builder.listen("proxy", listener, move || {
        let worker = Worker {
            gate: Arc::clone(&gate),
            upstream: Upstream::open(upstream.clone()),
            dates: DateCache::default(),
        };
        service(worker, front.clone(), shutdown.clone())
    })?;
    Ok(builder.run())
}

fn admin_server((state, gate): (AdminState, Arc<Gate>), listener: TcpListener) -> std::io::Result<Server> {
    let (state, gate) = (web::Data::new(state), web::Data::from(gate));
    let app = move || {
        App::new()
            .app_data(state.clone())
            .app_data(gate.clone())
            .configure(routes)
    };
    let server = HttpServer::new(app)
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
