//! Headers that name the user to the upstream, without their values.

use crate::config::Identity;

/// The names of the headers in which this configuration names users to the upstream; a client's copies are dropped.
/// (`Authorization` never passes anyway.)
pub(crate) fn header_names(identity: &Identity) -> Vec<String> {
    match identity {
        Identity::TrustedHeader { header } => vec![header.clone()],
        Identity::PerUser { .. } => Vec::new(),
        Identity::ServiceAccount { header, .. } => vec![header.clone()],
    }
}
