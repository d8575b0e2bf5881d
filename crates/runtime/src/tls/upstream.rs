//! TLS towards the upstream.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use tokenward_pdp::config;

use super::files::{Pair, TlsError, certificates, contents, provider};

/// Makes the TLS configuration: how the upstream proves its identity, and the proxy to it. The certificate must be for
/// the host of the upstream's URL.
///
/// # Errors
/// A file cannot be used, or the system names no authorities.
pub(crate) fn client_config(upstream: &config::Upstream) -> Result<ClientConfig, TlsError> {
    let roots = roots(upstream)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::NoRoots(error.to_string()))?
        .with_root_certificates(roots);
    match &upstream.client_certificate {
        None => Ok(builder.with_no_client_auth()),
        Some(files) => {
            let certified = Pair::read(files)?.certified(files)?;
            Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))))
        }
    }
}

fn roots(upstream: &config::Upstream) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    if !upstream.speaks_tls() {
        // TLS is not used. If it ever were, no certificate would be trusted.
        return Ok(Arc::new(roots));
    }
    if let Some(path) = &upstream.ca_file {
        for certificate in certificates(&contents(path)?, path)? {
            roots.add(certificate).map_err(|source| TlsError::Unusable {
                path: path.clone(),
                source,
            })?;
        }
        return Ok(Arc::new(roots));
    }
    let native = rustls_native_certs::load_native_certs();
    // A system's list may contain malformed certificates. It suffices that others are usable.
    let (usable, _) = roots.add_parsable_certificates(native.certs);
    if usable == 0 {
        let why = native
            .errors
            .first()
            .map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(TlsError::NoRoots(why));
    }
    Ok(Arc::new(roots))
}

/// Makes a connector to a server other than the upstream, with a time limit for connecting. Over TLS it trusts the authorities of
/// `ca_file`; without it, those of the system.
///
/// # Errors
/// The URL is `https`, and there are no trusted authorities.
pub(crate) fn https_connector(
    url: &str,
    ca_file: Option<&Path>,
    within: Duration,
) -> Result<HttpsConnector<HttpConnector>, TlsError> {
    let place = config::Upstream {
        urls: vec![url.to_owned()],
        ca_file: ca_file.map(Path::to_owned),
        ..config::Upstream::default()
    };
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(within));
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(client_config(&place)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector))
}
