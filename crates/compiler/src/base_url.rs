//! The configured public URL: clients call it, and a line's URL regexp sees it before the path.

/// An `http` or `https` URL without query, fragment or credentials; a final `/` is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    scheme: usize,
    origin: usize,
}

/// Why a text is not a base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Another scheme, or none.
    #[error("`{0}` does not begin with `http://` or `https://`")]
    Scheme(String),
    /// No host, or one with characters that no host has.
    #[error("`{0}` has no valid host")]
    Host(String),
    /// A query, a fragment, credentials, or a path that the proxy itself would refuse.
    #[error("`{0}` must consist only of scheme, host, port and a plain path")]
    Rest(String),
}

impl BaseUrl {
    /// Reads `https://host[:port][/context]`. Scheme and host are lower-cased, a default port is cut.
    ///
    /// # Errors
    /// Another scheme, no host, or anything beyond a plain path (letters, digits, `-._~` and `/`).
    pub fn parse(given: &str) -> Result<Self, BaseUrlError> {
        let (scheme, rest) = given
            .split_once("://")
            .map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest))
            .filter(|(scheme, _)| scheme == "http" || scheme == "https")
            .ok_or_else(|| BaseUrlError::Scheme(given.to_owned()))?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut authority = authority.to_ascii_lowercase();
        if !valid_authority(&authority) {
            return Err(BaseUrlError::Host(given.to_owned()));
        }
        let default_port = if scheme == "http" { ":80" } else { ":443" };
        if authority.ends_with(default_port) {
            authority.truncate(authority.len() - default_port.len());
        }
        if !valid_path(path) {
            return Err(BaseUrlError::Rest(given.to_owned()));
        }
        let origin = scheme.len() + 3 + authority.len();
        Ok(Self {
            scheme: scheme.len(),
            text: format!("{scheme}://{authority}{path}"),
            origin,
        })
    }

    /// The whole URL, without a final `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port: `https://jira.example.com:8443`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.origin).unwrap_or_default()
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.text.get(..self.scheme).unwrap_or_default()
    }

    /// Host and, unless it is the scheme's own, port.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.get(self.scheme + 3..self.origin).unwrap_or_default()
    }

    /// The context path: empty, or `/context` without a final `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.origin..).unwrap_or_default()
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn valid_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    let host_ok = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    port_ok && host_ok
}

fn valid_path(path: &str) -> bool {
    path.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
        && path
            .split('/')
            .skip(1)
            .all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests;
