//! Made-up first pages.

use super::common::{DAY, HOUR, MINUTE, NOW, good, place, tally};
use crate::views::overview::{
    Busy, Ending, FailedReload, NewAddress, Overview, Plot, Range, Reason, UnusedLine, UnusedToken,
};
use crate::views::parts::{Diagnostic, Line, Listed, State, Tally, Tone, Verdict};

/// A busy day.
pub(super) fn busy() -> Overview {
    Overview {
        failed_reload: None,
        range: Range::Day,
        calls: tally(117_767, 285, 152),
        p99_us: Some(84_000),
        tokens: 41,
        lines: 128,
        mode: "standard".to_owned(),
        upstream: good("answers", "2 of 2 addresses"),
        audit: good("records", "signed up to 14:31, 212 GB free"),
        plot: Some(plot()),
        reasons: Listed {
            rows: reasons(),
            total: 8,
        },
        busiest: Listed {
            rows: busiest(),
            total: 38,
        },
        ending: Listed::all(vec![
            ending("wiki-export", "team-docs", 19 * HOUR, 96),
            ending("alice-report", "alice", 6 * DAY, 12),
            ending("trial-import", "team-plan", 13 * DAY, 0),
        ]),
        unused_tokens: Listed::all(vec![UnusedToken {
            token: "trial-import".to_owned(),
            owner: "team-plan".to_owned(),
            place: Some(place("people.toml", 36)),
        }]),
        unused_lines: Listed {
            rows: unused_lines(),
            total: 9,
        },
        new_addresses: Some(Listed::all(vec![
            address("198.51.100.23", "ci-comments", tally(0, 204, 0), 41 * MINUTE),
            address("2001:db8:40:7::1f", "release-bot", tally(3, 0, 0), 17 * HOUR),
        ])),
        audit_since_ms: Some(NOW - 94 * DAY),
    }
}

/// A change that does not compile.
pub(super) fn reload_failed() -> Overview {
    let source = [
        (17, r"[get,post]/rest/api/2/issue/KANBAN-\d+/comment"),
        (18, "[get]/rest/api/2/search[QueryParam::jql=project = KANBAN]"),
    ];
    let error = Diagnostic {
        is_error: true,
        code: "TW0011".to_owned(),
        message: "a condition needs `==`, `!=` or `?=`; here is `=`".to_owned(),
        place: place("ci.toml", 18),
        column: 40,
        source: source.map(|(number, text)| (number, text.to_owned())).into(),
        marked: Some((39, 40)),
        help: "write `==` if the whole value must match".to_owned(),
    };
    Overview {
        failed_reload: Some(FailedReload {
            at_ms: NOW - 26 * MINUTE,
            errors: 1,
            warnings: 1,
            diagnostics: vec![error],
            reason: None,
        }),
        upstream: State {
            tone: Tone::Warn,
            text: "1 of 2 addresses".to_owned(),
            detail: "10.0.0.8 refuses connections".to_owned(),
        },
        audit: State {
            tone: Tone::Bad,
            text: "cannot write".to_owned(),
            detail: "the disk is full".to_owned(),
        },
        ..busy()
    }
}

/// A proxy that has just been started.
pub(super) fn empty() -> Overview {
    Overview {
        range: Range::Hour,
        tokens: 1,
        lines: 1,
        mode: "secure".to_owned(),
        upstream: good("answers", "1 of 1 address"),
        audit: good("records", ""),
        ..Overview::default()
    }
}

fn plot() -> Plot {
    let steps = (0..144_u64).map(|step| {
        let day = if !(18..=96).contains(&step) { 600 } else { 120 };
        let denied = if (138..141).contains(&step) { 70 } else { step % 5 };
        Tally {
            allowed: day + step * 37 % 211,
            denied,
            refused: u64::from(step % 11 == 0) * 3,
        }
    });
    Plot {
        begin_ms: NOW - DAY,
        step_ms: 10 * MINUTE,
        steps: steps.collect(),
        failed_reloads_ms: vec![NOW - 26 * MINUTE],
    }
}

fn reasons() -> Vec<Reason> {
    [
        ("no-line", "no line permits the call", Verdict::Deny, 211),
        (
            "unauthenticated",
            "no token valid for that user",
            Verdict::Refuse,
            88,
        ),
        (
            "forbid-line",
            "a forbid line overrides the permit lines",
            Verdict::Deny,
            74,
        ),
        ("dot-segment", "`..` or `.` in the path", Verdict::Refuse, 41),
    ]
    .map(|(code, words, verdict, calls)| Reason {
        code: code.to_owned(),
        words: words.to_owned(),
        verdict,
        calls,
    })
    .into()
}

fn busiest() -> Vec<Busy> {
    [
        ("backlog-sync", "team-plan", tally(61_236, 4, 0)),
        ("ci-comments", "team-kanban", tally(18_237, 205, 0)),
        ("monitor-probe", "team-ops", tally(17_280, 0, 0)),
        ("deploy-notes", "team-release", tally(8_987, 31, 0)),
    ]
    .map(|(token, owner, calls)| Busy {
        token: token.to_owned(),
        owner: owner.to_owned(),
        calls,
        last_ms: NOW - 8_000,
    })
    .into()
}

fn ending(token: &str, owner: &str, ms: i64, calls: u64) -> Ending {
    Ending {
        token: token.to_owned(),
        owner: owner.to_owned(),
        ends_ms: NOW + ms,
        calls,
    }
}

fn unused_lines() -> Vec<UnusedLine> {
    [
        (
            place("plan.toml", 22),
            r"[delete]/rest/api/2/issue/PLAN-\d+",
            "backlog-sync",
            false,
        ),
        (
            place("ci.toml", 24),
            r"[put]/rest/api/2/issue/KANBAN-\d+[JsonData::fields.only]",
            "ci-comments",
            false,
        ),
        (
            place("people.toml", 40),
            "/rest/agile/1.0/board/.*",
            "trial-import",
            true,
        ),
    ]
    .map(|(place, line, token, token_is_unused)| UnusedLine {
        place,
        line: Line::new(line),
        token: token.to_owned(),
        token_is_unused,
    })
    .into()
}

fn address(address: &str, token: &str, calls: Tally, ago: i64) -> NewAddress {
    NewAddress {
        address: address.to_owned(),
        token: token.to_owned(),
        calls,
        first_ms: NOW - ago,
    }
}
