//! The page of one recorded call.

use actix_web::{HttpResponse, web};
use serde_json::Value;
use tokenward_console::pages;
use tokenward_console::views::audit::{CallRow, Timing};
use tokenward_console::views::call::Call;
use tokenward_console::views::parts::{Held, JudgedLine, Line, Missed};
use tokenward_pdp::explain::Report;

use super::super::call::{self as gathered, CallShown, call, call_row};
use super::moments::{self, place, verdict};
use super::visit::Visit;
use crate::admin::AdminError;

/// Shows a call.
pub(super) async fn show(visit: Visit, sequence: web::Path<String>) -> HttpResponse {
    visit.page(view(&visit, &sequence).await, pages::call)
}

async fn view(visit: &Visit, sequence: &str) -> Result<Call, AdminError> {
    let sequence = sequence
        .parse()
        .map_err(|_| AdminError::NotFound(gathered::NOT_A_NUMBER.to_owned()))?;
    let it = call(visit.state.clone(), &visit.console, sequence).await?;
    let live = visit.state.policies.current();
    let is_live = text(&it.record, "/policy") == live.program().digest();
    let around = around(visit, &it).await?;
    Ok(of(it, is_live, around))
}

/// The calls just before and after, of the same token and from the same address.
async fn around(visit: &Visit, it: &CallShown) -> Result<Vec<CallRow>, AdminError> {
    let Some(token) = it.record.pointer("/token").and_then(Value::as_str) else {
        return Ok(Vec::new());
    };
    let sequence = it
        .record
        .pointer("/sequence")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let client = text(&it.record, "/client").parse().ok();
    let (state, token) = (visit.state.clone(), token.to_owned());
    let rows = visit
        .console
        .heavy(move || gathered::around(&state, &token, client, sequence))
        .await?;
    Ok(rows.into_iter().map(call_row).map(moments::call_row).collect())
}

fn text<'r>(record: &'r Value, pointer: &str) -> &'r str {
    record
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn of(it: CallShown, policy_is_live: bool, around: Vec<CallRow>) -> Call {
    let record = &it.record;
    let optional = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let number = |pointer: &str| record.pointer(pointer).and_then(Value::as_u64);
    let lines_note = match (&it.now, &it.now_unknown) {
        (Some(report), _) if policy_is_live && report.decision == text(record, "/verdict") => {
            "Compared again with the policy in force, which is the one that decided.".to_owned()
        }
        (Some(report), _) => format!(
            "Compared again with the policy in force, which decides the same request now: {}.",
            report.decision
        ),
        (None, Some(why)) => why.clone(),
        (None, None) => String::new(),
    };
    let line = record.pointer("/line").filter(|line| !line.is_null());
    let line = line.or_else(|| record.pointer("/lacking/line"));
    Call {
        sequence: number("/sequence").unwrap_or_default(),
        at_ms: record
            .pointer("/time_ms")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
        verdict: verdict(text(record, "/verdict")),
        reason: text(record, "/reason").to_owned(),
        why: why(&it),
        method: text(record, "/method").to_owned(),
        url: text(record, "/url").to_owned(),
        token: optional("/token"),
        user: optional("/user"),
        on_behalf_of: optional("/on_behalf_of"),
        client: text(record, "/client").to_owned(),
        status: number("/outcome/status").and_then(|status| status.try_into().ok()),
        line: line.map(|line| {
            let number = line.pointer("/number").and_then(Value::as_u64);
            place(
                text(line, "/file"),
                number
                    .and_then(|number| number.try_into().ok())
                    .unwrap_or_default(),
            )
        }),
        policy: text(record, "/policy").to_owned(),
        policy_is_live,
        lines: it
            .now
            .as_ref()
            .map(|report| judged_lines(report, it.nearest.as_ref()))
            .unwrap_or_default(),
        lines_note,
        request: request(record),
        outcome: outcome(record),
        timing: number("/outcome/total_us").map(|total_us| Timing {
            total_us,
            decide_us: number("/decision_ns").unwrap_or_default() / 1_000,
            upstream_us: number("/outcome/upstream_us"),
        }),
        end: match record.pointer("/outcome/end").and_then(Value::as_str) {
            None => "The call has not ended.".to_owned(),
            Some("complete") => "The response went to the client in full.".to_owned(),
            Some("lost") => "The proxy's process ended before the call.".to_owned(),
            Some(end) => format!("The call ended early: {}.", end.replace('-', " ")),
        },
        request_id: text(record, "/request_id").to_owned(),
        around,
        story: it.story,
    }
}

/// The reason in one sentence: the step of the story that has the decision, or the nearest line.
fn why(it: &CallShown) -> String {
    let story = it.story.iter();
    let nearest = story.clone().find(|step| step.contains("nearest permit line"));
    let decision = story.clone().find(|step| step.contains("The call was "));
    let step = nearest.or(decision).map_or("", String::as_str);
    let step = step.split_once(". ").map_or(step, |(_, step)| step);
    match &it.words {
        Some(words) if nearest.is_none() => format!("{step} {words}."),
        _ => step.to_owned(),
    }
}

/// The request, as the proxy read it.
fn request(record: &Value) -> Vec<(String, String)> {
    let mut facts = vec![
        ("Method".to_owned(), text(record, "/method").to_owned()),
        ("URL".to_owned(), text(record, "/url").to_owned()),
    ];
    if let Some(bytes) = record
        .pointer("/request_bytes")
        .and_then(Value::as_u64)
        .filter(|bytes| *bytes > 0)
    {
        facts.push(("Body".to_owned(), format!("{bytes} bytes")));
    }
    let own = record.pointer("/client_request_id").and_then(Value::as_str);
    facts.extend(own.map(|id| ("Id that the client gave".to_owned(), id.to_owned())));
    for node in record
        .pointer("/nodes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let value = ["/value", "/hmac"]
            .iter()
            .find_map(|at| node.pointer(at).filter(|value| !value.is_null()));
        let value = value.map_or_else(
            || "not kept".to_owned(),
            |value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        );
        facts.push((format!("Body: {}", text(node, "/path")), value));
    }
    facts
}

fn outcome(record: &Value) -> Vec<(String, String)> {
    let fact = |name: &str, pointer: &str, unit: &str| {
        let value = record.pointer(pointer).and_then(Value::as_u64)?;
        Some((name.to_owned(), format!("{value}{unit}")))
    };
    let facts = [
        fact("Status for the client", "/outcome/status", ""),
        fact("Status of the upstream", "/outcome/upstream_status", ""),
        fact("Sent upstream", "/outcome/sent_bytes", " bytes"),
        fact("Received from upstream", "/outcome/received_bytes", " bytes"),
    ];
    facts.into_iter().flatten().collect()
}

/// The lines that a request was compared with, in the order of decision. `nearest` is the file and text of the one to mark.
pub(super) fn judged_lines(report: &Report, nearest: Option<&(String, String)>) -> Vec<JudgedLine> {
    if let (Some(line), true) = (&report.line, report.lines.is_empty()) {
        let forbids = line.text.starts_with('!');
        return vec![JudgedLine {
            place: place(&line.file, line.number),
            line: Line::new(line.text.clone()),
            forbids,
            method: Held::yes("matches"),
            path: Held::yes("matches"),
            conditions: vec![Held::yes("all met")],
            result: match forbids {
                true => "forbids it".to_owned(),
                false => "permits it".to_owned(),
            },
            is_nearest: true,
        }];
    }
    // A report has only the first part of each line that failed, which does not tell which line came nearest.
    let is_nearest = |line: &tokenward_pdp::explain::Line| {
        nearest.is_some_and(|(file, text)| *file == line.place.file && *text == line.place.text)
    };
    let marked = report.lines.iter().position(is_nearest);
    let lines = report.lines.iter().enumerate();
    lines
        .map(|(at, line)| judged_line(line, Some(at) == marked))
        .collect()
}

fn judged_line(line: &tokenward_pdp::explain::Line, is_nearest: bool) -> JudgedLine {
    let failed = line.failed.as_ref();
    let part = failed.map(|failed| failed.part.as_str());
    let why = failed.map_or("", |failed| failed.why.as_str());
    let (method, path, conditions) = match part {
        Some("method") => (
            Held::no(why),
            Held::unasked("not asked"),
            Held::unasked("not asked"),
        ),
        Some("url") => (Held::yes("matches"), Held::no(why), Held::unasked("not asked")),
        Some(_) => (Held::yes("matches"), Held::yes("matches"), Held::no(why)),
        None => (Held::yes("matches"), Held::yes("matches"), Held::yes("all met")),
    };
    let missed = match part {
        Some("method") => Some(Missed::Method),
        Some("url") => Some(Missed::Path),
        _ => failed
            .and_then(|failed| failed.constraint.clone())
            .map(Missed::Condition),
    };
    JudgedLine {
        place: place(&line.place.file, line.place.number),
        line: Line {
            missed,
            ..Line::new(line.place.text.clone())
        },
        forbids: line.place.text.starts_with('!'),
        method,
        path,
        conditions: vec![conditions],
        result: match (failed, is_nearest) {
            (None, _) => "permits it".to_owned(),
            (Some(_), true) => "nearest".to_owned(),
            (Some(_), false) => "does not permit".to_owned(),
        },
        is_nearest,
    }
}
