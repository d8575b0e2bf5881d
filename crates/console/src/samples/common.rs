//! Parts that the data of several pages has.

use crate::views::chrome::{Chrome, LivePolicy, Login, Role};
use crate::views::parts::{Held, JudgedLine, Line, Missed, Place, State, Tally, Tone};

/// 2027-03-04 14:32:06.004 UTC
pub(super) const NOW: i64 = 1_804_170_726_004;
pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// An operator is logged in, and the policy is live.
#[must_use]
pub fn chrome() -> Chrome {
    Chrome {
        upstream: "jira.example.com".to_owned(),
        policy: Some(LivePolicy {
            digest: "9f3c1e7ab20d4455".to_owned(),
            since_ms: NOW - 2 * DAY - 6 * HOUR,
            is_owned_by_files: true,
        }),
        failed_reload_ms: None,
        login: Some(Login {
            name: "ops-1".to_owned(),
            role: Role::Operator,
            csrf: "c5rf".to_owned(),
            has_session: true,
        }),
        now_ms: NOW,
        took_ms: Some(11),
        notice: None,
    }
}

pub(super) fn tally(allowed: u64, denied: u64, refused: u64) -> Tally {
    Tally {
        allowed,
        denied,
        refused,
    }
}

pub(super) fn place(file: &str, number: u32) -> Place {
    Place {
        file: file.to_owned(),
        number,
    }
}

pub(super) fn good(text: &str, detail: &str) -> State {
    State {
        tone: Tone::Good,
        text: text.to_owned(),
        detail: detail.to_owned(),
    }
}

pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A line that missed by a condition.
pub(super) fn nearest(at: Place, text: &str) -> JudgedLine {
    JudgedLine {
        place: at,
        line: Line {
            missed: Some(Missed::Condition("JsonData::editable".to_owned())),
            ..Line::new(text)
        },
        forbids: false,
        method: Held::yes("post"),
        path: Held::yes("whole path"),
        conditions: vec![
            Held::yes("expand is owner"),
            Held::no("editable is true, not false"),
        ],
        result: "nearest".to_owned(),
        is_nearest: true,
    }
}

/// A line of another path.
pub(super) fn elsewhere(at: Place, text: &str) -> JudgedLine {
    JudgedLine {
        place: at,
        line: Line::new(text),
        forbids: text.starts_with('!'),
        method: Held::no("is POST"),
        path: Held::no("other path"),
        conditions: vec![Held::unasked("not asked")],
        result: if text.starts_with('!') {
            "does not forbid"
        } else {
            "does not permit"
        }
        .to_owned(),
        is_nearest: false,
    }
}
