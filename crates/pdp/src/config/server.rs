//! `[server]`: the listener for clients, its TLS, and the source of client addresses.

use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Wrong};
use super::tls_files::files;
use super::{ClientAddress, Hardening, Server, value};

const CLIENT_ADDRESSES: [(&str, ClientAddress); 4] = [
    ("peer", ClientAddress::Peer),
    ("x-forwarded-for", ClientAddress::XForwardedFor),
    ("forwarded", ClientAddress::Forwarded),
    ("proxy-protocol", ClientAddress::ProxyProtocol),
];

const HARDENINGS: [(&str, Hardening); 3] = [
    ("off", Hardening::Off),
    ("best-effort", Hardening::BestEffort),
    ("required", Hardening::Required),
];

pub(super) fn server(it: &mut Fields<'_>) -> Server {
    let default = Server::default();
    let server = Server {
        listen: it.or("listen", default.listen, value::address),
        workers: it.or("workers", default.workers, value::count_usize::<0, 1024>),
        shutdown_grace: it.or("shutdown_grace", default.shutdown_grace, value::duration),
        trusted_proxies: it.or("trusted_proxies", default.trusted_proxies, networks),
        client_address: it.or("client_address", default.client_address, |value| {
            value::choice(value, &CLIENT_ADDRESSES)
        }),
        tls: it.section("tls", |it| files(it, "certificate", "key")),
        hardening: it.or("hardening", default.hardening, |value| {
            value::choice(value, &HARDENINGS)
        }),
    };
    match (server.client_address, server.trusted_proxies.as_slice()) {
        (ClientAddress::Peer, [_, ..]) => {
            let message = "`trusted_proxies` cannot be used with client_address = \"peer\"";
            it.complain(&["trusted_proxies"], message.to_owned());
        }
        (ClientAddress::Peer, []) | (_, [_, ..]) => {}
        (_, []) if it.has("trusted_proxies") => {
            let message = "`trusted_proxies` must list the proxies that may report a client's address, such as [\"10.0.0.5\"]";
            it.complain(&["trusted_proxies"], message.to_owned());
        }
        (_, []) => {
            let message = "`trusted_proxies` is required when `client_address` is set: the proxies that may report a client's address";
            it.complain(&["client_address"], message.to_owned());
        }
    }
    server
}

pub(super) fn networks(value: &Spanned<DeValue<'_>>) -> Result<Vec<IpNet>, Wrong> {
    value::any_of(value, network)
}

/// Reads a network such as `10.0.0.0/8`, or a single address.
fn network(value: &Spanned<DeValue<'_>>) -> Result<IpNet, Wrong> {
    let given = value::text(value)?;
    let network: Result<IpNet, _> = given
        .parse()
        .or_else(|_| given.parse::<IpAddr>().map(IpNet::from));
    match network {
        Ok(network) if network == network.trunc() => Ok(network),
        Ok(network) => Err(Wrong::at(
            value,
            format!(
                "has `{given}`, which has bits after its prefix; did you mean `{}`?",
                network.trunc()
            ),
        )),
        Err(_) => Err(Wrong::at(
            value,
            format!(
                "has `{given}`; it must be an address or a network, such as \"10.0.0.5\" or \"10.0.0.0/8\""
            ),
        )),
    }
}
