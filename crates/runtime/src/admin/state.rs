//! The state of the admin listener, its errors, and who is admitted.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use sha2::{Digest, Sha256};
use tokenward_audit::Store;

use crate::live::Policies;
use crate::metrics::Metrics;
use crate::proxy::Addresses;

/// Everything that the admin listener shows.
pub(crate) struct AdminState {
    /// SHA-256 of the admin secret.
    secret: [u8; 32],
    pub(super) policies: Arc<Policies>,
    pub(super) audit: Store,
    pub(super) metrics: Arc<Metrics>,
    pub(super) upstream: Arc<Addresses>,
}

impl AdminState {
    /// Makes the state of a listener that admits requests with this secret.
    pub(crate) fn new(
        secret: &str,
        policies: Arc<Policies>,
        audit: Store,
        metrics: Arc<Metrics>,
        upstream: Arc<Addresses>,
    ) -> Self {
        Self {
            secret: Sha256::digest(secret.as_bytes()).into(),
            policies,
            audit,
            metrics,
            upstream,
        }
    }

    /// Whether the request has the secret. Hashes are compared in full, so that the time reveals nothing.
    fn admits(&self, request: &HttpRequest) -> bool {
        let mut fields = request.headers().get_all(AUTHORIZATION);
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return false;
        };
        let Some((scheme, given)) = field.to_str().ok().and_then(|field| field.split_once(' ')) else {
            return false;
        };
        let given: [u8; 32] = Sha256::digest(given.as_bytes()).into();
        let difference = given
            .iter()
            .zip(&self.secret)
            .fold(0, |all, (a, b)| all | (a ^ b));
        scheme.eq_ignore_ascii_case("bearer") && difference == 0
    }
}

/// Proof that a request had the secret.
pub(crate) struct Operator;

/// Error of a request to the admin listener.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// The secret is missing or wrong.
    #[error("this needs the admin secret as a Bearer token; its place is [admin] secret_file")]
    NotAdmitted,
    /// A parameter is unknown, or has an invalid value.
    #[error("{0}")]
    Question(String),
    /// The audit cannot be read.
    #[error("{0}")]
    Audit(#[from] tokenward_audit::QueryError),
    /// The active policy has no token with this name.
    #[error("the policy in force has no token of that name; revoke by hash, which needs none")]
    NoSuchToken,
    /// A revocation is in effect, but not on disk.
    #[error("revoked until the next start, but not written: {0}; it is tried again twice a second")]
    Unsaved(std::io::Error),
    /// Reading stopped because the process is stopping.
    #[error("the process is stopping")]
    Stopping,
}

impl ResponseError for AdminError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotAdmitted => StatusCode::UNAUTHORIZED,
            Self::Question(_) => StatusCode::BAD_REQUEST,
            Self::NoSuchToken => StatusCode::NOT_FOUND,
            Self::Unsaved(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Audit(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if matches!(self, Self::NotAdmitted) {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"tokenward admin\""));
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

impl FromRequest for Operator {
    type Error = AdminError;
    type Future = std::future::Ready<Result<Self, AdminError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = request
            .app_data::<web::Data<AdminState>>()
            .is_some_and(|state| state.admits(request));
        std::future::ready(if admitted {
            Ok(Self)
        } else {
            Err(AdminError::NotAdmitted)
        })
    }
}
