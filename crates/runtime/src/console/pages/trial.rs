//! The page on which requests are tried.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use tokenward_console::views::parts::{Diagnostic, Place};
use tokenward_console::views::try_it::{Advice, Also, Judged, TryForm, TryIt};
use tokenward_console::{links, pages};
use tokenward_pdp::config::Role;
use tokenward_pdp::explain::Report;

use super::super::advice::NewLine;
use super::super::kept::Kept;
use super::super::trial::{Trial, Tried, trial};
use super::call::judged_lines;
use super::moments::verdict;
use super::terminal;
use super::visit::Visit;
use crate::admin::AdminError;

/// The form.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    lines: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    client: String,
}

/// Shows the page, and the decision if the address names a request.
pub(super) async fn show(visit: Visit) -> HttpResponse {
    let view = match visit.query::<Form>() {
        Ok(form) => tried(&visit, form).await,
        Err(error) => Err(error),
    };
    visit.page(view, pages::try_it)
}

/// Judges the request of the form. Lines and requests may be too long for an address.
pub(super) async fn judge(visit: Visit, form: web::Form<Form>) -> HttpResponse {
    let view = match visit.acts(&form.csrf, Role::Viewer) {
        Ok(()) => tried(&visit, form.into_inner()).await,
        Err(error) => Err(error),
    };
    visit.page(view, pages::try_it)
}

async fn tried(visit: &Visit, form: Form) -> Result<TryIt, AdminError> {
    let live = visit.state.policies.current();
    let program = live.program();
    let mut tokens: Vec<String> = program.tokens().map(|(_, token)| token.name.clone()).collect();
    tokens.sort();
    let own = lines_of(program, &form.token);
    let lines = form.lines.replace("\r\n", "\n");
    let is_edited = !lines.trim().is_empty() && lines.trim() != own.trim();
    let mut view = TryIt {
        tokens,
        form: TryForm {
            token: form.token.clone(),
            user: form.user.clone(),
            lines: if lines.trim().is_empty() {
                own
            } else {
                lines.clone()
            },
            is_edited,
            request: form.request.clone(),
            client: form.client.clone(),
        },
        ..TryIt::default()
    };
    if form.request.trim().is_empty() {
        return Ok(view);
    }
    if form.token.is_empty() && !is_edited {
        view.errors
            .push(("token".to_owned(), "Choose a token, or write lines.".to_owned()));
        return Ok(view);
    }
    let client = match form.client.trim() {
        "" => None,
        text => match text.parse::<std::net::IpAddr>() {
            Ok(_) => Some(text.to_owned()),
            Err(_) => {
                let text = "Write an address, such as 10.0.0.7.".to_owned();
                view.errors.push(("client".to_owned(), text));
                return Ok(view);
            }
        },
    };
    let user = Some(form.user.trim().to_owned()).filter(|user| !user.is_empty());
    let question = Trial {
        token: (!is_edited).then(|| form.token.clone()),
        lines: is_edited.then_some(lines),
        request: form.request.clone(),
        user,
        client,
    };
    let tried = trial(visit.state.clone(), &visit.console, question).await?;
    fill(&mut view, tried, &form);
    Ok(view)
}

/// The lines of a token as text.
fn lines_of(program: &tokenward_compiler::ir::Program, name: &str) -> String {
    let found = program.tokens().find(|(_, token)| token.name == name);
    let Some((id, _)) = found else {
        return String::new();
    };
    let mut seen = std::collections::HashSet::new();
    let lines = program.lines_of(id).filter(|(line, _)| seen.insert(*line));
    lines.map(|(_, line)| format!("{}\n", line.text)).collect()
}

fn fill(view: &mut TryIt, tried: Tried, form: &Form) {
    view.diagnostics = tried
        .errors
        .iter()
        .map(|error| Diagnostic {
            is_error: true,
            code: error.code.clone(),
            message: error.text.clone(),
            place: Place {
                file: String::new(),
                number: error
                    .number
                    .and_then(|number| number.try_into().ok())
                    .unwrap_or_default(),
            },
            ..Diagnostic::default()
        })
        .collect();
    if let Some(problem) = tried.problem {
        let field = if view.diagnostics.is_empty() {
            "request"
        } else {
            "lines"
        };
        let text = tokenward_pdp::text::capital(&problem);
        view.errors
            .push((field.to_owned(), format!("{}.", text.trim_end_matches('.'))));
    }
    let Some(report) = tried.report else { return };
    let mut notes = tried.notes;
    notes.extend(report.notes.iter().cloned());
    if let Some(change) = &tried.change {
        notes.push(format!(
            "The nearest request that passes is {} {}: {}.",
            change.method,
            change.url,
            change.changes.join("; ")
        ));
    }
    let kept = tried.kept.as_ref().filter(|_| !view.form.is_edited);
    let test = kept.map(|kept| test_of(&report, kept, form));
    view.judged = Some(Judged {
        verdict: verdict(&report.decision),
        reason: report.reason.clone(),
        status: report.status,
        method: report.method.clone(),
        url: report.url.clone(),
        why: report.detail.clone(),
        notes,
        lines: judged_lines(&report, None),
        advice: tried.new_line.map(|line| advice(line, view, form)),
        no_advice: tried
            .no_new_line
            .map(|why| format!("{}.", tokenward_pdp::text::capital(&why).trim_end_matches('.')))
            .unwrap_or_default(),
        test,
        command: terminal::trial(&view.form),
    });
}

fn advice(line: NewLine, view: &TryIt, form: &Form) -> Advice {
    let is_editable = !view.form.is_edited && line.remark.is_none();
    let examples = line.examples.into_iter().map(|also| Also {
        method: also.method,
        url: also.url,
        body: also.body.unwrap_or_default(),
        note: also.note.unwrap_or_default(),
    });
    Advice {
        edit: match is_editable {
            true => links::limits_with(&form.token, &line.text),
            false => String::new(),
        },
        words: line.words,
        also: line.allows_also,
        examples: examples.collect(),
        operations: line.operations,
        open: line.open.unwrap_or_default(),
        remark: line.remark.unwrap_or_default(),
        line: line.text,
    }
}

/// A test that expects the decision, for a file in a directory `tests` of the policy.
fn test_of(report: &Report, kept: &Kept, form: &Form) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let is_allowed = report.decision == "allow";
    let name = match is_allowed {
        true => format!("{} may {} {}", report.token, report.method, report.url),
        false => format!("{} may not {} {}", report.token, report.method, report.url),
    };
    let mut test = format!(
        "[[test]]\nname = {}\ntoken = {}\nrequest = {}\n",
        quoted(&name),
        quoted(&report.token),
        quoted(&kept.request)
    );
    if !kept.headers.is_empty() {
        let headers: Vec<String> = kept.headers.iter().map(|header| quoted(header)).collect();
        test.push_str(&format!("headers = [{}]\n", headers.join(", ")));
    }
    if !kept.body.is_empty() {
        test.push_str(&format!("body = {}\n", quoted(&kept.body)));
    }
    let client = Some(form.client.trim()).filter(|client| !client.is_empty());
    let optional = [("user", kept.user.as_deref()), ("client", client)];
    for (key, value) in optional {
        let value = value.map(|value| format!("{key} = {}\n", quoted(value)));
        test.push_str(&value.unwrap_or_default());
    }
    match is_allowed {
        true => test.push_str("expect = \"allow\"\n"),
        false => test.push_str(&format!(
            "expect = \"deny\"\nreason = {}\n",
            quoted(&report.reason)
        )),
    }
    test
}
