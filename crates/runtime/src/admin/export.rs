//! Streams all requested entries of the audit: recorded calls, or the blocks that prove them.

use std::pin::Pin;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use tokenward_audit::{Filter, Page, Reader, Sequence};
use tokenward_pdp::config::Role;

use super::audit::{ALIVE, Question, json_lines};
use super::caller::Caller;
use super::error::AdminError;
use super::state::AdminState;
use crate::audit_json::json_line;

/// Maximum number of calls read in one step.
const STEP: usize = 2_000;
/// Maximum number of bytes of blocks read in one step.
const STEP_BYTES: usize = 1 << 20;

/// Work on a thread that may block.
pub(super) struct Working<T>(Pin<Box<dyn Future<Output = Result<T, AdminError>>>>);

impl<T: Send + 'static> Working<T> {
    /// Begins the work on a blocking thread.
    pub(super) fn new(work: impl FnOnce() -> Result<T, AdminError> + Send + 'static) -> Self {
        let work = web::block(work);
        Self(Box::pin(async { work.await.map_err(|_| AdminError::Stopping)? }))
    }

    /// Gives the result; `None` if the work takes longer than a client should wait for the next byte.
    pub(super) async fn next(&mut self) -> Option<Result<T, AdminError>> {
        tokio::time::timeout(ALIVE, &mut self.0).await.ok()
    }
}

/// Answers `GET /v1/audit/export`. An error ends the response early.
pub(super) async fn export(
    state: web::Data<AdminState>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, AdminError> {
    let question = Question::of(&request)?;
    caller.may(Role::Operator)?;
    // An export that is refused was none, so it is read before it is recorded.
    let filter = question.filter()?;
    let page = Page {
        limit: STEP,
        newest_first: false,
        ..question.page()?
    };
    state.record(&caller, "export", request.query_string()).await;
    Ok(export_of(&state, filter, page))
}

/// Streams all calls that a filter wants, the oldest first.
pub(crate) fn export_all(state: &AdminState, filter: Filter) -> HttpResponse {
    let page = Page {
        limit: STEP,
        newest_first: false,
        ..Page::default()
    };
    export_of(state, filter, page)
}

fn export_of(state: &AdminState, filter: Filter, page: Page) -> HttpResponse {
    let export = Export::new(state.audit.reader(), filter, page);
    let lines = stream::unfold(Some(export), |export| async {
        let mut export = export?;
        Some(match export.working.next().await {
            None => (Ok(Bytes::from_static(b"\n")), Some(export)),
            Some(Ok(calls)) => {
                let next = calls
                    .next
                    .map(|page| Export::new(export.reader, export.filter, page));
                (Ok(calls.lines.into()), next)
            }
            Some(Err(error)) => (Err(broken_off(error)), None),
        })
    });
    json_lines().streaming(lines)
}

struct Export {
    reader: Reader,
    filter: Filter,
    working: Working<Calls>,
}

struct Calls {
    lines: String,
    next: Option<Page>,
}

impl Export {
    fn new(reader: Reader, filter: Filter, page: Page) -> Self {
        let (asked, wanted) = (reader.clone(), filter.clone());
        let working = Working::new(move || {
            let entries = asked.query(&wanted, page)?;
            let last = entries.last().map(|entry| entry.sequence);
            let next = last.filter(|_| entries.len() == page.limit);
            Ok(Calls {
                next: next.map(|last| Page {
                    after: Some(last),
                    ..page
                }),
                lines: entries.into_iter().map(json_line).collect(),
            })
        });
        Self {
            reader,
            filter,
            working,
        }
    }
}

/// Answers `GET /v1/audit/proof`. An error ends the response early.
pub(super) async fn proof(
    state: web::Data<AdminState>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, AdminError> {
    caller.may(Role::Operator)?;
    let since_ms = Question::of(&request)?.filter()?.since_ms;
    state.record(&caller, "proof", request.query_string()).await;
    let reader = state.audit.reader();
    let begun = (reader.proof_head(state.audit.keys())?, Some(Sequence(0)), reader);
    let parts = stream::unfold(Some(begun), move |state| async move {
        let (head, after, reader) = state?;
        if !head.is_empty() {
            return Some((Ok(Bytes::from(head)), Some((String::new(), after, reader))));
        }
        let after = after?;
        let asked = reader.clone();
        let blocks = web::block(move || asked.blocks(after, since_ms, STEP_BYTES)).await;
        let blocks = blocks
            .map_err(|_| AdminError::Stopping)
            .and_then(|blocks| Ok(blocks?));
        Some(match blocks {
            Ok(blocks) => (
                Ok(blocks.bytes.into()),
                blocks.last.map(|last| (head, Some(last), reader)),
            ),
            Err(error) => (Err(broken_off(error)), None),
        })
    });
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.streaming(parts))
}

fn broken_off(error: AdminError) -> AdminError {
    tracing::error!(error = error.to_string(), "export of the audit cut short");
    error
}
