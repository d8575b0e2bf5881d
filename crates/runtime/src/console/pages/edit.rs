//! Drafts of new tokens and of new limits: TOML to commit, checked by the compiler.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use tokenward_console::pages;
use tokenward_console::views::edit::{Limits, Made, NewToken, NewTokenForm};
use tokenward_pdp::config::Role;

use super::super::draft::{self, Wanted};
use super::super::effect::LONGEST;
use super::visit::Visit;
use crate::admin::AdminError;

/// The form of a new token.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    users: String,
    #[serde(default)]
    expires: String,
    #[serde(default)]
    allowed_from: String,
    #[serde(default)]
    lines: String,
    /// Set by the script, which checks the form as it is filled in.
    #[serde(default)]
    check: String,
}

/// The form of new lines.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct LinesForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    lines: String,
    /// Set by the script, which checks the form as it is filled in.
    #[serde(default)]
    check: String,
}

fn lines_of(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn list_of(text: &str) -> Vec<String> {
    let parts = text.split([',', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Shows the form of a new token.
pub(super) async fn new_token(visit: Visit) -> HttpResponse {
    let view = visit.caller.may(Role::Operator).map(|()| NewToken {
        impossible: draft::impossible(&visit.state),
        files: draft::files(&visit.state),
        ..NewToken::default()
    });
    visit.page(view, pages::new_token)
}

/// Drafts a new token, and shows its secret once.
pub(super) async fn make_token(visit: Visit, form: web::Form<Form>) -> HttpResponse {
    let view = match visit.acts(&form.csrf, Role::Operator) {
        Ok(()) => made(&visit, form.into_inner()).await,
        Err(error) => Err(error),
    };
    visit.page(view, pages::new_token)
}

async fn made(visit: &Visit, form: Form) -> Result<NewToken, AdminError> {
    let mut view = NewToken {
        impossible: draft::impossible(&visit.state),
        files: draft::files(&visit.state),
        ..NewToken::default()
    };
    let wanted = Wanted {
        name: form.name.trim().to_owned(),
        purpose: form.purpose.trim().to_owned(),
        owner: form.owner.trim().to_owned(),
        users: list_of(&form.users),
        expires: form.expires.trim().to_owned(),
        allowed_from: list_of(&form.allowed_from),
        lines: lines_of(&form.lines),
    };
    let form_check = form.check;
    view.form = NewTokenForm {
        name: form.name,
        purpose: form.purpose,
        owner: form.owner,
        users: form.users,
        expires: form.expires,
        allowed_from: form.allowed_from,
        lines: form.lines,
    };
    if view.impossible.is_some() {
        return Ok(view);
    }
    let is_checked_only = !form_check.is_empty();
    let (state, name) = (visit.state.clone(), wanted.name.clone());
    let draft = visit
        .console
        .proof(LONGEST, move |means| draft::new_token(&state, wanted, &means))
        .await?;
    view.errors = draft.errors;
    view.diagnostics = draft.diagnostics;
    view.effect = draft.effect;
    // A secret that nobody asked for is not shown.
    if let Some(toml) = draft.toml.filter(|_| !is_checked_only) {
        let text = format!("token {name}");
        visit.state.record(&visit.caller, "draft token", &text).await;
        view.made = Some(Made {
            toml,
            secret: draft.secret,
            next: vec![
                format!(
                    "Add the entry to `{}` in the policy directory, or to another policy file, and commit it.",
                    draft.file
                ),
                "Give the secret to its user now: it is shown once, and the entry has only its hash."
                    .to_owned(),
                "The proxy accepts the token within a second after the file is changed.".to_owned(),
            ],
        });
    }
    Ok(view)
}

/// A line to add to those of a token, such as one that would let a tried request pass.
#[derive(Clone, Debug, Default, Deserialize)]
struct Added {
    #[serde(default)]
    add: String,
}

/// Shows the lines of a token.
pub(super) async fn limits(visit: Visit, name: web::Path<String>) -> HttpResponse {
    let view = match visit.caller.may(Role::Operator) {
        Ok(()) => own(&visit, name.into_inner()).await,
        Err(error) => Err(error),
    };
    visit.page(view, pages::limits)
}

async fn own(visit: &Visit, name: String) -> Result<Limits, AdminError> {
    let mut view = Limits {
        impossible: draft::impossible(&visit.state),
        ..Limits::default()
    };
    if view.impossible.is_none() {
        let (state, wanted) = (visit.state.clone(), name.clone());
        (view.lines, view.place) = visit
            .console
            .heavy(move || draft::own_lines(&state, &wanted))
            .await?;
        let added: Added = visit.query()?;
        let added = added.add.trim();
        if !added.is_empty() {
            view.lines = format!("{}\n{added}\n", view.lines.trim_end());
        }
    }
    view.name = name;
    Ok(view)
}

/// Checks new lines of a token.
pub(super) async fn check_limits(
    visit: Visit,
    name: web::Path<String>,
    form: web::Form<LinesForm>,
) -> HttpResponse {
    let view = match visit.acts(&form.csrf, Role::Operator) {
        Ok(()) => checked(&visit, name.into_inner(), form.into_inner()).await,
        Err(error) => Err(error),
    };
    visit.page(view, pages::limits)
}

async fn checked(visit: &Visit, name: String, form: LinesForm) -> Result<Limits, AdminError> {
    let mut view = Limits {
        impossible: draft::impossible(&visit.state),
        ..Limits::default()
    };
    if view.impossible.is_none() {
        let (state, wanted, lines) = (visit.state.clone(), name.clone(), lines_of(&form.lines));
        let draft = visit
            .console
            .proof(LONGEST, move |means| {
                draft::limits(&state, &wanted, lines, &means)
            })
            .await?;
        view.errors = draft.errors;
        view.diagnostics = draft.diagnostics;
        view.effect = draft.effect;
        view.toml = draft.toml;
        view.place = draft.file;
        if view.toml.is_some() && form.check.is_empty() {
            let text = format!("token {name}");
            visit.state.record(&visit.caller, "draft limits", &text).await;
        }
    }
    view.lines = form.lines;
    view.name = name;
    Ok(view)
}
