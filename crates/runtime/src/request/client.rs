//! The client's address: the connection's other end, or whom a trusted proxy there names.
//!
//! Each proxy appends whom it was called by, so a list is read from its end: the first address that is no trusted
//! proxy's is the client's. What stands before it is whatever that client wrote, and is not believed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::raw::{RawHead, is_token, trim};
use super::{Reason, Refusal};

/// Where the address of the client stands, as far as a trusted proxy is called by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// Nowhere: the connection's other end is the client.
    #[default]
    Peer,
    /// In `X-Forwarded-For`.
    XForwardedFor,
    /// In `Forwarded` (RFC 7239).
    Forwarded,
    /// In the PROXY protocol's header, before the connection's first byte.
    ProxyProtocol,
}

/// Who may say whose request it is, and where.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    proxies: Vec<IpNet>,
    source: ClientAddress,
}

impl Trust {
    /// Trusts these networks to say it there.
    #[must_use]
    pub fn new(proxies: Vec<IpNet>, source: ClientAddress) -> Self {
        Self { proxies, source }
    }

    /// Whether connections from there begin with a PROXY protocol header.
    #[must_use]
    pub fn announces(&self, peer: IpAddr) -> bool {
        self.source == ClientAddress::ProxyProtocol && self.trusts(peer)
    }

    /// The client's address, where `peer` is the connection's other end, or whom the PROXY protocol named.
    ///
    /// Headers of peers that are not trusted count for nothing. Where every address is a trusted proxy's, the first one
    /// is the client's; where there is no header, `peer` is: the proxy itself calls.
    ///
    /// # Errors
    /// What a trusted proxy says is malformed up to the client's address, or names none.
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
                let elements: Option<Vec<_>> = raw.values("forwarded").map(elements).collect();
                elements.and_then(|lines| {
                    let nodes = lines.into_iter().flatten().rev();
                    self.last_untrusted(peer, nodes.map(|given| given.and_then(|given| node(&given))))
                })
            }
        };
        client.ok_or_else(|| Reason::ClientAddress.into())
    }

    /// Whether a proxy at this address is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.proxies.iter().any(|network| network.contains(&address))
    }

    /// `None` if an item that is reached names no address.
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

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let with_port = || {
        let address: SocketAddr = text.parse().ok()?;
        // A zone is of one machine alone.
        (!text.contains('%')).then(|| address.ip())
    };
    let address = text.parse().ok().or_else(bracketed).or_else(with_port)?;
    Some(address.to_canonical())
}

/// What each element of a `Forwarded` line says behind `for`, from the first to the last (RFC 7239 section 4); `None`
/// if the line breaks the grammar. Quotes hide commas, so the line is read from its begin, whoever wrote that.
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

/// One element's `for`, and what follows the element.
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
        // Each name once: RFC 7239 section 4.
        if name.eq_ignore_ascii_case(b"for") && found.replace(given).is_some() {
            return None;
        }
        match trim(after) {
            [b';', next @ ..] => rest = trim(next),
            after => return Some((found, after)),
        }
    }
}

/// A token or a quoted string, and what follows it.
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
