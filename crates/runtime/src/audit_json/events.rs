//! The audit's own events as lines of JSON: the wire form, kept apart from the store's own types.

use serde::{Deserialize, Serialize};
use tokenward_audit::{Counted, Event, Sequence};
use tokenward_pdp::text::time;

/// One event of the audit itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EventLine {
    pub(crate) sequence: u64,
    /// Time of the event, RFC 3339.
    pub(crate) time: String,
    pub(crate) time_ms: i64,
    /// Kind of event: `opened`, `deleted`, `admin` (an action at the admin listener), `fleet-mark` or `trouble`; for entries that were counted and not stored `outsiders`,
    /// `refused-tokens`, `over-limit`, `unrecorded`, `lost-outcomes` or `lost-records`.
    pub(crate) kind: String,
    /// Number of counted entries; absent for other kinds.
    pub(crate) count: Option<u64>,
    /// Time of the first counted entry, RFC 3339.
    pub(crate) since: Option<String>,
    /// The token whose calls were counted, for `over-limit`.
    pub(crate) token: Option<String>,
    /// The deleted period, and its last entry if that could be read.
    pub(crate) period: Option<String>,
    pub(crate) last: Option<u64>,
    /// Description in one sentence.
    pub(crate) text: String,
}

impl From<(Sequence, Event)> for EventLine {
    fn from((sequence, event): (Sequence, Event)) -> Self {
        let time_ms = event.time_ms();
        // The members that all kinds have; each kind below adds its own.
        let line = Self {
            sequence: sequence.0,
            time: time(time_ms),
            time_ms,
            kind: String::new(),
            count: None,
            since: None,
            token: None,
            period: None,
            last: None,
            text: String::new(),
        };
        match event {
            Event::Opened { .. } => Self {
                kind: "opened".into(),
                text: "A process opened the audit. Earlier calls without an outcome will never have one."
                    .into(),
                ..line
            },
            Event::Counted {
                what, count, from_ms, ..
            } => {
                let (kind, of_one, of_more) = names(what);
                let noun = if count == 1 { of_one } else { of_more };
                Self {
                    kind: kind.into(),
                    count: Some(count),
                    since: Some(time(from_ms)),
                    text: format!("{count} {noun}, since {}.", time(from_ms)),
                    ..line
                }
            }
            Event::OverLimit {
                token,
                count,
                from_ms,
                ..
            } => Self {
                kind: "over-limit".into(),
                count: Some(count),
                since: Some(time(from_ms)),
                text: format!(
                    "{count} {} of the token {token} that a limit refused {} counted but not recorded, because `[audit] outsiders_per_minute` was exceeded, since {}.",
                    if count == 1 { "call" } else { "calls" },
                    if count == 1 { "was" } else { "were" },
                    time(from_ms)
                ),
                token: Some(token),
                ..line
            },
            Event::Cut { period, last, .. } => Self {
                kind: "deleted".into(),
                text: match last {
                    0 => format!(
                        "The period {period} was deleted because it was older than the retention time. Its end could not be read."
                    ),
                    last => format!(
                        "The period {period}, up to entry {last}, was deleted because it was older than the retention time."
                    ),
                },
                period: Some(period),
                last: (last > 0).then_some(last),
                ..line
            },
            Event::Admin {
                who,
                client,
                action,
                text,
                ..
            } => Self {
                kind: "admin".into(),
                text: match text.is_empty() {
                    true => format!("{who} at {client}: {action}."),
                    false => format!("{who} at {client}: {action}: {text}."),
                },
                ..line
            },
            Event::FleetMark {
                fleet, version, why, ..
            } => Self {
                kind: "fleet-mark".into(),
                text: if why.is_empty() {
                    format!(
                        "The mark of the fleet {fleet} is version {version}: lower versions of the policy are refused."
                    )
                } else {
                    format!("The mark of the fleet {fleet} was set back to version {version} by hand: {why}")
                },
                ..line
            },
            Event::Trouble { text, .. } => Self {
                kind: "trouble".into(),
                text,
                ..line
            },
        }
    }
}

/// Gives a kind's name, and the noun for one and for several.
fn names(what: Counted) -> (&'static str, &'static str, &'static str) {
    match what {
        Counted::Outsiders => (
            "outsiders",
            "refused call without a valid token was counted but not recorded, because `[audit] outsiders_per_minute` was exceeded",
            "refused calls without a valid token were counted but not recorded, because `[audit] outsiders_per_minute` was exceeded",
        ),
        Counted::RefusedTokens => (
            "refused-tokens",
            "refused call with a known but unusable token was counted but not recorded, because `[audit] outsiders_per_minute` was exceeded",
            "refused calls with known but unusable tokens were counted but not recorded, because `[audit] outsiders_per_minute` was exceeded",
        ),
        Counted::Unrecorded => (
            "unrecorded",
            "call was forwarded unrecorded, as set by `[audit] on_failure`",
            "calls were forwarded unrecorded, as set by `[audit] on_failure`",
        ),
        Counted::LostOutcomes => (
            "lost-outcomes",
            "outcome of a call was not recorded, because the disk or the queue was too slow",
            "outcomes of calls were not recorded, because the disk or the queue was too slow",
        ),
        Counted::LostRecords => (
            "lost-records",
            "buffered record was lost, because the disk failed",
            "buffered records were lost, because the disk failed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_a_sentence() {
        let counted = |what, count| Event::Counted {
            what,
            count,
            from_ms: 1_000,
            to_ms: 2_000,
        };
        let over_limit = |count| Event::OverLimit {
            token: "ci".into(),
            count,
            from_ms: 1_000,
            to_ms: 2_000,
        };
        let cut = |last| Event::Cut {
            time_ms: 3_000,
            period: "2026-11-24".into(),
            last,
            hash: [0; 32],
        };
        let events = [
            Event::Opened { time_ms: 0 },
            counted(Counted::Outsiders, 1),
            counted(Counted::Outsiders, 4),
            counted(Counted::RefusedTokens, 5),
            over_limit(1),
            over_limit(6),
            counted(Counted::Unrecorded, 1),
            counted(Counted::LostOutcomes, 2),
            counted(Counted::LostRecords, 3),
            cut(0),
            cut(801),
            Event::Admin {
                time_ms: 3_500,
                who: "admin secret".into(),
                client: std::net::Ipv4Addr::LOCALHOST.into(),
                action: "revoke".into(),
                text: "token ci (left)".into(),
            },
            Event::FleetMark {
                time_ms: 3_500,
                fleet: "main".into(),
                version: 42,
                manifest: [7; 32],
                why: String::new(),
            },
            Event::FleetMark {
                time_ms: 3_600,
                fleet: "main".into(),
                version: 40,
                manifest: [0; 32],
                why: "wrong key".into(),
            },
            Event::Trouble {
                time_ms: 4_000,
                text: "The end is missing.".into(),
            },
        ];
        let lines =
            events.map(|event| serde_json::to_string(&EventLine::from((Sequence(7), event))).unwrap());
        insta::assert_snapshot!(lines.join("\n"));
    }
}
