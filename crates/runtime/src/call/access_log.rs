//! The log line of each call, with the audit's names; and its span, if spans are sent.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use opentelemetry::KeyValue;
use tokenward_audit::{End, Outcome, Verdict};
use tokenward_pdp::config::CallLog;
use tokenward_pdp::request::Method;
use tokenward_pdp::text::is_deceptive;
use tracing::Level;

use super::{Call, RequestId, Trace};
use crate::telemetry::{CallSpan, Spans};

/// The facts of a call that are known before it ends; made only if the call will be reported.
#[derive(Debug)]
pub(crate) struct Line {
    level: Option<Level>,
    spans: Option<Spans>,
    trace: Trace,
    client: IpAddr,
    token: Option<String>,
    user: Option<String>,
    on_behalf_of: Option<String>,
    method: String,
    url: String,
    decided: Option<(Verdict, &'static str)>,
}

/// Writes the event. Its level must be a constant, hence a macro.
macro_rules! event {
    ($level:expr, $line:expr, $outcome:expr) => {
        tracing::event!(
            target: "tokenward::call",
            $level,
            request_id = %RequestId::from($outcome.request_id),
            trace_id = $line.trace.id(),
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
    /// Makes the log line of a call; `None` if it is not reported anywhere.
    pub(crate) fn of(call: &Call) -> Option<Self> {
        let level = match call.reporting.calls {
            CallLog::Info if tracing::enabled!(target: "tokenward::call", Level::INFO) => Some(Level::INFO),
            CallLog::Debug if tracing::enabled!(target: "tokenward::call", Level::DEBUG) => {
                Some(Level::DEBUG)
            }
            CallLog::Off | CallLog::Info | CallLog::Debug => None,
        };
        let spans = call.reporting.spans.clone().filter(|_| call.trace.is_sampled());
        if level.is_none() && spans.is_none() {
            return None;
        }
        Some(Self {
            level,
            spans,
            trace: call.trace.clone(),
            client: call.client,
            token: call.token_name().map(str::to_owned),
            user: call.user.as_deref().map(str::to_owned),
            on_behalf_of: call.on_behalf_of.clone(),
            method: call.method().to_owned(),
            url: call.url().to_owned(),
            decided: None,
        })
    }

    /// Sets the decision.
    pub(crate) fn decided(&mut self, verdict: Verdict, reason: &'static str) {
        self.decided = Some((verdict, reason));
    }

    /// Writes the line, and sends the span.
    pub(crate) fn write(&self, outcome: &Outcome) {
        match self.level {
            None => {}
            Some(Level::INFO) => event!(Level::INFO, self, outcome),
            Some(_) => event!(Level::DEBUG, self, outcome),
        }
        if let Some(spans) = &self.spans {
            spans.send(self.span(outcome));
        }
    }

    /// Makes the span. Attributes follow the semantic conventions of HTTP; other names are the audit's.
    fn span(&self, outcome: &Outcome) -> CallSpan {
        let text = |key: &'static str, value: &str| KeyValue::new(key, Plain(value).to_string());
        let number =
            |key: &'static str, value: u64| KeyValue::new(key, i64::try_from(value).unwrap_or(i64::MAX));
        // Attributes that every call has.
        let mut attributes = vec![
            text("http.request.method", &self.method),
            text("url.full", &self.url),
            KeyValue::new("client.address", self.client.to_string()),
            KeyValue::new(
                "tokenward.request_id",
                RequestId::from(outcome.request_id).to_string(),
            ),
            KeyValue::new("tokenward.end", outcome.end.as_str()),
            number("http.request.body.size", outcome.sent_bytes),
            number("http.response.body.size", outcome.received_bytes),
        ];
        // Optional attributes are left out if they are unknown.
        let texts = [
            ("tokenward.token", &self.token),
            ("user.name", &self.user),
            ("tokenward.on_behalf_of", &self.on_behalf_of),
        ];
        attributes.extend(
            texts
                .iter()
                .filter_map(|(key, value)| Some(text(key, value.as_deref()?))),
        );
        let numbers = [
            ("http.response.status_code", outcome.status.map(u64::from)),
            (
                "tokenward.upstream_status",
                outcome.upstream_status.map(u64::from),
            ),
            ("tokenward.upstream_us", outcome.upstream_us),
        ];
        attributes.extend(
            numbers
                .iter()
                .filter_map(|(key, value)| Some(number(key, (*value)?))),
        );
        if let Some((verdict, reason)) = self.decided {
            attributes.push(KeyValue::new("tokenward.verdict", verdict.as_str()));
            attributes.push(KeyValue::new("tokenward.reason", reason));
        }
        // Unknown methods are not named: names of spans must have few different values.
        let (trace, span, parent) = self.trace.ids();
        CallSpan {
            trace,
            span,
            parent,
            method: Some(Method::from_token(&self.method))
                .filter(|method| *method != Method::Other)
                .map(Method::as_str),
            took: std::time::Duration::from_micros(outcome.total_us),
            failed: matches!(outcome.end, End::UpstreamFailed | End::Internal)
                || outcome.status.is_some_and(|status| status >= 500),
            attributes,
        }
    }
}

/// Formats a text that a client chose, so that it can neither end the log line nor mislead the reader.
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
