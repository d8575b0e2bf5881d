//! The client's address: the connection's peer, or the address that a trusted proxy reports.
//!
//! Each proxy appends the address of its caller, so a list is read from its end. The first address that is not a
//! trusted proxy's is the client's. Addresses before it were written by that client and are not trusted.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use tokenward_compiler::ir::contains;

use super::raw::{RawHead, is_token, trim};
use super::{Reason, Refusal};

/// Maximum size of all `Forwarded` lines. They are read from their beginning, which anyone can write.
const FORWARDED_BYTES: usize = 8 * 1024;

/// Source of the client's address in connections of trusted proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// No source: the connection's peer is the client.
    #[default]
    Peer,
    /// The `X-Forwarded-For` header.
    XForwardedFor,
    /// The `Forwarded` header (RFC 7239).
    Forwarded,
    /// The header of the PROXY protocol, at the beginning of the connection.
    ProxyProtocol,
}

/// Trusted proxies, and the source in which they report the client's address.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    proxies: Vec<IpNet>,
    source: ClientAddress,
}

impl Trust {
    /// Trusts proxies in these networks to report the client's address in this source.
    #[must_use]
    pub fn new(proxies: Vec<IpNet>, source: ClientAddress) -> Self {
        Self { proxies, source }
    }

    /// Whether connections of this peer begin with a PROXY protocol header.
    #[must_use]
    pub fn announces(&self, peer: IpAddr) -> bool {
        self.source == ClientAddress::ProxyProtocol && self.trusts(peer)
    }

    /// Determines the client's address. `peer` is the connection's peer, or the address from the PROXY protocol.
    ///
    /// Headers of untrusted peers are ignored. If every address in the list is a trusted proxy's, the first one is the
    /// client's. Without the header, `peer` is the client: the proxy itself calls.
    ///
    /// # Errors
    /// The header of a trusted proxy is malformed between its end and the client's address, or contains no address
    /// there.
    pub fn client(&self, peer: IpAddr, raw: &RawHead<'_>) -> Result<IpAddr, Refusal> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Ok(peer);
        }
        let client = match self.source {
            ClientAddress::Peer | ClientAddress::ProxyProtocol => Some(peer),
            ClientAddress::XForwardedFor => {
                let lines: Vec<_> = raw.values("x-forwarded-for").collect();
                let items = lines
                    .into_iter()
                    .rev()
                    .flat_map(|line| line.rsplit(|byte| *byte == b','));
                self.last_untrusted(peer, items.map(|item| node(trim(item))))
            }
            ClientAddress::Forwarded => {
                let lines = raw.values("forwarded");
                let size: usize = lines.map(<[u8]>::len).sum();
                let short = (size <= FORWARDED_BYTES).then(|| raw.values("forwarded"));
                let elements: Option<Vec<_>> = short.and_then(|lines| lines.map(elements).collect());
                elements.and_then(|lines| {
                    let nodes = lines.into_iter().flatten().rev();
                    self.last_untrusted(peer, nodes.map(|given| given.and_then(|given| node(&given))))
                })
            }
        };
        client.ok_or_else(|| Reason::ClientAddress.into())
    }

    /// Whether the address belongs to a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| contains(network, address))
    }

    /// Returns the first of `items` that is not a trusted proxy's, otherwise the last one; `None` if an item up to
    /// there is not an address.
    fn last_untrusted(&self, peer: IpAddr, items: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut last = peer;
        for item in items {
            last = item?;
            if !self.trusts(last) {
                break;
            }
        }
        Some(last)
    }
}

/// Parses an address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:80`.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let with_port = || {
        let address: SocketAddr = text.parse().ok()?;
        // A zone has a meaning only on one machine.
        (!text.contains('%')).then(|| address.ip())
    };
    let address = text.parse().ok().or_else(bracketed).or_else(with_port)?;
    Some(address.to_canonical())
}

/// Returns the value of `for` in each element of a `Forwarded` line, from the first to the last (RFC 7239 section 4);
/// `None` if the line breaks the grammar. Quotes can hide commas, so the line is read from its beginning, even if an
/// untrusted client wrote that.
fn elements(line: &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let mut elements = Vec::new();
    let mut rest = line;
    loop {
        let (element, after) = element(rest)?;
        elements.push(element);
        match after {
            [] => return Some(elements),
            [b',', next @ ..] => rest = next,
            _ => return None,
        }
    }
}

/// Returns the `for` of one element, and the text after the element.
fn element(text: &[u8]) -> Option<(Option<Vec<u8>>, &[u8])> {
    let mut found = None;
    let mut rest = trim(text);
    loop {
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        let (name, after) = rest.split_at_checked(equals)?;
        let (given, after) = value(after.get(1..)?)?;
        if !is_token(name) {
            return None;
        }
        // A name may occur only once (RFC 7239 section 4).
        if name.eq_ignore_ascii_case(b"for") && found.replace(given).is_some() {
            return None;
        }
        match trim(after) {
            [b';', next @ ..] => rest = trim(next),
            after => return Some((found, after)),
        }
    }
}

/// Reads a token or a quoted string; returns it with the text after it.
fn value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text
            .iter()
            .position(|byte| matches!(byte, b',' | b';' | b' ' | b'\t'))
            .unwrap_or(text.len());
        let (token, rest) = text.split_at_checked(end)?;
        return is_token(token).then(|| (token.to_vec(), rest));
    };
    let mut given = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((given, quoted.get(at + 1..)?)),
            b'\\' => given.push(*bytes.next()?.1),
            byte => given.push(*byte),
        }
    }
    None
}

#[cfg(test)]
mod tests;
