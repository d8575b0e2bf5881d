//! State that one worker shares between its connections, for all versions of HTTP.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use tokenward_pdp::problem::Problem;
use tokenward_pdp::words::Help;

use super::date::DateCache;
use crate::call::{RequestId, now_ms};
use crate::metrics::Metrics;
use crate::pep::Gate;
use crate::proxy::{Answer, Upstream};
use crate::respond;

/// State that one worker shares between its connections.
pub(super) struct Worker {
    pub(super) gate: Arc<Gate>,
    pub(super) upstream: Rc<Upstream>,
    pub(super) dates: DateCache,
}

/// Runs a call. A panic in it is counted, and gets a response.
pub(super) async fn caught<T>(gate: &Gate, call: impl Future<Output = T>) -> Result<T, Answer> {
    catch(&gate.metrics, gate.auth.help(), call).await
}

async fn catch<T>(metrics: &Metrics, help: &Help, call: impl Future<Output = T>) -> Result<T, Answer> {
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(value) => Ok(value),
        Err(_) => {
            let id = RequestId::new(now_ms());
            metrics.panicked();
            tracing::error!(request_id = %id, "internal error while handling a request");
            let mut answer = respond::problem(&Problem::Internal, &id, help);
            answer.close = true;
            Err(answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokenward_pdp::config::Methods;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_counted() {
        let metrics = Metrics::default();
        let help = Help {
            methods: Methods::Basic,
            schemes: Vec::new(),
            own_page: String::new(),
        };
        let answer = catch(&metrics, &help, async { panic!("on purpose") }).await;
        let answer: Answer = answer.map(|(): ()| ()).unwrap_err();
        assert_eq!(answer.status.as_u16(), 500);
        assert!(answer.close);
        let text = metrics.render(&prometheus_client::registry::Registry::default());
        assert!(text.contains("tokenward_panics_total 1"), "{text}");
    }
}
