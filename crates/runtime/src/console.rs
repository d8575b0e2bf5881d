//! The console: what operators see of the running proxy, as JSON under `/v1` and as pages under `/console`. It is served by the
//! admin listener, whose checks come first (`admin/guard.rs`).
//!
//! Questions that read the audit or compile run on threads that may block, and only a few at a time, so that calls of clients
//! are not held up.

mod address;
mod advice;
mod alone;
mod analyses;
mod call;
mod draft;
mod effect;
mod found;
mod heavy;
mod invariants;
mod judged;
mod kept;
mod line;
mod operations;
mod overview;
mod pages;
mod range;
mod review;
mod search;
mod snippet;
mod token;
mod tokens;
mod trial;
mod used;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, Route, web};
use serde::Serialize;
use tokenward_pdp::text::escaped;

use crate::admin::{AdminError, AdminState, Caller};
use heavy::Console;
use operations::ReadOperations;

/// Maximum size of a question, in bytes.
const LARGEST: usize = 1 << 20;

/// Registers the routes of the console. `read`: how the operations of the API are read.
pub(crate) fn routes(config: &mut web::ServiceConfig, read: ReadOperations) {
    let get = |path: &str, route: Route| web::resource(path).route(route);
    config
        .app_data(web::Data::new(Console::new(read)))
        // Wrong parameters are told as all errors are.
        .app_data(web::QueryConfig::default().error_handler(|error, _| question(&error)))
        .app_data(web::PathConfig::default().error_handler(|error, _| question(&error)))
        .service(get("/v1/openapi.json", web::get().to(describe)))
        .service(get("/v1/overview", web::get().to(show_overview)))
        .service(get("/v1/tokens", web::get().to(show_tokens)))
        .service(get("/v1/tokens/{name}", web::get().to(show_token)))
        .service(get("/v1/calls/{sequence}", web::get().to(show_call)))
        .service(
            web::resource("/v1/try")
                .app_data(web::PayloadConfig::new(LARGEST))
                .route(web::post().to(try_request)),
        )
        .configure(pages::routes);
}

fn question(error: &impl ToString) -> actix_web::Error {
    AdminError::Question(error.to_string()).into()
}

/// Answers with JSON in which characters are escaped that would deceive a terminal.
fn json(of: &impl Serialize) -> Result<HttpResponse, AdminError> {
    let text = serde_json::to_string(of).map_err(|_| AdminError::Internal)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(format!("{}\n", escaped(&text))))
}

/// The description of the API, by hand: its types are those of three crates, each with its wire form in place, and a derived
/// description would have to be derived in all of them. The end-to-end tests compare it with the running server.
const DESCRIPTION: &str = include_str!("console/openapi.json");

async fn describe(_: Caller) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(DESCRIPTION)
}

async fn show_overview(
    state: web::Data<AdminState>,
    console: web::Data<Console>,
    query: web::Query<overview::Question>,
    _: Caller,
) -> Result<HttpResponse, AdminError> {
    json(&overview::overview(state.into_inner(), &console, query.range).await?)
}

async fn show_tokens(
    state: web::Data<AdminState>,
    console: web::Data<Console>,
    _: Caller,
) -> Result<HttpResponse, AdminError> {
    json(&tokens::tokens(&state, &console).await?)
}

async fn show_token(
    state: web::Data<AdminState>,
    console: web::Data<Console>,
    name: web::Path<String>,
    _: Caller,
) -> Result<HttpResponse, AdminError> {
    let console = console.into_inner();
    json(&token::token(state.into_inner(), &console, name.into_inner()).await?)
}

async fn show_call(
    state: web::Data<AdminState>,
    console: web::Data<Console>,
    sequence: web::Path<String>,
    _: Caller,
) -> Result<HttpResponse, AdminError> {
    let sequence = sequence
        .parse()
        .map_err(|_| AdminError::NotFound(call::NOT_A_NUMBER.to_owned()))?;
    json(&call::call(state.into_inner(), &console, sequence).await?)
}

async fn try_request(
    state: web::Data<AdminState>,
    console: web::Data<Console>,
    caller: Caller,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, AdminError> {
    caller.meant_by(&state, &request)?;
    let question =
        serde_json::from_slice(&body).map_err(|_| AdminError::Question(trial::EXPECTED.to_owned()))?;
    json(&trial::trial(state.into_inner(), &console, question).await?)
}
