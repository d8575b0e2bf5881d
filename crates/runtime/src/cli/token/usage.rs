//! Usage of tokens according to the audit: last use, and who still uses the secret from before a rotation.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tokenward_audit::{Filter, Page};
use tokenward_pdp::config::Config;

use super::Failure;
use crate::call::record::PREVIOUS_SECRET;
use crate::cli::audit;

/// The use of tokens, by name.
#[derive(Debug, Default)]
pub(super) struct Usage {
    tokens: BTreeMap<String, Used>,
    previous: BTreeMap<String, Used>,
}

/// Calls and the last of them, RFC 3339.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    pub(super) calls: u64,
    pub(super) last: Option<String>,
}

/// Someone who calls: user and address.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    pub(super) user: Option<String>,
    pub(super) client: String,
}

impl Usage {
    /// Reads the usage from this configuration's audit.
    ///
    /// # Errors
    /// Why it knows nothing, or cannot be asked.
    pub(super) fn of(config: &Config) -> Result<Self, Failure> {
        let by_token = |filter: &Filter| -> Result<BTreeMap<String, Used>, Failure> {
            let report = audit::usage(config, filter)?;
            let named = report.tokens.into_iter().filter_map(|used| {
                let (calls, last) = (used.counts.calls, used.counts.last);
                Some((used.name?, Used { calls, last }))
            });
            Ok(named.collect())
        };
        Ok(Self {
            tokens: by_token(&Filter::default())?,
            previous: by_token(&Filter {
                reason: Some(PREVIOUS_SECRET.to_owned()),
                ..Filter::default()
            })?,
        })
    }

    /// Counts all calls with this token, allowed or not.
    pub(super) fn token(&self, name: &str) -> Used {
        self.tokens.get(name).cloned().unwrap_or_default()
    }

    /// Calls that were allowed with its secret from before a rotation.
    pub(super) fn previous(&self, name: &str) -> Option<&Used> {
        self.previous.get(name)
    }
}

/// Finds the callers that used a token's secret from before a rotation, among the last thousand such calls.
pub(super) fn callers(config: &Config, name: &str) -> Result<BTreeSet<Caller>, Failure> {
    let filter = Filter {
        token: Some(name.to_owned()),
        reason: Some(PREVIOUS_SECRET.to_owned()),
        ..Filter::default()
    };
    let page = Page {
        limit: 1000,
        ..Page::default()
    };
    let calls = audit::calls(config, &filter, page)?;
    Ok(calls
        .iter()
        .filter_map(|call| serde_json::from_str(call).ok())
        .collect())
}
