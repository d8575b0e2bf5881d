//! The errors of the admin listener.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use tokenward_pdp::config::Role;

/// Error of a request to the admin listener.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// The secret is missing or wrong.
    #[error("the admin secret is required as a Bearer token; it is in [admin] secret_file")]
    NotAdmitted,
    /// Too many wrong secrets came from the address; with the seconds after which to try again.
    #[error("too many requests with a wrong admin secret; try again later")]
    TooManyFailures(u64),
    /// A parameter is unknown, or has an invalid value.
    #[error("{0}")]
    Question(String),
    /// The audit cannot be read.
    #[error("{0}")]
    Audit(#[from] tokenward_audit::QueryError),
    /// The active policy has no token with this name.
    #[error("the active policy has no token of that name; revoke by hash instead")]
    NoSuchToken,
    /// A revocation is in effect, but not on disk.
    #[error(
        "revoked until the next start, but cannot write the revocation: {0}; the proxy retries twice a second"
    )]
    Unsaved(std::io::Error),
    /// The request is for a name that is not the listener's.
    #[error(
        "the request is for a host that is not this listener; add the name to [admin] names if it is, or use its address"
    )]
    OtherHost,
    /// The body of the request did not arrive in time.
    #[error("the body of the request did not arrive in time; nothing was done")]
    Late,
    /// A page of another site sent the request.
    #[error("a page of another site sent the request; nothing was done")]
    OtherOrigin,
    /// The token of the form is missing or wrong.
    #[error(
        "the form is out of date, or did not come from this listener; load the page again; nothing was done"
    )]
    FormToken,
    /// A trusted proxy named a person without a role.
    #[error("no role is configured for you; ask the operator to list you in [admin.identity]")]
    NotListed,
    /// The role of the caller does not include the action.
    #[error("your role is {}; this needs the role {}; nothing was done", .has.name(), .needs.name())]
    Role {
        /// The caller's role.
        has: Role,
        /// The least role that may do this.
        needs: Role,
    },
    /// There is no such page, token or call.
    #[error("{0}")]
    NotFound(String),
    /// Too much is asked at one time.
    #[error("the console is busy with other questions; try again in a few seconds")]
    Busy,
    /// The work ended with an internal error.
    #[error("the question could not be answered because of an internal error; see the log of the proxy")]
    Internal,
    /// Reading stopped because the process is stopping.
    #[error("the process is shutting down")]
    Stopping,
}

impl ResponseError for AdminError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotAdmitted => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Question(_) => StatusCode::BAD_REQUEST,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherOrigin | Self::FormToken | Self::NotListed | Self::Role { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::NoSuchToken | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unsaved(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Audit(_) | Self::Stopping | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::NotAdmitted => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"tokenward admin\""));
            }
            Self::TooManyFailures(seconds) => {
                response.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            _ => {}
        }
        let status = self.status_code();
        let problem = serde_json::json!({
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        response
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(format!("{problem}\n"))
    }
}
