//! The calls of the audit: of each token, each line, and each operation of each token.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use tokenward_audit::{Filter, Verdict};
use tokenward_compiler::BaseUrl;
use tokenward_compiler::method::Method;
use tokenward_compiler::reach::Catalogue;
use tokenward_pdp::config::Config;

use super::super::audit::Recorded;
use super::super::failure::Failure;
use crate::audit_json::Counts;

/// Paths whose operation is remembered. Calls repeat their paths.
const REMEMBERED: usize = 50_000;

/// The use of everything in the policy.
pub(super) struct Usage {
    pub(super) total: Counts,
    tokens: HashMap<String, Counts>,
    lines: HashMap<(String, String), Counts>,
    /// Allowed calls by token and operation; calls of no described operation are under `None`.
    operations: HashMap<String, BTreeMap<Option<usize>, Used>>,
    /// The reason why calls are missing, if some are.
    pub(super) lacking: Option<Failure>,
}

/// Allowed calls, and the time of the last one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) calls: u64,
    pub(super) last_ms: i64,
}

/// The members of a recorded call that matter here.
#[derive(Deserialize)]
struct Call {
    token: Option<String>,
    method: String,
    url: String,
    time_ms: i64,
}

impl Usage {
    /// Reads an audit: that of a path, otherwise of the configuration. `period`: from a time on, and until before another one.
    pub(super) fn read(
        path: Option<&Path>,
        config: &Config,
        (since_ms, until_ms): (Option<i64>, i64),
        catalogue: Option<&Catalogue>,
    ) -> Result<Self, Failure> {
        let recorded = Recorded::open(path, config)?;
        let filter = Filter {
            since_ms,
            until_ms: Some(until_ms),
            ..Filter::default()
        };
        let report = recorded.usage(&filter)?;
        let tokens = report.tokens.into_iter();
        let tokens = tokens.filter_map(|used| Some((used.name?, used.counts)));
        let lines = report.lines.into_iter();
        let lines = lines.map(|used| ((used.name.file, used.name.digest), used.counts));
        let mut usage = Self {
            total: report.total,
            tokens: tokens.collect(),
            lines: lines.collect(),
            operations: HashMap::new(),
            lacking: None,
        };
        let allowed = Filter {
            verdict: Some(Verdict::Allow),
            ..filter
        };
        let mut operations = Operations {
            catalogue,
            base: &config.upstream.public_url,
            known: HashMap::new(),
        };
        recorded.each(&allowed, &mut |line| {
            // A line that cannot be read is an answer of another version; the audit itself has only whole records.
            let call: Call = serde_json::from_str(line).map_err(Failure::trouble)?;
            usage.count(call, &mut operations);
            Ok(())
        })?;
        usage.lacking = recorded.check_whole().err();
        Ok(usage)
    }

    fn count(&mut self, call: Call, operations: &mut Operations<'_>) {
        let Some(token) = call.token else { return };
        let operation = operations.of(&call.method, &call.url);
        let used = self
            .operations
            .entry(token)
            .or_default()
            .entry(operation)
            .or_default();
        used.calls += 1;
        used.last_ms = used.last_ms.max(call.time_ms);
    }

    /// The calls with a token, allowed or not; `None` if there was none.
    pub(super) fn token(&self, name: &str) -> Option<&Counts> {
        self.tokens.get(name)
    }

    /// The calls that a line decided.
    pub(super) fn line(&self, file: &str, digest: &str) -> Option<&Counts> {
        self.lines.get(&(file.to_owned(), digest.to_owned()))
    }

    /// The allowed calls that a token made of an operation; without an operation, those of no described one.
    pub(super) fn operation(&self, token: &str, operation: Option<usize>) -> Used {
        let of_token = self.operations.get(token);
        of_token
            .and_then(|all| all.get(&operation))
            .copied()
            .unwrap_or_default()
    }
}

/// The operations of recorded calls.
struct Operations<'c> {
    catalogue: Option<&'c Catalogue>,
    base: &'c BaseUrl,
    known: HashMap<(Method, String), Option<usize>>,
}

impl Operations<'_> {
    fn of(&mut self, method: &str, url: &str) -> Option<usize> {
        let catalogue = self.catalogue?;
        let key = (Method::from_token(method), path_below(url, self.base)?);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = catalogue.operation_of(key.0, &key.1);
        if self.known.len() < REMEMBERED {
            self.known.insert(key, found);
        }
        found
    }
}

/// The decoded path of a recorded URL, below the public URL.
fn path_below(url: &str, base: &BaseUrl) -> Option<String> {
    let rest = url.strip_prefix(base.as_str().trim_end_matches('/'))?;
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    Some(decoded.into_owned())
}
