//! A visit of a page: who comes, and what every page shows. Visitors who are not admitted are sent to the login page.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use tokenward_console::views::chrome::{self, Chrome, LivePolicy, Login, Notice};
use tokenward_console::views::entry::Failure;
use tokenward_console::{links, pages};
use tokenward_pdp::config::Role;

use super::super::heavy::Console;
use crate::admin::{AdminError, AdminState, Caller};
use crate::call::now_ms;

/// A visit of somebody who was admitted.
pub(super) struct Visit {
    pub(super) state: Arc<AdminState>,
    pub(super) console: Arc<Console>,
    pub(super) caller: Caller,
    pub(super) request: HttpRequest,
    began: Instant,
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let began = Instant::now();
        let (request, caller) = (request.clone(), Caller::from_request(request, payload));
        Box::pin(async move {
            let (state, console) = shared(&request)?;
            match caller.await {
                Ok(caller) => Ok(Self {
                    state,
                    console,
                    caller,
                    request,
                    began,
                }),
                Err(error) => {
                    let response = turned_away(&state, &request, &error);
                    Err(InternalError::from_response(error.to_string(), response).into())
                }
            }
        })
    }
}

/// The state of the listener and that of the console.
pub(super) fn shared(request: &HttpRequest) -> Result<(Arc<AdminState>, Arc<Console>), AdminError> {
    let state = request.app_data::<web::Data<AdminState>>();
    let console = request.app_data::<web::Data<Console>>();
    let (Some(state), Some(console)) = (state, console) else {
        return Err(AdminError::Internal);
    };
    Ok((state.clone().into_inner(), console.clone().into_inner()))
}

/// Sends a visitor without a session to the login page, and shows others the reason.
fn turned_away(state: &AdminState, request: &HttpRequest, error: &AdminError) -> HttpResponse {
    if matches!(error, AdminError::NotAdmitted) && request.method() == Method::GET {
        return HttpResponse::SeeOther()
            .insert_header((LOCATION, login_for(request)))
            .finish();
    }
    failure(&chrome(state, None), error)
}

/// The login page, with the page to go to afterwards.
fn login_for(request: &HttpRequest) -> String {
    let uri = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    let encoded = percent_encoding::utf8_percent_encode(uri, percent_encoding::NON_ALPHANUMERIC);
    match uri {
        links::OVERVIEW => links::LOGIN.to_owned(),
        _ => format!("{}?next={encoded}", links::LOGIN),
    }
}

/// What every page shows.
pub(super) fn chrome(state: &AdminState, caller: Option<&Caller>) -> Chrome {
    let live = state.policies.current();
    let reloads = state.policies.status();
    Chrome {
        // Not the public URL, which is the proxy's own.
        upstream: state
            .upstream
            .all()
            .first()
            .map(|address| address.authority().to_owned())
            .unwrap_or_default(),
        policy: caller.map(|_| LivePolicy {
            digest: live.program().digest().to_owned(),
            since_ms: ms(live.since()),
            is_owned_by_files: true,
        }),
        failed_reload_ms: caller
            .and(reloads.failure)
            .map(|_| ms(reloads.failed_at.unwrap_or_else(SystemTime::now))),
        login: caller.map(|caller| Login {
            name: caller.who.clone(),
            role: match caller.role {
                Role::Viewer => chrome::Role::Viewer,
                Role::Revoker => chrome::Role::Revoker,
                Role::Operator => chrome::Role::Operator,
            },
            csrf: caller.form_token(state),
            has_session: caller.session().is_some(),
        }),
        now_ms: now_ms(),
        took_ms: None,
        notice: None,
    }
}

fn ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Visit {
    /// What every page shows, for this visitor.
    pub(super) fn chrome(&self) -> Chrome {
        let took = u64::try_from(self.began.elapsed().as_millis()).ok();
        Chrome {
            took_ms: took,
            ..chrome(&self.state, Some(&self.caller))
        }
    }

    /// The page, or the one that reports why there is none.
    pub(super) fn page<V>(
        &self,
        view: Result<V, AdminError>,
        render: fn(&Chrome, &V) -> String,
    ) -> HttpResponse {
        match view {
            Ok(view) => html(StatusCode::OK, render(&self.chrome(), &view)),
            Err(error) => failure(&self.chrome(), &error),
        }
    }

    /// The page, with the result of an action.
    pub(super) fn page_after<V>(
        &self,
        notice: Notice,
        view: &V,
        render: fn(&Chrome, &V) -> String,
    ) -> HttpResponse {
        let status = match notice.is_failure {
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::OK,
        };
        let chrome = Chrome {
            notice: Some(notice),
            ..self.chrome()
        };
        html(status, render(&chrome, view))
    }

    /// Fails unless the visitor meant to act, and may.
    pub(super) fn acts(&self, token: &str, role: Role) -> Result<(), AdminError> {
        self.caller.may(role)?;
        self.caller.meant(&self.state, Some(token))
    }

    /// The parameters of the page.
    pub(super) fn query<Q: serde::de::DeserializeOwned>(&self) -> Result<Q, AdminError> {
        let query = web::Query::<Q>::from_query(self.request.query_string());
        query
            .map(web::Query::into_inner)
            .map_err(|error| AdminError::Question(error.to_string()))
    }
}

/// The page that reports an error.
pub(super) fn failure(chrome: &Chrome, error: &AdminError) -> HttpResponse {
    failure_with(error.status_code(), chrome, error)
}

/// The page that reports an error with a status of its own.
pub(super) fn failure_with(status: StatusCode, chrome: &Chrome, error: &AdminError) -> HttpResponse {
    let text = error.to_string();
    let (title, details) = text.split_once("; ").unwrap_or((&text, ""));
    let details = details.split("; ").filter(|detail| !detail.is_empty());
    let home = match chrome.login {
        Some(_) => (links::OVERVIEW.to_owned(), "Overview".to_owned()),
        None => (links::LOGIN.to_owned(), "Sign in".to_owned()),
    };
    let page = Failure {
        status: status.as_u16(),
        title: tokenward_pdp::text::capital(title),
        details: details
            .map(|detail| format!("{}.", tokenward_pdp::text::capital(detail)))
            .collect(),
        links: vec![home],
    };
    let mut response = html(status, pages::failure(chrome, &page));
    if let AdminError::TooManyFailures(seconds) = error {
        response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
    }
    response
}

/// Sends a page.
pub(super) fn html(status: StatusCode, page: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(page)
}

/// Sends a visitor to another page, by GET.
pub(super) fn go_to(target: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, target))
        .finish()
}
