//! Spans for OpenTelemetry: one per call, sent to a collector by OTLP over HTTP. Off unless `[telemetry]` names a
//! collector.
//!
//! A call already has its ids, its begin and its end, under the audit's names. So a span is made when the call has
//! ended, and no code on the data path needs a tracer. A collector gets the texts of the log, with secrets masked in
//! the same place.

mod client;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};
use tokenward_pdp::config::Telemetry;
use tokio::sync::oneshot;

use crate::tls::TlsError;
use client::{CollectorClient, TIMEOUT};

/// Maximum number of spans that wait for the collector. Further ones are dropped; no call waits.
const QUEUE: usize = 4096;
const BATCH: usize = 512;
/// Time after which an incomplete batch is sent.
const DELAY: Duration = Duration::from_secs(1);
/// Reason why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// TLS to the collector cannot be set up.
    #[error("TLS to the collector ([telemetry] otlp_endpoint): {0}")]
    Tls(#[from] TlsError),
    /// The exporter does not accept the endpoint.
    #[error("[telemetry] otlp_endpoint: {0}")]
    Exporter(String),
    /// The system gave no thread for sending.
    #[error("cannot start a thread for telemetry: {0}")]
    Thread(#[from] std::io::Error),
}

/// Destination of spans. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Spans(Arc<BatchSpanProcessor>);

/// The span of one call.
#[derive(Debug)]
pub(crate) struct CallSpan {
    /// Id of the trace.
    pub(crate) trace: [u8; 16],
    /// Id of the call's span, which the upstream got as its parent.
    pub(crate) span: [u8; 8],
    /// Id of the caller's span, if the caller sent one.
    pub(crate) parent: Option<[u8; 8]>,
    /// The method, if policies can name it.
    pub(crate) method: Option<&'static str>,
    /// Duration of the call, which ends now.
    pub(crate) took: Duration,
    /// Whether the proxy or the upstream failed.
    pub(crate) failed: bool,
    /// Further attributes.
    pub(crate) attributes: Vec<KeyValue>,
}

impl Spans {
    /// Queues a span without waiting.
    pub(crate) fn send(&self, call: CallSpan) {
        let end_time = std::time::SystemTime::now();
        self.0.on_end(SpanData {
            span_context: SpanContext::new(
                TraceId::from_bytes(call.trace),
                SpanId::from_bytes(call.span),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: call.parent.map_or(SpanId::INVALID, SpanId::from_bytes),
            parent_span_is_remote: call.parent.is_some(),
            span_kind: SpanKind::Server,
            // Names of spans must have few different values.
            name: call.method.unwrap_or("HTTP").into(),
            start_time: end_time.checked_sub(call.took).unwrap_or(end_time),
            end_time,
            attributes: call.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if call.failed {
                Status::error("")
            } else {
                Status::Unset
            },
            instrumentation_scope: InstrumentationScope::builder("tokenward")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        });
    }
}

/// Sends spans on threads of its own.
pub(crate) struct Sender {
    spans: Spans,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Sender {
    /// Starts to send, if a collector is configured.
    ///
    /// # Errors
    /// The endpoint cannot be used.
    pub(crate) fn start(telemetry: &Telemetry) -> Result<Option<Self>, TelemetryError> {
        let Some(endpoint) = &telemetry.otlp_endpoint else {
            return Ok(None);
        };
        // The exporter's own thread knows no runtime, and the client needs one.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let client = CollectorClient::new(endpoint, runtime.handle().clone())?;
        // Batches bound the memory, and the number of requests to the collector.
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Exporter(error.to_string()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let mut processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        processor.set_resource(
            &Resource::builder_empty()
                .with_service_name(telemetry.service_name.clone())
                .build(),
        );
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(move || {
                // A message and a dropped sender both mean the end.
                let _ = runtime.block_on(stopped);
            })?;
        Ok(Some(Self {
            spans: Spans(Arc::new(processor)),
            stop,
            thread,
        }))
    }

    /// Gives the destination for the spans of calls.
    pub(crate) fn spans(&self) -> Spans {
        self.spans.clone()
    }

    /// Sends the queued spans, for a few seconds at most.
    pub(crate) fn stop(self) {
        if let Err(error) = self.spans.0.shutdown_with_timeout(TIMEOUT) {
            tracing::warn!(
                error = error.to_string(),
                "telemetry: the last spans were not sent"
            );
        }
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}
