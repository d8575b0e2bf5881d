//! Reports that take long and are sent in one line: counts of calls, audit events, results of verification.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde::Serialize;
use tokenward_pdp::config::Role;
use tokenward_pdp::text::escaped;

use super::audit::{Question, json_lines};
use super::caller::Caller;
use super::error::AdminError;
use super::export::Working;
use super::state::AdminState;
use crate::audit_json::{EventLine, UsageReport, VerifyReport};

/// Formats one line of JSON, with characters escaped that would deceive a terminal.
pub(super) fn line(of: &impl Serialize) -> String {
    // Structs of strings and numbers always serialise.
    format!("{}\n", escaped(&serde_json::to_string(of).unwrap_or_default()))
}

/// Answers `GET /v1/audit/stats`.
pub(super) async fn stats(
    state: web::Data<AdminState>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, AdminError> {
    let filter = Question::of(&request)?.filter()?;
    let (reader, turn) = (state.audit.reader(), state.turn(&caller).await?);
    Ok(in_one_line(move || {
        let _turn = turn;
        Ok(line(&UsageReport::from(reader.usage(&filter)?)))
    }))
}

/// `GET /v1/audit/events`: only the times of the query are used.
pub(super) async fn events(
    state: web::Data<AdminState>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, AdminError> {
    let filter = Question::of(&request)?.filter()?;
    let (reader, turn) = (state.audit.reader(), state.turn(&caller).await?);
    Ok(in_one_line(move || {
        let _turn = turn;
        let events = reader.events(
            filter.since_ms.unwrap_or(i64::MIN),
            filter.until_ms.unwrap_or(i64::MAX),
        )?;
        let events: Vec<EventLine> = events.into_iter().map(EventLine::from).collect();
        Ok(line(&events))
    }))
}

/// Answers `GET /v1/audit/verify`.
pub(super) async fn verify(state: web::Data<AdminState>, caller: Caller) -> Result<HttpResponse, AdminError> {
    caller.may(Role::Operator)?;
    state.record(&caller, "verify", "").await;
    let audit = state.audit.clone();
    Ok(in_one_line(move || {
        let keys = audit.keys();
        Ok(line(&VerifyReport::of(audit.verify()?, keys)))
    }))
}

/// Sends the result of `work` as one line, however long it takes: empty lines precede it. An error becomes a line
/// `{"error": …}`.
fn in_one_line(work: impl FnOnce() -> Result<String, AdminError> + Send + 'static) -> HttpResponse {
    #[derive(Serialize)]
    struct Failed {
        error: String,
    }
    let lines = stream::unfold(Some(Working::new(work)), |working| async {
        let mut working = working?;
        Some(match working.next().await {
            None => (Ok(web::Bytes::from_static(b"\n")), Some(working)),
            Some(Ok(text)) => (Ok(text.into()), None),
            Some(Err(error)) => {
                let error = error.to_string();
                (Ok::<_, AdminError>(line(&Failed { error }).into()), None)
            }
        })
    });
    json_lines().streaming(lines)
}
