//! The paths that the proxy serves, as far as a proof needs them.

use regex_syntax::hir::Hir;

use super::Proxied;
use crate::{
    ir::{AutomatonError, Matcher},
    regexp::any_bytes,
};

/// Endpoints below the base URL: a path, or `/*` at the end for all paths below one.
#[derive(Clone, Debug)]
pub struct Served {
    endpoints: Vec<String>,
    encoded_slash: bool,
    proxied: Option<Proxied>,
}

impl Served {
    /// Every path.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            endpoints: Vec::new(),
            encoded_slash: true,
            proxied: None,
        }
    }

    /// These endpoints only; every path if there is none. `encoded_slash`: whether `%2F` in a path is accepted, and stays.
    #[must_use]
    pub fn of(endpoints: impl IntoIterator<Item = String>, encoded_slash: bool) -> Self {
        Self {
            endpoints: endpoints.into_iter().collect(),
            encoded_slash,
            proxied: None,
        }
    }

    /// Shows only requests that this proxy forwards, as far as findings show any.
    #[must_use]
    pub fn behind(self, proxied: Proxied) -> Self {
        Self {
            proxied: Some(proxied),
            ..self
        }
    }

    pub(crate) fn proxied(&self) -> Option<&Proxied> {
        self.proxied.as_ref()
    }

    pub(crate) fn has_encoded_slash(&self) -> bool {
        self.encoded_slash
    }

    /// The endpoints; none: every path is served.
    pub(crate) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// The endpoints, for a message: "`/rest/*` and `/login`".
    #[must_use]
    pub fn shown(&self) -> String {
        let names: Vec<String> = self.endpoints.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }

    /// The matcher of the paths; `None`: all.
    pub(crate) fn matcher(&self) -> Result<Option<Matcher>, AutomatonError> {
        if self.endpoints.is_empty() {
            return Ok(None);
        }
        let endpoint = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => Hir::concat(vec![Hir::literal(start.as_bytes().to_vec()), any_bytes()]),
            None => Hir::literal(pattern.as_bytes().to_vec()),
        };
        Matcher::new(&Hir::alternation(self.endpoints.iter().map(endpoint).collect())).map(Some)
    }
}
