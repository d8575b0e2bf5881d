//! Where calls are reported, in addition to the audit.

use crate::config::CallLog;
use crate::telemetry::Spans;

/// Where calls are reported, in addition to the audit.
#[derive(Clone, Debug)]
pub(crate) struct CallReporting {
    /// At which level the log is.
    pub(crate) calls: CallLog,
    /// Where spans go, if they are sent.
    pub(crate) spans: Option<Spans>,
}
