//! Recorded calls for other subcommands, whether a proxy has the audit open or not.

use tokenward_audit::{Filter, Page};

use super::source::Source;
use crate::audit_json::UsageReport;
use crate::cli::Failure;
use crate::config::Config;

/// Counts the calls that match `filter`.
pub(in crate::cli) fn usage(config: &Config, filter: &Filter) -> Result<UsageReport, Failure> {
    Source::open(config)?.usage(filter)
}

/// Lists the recorded calls that match `filter`, one JSON object each.
pub(in crate::cli) fn calls(config: &Config, filter: &Filter, page: Page) -> Result<Vec<String>, Failure> {
    Source::open(config)?.list(filter, page)
}

/// Gives all recorded calls, newest first, whether the audit is open in a proxy or not; at most 10 000.
pub(crate) fn recorded(config: &Config) -> Result<Vec<String>, Failure> {
    let page = Page {
        limit: 10_000,
        ..Page::default()
    };
    Source::open(config)?.list(&Filter::default(), page)
}
