//! Networks of client addresses, as far as one client may own them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: its first address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// Gives the networks in which the connections of an address are counted, the smallest first. That is the IPv4
    /// address. With IPv6 it is the /64, which may belong to one machine, and the /56 and the /48, which providers give
    /// to one customer.
    pub(crate) fn counted(address: IpAddr) -> impl Iterator<Item = Self> {
        let prefixes: &[u8] = match address.to_canonical() {
            IpAddr::V4(_) => &[32],
            IpAddr::V6(_) => &[64, 56, 48],
        };
        prefixes.iter().map(move |prefix| Self::of(address, *prefix))
    }

    /// Gives the largest network that may belong to one client.
    pub(crate) fn largest(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(_) => Self::of(address, 32),
            IpAddr::V6(_) => Self::of(address, 48),
        }
    }

    /// Gives the network with this prefix to which the address belongs.
    fn of(address: IpAddr, prefix: u8) -> Self {
        let first = match address.to_canonical() {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(prefix.min(128)))
                    .unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        };
        Self { first, prefix }
    }

    /// Gives the largest network around this one that may belong to one client.
    pub(crate) fn largest_around(self) -> Self {
        Self::largest(self.first)
    }

    /// Gives the length of the prefix in bits.
    pub(crate) fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether the address belongs to the network.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        Self::of(address, self.prefix) == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_networks() {
        let networks = |address: &str| -> Vec<String> {
            Network::counted(address.parse().unwrap())
                .map(|network| format!("{}/{}", network.first, network.prefix))
                .collect()
        };
        assert_eq!(networks("192.0.2.1"), ["192.0.2.1/32"]);
        assert_eq!(networks("::ffff:192.0.2.1"), ["192.0.2.1/32"]);
        assert_eq!(
            networks("2001:db8:1:ff7:8::9"),
            ["2001:db8:1:ff7::/64", "2001:db8:1:f00::/56", "2001:db8:1::/48"]
        );
        let largest = Network::largest("2001:db8:1::1".parse().unwrap());
        assert_eq!(largest.prefix(), 48);
        assert!(largest.contains("2001:db8:1:ffff::1".parse().unwrap()));
        assert!(!largest.contains("2001:db8:2::1".parse().unwrap()));
        assert!(!largest.contains("192.0.2.1".parse().unwrap()));
    }
}
