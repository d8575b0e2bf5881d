//! Reads and opens everything that a start needs and that can be wrong, except for the audit store. All errors are reported at
//! once.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use rustix::process::geteuid;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::reading::reading;
use tokenward_pdp::request::Rules;
use zeroize::Zeroizing;

use super::ServeError;
use super::access::{owner_of, store_access};
use super::tls::Certificate;
use crate::admin_secret;
use crate::fleet::Fleet;
use crate::identity::Identities;
use crate::live::{LoadSettings, ModeInForce, Policies, Revocations, beside};
use crate::proxy::UpstreamSettings;
use crate::value_key;

/// Everything that a start needs, except for the audit store.
pub(super) struct Prepared {
    pub(super) upstream: UpstreamSettings,
    pub(super) rules: Rules,
    pub(super) identities: Identities,
    pub(super) policies: Arc<Policies>,
    pub(super) fleet: Option<Arc<Fleet>>,
    pub(super) certificate: Option<Certificate>,
    pub(super) admin_certificate: Option<Certificate>,
    pub(super) secret: Zeroizing<String>,
    pub(super) listeners: Listeners,
}

/// The bound ports.
pub(super) struct Listeners {
    pub(super) proxy: TcpListener,
    pub(super) admin: TcpListener,
    pub(super) health: Option<TcpListener>,
}

impl Prepared {
    /// Reads the files, loads the policy and binds the ports. The ports are bound before the audit store is opened: a second
    /// proxy must fail without touching it.
    ///
    /// # Errors
    /// Something is missing, wrong or in use. All such errors are reported.
    pub(super) fn of(config: &Config) -> Result<Self, ServeError> {
        let mut faults = Faults::default();
        let upstream = faults.take(UpstreamSettings::read(config));
        let kept = faults.take(value_key::load(&config.audit_values));
        let rules = upstream.as_ref().zip(kept).and_then(|(upstream, kept)| {
            let path = Some(upstream.path().to_owned());
            faults.take(Rules::new(&reading(config, path, kept)))
        });
        let identities = faults.take(Identities::load(&config.identity));
        faults.take(store_access(&config.audit.path, &beside(&config.audit.path)));
        let policies = faults.take(policies(config));
        let certificate = config.server.tls.clone().map(Certificate::load).transpose();
        let certificate = faults.take(certificate.map_err(ServeError::Tls));
        let admin_certificate = Certificate::load_admin(&config.admin).map_err(ServeError::AdminTls);
        let admin_certificate = faults.take(admin_certificate);
        let secret = faults.take(admin_secret::read_or_create(&config.admin.secret_file));
        let proxy = faults.take(listen("server", config.server.listen));
        let admin = faults.take(listen("admin", config.admin.listen));
        let health = config.health.listen.map(|address| listen("health", address));
        let health = faults.take(health.transpose());
        warn_of_root(config);
        // One of the values is missing only if there is an error.
        match (
            upstream,
            rules,
            identities,
            policies,
            certificate,
            admin_certificate,
            secret,
            proxy,
            admin,
            health,
        ) {
            (
                Some(upstream),
                Some(rules),
                Some(identities),
                Some((policies, fleet)),
                Some(certificate),
                Some(admin_certificate),
                Some(secret),
                Some(proxy),
                Some(admin),
                Some(health),
            ) if faults.0.is_empty() => Ok(Self {
                upstream,
                rules,
                identities,
                policies: Arc::new(policies),
                fleet,
                certificate,
                admin_certificate,
                secret,
                listeners: Listeners { proxy, admin, health },
            }),
            _ => Err(faults.into_error()),
        }
    }
}

/// Loads the policy: that of the fleet if there is one, otherwise that of the configured path.
fn policies(config: &Config) -> Result<(Policies, Option<Arc<Fleet>>), ServeError> {
    let Some(fleet) = Fleet::open(config)? else {
        return Ok((
            policies_at(config, &config.policies, ModeInForce::of(config))?,
            None,
        ));
    };
    match policies_of(config, &fleet) {
        Ok(policies) => Ok((policies, Some(Arc::new(fleet)))),
        // The configuration may have changed, so that it admits only a later version.
        Err(error) => {
            let fleet = fleet.open_from_source(config).map_err(|_| error)?;
            Ok((policies_of(config, &fleet)?, Some(Arc::new(fleet))))
        }
    }
}

fn policies_of(config: &Config, fleet: &Fleet) -> Result<Policies, ServeError> {
    let mode = ModeInForce::of(config).pinned(fleet.pin());
    let policies = policies_at(config, &fleet.first_policy(), mode)?;
    Ok(policies.moved_to(&fleet.policy()))
}

fn policies_at(config: &Config, path: &Path, mode: ModeInForce) -> Result<Policies, ServeError> {
    Ok(Policies::open(
        path,
        LoadSettings::of(config),
        mode,
        Revocations::open(&beside(&config.audit.path))?,
    )?)
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

/// Reports a start by root on the files of another user: that user's next start could not write what root's process creates.
fn warn_of_root(config: &Config) {
    let owner = owner_of(&config.audit.path).filter(|owner| *owner != 0 && geteuid().is_root());
    if let Some(owner) = owner {
        tracing::warn!(
            store = %config.audit.path.display(),
            owner,
            "running as root on another user's audit store; run the proxy as that user, or run `chown -R` on the store afterwards"
        );
    }
}

/// The errors of a start.
#[derive(Default)]
struct Faults(Vec<ServeError>);

impl Faults {
    /// Gives the value, or notes the error.
    fn take<T>(&mut self, result: Result<T, impl Into<ServeError>>) -> Option<T> {
        result.map_err(|error| self.0.push(error.into())).ok()
    }

    fn into_error(mut self) -> ServeError {
        match (self.0.pop(), self.0.is_empty()) {
            (Some(only), true) => only,
            (Some(last), false) => {
                self.0.push(last);
                ServeError::Several(self.0)
            }
            (None, _) => ServeError::Stopped,
        }
    }
}
