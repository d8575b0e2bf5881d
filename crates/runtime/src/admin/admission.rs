//! The admin secret. A wrong one is logged, counted and, if repeated, answered late.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use tokenward_pdp::config::{Auth, Throttling};

use super::error::AdminError;
use crate::metrics::Metrics;
use crate::pep::{Pace, Throttle};

/// The admin secret, and the addresses that presented wrong ones.
pub(super) struct Admission {
    /// SHA-256 of the secret.
    secret: [u8; 32],
    throttle: Throttle,
    metrics: Arc<Metrics>,
}

/// The secret that a request presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    Nothing,
    Secret,
    Wrong,
}

impl Admission {
    /// Admits requests with this secret. Wrong ones are slowed as failed credentials of clients are, and also if those
    /// are not: no operator's tool needs to guess.
    pub(super) fn new(secret: &str, throttling: Throttling, metrics: Arc<Metrics>) -> Self {
        let throttling = match throttling.attempts {
            0 => Auth::default().throttling,
            _ => throttling,
        };
        Self {
            secret: Sha256::digest(secret.as_bytes()).into(),
            throttle: Throttle::new(throttling),
            metrics,
        }
    }

    /// Hashes are compared in full, so that the time reveals nothing.
    pub(super) fn presented(&self, request: &HttpRequest) -> Presented {
        let mut fields = request.headers().get_all(AUTHORIZATION);
        let (field, second) = (fields.next(), fields.next());
        let Some(field) = field else {
            return Presented::Nothing;
        };
        let given = field.to_str().ok().and_then(|field| field.split_once(' '));
        let (Some((scheme, given)), None) = (given, second) else {
            return Presented::Wrong;
        };
        match self.compared(given) {
            Presented::Secret if scheme.eq_ignore_ascii_case("bearer") => Presented::Secret,
            _ => Presented::Wrong,
        }
    }

    /// Compares a text with the secret.
    pub(super) fn compared(&self, given: &str) -> Presented {
        let given: [u8; 32] = Sha256::digest(given.as_bytes()).into();
        let difference = given
            .iter()
            .zip(&self.secret)
            .fold(0, |all, (a, b)| all | (a ^ b));
        if difference == 0 {
            Presented::Secret
        } else {
            Presented::Wrong
        }
    }

    /// Admits a caller with the admin secret. A wrong secret is logged and counted, and its response is
    /// delayed.
    pub(super) async fn admit(
        &self,
        presented: Presented,
        from: IpAddr,
        path: &str,
    ) -> Result<(), AdminError> {
        match presented {
            Presented::Secret => return Ok(()),
            Presented::Nothing => return Err(AdminError::NotAdmitted),
            Presented::Wrong => {}
        }
        self.metrics.wrong_admin_secret();
        match self.throttle.failed(from) {
            Pace::AtOnce => tracing::warn!(client = %from, path, "wrong admin secret"),
            Pace::Held(held) => {
                tracing::warn!(client = %from, path, "wrong admin secret, response delayed");
                held.wait().await;
            }
            // These are only counted: their number has no bound, and that of log lines must have one.
            Pace::TooMany => return Err(AdminError::TooManyFailures(self.throttle.retry_after())),
        }
        Err(AdminError::NotAdmitted)
    }
}
