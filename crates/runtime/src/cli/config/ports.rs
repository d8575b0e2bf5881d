//! The ports that the configuration names: free, or held by the proxy that runs with this configuration.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use serde_json::Value;
use tokenward_pdp::config::Config;

use super::item::{Item, Result, item};
use crate::cli::operator;

/// The proxy that runs with this configuration: the one that accepts its admin secret.
pub(super) struct Running {
    listeners: Vec<SocketAddr>,
}

impl Running {
    pub(super) fn find(config: &Config) -> Option<Self> {
        let state = operator::get(config, "/readyz").ok()?;
        let listeners = state.get("listeners").and_then(Value::as_array)?;
        let addresses = listeners
            .iter()
            .filter_map(|address| address.as_str()?.parse().ok());
        Some(Self {
            listeners: addresses.collect(),
        })
    }
}

pub(super) fn all(config: &Config, running: Option<&Running>) -> Vec<Item> {
    let ports = [
        ("[server] listen", Some(config.server.listen)),
        ("[admin] listen", Some(config.admin.listen)),
        ("[health] listen", config.health.listen),
    ];
    let named = ports
        .into_iter()
        .filter_map(|(subject, address)| Some((subject, address?)));
    named
        .map(|(subject, address)| item(subject, port(address, running)))
        .collect()
}

fn port(address: SocketAddr, running: Option<&Running>) -> Result {
    match TcpListener::bind(address) {
        Ok(_) => Result::Right(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if running.is_some_and(|running| running.listeners.contains(&address)) {
                Result::Right(format!("{address}: in use by the running proxy"))
            } else {
                Result::Wrong(format!(
                    "{address} is in use by another process; stop it, or use another port"
                ))
            }
        }
        Err(error) => Result::Wrong(format!("cannot listen on {address}: {error}")),
    }
}
