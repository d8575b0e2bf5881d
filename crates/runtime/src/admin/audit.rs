//! Queries of the audit over HTTP.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use tokenward_audit::{End, Entry, Filter, Page, QueryError, Sequence, Store, UrlPattern, Verdict};
use tokenward_pdp::config::Role;

use super::caller::Caller;
use super::error::AdminError;
use super::state::AdminState;
use crate::audit_json::json_line;
use crate::call::now_ms;

/// Maximum number of lines of one response.
const MOST: usize = 10_000;
/// The same for people who may not export.
const MOST_FOR_OTHERS: usize = 500;
/// Maximum number of lines per step of a tail.
const STEP: usize = 500;
/// Time after which a tail shows a call without its outcome. Later calls wait for it, so that all are shown in order.
pub(crate) const OUTCOME_WAIT: Duration = Duration::from_secs(10);
/// Interval at which a tail checks for missing outcomes.
const OUTCOME_POLL: Duration = Duration::from_millis(200);
/// Interval at which a tail without news sends an empty line, to detect that its client is gone.
pub(super) const ALIVE: Duration = Duration::from_secs(10);

/// The parameters of `/v1/audit` and of the paths below it. An absent parameter does not restrict; texts are compared
/// in full.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Earliest time, milliseconds since 1970 UTC.
    since_ms: Option<i64>,
    /// Time before which entries count, milliseconds since 1970 UTC.
    until_ms: Option<i64>,
    /// Id of the request, 32 hexadecimal digits.
    request_id: Option<String>,
    token: Option<String>,
    user: Option<String>,
    on_behalf_of: Option<String>,
    /// Address of the client.
    client: Option<IpAddr>,
    method: Option<String>,
    /// Regular expression that matches a part of the URL.
    url: Option<String>,
    /// Decision: `allow`, `deny` or `refuse`.
    verdict: Option<String>,
    /// Reason code of the record.
    reason: Option<String>,
    /// A policy file, and optionally the number of a line in it.
    file: Option<String>,
    number: Option<u32>,
    /// Status code that the client got.
    status: Option<u16>,
    /// First digit of the status code that the client got.
    status_class: Option<u16>,
    /// Why the call ended: `upstream-failed` and the like.
    end: Option<String>,
    /// Whether the call has an outcome.
    ended: Option<bool>,
    /// Only entries after this sequence number; a tail without it begins with the next entry.
    after: Option<u64>,
    /// Only entries before this sequence number.
    before: Option<u64>,
    /// Maximum number of lines: 100 by default, 10,000 at most.
    limit: Option<usize>,
    /// Order: `newest` first (the default of a list) or `oldest`.
    order: Option<String>,
}

impl Question {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, AdminError> {
        Self::read(request.query_string())
    }

    /// Reads a query string.
    pub(crate) fn read(query: &str) -> Result<Self, AdminError> {
        let query = web::Query::<Self>::from_query(query);
        query
            .map(web::Query::into_inner)
            .map_err(|error| AdminError::Question(error.to_string()))
    }

    pub(crate) fn filter(&self) -> Result<Filter, AdminError> {
        Ok(Filter {
            since_ms: self.since_ms,
            until_ms: self.until_ms,
            request_id: self.request_id.as_deref().map(request_id).transpose()?,
            token: self.token.clone(),
            user: self.user.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            client: self.client,
            method: self.method.clone(),
            url: self.url.as_deref().map(pattern).transpose()?,
            verdict: self.verdict.as_deref().map(verdict).transpose()?,
            reason: self.reason.clone(),
            line: self.file.clone().map(|file| (file, self.number)),
            status: self.status,
            status_class: self.status_class,
            end: self.end.as_deref().map(end).transpose()?,
            ended: self.ended,
        })
    }

    pub(super) fn page(&self) -> Result<Page, AdminError> {
        Ok(Page {
            after: self.after.map(Sequence),
            before: self.before.map(Sequence),
            limit: self.limit.unwrap_or(100).min(MOST),
            newest_first: match self.order.as_deref() {
                None | Some("newest") => true,
                Some("oldest") => false,
                Some(_) => return Err(AdminError::Question("order must be newest or oldest".into())),
            },
        })
    }
}

fn pattern(text: &str) -> Result<UrlPattern, AdminError> {
    UrlPattern::new(text).map_err(|error| AdminError::Question(error.to_string()))
}

fn request_id(text: &str) -> Result<[u8; 16], AdminError> {
    let mut id = [0; 16];
    hex::decode_to_slice(text, &mut id)
        .map_err(|_| AdminError::Question("request_id must be 32 hexadecimal digits".into()))?;
    Ok(id)
}

fn end(text: &str) -> Result<End, AdminError> {
    let found = End::ALL.into_iter().find(|end| end.as_str() == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = End::ALL.iter().map(|end| end.as_str()).collect();
        AdminError::Question(format!("end must be one of {}", names.join(", ")))
    })
}

fn verdict(text: &str) -> Result<Verdict, AdminError> {
    [Verdict::Allow, Verdict::Deny, Verdict::Refuse]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
        .ok_or_else(|| AdminError::Question("verdict must be allow, deny or refuse".into()))
}

/// Answers `GET /v1/audit`.
pub(super) async fn list(
    state: web::Data<AdminState>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, AdminError> {
    let question = Question::of(&request)?;
    let (filter, mut page) = (question.filter()?, question.page()?);
    if caller.may(Role::Operator).is_err() {
        page.limit = page.limit.min(MOST_FOR_OTHERS);
    }
    let (audit, turn) = (state.audit.clone(), state.turn(&caller).await?);
    let entries = web::block(move || {
        // The reading goes on if the client has left, so its turn must not end before.
        let _turn = turn;
        audit.query(&filter, page)
    });
    let entries = entries.await.map_err(|_| AdminError::Stopping)??;
    Ok(json_lines().body(entries.into_iter().map(json_line).collect::<String>()))
}

/// Answers `GET /v1/audit/tail`.
pub(super) async fn tail(
    state: web::Data<AdminState>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, AdminError> {
    let question = Question::of(&request)?;
    let (filter, after) = (question.filter()?, question.after.map(Sequence));
    if after.is_some() {
        // It sends all that was recorded since, as an export does.
        caller.may(Role::Operator)?;
        state.record(&caller, "export", request.query_string()).await;
    }
    Ok(tail_of(state.into_inner(), caller, filter, after))
}

/// Streams the calls that a filter wants as they come, those after `after` or from now on, as long as the caller is admitted.
pub(crate) fn tail_of(
    state: Arc<AdminState>,
    caller: Caller,
    filter: Filter,
    after: Option<Sequence>,
) -> HttpResponse {
    let tail = Tail {
        filter,
        shown: after.unwrap_or_else(|| state.audit.last()),
        audit: state.audit.clone(),
        started: false,
        waiting: None,
    };
    let lines = stream::unfold((tail, state, caller), |(mut tail, state, caller)| async {
        let lines = tail.next().await?;
        // The session may have ended while the tail waited.
        let is_admitted = caller.is_admitted(&state);
        is_admitted.then(|| (Ok::<_, Infallible>(Bytes::from(lines)), (tail, state, caller)))
    });
    json_lines().streaming(lines)
}

pub(super) fn json_lines() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((CACHE_CONTROL, "no-store"));
    response
}

async fn query(audit: &Store, filter: Filter, page: Page) -> Result<Vec<Entry>, AdminError> {
    let audit = audit.clone();
    let entries = web::block(move || audit.query(&filter, page)).await;
    Ok(entries.map_err(|_| AdminError::Stopping)??)
}

/// State of a tail: a client that receives calls as they are made.
struct Tail {
    audit: Store,
    filter: Filter,
    /// All entries up to this one were shown, or are not wanted.
    shown: Sequence,
    started: bool,
    /// The call whose outcome is missing, and the time since when the tail waits. The clock is monotonic.
    waiting: Option<(Sequence, Instant)>,
}

/// The next step of a tail.
#[derive(Debug, PartialEq)]
enum Next {
    /// Wait for new calls.
    News,
    /// Wait for a call's outcome.
    Outcome,
    /// Continue: more entries are ready.
    More,
}

impl Tail {
    /// Gives the next lines: an empty line if nothing was new for a while, `None` if the store is closed.
    async fn next(&mut self) -> Option<String> {
        if !self.started {
            // The head of the answer goes out with its first bytes.
            self.started = true;
            return Some("\n".to_owned());
        }
        let begun = Instant::now();
        let mut seen = self.shown;
        let mut next = Next::News;
        loop {
            let wait = match next {
                Next::News => ALIVE,
                Next::Outcome => OUTCOME_POLL,
                Next::More => Duration::ZERO,
            };
            seen = self.audit.next_after(seen, wait).await.unwrap_or(seen);
            let (lines, then) = self.ready(seen).await.ok()?;
            if !lines.is_empty() || begun.elapsed() >= ALIVE {
                return Some(if lines.is_empty() { "\n".to_owned() } else { lines });
            }
            next = then;
        }
    }

    /// Gives the lines to show now, and the next step.
    async fn ready(&mut self, newest: Sequence) -> Result<(String, Next), AdminError> {
        let page = Page {
            after: Some(self.shown),
            before: None,
            limit: STEP,
            newest_first: false,
        };
        // Filters on the outcome are applied when the outcome is there; otherwise the tail would pass over the call too
        // early.
        let decided = Filter {
            status: None,
            status_class: None,
            end: None,
            ended: None,
            ..self.filter.clone()
        };
        let entries = match query(&self.audit, decided, page).await {
            Err(AdminError::Audit(QueryError::Closed)) => return Err(AdminError::Stopping),
            entries => entries?,
        };
        let full = entries.len() == STEP;
        let mut lines = String::new();
        for entry in entries {
            if entry.outcome.is_none() && self.waits_for(&entry) {
                return Ok((lines, Next::Outcome));
            }
            self.shown = entry.sequence;
            if self.wants(&entry) {
                lines.push_str(&json_line(entry));
            }
        }
        if full {
            return Ok((lines, Next::More));
        }
        self.shown = self.shown.max(newest);
        Ok((lines, Next::News))
    }

    /// Whether the missing outcome of a call may still arrive in time.
    fn waits_for(&mut self, entry: &Entry) -> bool {
        let since = match self.waiting {
            Some((place, since)) if place == entry.sequence => since,
            _ => {
                let now = Instant::now();
                self.waiting = Some((entry.sequence, now));
                now
            }
        };
        let age = Duration::from_millis((now_ms() - entry.record.time_ms).try_into().unwrap_or(0));
        since.elapsed().max(age) < OUTCOME_WAIT
    }

    /// Whether the outcome of a call matches the filter.
    fn wants(&self, entry: &Entry) -> bool {
        let status = entry.outcome.as_ref().and_then(|outcome| outcome.status);
        let ended = entry.outcome.is_some();
        let end = entry.outcome.as_ref().map(|outcome| outcome.end);
        self.filter.status.is_none_or(|wanted| status == Some(wanted))
            && self
                .filter
                .status_class
                .is_none_or(|class| status.map(|status| status / 100) == Some(class))
            && self.filter.end.is_none_or(|wanted| end == Some(wanted))
            && self.filter.ended.is_none_or(|wanted| ended == wanted)
    }
}

#[cfg(test)]
mod tests;
