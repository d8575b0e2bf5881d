//! The addresses from which a token was used.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;
use tokenward_audit::{Filter, Page, Reader, Verdict};

use super::used::Used;
use crate::admin::AdminError;

/// Calls that are read. A busy token has many, and its page must be quick.
const READ: usize = 1_000;

/// Addresses of the last calls of a token.
#[derive(Debug, Serialize)]
pub(super) struct Addresses {
    /// Number of calls that were read.
    pub(super) of_calls: usize,
    /// Whether there are older calls.
    pub(super) has_older: bool,
    /// The addresses, the last used first.
    pub(super) all: Vec<Address>,
}

/// One address.
#[derive(Debug, Serialize)]
pub(super) struct Address {
    pub(super) address: String,
    pub(super) used: Used,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

/// Reads the last calls of a token.
pub(super) fn addresses(reader: &Reader, token: &str) -> Result<Addresses, AdminError> {
    let filter = Filter {
        token: Some(token.to_owned()),
        ..Filter::default()
    };
    let page = Page {
        limit: READ,
        ..Page::default()
    };
    let entries = reader.query(&filter, page)?;
    let mut by_address: HashMap<IpAddr, Address> = HashMap::new();
    for entry in &entries {
        let (client, ms) = (entry.record.client, entry.record.time_ms);
        let known = by_address.entry(client).or_insert_with(|| Address {
            address: client.to_string(),
            used: Used::default(),
            first_ms: ms,
            last_ms: ms,
        });
        known.used.calls += 1;
        *match entry.record.verdict {
            Verdict::Allow => &mut known.used.allowed,
            Verdict::Deny => &mut known.used.denied,
            Verdict::Refuse => &mut known.used.refused,
        } += 1;
        known.first_ms = known.first_ms.min(ms);
        known.last_ms = known.last_ms.max(ms);
    }
    let mut all: Vec<Address> = by_address.into_values().collect();
    all.sort_by_key(|address| std::cmp::Reverse(address.last_ms));
    Ok(Addresses {
        of_calls: entries.len(),
        has_older: entries.len() == READ,
        all,
    })
}
