//! The names under which the listener is reached. A page of another site can give its own name the address of this listener (DNS
//! rebinding), and would then count as its page for the browser: requests for such names are refused.

use std::net::IpAddr;

use http::uri::Authority;

/// Names and addresses that requests may be for.
#[derive(Debug)]
pub(super) struct Names {
    listen: IpAddr,
    names: Vec<String>,
}

impl Names {
    pub(super) fn new(listen: IpAddr, names: Vec<String>) -> Self {
        Self {
            listen: listen.to_canonical(),
            names,
        }
    }

    /// Whether the value of `Host` names this listener. The port is not compared, since it may be forwarded.
    pub(super) fn has(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') {
            return false;
        }
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if self.listen.is_loopback() => address.is_loopback(),
            Ok(address) => self.listen.is_unspecified() || address == self.listen,
            Err(_) => (self.listen.is_loopback() && name == "localhost") || self.names.contains(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listeners_own_names_count() {
        let of = |listen: &str| Names::new(listen.parse().unwrap(), vec!["twd.example.com".to_owned()]);
        let local = of("127.0.0.1");
        for host in [
            "127.0.0.1:8081",
            "localhost",
            "LocalHost:9",
            "[::1]:1",
            "twd.example.com.",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(local.has(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "a@localhost",
            "localhost@evil.example",
            "localhost/x",
            "2130706433",
            "twd.example.com.evil.example",
        ] {
            assert!(!local.has(host), "{host}");
        }
        let open = of("10.0.0.5");
        assert!(open.has("10.0.0.5:8081") && open.has("twd.example.com"));
        assert!(!open.has("10.0.0.6") && !open.has("localhost"));
        // Any address of the machine; a name that an attacker chooses is never an address.
        assert!(of("0.0.0.0").has("192.0.2.1") && !of("0.0.0.0").has("evil.example"));
    }
}
