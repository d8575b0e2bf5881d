//! One line of the log for each call, under the names that the audit has.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use tokenward_audit::{Outcome, Verdict};
use tracing::Level;

use super::{Call, RequestId};
use crate::admin::is_deceptive;
use crate::config::CallLog;

/// What is known of a call before it ends; made only if the line will be written.
#[derive(Debug)]
pub(super) struct Line {
    level: Level,
    trace: String,
    client: IpAddr,
    token: Option<String>,
    user: Option<String>,
    on_behalf_of: Option<String>,
    method: String,
    url: String,
    decided: Option<(Verdict, &'static str)>,
}

/// The event, at a level that has to be a constant.
macro_rules! event {
    ($level:expr, $line:expr, $outcome:expr) => {
        tracing::event!(
            target: "tokenward::call",
            $level,
            request_id = %RequestId::from($outcome.request_id),
            trace_id = $line.trace,
            client = %$line.client,
            token = $line.token,
            user = $line.user.as_deref().map(|user| display(Plain(user))),
            on_behalf_of = $line.on_behalf_of.as_deref().map(|user| display(Plain(user))),
            method = $line.method,
            url = %Plain(&$line.url),
            verdict = $line.decided.map(|(verdict, _)| verdict.as_str()),
            reason = $line.decided.map(|(_, reason)| reason),
            end = $outcome.end.as_str(),
            status = $outcome.status,
            upstream_status = $outcome.upstream_status,
            sent_bytes = $outcome.sent_bytes,
            received_bytes = $outcome.received_bytes,
            total_us = $outcome.total_us,
            upstream_us = $outcome.upstream_us,
            "call"
        )
    };
}

impl Line {
    /// For this call, unless nobody is to see it.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let level = match call.log {
            CallLog::Info if tracing::enabled!(target: "tokenward::call", Level::INFO) => Level::INFO,
            CallLog::Debug if tracing::enabled!(target: "tokenward::call", Level::DEBUG) => Level::DEBUG,
            CallLog::Off | CallLog::Info | CallLog::Debug => return None,
        };
        Some(Self {
            level,
            trace: call.trace.id(),
            client: call.client,
            token: call.token.clone(),
            user: call.user.clone(),
            on_behalf_of: call.on_behalf_of.clone(),
            method: call.method().to_owned(),
            url: call.url().to_owned(),
            decided: None,
        })
    }

    /// What was decided.
    pub(super) fn decided(&mut self, verdict: Verdict, reason: &'static str) {
        self.decided = Some((verdict, reason));
    }

    /// Writes it.
    pub(super) fn write(&self, outcome: &Outcome) {
        if self.level == Level::INFO {
            event!(Level::INFO, self, outcome);
        } else {
            event!(Level::DEBUG, self, outcome);
        }
    }
}

/// A text that somebody outside chose, shown so that it neither ends the line nor deceives who reads it.
struct Plain<'t>(&'t str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_control() || is_deceptive(character) {
                write!(out, "{}", character.escape_unicode())?;
            } else {
                out.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_chose_stays_in_its_place() {
        assert_eq!(
            Plain("zoë\nlevel=ERROR\u{202e}").to_string(),
            "zoë\\u{a}level=ERROR\\u{202e}"
        );
    }
}
