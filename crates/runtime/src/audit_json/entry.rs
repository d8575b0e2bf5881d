//! A recorded call as one line of JSON: the wire form, kept apart from the store's own types.

mod evidence;

use evidence::{Lacking, LineRef, Node, Tried};
use serde::Serialize;
use tokenward_audit::Entry;
use tokenward_pdp::text::{escaped, time};

/// One recorded call. Absent values are `null`, so that each line has every member. Only empty `nodes` and `tried`, and an
/// absent `lacking` and `unread`, are left out, as in exports of earlier releases.
#[derive(Serialize)]
pub(crate) struct Line {
    sequence: u64,
    time: String,
    time_ms: i64,
    request_id: String,
    client_request_id: Option<String>,
    token: Option<String>,
    user: Option<String>,
    on_behalf_of: Option<String>,
    client: String,
    method: String,
    url: String,
    verdict: &'static str,
    reason: String,
    line: Option<LineRef>,
    policy: String,
    request_bytes: Option<u64>,
    decision_ns: u64,
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<Node>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tried: Vec<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lacking: Option<Lacking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

#[derive(Serialize)]
struct Outcome {
    end: &'static str,
    status: Option<u16>,
    upstream_status: Option<u16>,
    sent_bytes: Option<u64>,
    received_bytes: Option<u64>,
    total_us: Option<u64>,
    upstream_us: Option<u64>,
}

impl Outcome {
    /// The outcome of a call whose end will never be known: the proxy's process ended first.
    const LOST: Self = Self {
        end: "lost",
        status: None,
        upstream_status: None,
        sent_bytes: None,
        received_bytes: None,
        total_us: None,
        upstream_us: None,
    };
}

impl From<tokenward_audit::Outcome> for Outcome {
    fn from(outcome: tokenward_audit::Outcome) -> Self {
        Self {
            end: outcome.end.as_str(),
            status: outcome.status,
            upstream_status: outcome.upstream_status,
            sent_bytes: Some(outcome.sent_bytes),
            received_bytes: Some(outcome.received_bytes),
            total_us: Some(outcome.total_us),
            upstream_us: outcome.upstream_us,
        }
    }
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let record = entry.record;
        Self {
            sequence: entry.sequence.0,
            time: time(record.time_ms),
            time_ms: record.time_ms,
            request_id: hex::encode(record.request_id),
            client_request_id: record.client_request_id,
            token: record.token,
            user: record.user,
            on_behalf_of: record.on_behalf_of,
            client: record.client.to_string(),
            method: record.method,
            url: record.url,
            verdict: record.verdict.as_str(),
            reason: record.reason,
            line: record.line.map(LineRef::from),
            policy: record.policy,
            request_bytes: record.request_bytes,
            decision_ns: record.decision_ns,
            outcome: match entry.outcome {
                None => entry.is_lost.then_some(Outcome::LOST),
                outcome => outcome.map(Outcome::from),
            },
            nodes: record.nodes.into_iter().map(Node::from).collect(),
            tried: record.tried.into_iter().map(Tried::from).collect(),
            lacking: record.lacking.map(Lacking::from),
            unread: record.unread,
        }
    }
}

/// Formats the entry as one line with a line feed. Control and bidirectional characters are escaped (SEMANTICS section
/// 7), so that a terminal shows the characters in their order.
pub(crate) fn json_line(entry: Entry) -> String {
    // A struct of strings and numbers always serialises.
    let json = serde_json::to_string(&Line::from(entry)).unwrap_or_default();
    let mut line = escaped(&json);
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use tokenward_audit::{
        Constraint, End, Held, Kept, NodeKind, NodeValue, Outcome, Record, Sequence, Verdict,
    };

    use super::*;

    #[test]
    fn a_line_has_every_member_and_deceives_no_terminal() {
        let entry = Entry {
            sequence: Sequence(7),
            record: Record {
                time_ms: 1_700_000_000_123,
                request_id: [0xab; 16],
                client_request_id: None,
                token: Some("t".into()),
                user: Some("mal\u{202e}lory\u{9b}".into()),
                on_behalf_of: None,
                client: std::net::Ipv4Addr::LOCALHOST.into(),
                method: "GET".into(),
                url: "https://x/a\nb".into(),
                line: None,
                verdict: Verdict::Deny,
                reason: "no-line".into(),
                policy: "d".into(),
                request_bytes: Some(0),
                decision_ns: 5,
                authenticated: true,
                nodes: vec![NodeValue {
                    path: "fields.key".into(),
                    kind: NodeKind::String,
                    value: Kept::Hash("ab".into()),
                }],
                tried: vec![tokenward_audit::Tried {
                    line: tokenward_audit::LineRef {
                        file: "ci.toml".into(),
                        number: 3,
                        digest: "00ff".into(),
                    },
                    forbids: false,
                    held: Held::No,
                    constraints: vec![Constraint {
                        text: "JsonData::fields.key==".into(),
                        held: Held::No,
                    }],
                }],
                lacking: Some(tokenward_audit::Lacking {
                    line: tokenward_audit::LineRef {
                        file: "ci.toml".into(),
                        number: 3,
                        digest: "00ff".into(),
                    },
                    condition: "JsonData::fields.key==".into(),
                    found: "a number".into(),
                }),
                unread: None,
            },
            outcome: Some(Outcome {
                request_id: [0xab; 16],
                status: Some(403),
                upstream_status: None,
                sent_bytes: 0,
                received_bytes: 0,
                total_us: 9,
                upstream_us: None,
                end: End::Complete,
            }),
            is_lost: false,
        };
        let under_way = Entry {
            outcome: None,
            ..entry.clone()
        };
        let lost = Entry {
            is_lost: true,
            ..under_way.clone()
        };
        let line = json_line(entry);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.contains("mal\\u202elory\\u009b"), "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2023-11-14T22:13:20.123Z");
        assert_eq!(value["user"], "mal\u{202e}lory\u{9b}");
        assert_eq!(value["outcome"]["status"], 403);
        let of =
            |entry| serde_json::from_str::<serde_json::Value>(&json_line(entry)).unwrap()["outcome"].clone();
        assert!(of(under_way).is_null());
        let lost = of(lost);
        assert!(lost["end"] == "lost" && lost["status"].is_null(), "{lost}");
        let members =
            |outcome: &serde_json::Value| outcome.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&lost), members(&value["outcome"]));
        assert!(value["line"].is_null());
        assert_eq!(value["nodes"][0]["path"], "fields.key");
        assert_eq!(value["nodes"][0]["hmac"], "ab");
        assert!(value["nodes"][0]["value"].is_null());
        assert_eq!(value["tried"][0]["effect"], "permit");
        assert_eq!(value["tried"][0]["constraints"][0]["held"], "no");
        assert_eq!(value["lacking"]["line"]["number"], 3);
        assert_eq!(value["lacking"]["condition"], "JsonData::fields.key==");
        assert_eq!(value["lacking"]["found"], "a number");
        assert_eq!(value.get("unread"), None);
    }
}
