//! Made-up searches and calls.

use super::common::{DAY, NOW, elsewhere, nearest, pairs, place, texts};
use crate::views::audit::{Audit, CallRow, Nearby, Nothing, Search, Timing, Verified};
use crate::views::call::Call;
use crate::views::parts::Verdict;

/// The newest calls.
pub(super) fn list() -> Audit {
    Audit {
        reasons: texts(&["no-line", "forbid-line", "unauthenticated"]),
        calls: rows(),
        next_before: Some(11_203_977),
        is_first: true,
        recorded: Some((11_204_391, NOW - 94 * DAY)),
        command: "tokenward audit list".to_owned(),
        ..Audit::default()
    }
}

/// A search that cannot match.
pub(super) fn nothing() -> Audit {
    let search = Search {
        status: "200".to_owned(),
        ..Search::since("30d").of_token("ci-comments").decided("deny")
    };
    let without = Search {
        status: String::new(),
        ..search.clone()
    };
    Audit {
        search,
        errors: pairs(&[("status", "no denied call has it")]),
        calls: Vec::new(),
        next_before: None,
        nothing: Some(Nothing {
            title: "No call matches, and none can".to_owned(),
            why: "A denied call never reaches the upstream, so nobody gets 200 for one.".to_owned(),
            nearby: vec![
                Nearby {
                    name: "without the status".to_owned(),
                    search: without.clone(),
                    calls: Some(219),
                },
                Nearby {
                    name: "without the token".to_owned(),
                    search: without,
                    calls: None,
                },
            ],
            first_call: None,
        }),
        command: "tokenward audit list --since 30d --token ci-comments --decision deny --status 200"
            .to_owned(),
        ..list()
    }
}

/// An audit without a call.
pub(super) fn no_call() -> Audit {
    Audit {
        calls: Vec::new(),
        next_before: None,
        recorded: None,
        nothing: Some(Nothing {
            title: "No call has come through yet".to_owned(),
            why: "The proxy listens and the upstream answers. Make a call, and it appears here with the line that decided it:".to_owned(),
            nearby: Vec::new(),
            first_call: Some("curl -u svc-ci:\"$TOKENWARD_TOKEN\" https://api.example.com/rest/api/2/issue/KANBAN-1".to_owned()),
        }),
        ..list()
    }
}

/// A search that failed.
pub(super) fn failed() -> Audit {
    Audit {
        search: Search {
            url: "(".to_owned(),
            reason: "gone-reason".to_owned(),
            ..Search::default()
        },
        errors: pairs(&[("url", "invalid regular expression: unclosed group")]),
        failure: Some("The field \"URL\" is wrong, so nothing was searched.".to_owned()),
        calls: Vec::new(),
        is_first: false,
        ..list()
    }
}

/// An older page, with a verification.
pub(super) fn verified() -> Audit {
    Audit {
        verified: Some(Verified {
            holds: true,
            text: "11,204,391 calls verify, up to the head signed at 14:31.".to_owned(),
            details: texts(&["3 calls after the last signed head are not covered yet."]),
        }),
        is_first: false,
        next_before: None,
        remark: Some("Searched 2,000,000 records in 5 s; older ones were not searched.".to_owned()),
        ..list()
    }
}

fn rows() -> Vec<CallRow> {
    [
        (
            11_203_981,
            Verdict::Deny,
            "no-line",
            403,
            "POST",
            "/rest/api/2/filter",
            None,
        ),
        (
            11_203_980,
            Verdict::Deny,
            "no-line",
            403,
            "POST",
            "/rest/api/2/filter?expand=owner",
            None,
        ),
        (
            11_203_979,
            Verdict::Allow,
            "allowed",
            204,
            "DELETE",
            "/rest/api/2/filter/10422",
            Some("plan.toml:31"),
        ),
        (
            11_203_978,
            Verdict::Refuse,
            "unauthenticated",
            401,
            "GET",
            "/rest/api/2/myself",
            None,
        ),
        (
            11_203_977,
            Verdict::Allow,
            "allowed",
            200,
            "GET",
            "/rest/api/2/filter/10422",
            Some("plan.toml:31"),
        ),
    ]
    .map(
        |(sequence, verdict, reason, status, method, path, line)| CallRow {
            sequence,
            at_ms: NOW - 5_000 - i64::try_from(11_203_981 - sequence).unwrap_or(0) * 2_000,
            verdict,
            reason: reason.to_owned(),
            status: Some(status),
            method: method.to_owned(),
            path: path.to_owned(),
            token: (verdict != Verdict::Refuse).then(|| "board-sync".to_owned()),
            user: Some("svc-board".to_owned()),
            client: "192.0.2.77".to_owned(),
            line: line.map(str::to_owned),
            timing: timing(verdict),
        },
    )
    .into()
}

fn timing(verdict: Verdict) -> Option<Timing> {
    match verdict {
        Verdict::Allow => Some(Timing {
            total_us: 62_200,
            decide_us: 41,
            upstream_us: Some(57_800),
        }),
        Verdict::Deny => Some(Timing {
            total_us: 5_201,
            decide_us: 41,
            upstream_us: None,
        }),
        Verdict::Refuse => None,
    }
}

/// A denied call.
pub(super) fn denied() -> Call {
    Call {
        sequence: 11_203_980,
        at_ms: NOW - 7_000,
        verdict: Verdict::Deny,
        reason: "no-line".to_owned(),
        why: "No line of the token permits it. The nearest would have, if `editable` had been false:"
            .to_owned(),
        method: "POST".to_owned(),
        url: "/rest/api/2/filter?expand=owner".to_owned(),
        token: Some("board-sync".to_owned()),
        user: Some("svc-board".to_owned()),
        on_behalf_of: None,
        client: "192.0.2.77".to_owned(),
        status: Some(403),
        line: Some(place("plan.toml", 32)),
        policy: "9f3c1e7ab20d4455".to_owned(),
        policy_is_live: true,
        lines: vec![
            elsewhere(place("plan.toml", 30), r"!/rest/api/2/filter/\d+/permission.*"),
            elsewhere(place("plan.toml", 31), r"[get,delete]/rest/api/2/filter/\d+"),
            nearest(
                place("plan.toml", 32),
                "[post]/rest/api/2/filter[QueryParam::expand?=owner|sharePermissions][JsonData::editable:boolean==false]",
            ),
        ],
        lines_note:
            "Conditions are as recorded; methods and paths are judged again by the policy that decided."
                .to_owned(),
        request: pairs(&[
            ("Query", "expand = owner"),
            ("Body", "JSON, 148 bytes"),
            ("editable", "boolean: true"),
        ]),
        outcome: pairs(&[("Sent", "612 bytes")]),
        timing: timing(Verdict::Deny),
        end: "403, sent in full".to_owned(),
        request_id: "01a20fb96a7c4e0f9d3be6f1c2a85740".to_owned(),
        story: texts(&[
            "POST came from 192.0.2.77 at 2027-03-04T14:27:03.118Z.",
            "Token board-sync was recognised, for user svc-board.",
            "No line allows the call.",
        ]),
        around: rows(),
    }
}

/// An allowed call.
pub(super) fn allowed() -> Call {
    Call {
        sequence: 11_203_977,
        verdict: Verdict::Allow,
        reason: "allowed".to_owned(),
        why: "This line permits it:".to_owned(),
        method: "GET".to_owned(),
        url: "/rest/api/2/filter/10422".to_owned(),
        on_behalf_of: Some("alice".to_owned()),
        status: Some(200),
        line: Some(place("plan.toml", 31)),
        policy_is_live: false,
        lines: Vec::new(),
        timing: timing(Verdict::Allow),
        end: "200, sent in full".to_owned(),
        ..denied()
    }
}

/// A refused call that has not ended.
pub(super) fn refused() -> Call {
    Call {
        verdict: Verdict::Refuse,
        reason: "dot-segment".to_owned(),
        why: "Servers read this path in two ways, so no line was asked.".to_owned(),
        url: "/rest/api/2/issue/KANBAN-1/../HR-9".to_owned(),
        token: None,
        user: None,
        status: None,
        line: None,
        lines: Vec::new(),
        request: Vec::new(),
        outcome: Vec::new(),
        timing: None,
        story: Vec::new(),
        around: Vec::new(),
        end: String::new(),
        ..denied()
    }
}
