//! Settings of the upstream, read from the configuration.

use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use rustls::ClientConfig;
use tokenward_pdp::config::Config;
use tokenward_pdp::request::matches_pattern;

use super::addresses::Addresses;
use super::fields::Public;
use super::links::{LinkTexts, Watch};
use super::location::{Places, host_of};
use crate::tls::{TlsError, client_config};

/// Settings of the upstream.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamSettings {
    pub(super) scheme: Scheme,
    pub(super) addresses: Arc<Addresses>,
    pub(super) health: Option<HealthSettings>,
    pub(super) tls: ClientConfig,
    pub(super) public: Public,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) pause: Duration,
    pub(super) stream_pause: Duration,
    /// Patterns of the paths whose responses are streams.
    pub(super) streams: Vec<String>,
    pub(super) places: Places,
    pub(super) cookies: bool,
    pub(super) links: Option<LinkTexts>,
    pub(super) watch: Option<Watch>,
}

/// The configuration of the upstream is not usable.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The URL is not valid for an upstream.
    #[error(
        "`{url}` is not an upstream; [upstream] url must be http(s)://host:port, with an optional context path"
    )]
    Url {
        /// The configured URL.
        url: String,
    },
    /// TLS to the upstream cannot be set up.
    #[error("TLS to the upstream ([upstream]): {0}")]
    Tls(#[from] TlsError),
}

impl UpstreamSettings {
    /// Reads the settings from the configuration.
    ///
    /// # Errors
    /// The upstream's URL is invalid, a name is not a valid header value, or TLS is required but cannot be set up.
    pub(crate) fn read(config: &Config) -> Result<Self, UpstreamError> {
        let error = || UpstreamError::Url {
            url: config.upstream.urls.join(", "),
        };
        // The URLs differ only in host and port, so the first gives scheme and path.
        let parsed: Result<Vec<Uri>, _> = config.upstream.urls.iter().map(|url| url.parse()).collect();
        let uris = parsed.map_err(|_| error())?;
        let authorities: Option<Vec<&str>> = uris
            .iter()
            .map(|uri| uri.authority().map(http::uri::Authority::as_str))
            .collect();
        let authorities = authorities.ok_or_else(error)?;
        let hosts: Option<Vec<String>> = authorities.iter().map(|authority| host_of(authority)).collect();
        let uri = uris.first().ok_or_else(error)?;
        let scheme = uri.scheme().ok_or_else(error)?;
        // Names that the upstream sees, and that its redirects and links are rewritten to.
        let public = &config.upstream.public_url;
        let host = config.upstream.host.as_deref().unwrap_or(public.authority());
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| error());
        let upstream_path = uri.path().trim_end_matches('/').to_owned();
        let rewriting = config.answers.rewrite_links;
        let texts = LinkTexts::new(scheme.as_str(), &authorities, &upstream_path, public);
        Ok(Self {
            scheme: scheme.clone(),
            addresses: Arc::new(Addresses::new(
                authorities.into_iter().map(str::to_owned).collect(),
            )),
            health: config.upstream.health_path.clone().map(|path| HealthSettings {
                path,
                interval: config.upstream.health_interval,
            }),
            tls: client_config(&config.upstream)?,
            public: Public {
                host: header(host)?,
                authority: header(public.authority())?,
                scheme: header(public.scheme())?,
                whole_answers: rewriting,
            },
            connect_timeout: config.limits.connect_timeout,
            timeout: config.limits.upstream_timeout,
            pause: config.limits.body_timeout,
            stream_pause: config.limits.stream_timeout,
            streams: config.upstream.streams.clone(),
            places: Places {
                public: public.clone(),
                upstream_hosts: hosts.ok_or_else(error)?,
                upstream_path,
            },
            cookies: config.relax.cookies,
            watch: Watch::new(texts.clone()),
            links: rewriting.then_some(texts),
        })
    }

    /// Gives the context path of the upstream: empty, or `/context`.
    pub(crate) fn path(&self) -> &str {
        &self.places.upstream_path
    }

    /// Gives the scheme, `http` or `https`.
    pub(super) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Gives the `Host` of requests.
    pub(super) fn host(&self) -> &HeaderValue {
        &self.public.host
    }

    /// Gives the upstream's addresses.
    pub(crate) fn addresses(&self) -> &Arc<Addresses> {
        &self.addresses
    }

    /// Gives the settings of health checks, if they are on.
    pub(super) fn health(&self) -> Option<&HealthSettings> {
        self.health.as_ref()
    }

    /// Gives the maximum pause within a body, which is longer in a stream.
    pub(super) fn pause(&self, is_stream: bool) -> Duration {
        if is_stream { self.stream_pause } else { self.pause }
    }

    /// Whether the configuration names the path below the base URL as one whose responses are streams.
    pub(super) fn streams(&self, path: &str) -> bool {
        self.streams.iter().any(|pattern| matches_pattern(pattern, path))
    }

    /// Gives the watch for the upstream's own address in responses, if it is not the public one.
    pub(super) fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Gives the texts for rewriting links in JSON responses, if links are rewritten.
    pub(super) fn links(&self) -> Option<&LinkTexts> {
        self.links.as_ref()
    }

    /// Whether `Set-Cookie` is forwarded.
    pub(super) fn cookies(&self) -> bool {
        self.cookies
    }
}

/// Settings of health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HealthSettings {
    /// Path and query of the check, from the root.
    pub(crate) path: String,
    /// Time from the end of one round to the next.
    pub(crate) interval: Duration,
}
