//! The requests that a proxy would forward as configured, if the lines of a token allow them.
//!
//! A proof covers all requests that some setting or key could admit, so it holds whatever they are. The request that is shown
//! should be one that the proxy forwards as it is configured: a search leaves out the paths that it does not serve, and asks
//! the proxy's own code about each request that it finds.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use regex_syntax::hir::Hir;

use super::{
    Obstacle, call_paths, fixed::parsed, names::NameRefusals, refused_paths, refused_paths::LiftedRefusals,
    witness::Request,
};
use crate::{
    ir::{AutomatonError, Matcher, Program, Token, TokenId},
    regexp::any_bytes,
};

/// The code that judges real requests.
pub trait Proxy: Send + Sync {
    /// Returns what keeps the proxy from forwarding the request; nothing if it would forward it.
    fn obstacles(&self, asked: Asked<'_>, request: &Request) -> Vec<Obstacle>;

    /// Whether the proxy refuses every request with a query parameter of this name.
    fn refuses_parameter(&self, name: &str) -> bool;

    /// Returns the rule by which the proxy refuses ambiguous names; `None` if it refuses none.
    fn names(&self) -> Option<&dyn NameRefusals>;
}

/// For whom a proxy is asked whether it would forward a request.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Whether the token may make calls that issue or show credentials.
    pub mint: bool,
    /// Whether the token may make calls that give rights.
    pub escalate: bool,
    /// The token of a bound program whose lines must allow the request; `None`: the lines are not asked.
    pub lines: Option<(&'a Program, TokenId)>,
}

impl<'a> Asked<'a> {
    /// A token with its keys and its lines.
    #[must_use]
    pub fn token(program: &'a Program, id: TokenId) -> Self {
        Self {
            lines: Some((program, id)),
            ..Self::keys(program.token(id))
        }
    }

    /// A token with its keys, whatever its lines allow.
    #[must_use]
    pub fn keys(token: &Token) -> Self {
        Self {
            mint: token.mint,
            escalate: token.escalate,
            lines: None,
        }
    }

    /// A token with every key, whatever its lines allow.
    #[must_use]
    pub fn anyone() -> Self {
        Self {
            mint: true,
            escalate: true,
            lines: None,
        }
    }
}

/// The paths that a configuration serves, as written in it.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Paths below the base URL, each one path or `/*` at the end; if empty, every path.
    pub endpoints: Vec<String>,
    /// The formats of paths below an endpoint: such a path must end in one of them. Empty: any.
    pub formats: Vec<String>,
    /// Paths that the proxy answers itself.
    pub own: Vec<String>,
    /// The refusals that are lifted.
    pub lifted: LiftedRefusals,
    /// Whether `/s/…/_/path` means `/path`.
    pub resource_prefix: bool,
}

/// The requests that a proxy forwards as configured.
#[derive(Clone)]
pub struct Proxied {
    /// The paths that are served.
    served: Matcher,
    /// Paths that are refused, or that the proxy answers itself.
    refused: Matcher,
    resource_prefix: bool,
    /// The paths of calls, by their patterns. They are built when a search meets the first such call.
    calls: Arc<Mutex<HashMap<String, Matcher>>>,
    proxy: Arc<dyn Proxy>,
}

impl fmt::Debug for Proxied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxied").finish_non_exhaustive()
    }
}

impl Proxied {
    /// # Errors
    /// A pattern grows past its limit.
    pub fn new(serving: &Serving, proxy: Arc<dyn Proxy>) -> Result<Self, AutomatonError> {
        let refused = parsed(&refused_paths::pattern(&serving.lifted))?;
        let own = serving
            .own
            .iter()
            .map(|path| Hir::literal(path.as_bytes().to_vec()));
        Ok(Self {
            served: Matcher::new(&served(serving)?)?,
            refused: Matcher::new(&Hir::alternation(own.chain([refused]).collect()))?,
            resource_prefix: serving.resource_prefix,
            calls: Arc::default(),
            proxy,
        })
    }

    /// Whether the path can be that of a forwarded request: it is served and not refused. Whether a token may make the call is
    /// not looked at.
    #[must_use]
    pub fn has_path(&self, path: &str) -> bool {
        path.starts_with('/') && self.served.matches(path) && !self.refused.matches(path)
    }

    /// Whether a call's pattern covers the path in a spelling that the analysis knows.
    ///
    /// # Errors
    /// The pattern grows past its limit.
    pub fn is_call(&self, call: &str, path: &str) -> Result<bool, AutomatonError> {
        Ok(self.call(call)?.matches(path))
    }

    /// Whether the proxy refuses names that its upstream could take for one that a line constrains.
    pub(crate) fn refuses_names(&self) -> bool {
        self.proxy.names().is_some()
    }

    pub(super) fn served(&self) -> &Matcher {
        &self.served
    }

    pub(super) fn refused(&self) -> &Matcher {
        &self.refused
    }

    pub(crate) fn proxy(&self) -> &dyn Proxy {
        &*self.proxy
    }

    /// The matcher of a call's paths, always the same one for the same pattern.
    pub(super) fn call(&self, pattern: &str) -> Result<Matcher, AutomatonError> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = calls.get(pattern) {
            return Ok(known.clone());
        }
        let matcher = Matcher::new(&parsed(&call_paths::pattern(pattern, self.resource_prefix))?)?;
        calls.insert(pattern.to_owned(), matcher.clone());
        Ok(matcher)
    }
}

fn served(serving: &Serving) -> Result<Hir, AutomatonError> {
    if serving.endpoints.is_empty() {
        return Ok(any_bytes());
    }
    let formats: Vec<String> = serving
        .formats
        .iter()
        .map(|format| regex_syntax::escape(format))
        .collect();
    let endpoint = |pattern: &String| match pattern.strip_suffix('*') {
        Some(start) if formats.is_empty() => Ok(Hir::concat(vec![
            Hir::literal(start.as_bytes().to_vec()),
            any_bytes(),
        ])),
        // The last segment has a name and a format. A final slash does not count.
        Some(start) => parsed(&format!(
            r"{}(?:.*/)?[^/]+\.(?:{})/?",
            regex_syntax::escape(start),
            formats.join("|")
        )),
        None => Ok(Hir::literal(pattern.as_bytes().to_vec())),
    };
    let endpoints: Result<Vec<Hir>, AutomatonError> = serving.endpoints.iter().map(endpoint).collect();
    Ok(Hir::alternation(endpoints?))
}
