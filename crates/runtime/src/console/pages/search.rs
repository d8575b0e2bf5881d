//! The search in the audit, its live tail, its export and the verification.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokenward_audit::{Filter, Usage};
use tokenward_compiler::diagnostic::nearest;
use tokenward_console::pages;
use tokenward_console::views::audit::{Audit, Nearby, Nothing, Search, Verified};
use tokenward_pdp::config::Role;

use super::super::call::call_row;
use super::super::search::search;
use super::entry::Meant;
use super::moments;
use super::terminal;
use super::visit::{Visit, failure};
use crate::admin::{AdminError, Question, export_all, tail_of};
use crate::audit_json::reasons;
use crate::authoring::time::past;
use crate::call::now_ms;

/// The fields of the form, all texts.
#[derive(Clone, Debug, Default, Deserialize)]
struct Fields {
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    on_behalf_of: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    line: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    end: String,
    #[serde(default)]
    request_id: String,
    /// Only calls before this record.
    #[serde(default)]
    before: String,
}

impl Fields {
    fn search(self) -> Search {
        let text = |text: String| text.trim().to_owned();
        Search {
            since: text(self.since),
            until: text(self.until),
            token: text(self.token),
            user: text(self.user),
            on_behalf_of: text(self.on_behalf_of),
            client: text(self.client),
            method: text(self.method),
            url: text(self.url),
            decision: text(self.decision),
            reason: text(self.reason),
            line: text(self.line),
            status: text(self.status),
            end: text(self.end),
            request_id: text(self.request_id),
        }
    }
}

/// Problems of fields: name and text.
type Errors = Vec<(String, String)>;

/// The filter of a search. Each field is read by the parser of `GET /v1/audit`, by itself, so that its problem is known to be its.
fn filter(search: &Search) -> Result<Filter, Errors> {
    let (mut parts, mut errors) = (Vec::new(), Vec::new());
    for (name, value) in search.fields().into_iter().filter(|(_, value)| !value.is_empty()) {
        let pairs = parameters(name, value).and_then(|pairs| {
            let query = encoded(&pairs);
            let read = Question::read(&query).and_then(|question| question.filter());
            read.map(|_| query).map_err(|error| error.to_string())
        });
        match pairs {
            Ok(query) => parts.push(query),
            Err(text) => errors.push((
                name.to_owned(),
                format!("{}.", tokenward_pdp::text::capital(&text)),
            )),
        }
    }
    let whole = Question::read(&parts.join("&")).and_then(|question| question.filter());
    match whole {
        Ok(filter)
            if filter
                .since_ms
                .zip(filter.until_ms)
                .is_some_and(|(since, until)| since > until) =>
        {
            let text = "The end is before the begin, so no call can match.";
            errors.push(("until".to_owned(), text.to_owned()));
            Err(errors)
        }
        Ok(filter) if errors.is_empty() => Ok(filter),
        _ => Err(errors),
    }
}

/// The parameters of `GET /v1/audit` for a field of the form, which has the values of the command line.
fn parameters(name: &str, value: &str) -> Result<Vec<(&'static str, String)>, String> {
    let one = |name, value: &str| Ok(vec![(name, value.to_owned())]);
    let time = |name, value: &str| {
        let time = past(value, Timestamp::now())?;
        Ok(vec![(name, time.as_millisecond().to_string())])
    };
    match name {
        "since" => time("since_ms", value),
        "until" => time("until_ms", value),
        "token" => one("token", value),
        "user" => one("user", value),
        "on_behalf_of" => one("on_behalf_of", value),
        "client" => match value.parse::<std::net::IpAddr>() {
            Ok(address) => one("client", &address.to_canonical().to_string()),
            Err(_) => Err(format!("`{value}` is not an address, such as 10.0.0.7")),
        },
        "method" => one("method", &value.to_ascii_uppercase()),
        "url" => one("url", value),
        "decision" => one("verdict", value),
        "reason" => Ok(of_reason(value)),
        "line" => match value.rsplit_once(':') {
            Some((file, number)) if number.parse::<u32>().is_ok() => {
                Ok(vec![("file", file.to_owned()), ("number", number.to_owned())])
            }
            _ => one("file", value),
        },
        "status" => match (
            value.parse::<u16>(),
            value.to_ascii_lowercase().strip_suffix("xx"),
        ) {
            (Ok(100..=999), _) => one("status", value),
            (_, Some(class)) if matches!(class.parse::<u16>(), Ok(1..=9)) => one("status_class", class),
            _ => Err(format!(
                "`{value}` is neither a status, such as 403, nor a class, such as 4xx"
            )),
        },
        "end" => one("end", value),
        _ => one("request_id", value),
    }
}

/// A reason that is known only after the decision is in the outcome.
fn of_reason(value: &str) -> Vec<(&'static str, String)> {
    match reasons::ended(value) {
        None => vec![("reason", value.to_owned())],
        Some((end, status)) => {
            let end = end.map(|end| ("end", end.as_str().to_owned()));
            let status = status.map(|status| ("status", status.to_string()));
            end.into_iter().chain(status).collect()
        }
    }
}

fn encoded(pairs: &[(&str, String)]) -> String {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Shows the page.
pub(super) async fn show(visit: Visit) -> HttpResponse {
    let view = match visit.query::<Fields>() {
        Ok(fields) => found(&visit, fields).await,
        Err(error) => Err(error),
    };
    visit.page(view, pages::audit)
}

async fn found(visit: &Visit, fields: Fields) -> Result<Audit, AdminError> {
    let before = fields.before.parse().ok();
    let search_form = fields.search();
    let mut view = Audit {
        reasons: reasons::all().map(str::to_owned).collect(),
        is_first: before.is_none(),
        command: terminal::search(&search_form),
        search: search_form,
        ..Audit::default()
    };
    let filter = match filter(&view.search) {
        Ok(filter) => filter,
        Err(errors) => {
            view.errors = errors;
            return Ok(view);
        }
    };
    let ever = visit.console.counts(&visit.state.audit, None, now_ms()).await?;
    let recorded = ever.calls.all();
    view.recorded = (recorded > 0).then_some((recorded, ever.calls.first_ms));
    match search(visit.state.clone(), &visit.console, filter, before).await {
        Ok(found) => {
            view.next_before = found.next_before;
            view.remark = found.cut_after.map(|count| {
                format!(
                    "The {count} newest records were searched in 3 seconds; follow \"older\" to search on, or restrict the time."
                )
            });
            view.calls = found
                .entries
                .into_iter()
                .map(call_row)
                .map(moments::call_row)
                .collect();
        }
        Err(AdminError::Audit(error)) => view.failure = Some(error.to_string()),
        Err(error) => return Err(error),
    }
    if view.calls.is_empty() && view.next_before.is_none() && view.failure.is_none() {
        view.nothing = Some(nothing(visit, &view.search, &ever).await);
    }
    Ok(view)
}

/// Why a search found nothing, and what would.
async fn nothing(visit: &Visit, search: &Search, ever: &Usage) -> Nothing {
    if ever.calls.all() == 0 {
        let address = visit
            .state
            .gate
            .rules
            .base()
            .as_str()
            .trim_end_matches('/')
            .to_owned();
        return Nothing {
            title: "No call was recorded yet".to_owned(),
            why: "The audit records each call, allowed or not, before it is forwarded.".to_owned(),
            nearby: Vec::new(),
            first_call: Some(format!("curl -i -u 'USER:TOKEN' '{address}/'")),
        };
    }
    let unknown = unknown(visit, search, ever);
    let mut nearby = Vec::new();
    for (name, _) in search.fields().into_iter().filter(|(_, value)| !value.is_empty()) {
        let without = without(search, name);
        let calls = match filter(&without) {
            Ok(filter) if is_counted(&without) => {
                let reader = visit.state.audit.reader();
                let counted = visit
                    .console
                    .heavy(move || Ok(reader.usage(&filter)?.calls.all()))
                    .await;
                counted.ok()
            }
            _ => None,
        };
        nearby.push(Nearby {
            name: format!("without the {}", name.replace('_', " ")),
            search: without,
            calls,
        });
    }
    nearby.sort_by_key(|one| std::cmp::Reverse(one.calls));
    Nothing {
        title: match unknown {
            Some(_) => "No call matches, and none can".to_owned(),
            None => "No call matches".to_owned(),
        },
        why: unknown.unwrap_or_else(|| "No recorded call has all these properties together.".to_owned()),
        nearby,
        first_call: None,
    }
}

/// Whether the audit has counts of the search, so that it need not read calls.
fn is_counted(search: &Search) -> bool {
    let of_counts = ["since", "until", "token", "decision", "reason", "line"];
    let fields = search.fields();
    let mut set = fields.iter().filter(|(_, value)| !value.is_empty());
    set.all(|(name, _)| of_counts.contains(name)) && reasons::ended(&search.reason).is_none()
}

/// A value that no call can have.
fn unknown(visit: &Visit, search: &Search, ever: &Usage) -> Option<String> {
    let near = |near: Option<&str>| near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
    if !search.reason.is_empty() && !reasons::is_known(&search.reason) {
        let meant = near(nearest(&search.reason, reasons::all()));
        return Some(format!("`{}` is not a reason code.{meant}", search.reason));
    }
    let live = visit.state.policies.current();
    let names: Vec<&str> = live
        .program()
        .tokens()
        .map(|(_, token)| token.name.as_str())
        .collect();
    // Calls of a token stay in the audit after it was removed from the policy.
    let has_calls = ever.tokens.contains_key(&Some(search.token.clone()));
    if !search.token.is_empty() && !has_calls && !names.contains(&search.token.as_str()) {
        let meant = near(nearest(&search.token, names.iter().copied()));
        return Some(format!(
            "Neither the policy in force nor the audit has a token `{}`.{meant}",
            search.token
        ));
    }
    None
}

fn without(search: &Search, name: &str) -> Search {
    let mut other = search.clone();
    let field = match name {
        "since" => &mut other.since,
        "until" => &mut other.until,
        "token" => &mut other.token,
        "user" => &mut other.user,
        "on_behalf_of" => &mut other.on_behalf_of,
        "client" => &mut other.client,
        "method" => &mut other.method,
        "url" => &mut other.url,
        "decision" => &mut other.decision,
        "reason" => &mut other.reason,
        "line" => &mut other.line,
        "status" => &mut other.status,
        "end" => &mut other.end,
        _ => &mut other.request_id,
    };
    field.clear();
    other
}

/// Streams the calls of a search as they come.
pub(super) async fn tail(visit: Visit) -> Result<HttpResponse, AdminError> {
    let fields: Fields = visit.query()?;
    let filter = filter(&fields.search()).map_err(first_of)?;
    Ok(tail_of(visit.state, visit.caller, filter, None))
}

/// Sends all calls of a search as lines of JSON.
pub(super) async fn export(visit: Visit) -> Result<HttpResponse, AdminError> {
    visit.caller.may(Role::Operator)?;
    let fields: Fields = visit.query()?;
    let search = fields.search();
    let filter = filter(&search).map_err(first_of)?;
    visit
        .state
        .record(&visit.caller, "export", &terminal::search(&search))
        .await;
    let mut response = export_all(&visit.state, filter);
    let name = "attachment; filename=\"tokenward-audit.jsonl\"";
    let name = name.parse().map_err(|_| AdminError::Internal)?;
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(response)
}

fn first_of(errors: Errors) -> AdminError {
    let text = errors
        .into_iter()
        .next()
        .map(|(name, text)| format!("{name}: {text}"));
    AdminError::Question(text.unwrap_or_default())
}

/// Verifies the audit, and shows the result.
pub(super) async fn verify(visit: Visit, form: web::Form<Meant>) -> HttpResponse {
    if let Err(error) = visit.acts(&form.csrf, Role::Operator) {
        return failure(&visit.chrome(), &error);
    }
    visit.state.record(&visit.caller, "verify", "").await;
    let audit = visit.state.audit.clone();
    let verified = visit.console.verification(move || Ok(audit.verify()?)).await;
    let view = match verified {
        Err(error) => Err(error),
        Ok(verified) => found(&visit, Fields::default()).await.map(|view| Audit {
            verified: Some(Verified {
                holds: verified.is_sound(),
                text: match verified.is_sound() {
                    true => format!("All {} entries are as they were written.", verified.entries),
                    false => "The audit was changed, or a part of it is missing.".to_owned(),
                },
                details: verified.findings.iter().map(ToString::to_string).collect(),
            }),
            ..view
        }),
    };
    match view {
        Err(error) => failure(&visit.chrome(), &error),
        view => visit.page(view, pages::audit),
    }
}

#[cfg(test)]
mod tests;
