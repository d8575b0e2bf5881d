//! A token of a program: its attributes, and the rules of its lines.

use std::net::IpAddr;

use ipnet::IpNet;

use super::rule::Rules;
use crate::{
    ast::Effect,
    call_limits::CallLimits,
    policy::{Attributes, Users},
};

/// One token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Everything except the lines.
    pub attributes: Attributes,
    pub(crate) forbids: Rules,
    pub(crate) permits: Rules,
}

impl std::ops::Deref for Token {
    type Target = Attributes;

    fn deref(&self) -> &Attributes {
        &self.attributes
    }
}

impl Token {
    pub(crate) fn rules(&self, effect: Effect) -> &Rules {
        match effect {
            Effect::Permit => &self.permits,
            Effect::Forbid => &self.forbids,
        }
    }

    /// Whether a call may come from `address`; a mapped IPv4 address counts as IPv4 (RFC 4291 section 2.5.5.2).
    #[must_use]
    pub fn allows_address(&self, address: IpAddr) -> bool {
        self.allowed_ips.is_empty() || self.allowed_ips.iter().any(|network| contains(network, address))
    }
}

/// Whether the network contains the address. A network within `::ffff:0:0/96` contains the IPv4 addresses that it maps
/// (RFC 4291 section 2.5.5.2), and a mapped address counts as IPv4. `::/0` contains no IPv4 address.
#[must_use]
pub fn contains(network: &IpNet, address: IpAddr) -> bool {
    match (network, address.to_canonical()) {
        (IpNet::V6(network), IpAddr::V4(address)) => {
            network.prefix_len() >= MAPPED_PREFIX && network.contains(&address.to_ipv6_mapped())
        }
        (network, address) => network.contains(&address),
    }
}

/// Prefix length of the network of all mapped IPv4 addresses.
const MAPPED_PREFIX: u8 = 96;

impl Token {
    pub(super) fn nobody() -> Self {
        Self {
            attributes: Attributes {
                name: String::new(),
                users: Users::Named(Vec::new()),
                secret_hash: [0; 32],
                previous: None,
                expires: Some(i64::MIN),
                allowed_ips: Vec::new(),
                on_behalf_of: Vec::new(),
                revoked: true,
                owner: None,
                description: None,
                mint: false,
                escalate: false,
                limits: CallLimits::NONE,
                unrestricted: false,
                lint_allow: Vec::new(),
                secret_sealed: false,
                seal: None,
            },
            forbids: Rules::default(),
            permits: Rules::default(),
        }
    }
}
