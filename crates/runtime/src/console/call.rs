//! One recorded call with its whole story.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokenward_audit::{Entry, Filter, Page, Sequence, Verdict};
use tokenward_compiler::ir::Program;
use tokenward_pdp::explain::{Question, Report};

use super::heavy::Console;
use super::line::in_words;
use crate::admin::{AdminError, AdminState};
use crate::audit_json::{json_line, story};

/// The error of a call that is named by something else than a number.
pub(super) const NOT_A_NUMBER: &str = "a call is named by its sequence number in the audit";

/// The reason of calls for a user that the token may not act for.
const CONTEXT_USER: &str = "context-user";

/// A call in a list.
#[derive(Debug, Serialize)]
pub(super) struct CallRow {
    pub(super) sequence: u64,
    pub(super) time_ms: i64,
    pub(super) token: Option<String>,
    pub(super) user: Option<String>,
    pub(super) client: String,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) verdict: &'static str,
    pub(super) reason: String,
    pub(super) status: Option<u16>,
    /// The line that decided, as `FILE:NUMBER`.
    pub(super) line: Option<String>,
    /// Time of the decision, and of the whole call and its upstream if it ended.
    pub(super) decision_us: u64,
    pub(super) total_us: Option<u64>,
    pub(super) upstream_us: Option<u64>,
    /// The condition of the nearest line that failed, and the value that the request had.
    pub(super) lacking: Option<(String, String)>,
}

/// A call with its story.
#[derive(Debug, Serialize)]
pub(super) struct CallShown {
    /// The record, as the audit has it.
    pub(super) record: Value,
    /// What happened, in one sentence a step.
    pub(super) story: Vec<String>,
    /// The text of the line that decided, if the policy in force still has it.
    pub(super) line: Option<String>,
    pub(super) words: Option<String>,
    /// How the policy in force would answer the same request now, if it has no body; the audit does not keep bodies.
    pub(super) now: Option<Report>,
    /// Why that is not known.
    pub(super) now_unknown: Option<String>,
    /// File and text of the line that came nearest when the call was judged, if the policy in force still has it.
    #[serde(skip)]
    pub(super) nearest: Option<(String, String)>,
}

/// Makes the row of a call.
pub(super) fn call_row(entry: Entry) -> CallRow {
    let record = entry.record;
    CallRow {
        sequence: entry.sequence.0,
        time_ms: record.time_ms,
        token: record.token,
        user: record.user,
        client: record.client.to_string(),
        method: record.method,
        url: record.url,
        verdict: record.verdict.as_str(),
        reason: record.reason,
        line: record.line.map(|line| format!("{}:{}", line.file, line.number)),
        decision_us: record.decision_ns / 1_000,
        status: entry.outcome.as_ref().and_then(|outcome| outcome.status),
        total_us: entry.outcome.as_ref().map(|outcome| outcome.total_us),
        upstream_us: entry.outcome.as_ref().and_then(|outcome| outcome.upstream_us),
        lacking: record.lacking.map(|lacking| (lacking.condition, lacking.found)),
    }
}

/// Answers `GET /v1/calls/{sequence}`.
pub(super) async fn call(
    state: Arc<AdminState>,
    console: &Console,
    sequence: u64,
) -> Result<CallShown, AdminError> {
    console.heavy(move || show(&state, sequence)).await
}

/// Finds a call by its sequence number.
pub(super) fn entry(state: &AdminState, sequence: u64) -> Result<Entry, AdminError> {
    let page = Page {
        after: Some(Sequence(sequence.saturating_sub(1))),
        before: Some(Sequence(sequence.saturating_add(1))),
        limit: 1,
        newest_first: true,
    };
    let found = state.audit.query(&Filter::default(), page)?;
    let found = found.into_iter().find(|entry| entry.sequence.0 == sequence);
    found.ok_or_else(|| {
        AdminError::NotFound(format!(
            "the audit has no call with the number {sequence}; it may be an outcome or an event, or be older than the retention time"
        ))
    })
}

fn show(state: &AdminState, sequence: u64) -> Result<CallShown, AdminError> {
    let entry = entry(state, sequence)?;
    let live = state.policies.current();
    let program = live.program();
    let digest = entry.record.line.as_ref().map(|line| line.digest.clone());
    let line = digest
        .and_then(|digest| text_of(program, &digest))
        .map(str::to_owned);
    let nearest = entry.record.lacking.as_ref().and_then(|lacking| {
        let text = text_of(program, &lacking.line.digest)?;
        Some((lacking.line.file.clone(), text.to_owned()))
    });
    let (now, now_unknown) = match again(state, &entry) {
        Ok(report) => (Some(report), None),
        Err(why) => (None, Some(why)),
    };
    // The record's line of JSON has the characters escaped that deceive; the story quotes it.
    let json = json_line(entry);
    let record: Value = serde_json::from_str(&json).map_err(|_| AdminError::Internal)?;
    let story = story::of(&record, |digest| text_of(program, digest));
    Ok(CallShown {
        words: line.as_deref().and_then(in_words),
        record,
        story,
        line,
        now,
        now_unknown,
        nearest,
    })
}

/// The text of a line, by its digest.
fn text_of<'p>(program: &'p Program, digest: &str) -> Option<&'p str> {
    let tokens = program.tokens();
    let mut lines = tokens.flat_map(|(id, _)| program.lines_of(id));
    lines
        .find(|(_, line)| line.digest.to_string() == digest)
        .map(|(_, line)| line.text)
}

/// Asks how the policy in force would answer the same request.
fn again(state: &AdminState, entry: &Entry) -> Result<Report, String> {
    let record = &entry.record;
    let Some(token) = &record.token else {
        return Err("No token was recognised, so no line was asked.".to_owned());
    };
    if record.request_bytes.is_none_or(|bytes| bytes > 0) && record.method != "GET" {
        return Err("The request had a body, which the audit does not keep.".to_owned());
    }
    if record.verdict == Verdict::Refuse {
        return Err("The request was refused before any line was asked.".to_owned());
    }
    if record.reason == CONTEXT_USER {
        // Without it, another request would be judged.
        return Err("The record does not have the contextUser that was denied.".to_owned());
    }
    let base = state.gate.rules.base();
    let rest = record.url.strip_prefix(base.as_str().trim_end_matches('/'));
    let Some(rest) = rest.filter(|rest| rest.starts_with('/')) else {
        return Err("The recorded URL is not below the public URL.".to_owned());
    };
    let on_behalf_of = record.on_behalf_of.clone().into_iter();
    let question = Question {
        token: token.clone(),
        user: record.user.clone(),
        client: Some(record.client),
        method: record.method.clone(),
        target: format!("{}{rest}", base.path()),
        headers: on_behalf_of
            .map(|user| ("contextUser".to_owned(), user))
            .collect(),
        ..Question::default()
    }
    .with_host(base.authority());
    state
        .gate
        .explain(&question)
        .map_err(|incomplete| incomplete.to_string())
}

/// The calls of a token from an address just before and after another one, the newest first.
pub(super) fn around(
    state: &AdminState,
    token: &str,
    client: Option<IpAddr>,
    sequence: u64,
) -> Result<Vec<Entry>, AdminError> {
    /// Calls on each side.
    const AROUND: usize = 3;
    let filter = Filter {
        token: Some(token.to_owned()),
        client,
        ..Filter::default()
    };
    let after = Page {
        after: Some(Sequence(sequence)),
        limit: AROUND,
        newest_first: false,
        ..Page::default()
    };
    let before = Page {
        before: Some(Sequence(sequence)),
        limit: AROUND,
        ..Page::default()
    };
    let mut entries = state.audit.query(&filter, after)?;
    entries.reverse();
    entries.extend(state.audit.query(&filter, before)?);
    Ok(entries)
}
