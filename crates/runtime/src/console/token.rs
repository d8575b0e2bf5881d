//! One token: its data, its lines with their use, its last denials and its addresses.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use tokenward_audit::{Filter, Page, Verdict};

use super::address::{Addresses, addresses};
use super::analyses::Judged;
use super::call::{CallRow, call_row};
use super::heavy::Console;
use super::judged::judged;
use super::line::{LineShown, Repeated};
use super::tokens::{TokenRow, row};
use crate::admin::{AdminError, AdminState};
use crate::call::now_ms;

/// Denials and refusals that are shown.
const FAILURES: usize = 10;

/// A token.
#[derive(Debug, Serialize)]
pub(super) struct TokenShown {
    #[serde(flatten)]
    pub(super) row: TokenRow,
    /// Networks that it works from; empty for any.
    pub(super) allowed_ips: Vec<String>,
    pub(super) on_behalf_of: Vec<String>,
    pub(super) limits: Limits,
    /// When the secret before the last rotation ends.
    pub(super) previous_until_ms: Option<i64>,
    /// Its lines in the order of decision.
    pub(super) line: Vec<LineShown>,
    /// The last denials and refusals, the newest first.
    pub(super) failures: Vec<CallRow>,
    /// Addresses of its last calls.
    pub(super) addresses: Addresses,
    /// What the analysis says of it.
    #[serde(rename = "analysis")]
    pub(super) judged: Judged,
    pub(super) policy: String,
}

/// Limits of the calls of a token; absent ones are those of the configuration.
#[derive(Debug, Serialize)]
pub(super) struct Limits {
    pub(super) rate: Option<String>,
    pub(super) concurrent: Option<u32>,
    pub(super) max_body: Option<u64>,
}

/// Answers `GET /v1/tokens/{name}`.
pub(super) async fn token(
    state: Arc<AdminState>,
    console: &Arc<Console>,
    name: String,
) -> Result<TokenShown, AdminError> {
    let now = now_ms();
    let ever = console.counts(&state.audit, None, now).await?;
    let live = state.policies.current();
    let program = live.program();
    let found = program.tokens().find(|(_, token)| token.name == name);
    let Some((id, token)) = found else {
        return Err(not_found(
            &name,
            program.tokens().map(|(_, token)| token.name.as_str()),
        ));
    };
    let mut seen = HashSet::new();
    let lines = program.lines_of(id).filter(|(line, _)| seen.insert(*line));
    let repeated = Repeated::of(program);
    let line = lines
        .map(|(_, line)| LineShown::of(&line, &ever, &repeated))
        .collect();
    let judged = Arc::unwrap_or_clone(judged(&state, console, &name).await);
    let reader = state.audit.reader();
    let (failures, addresses) = console
        .heavy(move || {
            let mut failures = Vec::new();
            for verdict in [Verdict::Deny, Verdict::Refuse] {
                let filter = Filter {
                    token: Some(name.clone()),
                    verdict: Some(verdict),
                    ..Filter::default()
                };
                let page = Page {
                    limit: FAILURES,
                    ..Page::default()
                };
                failures.extend(reader.query(&filter, page)?);
            }
            failures.sort_by_key(|entry| std::cmp::Reverse(entry.sequence));
            failures.truncate(FAILURES);
            Ok((failures, addresses(&reader, &name)?))
        })
        .await?;
    Ok(TokenShown {
        row: row(&state, &live, (id, token), (&ever, now)),
        allowed_ips: token.allowed_ips.iter().map(ToString::to_string).collect(),
        on_behalf_of: token.on_behalf_of.clone(),
        limits: Limits {
            rate: token.limits.rate.map(|rate| rate.to_string()),
            concurrent: token.limits.concurrent.map(Into::into),
            max_body: token.limits.max_body,
        },
        previous_until_ms: token
            .previous
            .map(|(_, until)| until)
            .filter(|until| *until > now),
        line,
        failures: failures.into_iter().map(call_row).collect(),
        addresses,
        judged,
        policy: program.digest().to_owned(),
    })
}

fn not_found<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> AdminError {
    let names: Vec<&str> = names.collect();
    let near = tokenward_compiler::diagnostic::nearest(name, names);
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    AdminError::NotFound(format!("the active policy has no token `{name}`{near}"))
}
