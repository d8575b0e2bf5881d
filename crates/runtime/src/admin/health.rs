//! Liveness and readiness, for everyone: on the admin listener, and on a listener of its own (`[health] listen`) that may be
//! reachable from other machines. The latter has no other route and holds no secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use tokenward_audit::{OnFailure, Store};

use crate::fleet::{Fleet, FleetStatus};

/// Answer of a process that runs.
pub(crate) const LIVE: &str = "live\n";
/// Answer of a proxy that serves calls.
pub(crate) const READY: &str = "ready\n";
/// Answer of a proxy that does not.
const NOT_READY: &str = "not ready\n";

/// Whether the proxy serves calls.
#[derive(Clone)]
pub(crate) struct Readiness {
    audit: Store,
    fleet: Option<Arc<Fleet>>,
    stopping: Arc<AtomicBool>,
}

impl Readiness {
    /// Depends on the audit, and on the manifest of the fleet if there is one: without them, calls are refused.
    pub(crate) fn new(audit: Store, fleet: Option<Arc<Fleet>>) -> Self {
        Self {
            audit,
            fleet,
            stopping: Arc::default(),
        }
    }

    /// The state of the proxy in its fleet, if it belongs to one.
    pub(super) fn fleet(&self) -> Option<FleetStatus> {
        self.fleet.as_ref().map(|fleet| fleet.status())
    }

    /// Ends the readiness, since the proxy accepts no new connections from now on.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether calls are served now.
    pub(crate) fn is_ready(&self) -> bool {
        let recorded =
            self.audit.stats().failing.is_none() || self.audit.config().on_failure == OnFailure::AllowSafe;
        let stale = self.fleet.as_ref().is_some_and(|fleet| fleet.refuses());
        recorded && !stale && !self.stopping.load(Ordering::Relaxed)
    }
}

/// Registers the routes of the health listener.
pub(crate) fn health_routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/livez")
                .route(web::get().to(livez))
                .route(web::head().to(livez)),
        )
        .service(
            web::resource("/readyz")
                .route(web::get().to(readyz))
                .route(web::head().to(readyz)),
        );
}

/// The process answers.
pub(super) async fn livez() -> HttpResponse {
    answer(StatusCode::OK, LIVE)
}

async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    if readiness.is_ready() {
        answer(StatusCode::OK, READY)
    } else {
        answer(StatusCode::SERVICE_UNAVAILABLE, NOT_READY)
    }
}

fn answer(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text)
}
