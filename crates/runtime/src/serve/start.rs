//! Starts the listeners from the configuration, and stops them.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use actix_server::{Server, ServerHandle};
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokenward_audit::Store;
use tokenward_pdp::auth::AuthRules;
use tokenward_pdp::config::Config;
use tokenward_pdp::request::Trust;
use tokenward_pdp::wire::parse::HeadLimits;
use tokenward_pdp::words::Help;

use super::ServeError;
use super::capacity;
use super::connection_limit::{ConnectionLimit, Most};
use super::date::DateCache;
use super::front::{Front, service};
use super::http1::Http1Settings;
use super::http2::Http2Settings;
use super::places::Places;
use super::prepare::{Listeners, Prepared};
use super::reader_pace::ReaderLimits;
use super::tls::Certificate;
use super::worker::Worker;
use crate::admin::{AdminState, PeerCertificate, Readiness, Shown, guard, health_routes, routes};
use crate::call::CallReporting;
use crate::config_file;
use crate::fleet::Follower;
use crate::fleet::engine::{Link, Pending};
use crate::hardening;
use crate::limiter::{CallBudget, Limiter};
use crate::live::mode_name;
use crate::live::watch::Watcher;
use crate::metrics::Metrics;
use crate::pep::{Denials, Gate, GateSettings, Judges, Throttle};
use crate::proxy::{BodyBudget, BodyPace, HealthChecks, Upstream, UpstreamSettings};
use crate::telemetry::Sender;

/// Time that workers get to drop their calls when they are stopped.
const OUTCOMES: Duration = Duration::from_secs(2);

/// Serves until the process is stopped (SIGTERM, SIGINT). Then it accepts nothing new, requests in progress get
/// `server.shutdown_grace` to finish, and the audit is closed. SIGHUP loads policy and certificate again.
///
/// # Errors
/// The proxy cannot start; see [`ServeError`].
pub(crate) fn run(mut config: Config, pages: Pages) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Register first, so that no signal during the start is lost, and SIGHUP never ends the process.
    let mut signals = {
        let _entered = runtime.enter();
        Signals::install()?
    };
    let written = config.clone();
    // The limits of the control group are read from files that the restricted process cannot open.
    config.server.workers = workers(&config);
    capacity::settle(&mut config);
    // Before any thread is started, since threads inherit the restrictions.
    hardening::apply(&config)?;
    let running = start_with(config, pages).inspect_err(|error| {
        let advice = hardening::advice(error);
        if !advice.is_empty() {
            tracing::warn!(
                advice = advice.trim_start_matches("; "),
                "the start may have failed because of the hardening"
            );
        }
    })?;
    let received = runtime.block_on(async {
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Received::Reload => reload(&running, &written),
                    Received::Stop(name) => break Some(name),
                },
                () = running.ended() => break None,
            }
        }
    });
    match received {
        Some(name) => {
            tracing::info!(signal = name, "shutting down; waiting for requests in progress");
            running.stop()
        }
        None => {
            let _ = running.stop();
            Err(ServeError::Stopped)
        }
    }
}

/// Loads policy and certificate again, and reports if the configuration file would not give the proxy that runs.
fn reload(running: &Running, written: &Config) {
    tracing::info!(signal = "SIGHUP", "reloading policy and certificate");
    running.reload();
    let Some(file) = &written.file else { return };
    match config_file::load(file) {
        Ok(now) if now == *written => {}
        Ok(_) => tracing::warn!(
            file = %file.display(),
            "the configuration file has changed; restart the proxy to apply the changes"
        ),
        Err(error) => tracing::error!(
            file = %file.display(),
            error = error.to_string(),
            "cannot use the configuration file; a restart would fail"
        ),
    }
}

/// A signal that the proxy handles.
enum Received {
    Stop(&'static str),
    Reload,
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.terminate.recv() => Received::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Received::Stop("SIGINT"),
            _ = self.hangup.recv() => Received::Reload,
        }
    }
}

/// A running proxy, on threads of its own.
pub struct Running {
    proxy_addr: SocketAddr,
    admin_addr: SocketAddr,
    health_addr: Option<SocketAddr>,
    proxy: ServerHandle,
    operators: Vec<ServerHandle>,
    readiness: Readiness,
    servers: JoinHandle<std::io::Result<()>>,
    ended: tokio::sync::watch::Receiver<()>,
    audit: Store,
    metrics: Arc<Metrics>,
    link: Option<Link>,
    follower: Option<Follower>,
    watcher: Watcher,
    health: Option<HealthChecks>,
    certificates: Vec<Certificate>,
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

    /// Address of the listener for health checks, if there is one.
    #[must_use]
    pub fn health_addr(&self) -> Option<SocketAddr> {
        self.health_addr
    }

    /// Gives the audit store.
    #[cfg(test)]
    pub(super) fn audit(&self) -> &Store {
        &self.audit
    }

    /// Loads the policy and the certificate again, and logs the results. Does not wait for them.
    pub fn reload(&self) {
        self.watcher.reload();
        self.certificates.iter().for_each(Certificate::reload);
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
        self.readiness.stop();
        // The command is sent immediately; the end of the threads shows that it is carried out.
        drop(self.proxy.stop(true));
        drop(self.link);
        drop(self.follower);
        drop(self.watcher);
        drop(self.health);
        drop(self.certificates);
        let ended = self.servers.join().map_err(|_| ServeError::Stopped);
        wait_for_outcomes(&self.metrics);
        for server in self.operators {
            drop(server.stop(false));
        }
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
    start_with(config, |_| {})
}

/// Further routes of the admin listener: the pages for people.
pub(crate) type Pages = fn(&mut web::ServiceConfig);

/// Starts serving, with pages on the admin listener.
///
/// # Errors
/// A required resource is missing or in use; see [`ServeError`].
pub(crate) fn start_with(mut config: Config, pages: Pages) -> Result<Running, ServeError> {
    capacity::settle(&mut config);
    let calls = config.limits.max_calls.unwrap_or_default();
    let prepared = Prepared::of(&config)?;
    let Prepared {
        upstream,
        rules,
        identities,
        policies,
        fleet,
        certificate,
        admin_certificate,
        secret,
        listeners,
    } = prepared;
    let (proxy_addr, admin_addr) = (listeners.proxy.local_addr()?, listeners.admin.local_addr()?);
    let health_addr = listeners
        .health
        .as_ref()
        .map(TcpListener::local_addr)
        .transpose()?;
    let audit = Store::open(config.audit.clone())?;
    for warning in &audit.opened().warnings {
        tracing::warn!(warning = warning.to_string(), "audit opened with a warning");
    }
    // The fleet's mark is on disk and in the chain before anything is served.
    if let Some(fleet) = &fleet {
        fleet.attach(&audit)?;
        // So are the fleet's revocations.
        if let Err(error) = policies.revocations().add(fleet.revoked()) {
            tracing::error!(
                error = error.to_string(),
                "cannot write revocations to disk; they are in effect, but a restart would lose them"
            );
        }
        // A server may be slow or away; the follower asks it.
        if !fleet.is_remote() {
            fleet.look(&audit, &|| policies.reload());
        }
    }
    // State that the listeners share.
    let metrics = Arc::new(Metrics::default());
    let telemetry = Sender::start(&config.telemetry)?;
    let gate = Arc::new(Gate {
        rules: Arc::new(rules),
        trust: Trust::new(
            config.server.trusted_proxies.clone(),
            config.server.client_address,
        ),
        policies: Arc::clone(&policies),
        fleet: fleet.clone(),
        audit: audit.clone(),
        metrics: Arc::clone(&metrics),
        identities,
        auth: AuthRules::new(Help::of(&config), &config.auth.never_act_as),
        throttle: Throttle::new(config.auth.throttling),
        bodies: BodyBudget::new(config.limits.inspected_total, Arc::clone(&metrics)),
        judges: Arc::new(Judges::new(workers(&config))),
        limiter: Limiter::new(config.tokens.limits, config.tokens.together),
        calls: CallBudget::new(calls),
        denials: Denials::default(),
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
    let readiness = Readiness::new(audit.clone(), fleet.clone());
    let shown = Shown {
        policies: Arc::clone(&policies),
        audit: audit.clone(),
        readiness: readiness.clone(),
        metrics: Arc::clone(&metrics),
        upstream: Arc::clone(upstream.addresses()),
        gate: Arc::clone(&gate),
    };
    let state = AdminState::new(&secret, config.clone(), admin_addr, shown)
        .map_err(std::io::Error::other)?
        .with_listeners([proxy_addr, admin_addr].into_iter().chain(health_addr).collect());
    let revocations = Arc::clone(policies.revocations());
    // Background threads: reloads and health checks.
    let watcher = Watcher::start(policies)?;
    let follower = fleet
        .clone()
        .map(|fleet| Follower::start(fleet, audit.clone(), watcher.reloader()));
    let follower = follower.transpose()?;
    let link = match (&fleet, &follower) {
        (Some(fleet), Some(follower)) => {
            let pending = Pending::beside(&config.audit.path);
            Link::start(fleet, revocations, pending, follower.nudge())?
        }
        _ => None,
    };
    let health = HealthChecks::start(upstream.clone())?;
    // The servers come last, so that the first request finds everything in place.
    let plan = Plan {
        workers: workers(&config),
        config: config.clone(),
        gate,
        upstream,
        tls: certificate.as_ref().map(Certificate::config),
        admin_tls: admin_certificate.as_ref().map(Certificate::config),
        state,
        pages,
        readiness: readiness.clone(),
    };
    let (servers, ended, proxy, operators) = spawn(plan, listeners)?;
    tracing::info!(
        listen = %proxy_addr,
        mode = mode_name(&config.mode),
        admin = %admin_addr,
        health = health_addr.map(|address| address.to_string()),
        upstream = config.upstream.urls.join(","),
        public_url = %config.upstream.public_url,
        "serving"
    );
    Ok(Running {
        proxy_addr,
        admin_addr,
        health_addr,
        proxy,
        operators,
        readiness,
        servers,
        ended,
        audit,
        metrics,
        link,
        follower,
        watcher,
        health,
        certificates: certificate.into_iter().chain(admin_certificate).collect(),
        telemetry,
    })
}

fn workers(config: &Config) -> usize {
    match config.server.workers {
        0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        workers => workers,
    }
    .min(512)
}

/// Everything that the servers' thread needs.
struct Plan {
    workers: usize,
    config: Config,
    gate: Arc<Gate>,
    upstream: UpstreamSettings,
    tls: Option<Arc<rustls::ServerConfig>>,
    admin_tls: Option<Arc<rustls::ServerConfig>>,
    state: AdminState,
    pages: Pages,
    readiness: Readiness,
}

type Spawned = (
    JoinHandle<std::io::Result<()>>,
    tokio::sync::watch::Receiver<()>,
    ServerHandle,
    Vec<ServerHandle>,
);

/// Runs the servers on a thread of their own.
fn spawn(plan: Plan, listeners: Listeners) -> Result<Spawned, ServeError> {
    let (handles, received) = mpsc::sync_channel(1);
    let (alive, ended) = tokio::sync::watch::channel(());
    let servers = thread::Builder::new().name("servers".to_owned()).spawn(move || {
        let _alive = alive;
        actix_rt::System::new().block_on(async move {
            match build(plan, listeners) {
                Err(error) => {
                    let _ = handles.send(Err(error));
                    Ok(())
                }
                Ok((proxy, operators)) => {
                    let stops: Vec<ServerHandle> = operators.iter().map(Server::handle).collect();
                    let _ = handles.send(Ok((proxy.handle(), stops.clone())));
                    let operators: Vec<_> = operators.into_iter().map(actix_rt::spawn).collect();
                    let proxy = proxy.await;
                    for stop in stops {
                        stop.stop(false).await;
                    }
                    for operator in operators {
                        let _ = operator.await;
                    }
                    proxy
                }
            }
        })
    })?;
    let (proxy, operators) = received.recv().map_err(|_| ServeError::Stopped)??;
    Ok((servers, ended, proxy, operators))
}

/// Builds the server for clients, and those for operators.
fn build(plan: Plan, listeners: Listeners) -> std::io::Result<(Server, Vec<Server>)> {
    let proxy = proxy_server(&plan, listeners.proxy)?;
    let mut operators = vec![admin_server(
        plan.state,
        plan.pages,
        plan.admin_tls,
        listeners.admin,
    )?];
    if let Some(listener) = listeners.health {
        operators.push(health_server(plan.readiness, listener)?);
    }
    Ok((proxy, operators))
}

fn proxy_server(plan: &Plan, listener: TcpListener) -> std::io::Result<Server> {
    let limits = &plan.config.limits;
    let reading = ReaderLimits {
        pause: limits.body_timeout,
        rate: limits.answer_rate,
    };
    let settings = Http1Settings {
        head: HeadLimits {
            bytes: limits.head_bytes,
            fields: limits.header_count,
        },
        head_timeout: limits.head_timeout,
        idle_timeout: limits.idle_timeout,
        reading,
    };
    // Settings of both versions of HTTP.
    let front = Front {
        tls: plan.tls.clone(),
        places: Places::new(limits.max_connections),
        limit: ConnectionLimit::new(Most {
            client: limits.max_connections_per_client,
            of_56: limits.max_connections_per_56,
            of_48: limits.max_connections_per_48,
        }),
        patience: limits.head_timeout,
        http1: settings,
        http2: Http2Settings {
            streams: limits.http2_streams,
            resets: limits.http2_resets,
            head_bytes: u32::try_from(limits.head_bytes).unwrap_or(u32::MAX),
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            reading,
        },
    };
    // Connections without a place are accepted too, so that idle ones can give way to them.
    let waiting = capacity::waiting(limits.max_connections);
    // Signals are handled by the caller, which also closes the audit.
    let builder = Server::build()
        .workers(plan.workers)
        .max_concurrent_connections((limits.max_connections + waiting).div_ceil(plan.workers))
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
    let idle = capacity::idle(limits.max_calls.unwrap_or_default()) / plan.workers;
    let builder = builder.listen("proxy", listener, move || {
        let worker = Worker {
            gate: Arc::clone(&gate),
            upstream: Rc::new(Upstream::open(upstream.clone(), idle)),
            dates: DateCache::default(),
        };
        service(worker, front.clone(), shutdown.clone())
    })?;
    Ok(builder.run())
}

fn admin_server(
    state: AdminState,
    pages: Pages,
    tls: Option<Arc<rustls::ServerConfig>>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let state = web::Data::new(state);
    let app = move || {
        App::new()
            .wrap(from_fn(guard))
            .app_data(state.clone())
            .configure(routes)
            .configure(pages)
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(ADMIN_CONNECTIONS)
        .shutdown_timeout(1)
        .disable_signals()
        .on_connect(PeerCertificate::note);
    let server = match tls {
        None => server.listen(listener)?,
        Some(tls) => server.listen_rustls_0_23(listener, (*tls).clone())?,
    };
    Ok(server.run())
}

/// Maximum number of connections to the admin listener. All processes of the machine can open them.
const ADMIN_CONNECTIONS: usize = 64;
/// Maximum number of connections to the health listener.
const HEALTH_CONNECTIONS: usize = 64;
/// Time that a client of the health listener has for its request.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);

/// Builds the server for health checks. Anyone may reach it, so it keeps no connection, and waits for none.
fn health_server(readiness: Readiness, listener: TcpListener) -> std::io::Result<Server> {
    let readiness = web::Data::new(readiness);
    let server = HttpServer::new(move || App::new().app_data(readiness.clone()).configure(health_routes))
        .workers(1)
        .max_connections(HEALTH_CONNECTIONS)
        .keep_alive(KeepAlive::Disabled)
        .client_request_timeout(HEALTH_PATIENCE)
        .client_disconnect_timeout(HEALTH_PATIENCE)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
