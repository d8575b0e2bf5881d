use super::*;
use crate::request::{Framing, Version};

fn trust(source: ClientAddress) -> Trust {
    let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
    Trust::new(proxies.to_vec(), source)
}

/// Returns the client of a connection from `peer` with these header lines, as text; `refused` if it is refused.
fn client(source: ClientAddress, peer: &str, lines: &[&str]) -> String {
    let name: &[u8] = match source {
        ClientAddress::Forwarded => b"Forwarded",
        _ => b"X-Forwarded-For",
    };
    let headers: Vec<(&[u8], &[u8])> = lines.iter().map(|line| (name, line.as_bytes())).collect();
    let raw = RawHead {
        method: "GET",
        target: b"/",
        version: Version::Http11,
        headers: &headers,
        authority: None,
        body: Framing::None,
    };
    match trust(source).client(peer.parse().unwrap(), &raw) {
        Ok(address) => address.to_string(),
        Err(refusal) => {
            assert_eq!(refusal.reason, Reason::ClientAddress);
            "refused".to_owned()
        }
    }
}

#[test]
fn the_last_address_that_is_no_trusted_proxys_counts() {
    for (lines, expected) in [
        (&["192.0.2.1"][..], "192.0.2.1"),
        (&["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        (&["192.0.2.1, 10.1.1.1"], "192.0.2.1"),
        (&["198.51.100.9", "192.0.2.1 ,10.1.1.1", "10.2.2.2"], "192.0.2.1"),
        (&["10.9.9.9, 10.1.1.1"], "10.9.9.9"),
        (&[], "10.0.0.1"),
        (&["192.0.2.1:4711"], "192.0.2.1"),
        (&["2001:db9::1"], "2001:db9::1"),
        (&["[2001:db9::1]"], "2001:db9::1"),
        (&["[2001:db9::1]:80, 2001:db8::7"], "2001:db9::1"),
        // An IPv4 address mapped to IPv6 is the same address, and is trusted in the same way.
        (&["192.0.2.1, ::ffff:10.1.1.1"], "192.0.2.1"),
        (&["::ffff:192.0.2.1"], "192.0.2.1"),
        // Text that the client itself wrote is not read.
        (&["unknown, 192.0.2.1"], "192.0.2.1"),
        (&["", "192.0.2.1"], "192.0.2.1"),
    ] {
        let found = client(ClientAddress::XForwardedFor, "10.0.0.1", lines);
        assert_eq!(found, expected, "{lines:?}");
    }
}

#[test]
fn a_trusted_proxy_that_names_no_address_is_refused() {
    for line in [
        "",
        "unknown",
        "192.0.2.1,",
        "192.0.2.1, , 10.1.1.1",
        "192.0.2.1 10.1.1.1",
        "192.0.2.1;10.1.1.1",
        "192.0.2.256",
        "192.0.2.01",
        "192.0.2.1:",
        "192.0.2.1:99999",
        "fe80::1%eth0",
        "[fe80::1%1]:80",
        "[192.0.2.1]",
        "example.com",
        "\"192.0.2.1\"",
        "é",
    ] {
        assert_eq!(
            client(ClientAddress::XForwardedFor, "10.0.0.1", &[line]),
            "refused",
            "{line}"
        );
    }
}

#[test]
fn others_claim_what_they_like() {
    for source in [ClientAddress::XForwardedFor, ClientAddress::Forwarded] {
        for line in ["10.1.1.1", "for=10.1.1.1", "nonsense=\""] {
            assert_eq!(client(source, "192.0.2.7", &[line]), "192.0.2.7", "{line}");
        }
    }
    for source in [ClientAddress::Peer, ClientAddress::ProxyProtocol] {
        assert_eq!(client(source, "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
        assert_eq!(client(source, "::ffff:10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
    }
}

#[test]
fn forwarded_is_read_by_its_grammar() {
    for (lines, expected) in [
        (&["for=192.0.2.1"][..], "192.0.2.1"),
        (&["For=192.0.2.1;proto=https;by=10.1.1.1"], "192.0.2.1"),
        (
            &["proto=http ; host=\"a,for=1.1.1.1\" ; for=192.0.2.1"],
            "192.0.2.1",
        ),
        (&["for=198.51.100.9, for=192.0.2.1, for=10.1.1.1"], "192.0.2.1"),
        (&["for=192.0.2.1", "for=\"[2001:db8::1]:443\""], "192.0.2.1"),
        (&["for=\"[2001:db9::1]\""], "2001:db9::1"),
        (&["for=\"192.0.2.1:80\""], "192.0.2.1"),
        (&["for=\"192.0.\\2.1\""], "192.0.2.1"),
        (&["for=unknown, for=192.0.2.1"], "192.0.2.1"),
        (&[], "10.0.0.1"),
        // The item that is reached is not an address.
        (&["for=unknown"], "refused"),
        (&["for=_hidden"], "refused"),
        (&["proto=https"], "refused"),
        (&["for=192.0.2.1, proto=https"], "refused"),
        // The header is not a valid `Forwarded`.
        (&[""], "refused"),
        (&["192.0.2.1"], "refused"),
        (&["for=192.0.2.1,"], "refused"),
        (&["for=192.0.2.1;for=198.51.100.9"], "refused"),
        (&["for=192.0.2.1 proto=http"], "refused"),
        (&["for =192.0.2.1"], "refused"),
        (&["for=\"192.0.2.1"], "refused"),
        (&["for=\"x, for=192.0.2.1"], "refused"),
        (&["for=[2001:db9::1]"], "refused"),
    ] {
        let found = client(ClientAddress::Forwarded, "10.0.0.1", lines);
        assert_eq!(found, expected, "{lines:?}");
    }
}
