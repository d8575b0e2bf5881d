//! Small conversions that several pages need.

use tokenward_console::views::audit::{CallRow, Timing};
use tokenward_console::views::parts::{Place, Tally, Verdict};

use super::super::call;
use super::super::used::Used;

pub(super) fn tally(used: &Used) -> Tally {
    Tally {
        allowed: used.allowed,
        denied: used.denied,
        refused: used.refused,
    }
}

pub(super) fn verdict(word: &str) -> Verdict {
    // Unknown words would be of another release; such a call was not allowed by this one.
    Verdict::from_word(word).unwrap_or(Verdict::Refuse)
}

pub(super) fn place(file: &str, number: u32) -> Place {
    Place {
        file: file.to_owned(),
        number,
    }
}

pub(super) fn call_row(row: call::CallRow) -> CallRow {
    CallRow {
        sequence: row.sequence,
        at_ms: row.time_ms,
        verdict: verdict(row.verdict),
        reason: row.reason,
        status: row.status,
        method: row.method,
        path: row.url,
        token: row.token,
        user: row.user,
        client: row.client,
        line: row.line,
        timing: row.total_us.map(|total_us| Timing {
            total_us,
            decide_us: row.decision_us,
            upstream_us: row.upstream_us,
        }),
    }
}

/// "any user", "svc-ci", "alice, bob".
pub(super) fn users(users: Option<&[String]>) -> String {
    users.map_or_else(|| "any user".to_owned(), |users| users.join(", "))
}
