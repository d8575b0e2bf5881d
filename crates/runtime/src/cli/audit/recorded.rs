//! Recorded calls for other subcommands, whether a proxy has the audit open or not.

use std::path::Path;

use tokenward_audit::{Filter, Page};
use tokenward_pdp::config::Config;

use super::source::Source;
use crate::audit_json::UsageReport;
use crate::cli::Failure;

/// The calls of one audit: of a path that was named, otherwise of the configured store, or of the proxy that has it open.
pub(in crate::cli) struct Recorded(Source);

impl Recorded {
    pub(in crate::cli) fn open(path: Option<&Path>, config: &Config) -> Result<Self, Failure> {
        match path {
            Some(path) => Source::files(path),
            None => Source::open(config),
        }
        .map(Self)
    }

    /// Counts the calls that match `filter`.
    pub(in crate::cli) fn usage(&self, filter: &Filter) -> Result<UsageReport, Failure> {
        self.0.usage(filter)
    }

    /// Gives the calls that match `filter` to `each`, one JSON object each, oldest first.
    pub(in crate::cli) fn each(
        &self,
        filter: &Filter,
        each: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.0.all(filter, None, each)
    }

    /// Fails if calls are missing because the audit is damaged. Standard error gets the gaps.
    pub(in crate::cli) fn check_whole(&self) -> Result<(), Failure> {
        self.0.tell_lacking()
    }
}

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
