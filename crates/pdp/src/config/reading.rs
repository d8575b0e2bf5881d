//! The settings for reading requests, from the configuration.

use crate::config::{Config, Identity};
use crate::request::{Kept, Rules, RulesError, Settings};

/// The rules by which a proxy with this configuration reads requests, to judge requests without a call: the context path at the
/// upstream and the rules for values in the audit change no decision.
///
/// # Errors
/// The configuration contains an invalid name or path.
pub fn rules(config: &Config) -> Result<Rules, RulesError> {
    Rules::new(&reading(config, None, Kept::default()))
}

/// Makes the settings for reading requests: from the configuration, the context path at the upstream, and the rules for
/// values in the audit.
pub fn reading(config: &Config, upstream_path: Option<String>, kept: Kept) -> Settings {
    Settings {
        endpoints: config.upstream.endpoints.clone(),
        upstream_path,
        relax: config.relax,
        query_pairs: config.limits.query_pairs,
        header_count: config.limits.header_count,
        head_bytes: config.limits.head_bytes,
        identity_headers: header_names(&config.identity),
        refused_parameters: config.upstream.refused_parameters.clone(),
        refused_headers: config.upstream.refused_headers.clone(),
        refused_members: config.upstream.refused_members.clone(),
        accepted_names: config.upstream.accepted_names.clone(),
        query_token: config.auth.query_parameter.clone(),
        product_header: config.auth.product_header,
        schemes: config.auth.schemes.clone(),
        kept,
        ..Settings::new(config.upstream.public_url.clone(), config.upstream.product)
    }
}

/// The names of the headers in which this configuration names users to the upstream; a client's copies are dropped.
/// (`Authorization` never passes anyway.)
pub(crate) fn header_names(identity: &Identity) -> Vec<String> {
    match identity {
        Identity::TrustedHeader { header } => vec![header.clone()],
        Identity::PerUser { .. } => Vec::new(),
        Identity::ServiceAccount { header, .. } => vec![header.clone()],
    }
}
