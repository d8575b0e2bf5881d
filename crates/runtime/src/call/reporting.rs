//! Where calls are reported, in addition to the audit.

use tokenward_pdp::config::CallLog;

use crate::telemetry::Spans;

/// Where calls are reported, in addition to the audit.
#[derive(Clone, Debug)]
pub(crate) struct CallReporting {
    /// Level of the log lines of calls.
    pub(crate) calls: CallLog,
    /// Destination of spans, if they are sent.
    pub(crate) spans: Option<Spans>,
}
