//! `[admin]`: the listener for operators, and who is admitted to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Parse, Wrong};
use super::server::networks;
use super::tls_files::files;
use super::{Admin, AdminIdentity, ClientCertificates, Role, Server, value};

/// The lists of people, and their roles.
const LISTS: [(&str, Role); 3] = [
    ("viewers", Role::Viewer),
    ("revokers", Role::Revoker),
    ("operators", Role::Operator),
];

pub(super) fn admin(it: &mut Fields<'_>, server: &Server) -> Admin {
    let default = Admin::default();
    let admin = Admin {
        listen: it.or("listen", default.listen, value::address),
        secret_file: it.or("secret_file", default.secret_file, value::path),
        names: it.or("names", default.names, |value| value::any_of(value, name)),
        review: it.or("review", default.review, |value| {
            value::any_of(value, value::path)
        }),
        tls: it.section("tls", |it| files(it, "certificate", "key")),
        client_certificates: it.section("client_certificates", certificates),
        identity: it.section("identity", identity),
    };
    if admin.listen == server.listen && admin.listen.port() != 0 {
        it.complain(
            &["listen"],
            "`listen` of [admin] is the same as that of [server]; use two different ports".to_owned(),
        );
    }
    if let Some(message) = open_without_tls(&admin) {
        it.complain(&["listen"], message);
    }
    if admin.client_certificates.is_some() && admin.tls.is_none() {
        let message =
            "[admin.client_certificates] needs [admin.tls], since a client presents its certificate in TLS";
        it.complain(&["client_certificates"], message.to_owned());
    }
    admin
}

/// A listener that other machines reach must use TLS, because the secret and the audit pass over it.
fn open_without_tls(admin: &Admin) -> Option<String> {
    let is_open = |address: SocketAddr| !address.ip().to_canonical().is_loopback();
    (is_open(admin.listen) && admin.tls.is_none()).then(|| {
        "`listen` must be a loopback address such as \"127.0.0.1:8081\" unless [admin.tls] has a certificate, \
         because the admin secret and the audit pass over it"
            .to_owned()
    })
}

/// Reads a host name, without a port.
fn name(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    let given = value::text(value)?;
    let is_part = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.len() <= 63 && part.bytes().all(is_letter)
    };
    let is_name = given.len() <= 253 && given.split('.').all(is_part) && given.parse::<IpAddr>().is_err();
    if is_name {
        Ok(given.to_ascii_lowercase())
    } else {
        Err(Wrong::at(
            value,
            format!(
                "has `{given}`; it must be a host name without a port, such as \"tokenward.example.com\""
            ),
        ))
    }
}

fn certificates(it: &mut Fields<'_>) -> Option<ClientCertificates> {
    let ca_file = it.optional("ca_file", value::path);
    let roles = roles(it, fingerprints);
    match ca_file {
        Some(ca_file) => Some(ClientCertificates { ca_file, roles }),
        None if roles.is_empty() => None,
        None => {
            let message = "`ca_file` is required: the authorities that sign the certificates, in PEM";
            it.complain(&["viewers", "revokers", "operators"], message.to_owned());
            None
        }
    }
}

fn identity(it: &mut Fields<'_>) -> Option<AdminIdentity> {
    let header = it.optional("header", header);
    let proxies = it.optional("proxies", proxies);
    let roles = roles(it, people);
    match (header, proxies) {
        (Some(header), Some(proxies)) => Some(AdminIdentity {
            header,
            proxies,
            roles,
        }),
        (header, proxies) => {
            for (key, is_missing) in [("header", header.is_none()), ("proxies", proxies.is_none())] {
                let other = ["header", "proxies", "viewers", "revokers", "operators"];
                if is_missing && !it.has(key) && other.iter().any(|other| it.has(other)) {
                    it.complain(&other, format!("`{key}` is required in [admin.identity]"));
                }
            }
            None
        }
    }
}

/// Entries of a list of people, each with its text.
type People<K> = Vec<(K, String)>;

/// Reads the three lists. A person has one role.
fn roles<K: Ord>(it: &mut Fields<'_>, read: Parse<People<K>>) -> BTreeMap<K, Role> {
    let mut roles = BTreeMap::new();
    for (key, role) in LISTS {
        for (person, shown) in it.optional(key, read).unwrap_or_default() {
            if roles.insert(person, role).is_some() {
                let message = format!(
                    "`{key}` has `{shown}`, which is listed before; list each person once, with one role"
                );
                it.complain(&[key], message);
            }
        }
    }
    roles
}

/// Reads names of people, as the proxy sends them.
fn people(value: &Spanned<DeValue<'_>>) -> Result<People<String>, Wrong> {
    value::any_of(value, |value| {
        let given = value::text(value)?;
        let is_plain = !given.is_empty() && given.len() <= 256 && !given.chars().any(char::is_control);
        if is_plain && given.trim() == given {
            Ok((given.clone(), given))
        } else {
            Err(Wrong::at(
                value,
                format!("has `{}`, which is not a person's name", given.escape_debug()),
            ))
        }
    })
}

/// Reads SHA-256 fingerprints of certificates: 64 hexadecimal digits, with or without colons.
fn fingerprints(value: &Spanned<DeValue<'_>>) -> Result<People<[u8; 32]>, Wrong> {
    value::any_of(value, |value| {
        let given = value::text(value)?;
        let digits: String = given.chars().filter(|one| *one != ':').collect();
        let mut print = [0; 32];
        match hex::decode_to_slice(&digits, &mut print) {
            Ok(()) => Ok((print, given)),
            Err(_) => Err(Wrong::at(
                value,
                format!(
                    "has `{given}`; it must be the SHA-256 fingerprint of a certificate, as `openssl x509 -fingerprint -sha256` shows it"
                ),
            )),
        }
    })
}

fn header(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    value::identity_header(value).map(|header| header.to_ascii_lowercase())
}

/// Reads the proxies that may name a person. Any process of the machine could send the header from a loopback address.
fn proxies(value: &Spanned<DeValue<'_>>) -> Result<Vec<IpNet>, Wrong> {
    let proxies = networks(value)?;
    let loopbacks: [IpNet; 2] = [
        IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
        IpAddr::V6(Ipv6Addr::LOCALHOST).into(),
    ];
    let overlaps = |one: &IpNet| {
        loopbacks
            .iter()
            .any(|loopback| one.contains(loopback) || loopback.contains(one))
    };
    match proxies.iter().find(|one| overlaps(one)) {
        _ if proxies.is_empty() => Err(Wrong::at(
            value,
            "must list the proxies that may send the header, such as [\"10.0.0.5\"]",
        )),
        Some(loopback) => Err(Wrong::at(
            value,
            format!(
                "has `{loopback}`, which includes loopback addresses, where any process of this machine could name any person; \
                 let the proxy connect from an address of its own"
            ),
        )),
        None => Ok(proxies),
    }
}
