//! The pages of the console: gathers what each page shows, and sends it as HTML.

mod call;
mod edit;
mod entry;
mod moments;
mod overview;
mod review;
mod search;
mod terminal;
mod token;
mod tokens;
mod trial;
mod visit;

use actix_web::error::{InternalError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError, web};
use tokenward_console::{assets, links};

use crate::admin::AdminError;

/// Maximum size of a form, in bytes.
const LARGEST: usize = 1 << 20;

/// The live tail of a search, as lines of JSON.
const TAIL: &str = "/console/audit/tail";

/// Registers the pages.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::FormConfig::default().limit(LARGEST).error_handler(unread))
        .route("/", web::get().to(home))
        .route("/console", web::get().to(home))
        .route(links::OVERVIEW, web::get().to(overview::show))
        .service(
            web::resource(links::LOGIN)
                .app_data(web::FormConfig::default().limit(entry::LARGEST))
                .route(web::get().to(entry::form))
                .route(web::post().to(entry::log_in)),
        )
        .route(links::LOGOUT, web::post().to(entry::log_out))
        .route(links::TOKENS, web::get().to(tokens::show))
        .route(links::NEW_TOKEN, web::get().to(edit::new_token))
        .route(links::NEW_TOKEN, web::post().to(edit::make_token))
        .route("/console/tokens/{name}", web::get().to(token::show))
        .route("/console/tokens/{name}/revoke", web::get().to(token::ask))
        .route("/console/tokens/{name}/revoke", web::post().to(token::revoke))
        .route("/console/tokens/{name}/limits", web::get().to(edit::limits))
        .route(
            "/console/tokens/{name}/limits",
            web::post().to(edit::check_limits),
        )
        .route(links::AUDIT, web::get().to(search::show))
        .route(TAIL, web::get().to(search::tail))
        .route(links::EXPORT, web::get().to(search::export))
        .route(links::VERIFY, web::post().to(search::verify))
        .route("/console/calls/{sequence}", web::get().to(call::show))
        .route(links::TRY, web::get().to(trial::show))
        .route(links::TRY, web::post().to(trial::judge))
        .route(links::REVIEW, web::get().to(review::show))
        .route("/console/assets/{name}", web::get().to(asset))
        .route("/console/{rest:.*}", web::get().to(entry::missing));
}

/// Answers a form that cannot be read with a page, as all others are.
fn unread(error: UrlencodedError, request: &HttpRequest) -> Error {
    let Ok((state, _)) = visit::shared(request) else {
        return error.into();
    };
    let status = error.status_code();
    let told = match status {
        StatusCode::PAYLOAD_TOO_LARGE => format!("the form is too long; {LARGEST} bytes are the most"),
        _ => "the form cannot be read, or lacks a field; load the page again; nothing was done".to_owned(),
    };
    let told = AdminError::Question(told);
    let response = visit::failure_with(status, &visit::chrome(&state, None), &told);
    InternalError::from_response(error, response).into()
}

async fn home() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, links::OVERVIEW))
        .finish()
}

/// A file of the console. Its name has the hash of its content, so that browsers may keep it. Without a session too: the login
/// page needs its style.
async fn asset(name: web::Path<String>) -> HttpResponse {
    match assets::find(&name) {
        None => HttpResponse::NotFound().finish(),
        Some(asset) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, asset.content_type))
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(asset.body),
    }
}
