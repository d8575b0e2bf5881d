//! Login, logout, and pages that are not there.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use tokenward_console::views::entry::{LoggedOut, Login};
use tokenward_console::{links, pages};
use tokenward_pdp::config::Role;

use super::visit::{Visit, chrome, failure, go_to, html, shared};
use crate::admin::{AdminError, AdminState, address};

/// The parameters of the login page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    next: String,
}

/// Maximum size of the login form, in bytes. Everybody may send it.
pub(super) const LARGEST: usize = 4 << 10;

/// The login form, filled in.
#[derive(Deserialize)]
pub(super) struct Form {
    secret: String,
    #[serde(default)]
    next: String,
}

/// A form that has nothing but the token of forms.
#[derive(Deserialize)]
pub(super) struct Meant {
    #[serde(default)]
    pub(super) csrf: String,
}

/// Shows the login form.
pub(super) async fn form(
    request: HttpRequest,
    question: web::Query<Question>,
) -> Result<HttpResponse, AdminError> {
    let (state, _) = shared(&request)?;
    Ok(html(StatusCode::OK, page(&state, &question.next, None)))
}

/// Begins a session, if the secret is right.
pub(super) async fn log_in(request: HttpRequest, form: web::Form<Form>) -> Result<HttpResponse, AdminError> {
    let (state, _) = shared(&request)?;
    match state
        .log_in(form.secret.trim(), address(&request), links::LOGIN)
        .await
    {
        Ok(cookie) => {
            let mut response = go_to(next(&form.next));
            let cookie = cookie.parse().map_err(|_| AdminError::Internal)?;
            response.headers_mut().insert(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(error @ AdminError::TooManyFailures(_)) => Ok(failure(&chrome(&state, None), &error)),
        Err(error) => {
            let why = match error {
                AdminError::NotAdmitted => {
                    "This is not the admin secret. The attempt was recorded.".to_owned()
                }
                error => error.to_string(),
            };
            Ok(html(
                StatusCode::UNAUTHORIZED,
                page(&state, &form.next, Some(why)),
            ))
        }
    }
}

fn page(state: &AdminState, wanted: &str, error: Option<String>) -> String {
    let admin = &state.config.admin;
    let mut other_ways = Vec::new();
    if admin.client_certificates.is_some() {
        other_ways.push("Present a client certificate that [admin.client_certificates] lists.".to_owned());
    }
    if admin.identity.is_some() {
        other_ways.push("Come through the proxy that [admin.identity] names.".to_owned());
    }
    let login = Login {
        next: next(wanted).to_owned(),
        error,
        by_secret: true,
        other_ways,
        hint: admin.secret_file.display().to_string(),
        csrf: String::new(),
    };
    pages::login(&chrome(state, None), &login)
}

/// The page after the login: one of the console's own. An act is none, and browsers resolve dots, encoded ones too.
fn next(wanted: &str) -> &str {
    let path = wanted.split(['?', '#']).next().unwrap_or_default();
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let is_page = ![links::LOGIN, links::EXPORT]
        .iter()
        .any(|other| path.starts_with(other))
        && !path.split('/').any(|segment| [".", ".."].contains(&segment));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let is_own = wanted.starts_with(links::OVERVIEW)
        && wanted.bytes().all(is_plain)
        && !wanted.contains("//")
        && is_page;
    if is_own { wanted } else { links::OVERVIEW }
}

/// Ends the session.
pub(super) async fn log_out(visit: Visit, form: web::Form<Meant>) -> Result<HttpResponse, AdminError> {
    if let Err(error) = visit.acts(&form.csrf, Role::Viewer) {
        return Ok(failure(&visit.chrome(), &error));
    }
    let cookie = visit.state.log_out(&visit.caller).await;
    let page = LoggedOut {
        why: "You signed out.".to_owned(),
    };
    let mut response = html(
        StatusCode::OK,
        pages::logged_out(&chrome(&visit.state, None), &page),
    );
    let cookie = cookie.parse().map_err(|_| AdminError::Internal)?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Reports that there is no such page.
pub(super) async fn missing(visit: Visit) -> HttpResponse {
    let error = AdminError::NotFound("the console has no such page".to_owned());
    failure(&visit.chrome(), &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_no_other_site() {
        assert_eq!(next("/console/tokens?q=a%20b"), "/console/tokens?q=a%20b");
        for wrong in [
            "",
            "https://evil.example",
            "//evil.example",
            "/console",
            "/console/login",
            "/console//evil.example",
            "/console/\\evil.example",
            "/console/\r\nSet-Cookie: a=b",
            "/console/../x y",
            "/console/../v1/audit/export",
            "/console/%2e%2E/v1/audit/export",
            "/console/.%2e/v1/audit/export",
            "/console/audit/export?token=a",
            "/console/audit/%65xport",
            "javascript:alert(1)",
        ] {
            assert_eq!(next(wrong), links::OVERVIEW, "{wrong}");
        }
    }
}
