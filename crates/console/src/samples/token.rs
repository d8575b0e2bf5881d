//! Made-up tokens.

use super::common::{DAY, HOUR, MINUTE, NOW, good, place, tally, texts};
use crate::views::parts::{Finding, Line, Listed, Snippet, State, Tally, Tone, Verdict};
use crate::views::token::{Address, Denial, Operation, Revocation, Revoke, Token, TokenLine};
use crate::views::tokens::{Sort, TokenRow, Tokens};

/// A list.
pub(super) fn list() -> Tokens {
    let row = |name: &str, calls: Option<Tally>, ends_ms: Option<i64>| TokenRow {
        name: name.to_owned(),
        purpose: "The build server tells the issue what it built.".to_owned(),
        owner: "team-kanban".to_owned(),
        state: good("active", ""),
        users: "svc-ci".to_owned(),
        calls,
        last_ms: calls.map(|_| NOW - 8_000),
        ends_ms,
        findings: u64::from(ends_ms.is_some()),
    };
    let mut rows = vec![
        row("backlog-sync", Some(tally(61_236, 4, 0)), None),
        row("ci-comments", Some(tally(18_237, 205, 2)), Some(NOW + 29 * DAY)),
        row("trial-import", Some(tally(0, 0, 0)), Some(NOW + 13 * DAY)),
    ];
    rows.push(TokenRow {
        state: State {
            tone: Tone::Bad,
            text: "revoked".to_owned(),
            detail: String::new(),
        },
        ..row("old-import", None, None)
    });
    Tokens {
        states: super::common::pairs(&[
            ("active", "active"),
            ("revoked", "revoked"),
            ("expired", "expired"),
        ]),
        sort: Sort::Calls,
        rows,
        matching: 41,
        total: 41,
        page: (1, 3),
        period: "30 d".to_owned(),
        since: "30d".to_owned(),
        ..Tokens::default()
    }
}

/// A filter without a match.
pub(super) fn no_match() -> Tokens {
    Tokens {
        query: "nobody".to_owned(),
        rows: Vec::new(),
        matching: 0,
        page: (1, 1),
        no_new_token: Some(
            "the secure mode keeps secrets out of the proxy; run `tokenward token new`.".to_owned(),
        ),
        usage_unknown: Some("the audit cannot be read.".to_owned()),
        ..list()
    }
}

/// A policy without tokens.
pub(super) fn no_token() -> Tokens {
    Tokens {
        total: 0,
        query: String::new(),
        usage_unknown: None,
        no_new_token: None,
        ..no_match()
    }
}

/// A token with everything.
pub(super) fn one() -> Token {
    Token {
        name: "ci-comments".to_owned(),
        state: good("active", ""),
        purpose: "The build server tells the issue what it built.".to_owned(),
        owner: "team-kanban".to_owned(),
        users: "svc-ci".to_owned(),
        last_ms: Some(NOW - 8_000),
        last_client: Some("192.0.2.40".to_owned()),
        calls: Some(tally(512_091, 219, 0)),
        period: "30 d".to_owned(),
        since: "30d".to_owned(),
        ends_ms: Some(NOW + 29 * DAY),
        place: Some(place("ci.toml", 7)),
        made: Some((NOW - 336 * DAY, "commit 4e1b9d2".to_owned())),
        findings: findings(),
        lines: lines(),
        reach: Some(
            "It reaches 5 of the 412 operations of the description, 2 of them only in part.".to_owned(),
        ),
        operations: Listed {
            rows: vec![Operation {
                name: "Get issue".to_owned(),
                call: "GET /rest/api/2/issue/{issueIdOrKey}".to_owned(),
                extent: "in part".to_owned(),
            }],
            total: 5,
        },
        denials: Listed {
            rows: denials(),
            total: 219,
        },
        addresses: Some(Listed::all(addresses())),
        snippets: snippets(),
        snippet_note: "The secret was not kept when this token was made, so it cannot be shown.".to_owned(),
        revocation: Revocation {
            impossible: None,
            consequences: consequences(),
            reason: String::new(),
            reason_error: None,
        },
        ..Token::default()
    }
}

/// A token without calls, for a viewer.
pub(super) fn unused() -> Token {
    Token {
        name: "trial-import".to_owned(),
        state: State {
            tone: Tone::Warn,
            text: "expired".to_owned(),
            detail: String::new(),
        },
        users: "any user".to_owned(),
        on_behalf_of: "alice, bob".to_owned(),
        allowed_from: "10.0.0.0/8".to_owned(),
        limits: "10 a second".to_owned(),
        is_unrestricted: true,
        calls: Some(Tally::default()),
        period: "30 d".to_owned(),
        since: "30d".to_owned(),
        ..Token::default()
    }
}

/// The form that revokes, after a failed attempt.
pub(super) fn revoke() -> Revoke {
    Revoke {
        name: "ci-comments".to_owned(),
        revocation: Revocation {
            impossible: None,
            consequences: consequences(),
            reason: String::new(),
            reason_error: Some("Give a reason: the audit keeps it. Nothing was revoked.".to_owned()),
        },
    }
}

/// A token that is revoked already.
pub(super) fn revoke_impossible() -> Revoke {
    Revoke {
        name: "old-import".to_owned(),
        revocation: Revocation {
            impossible: Some("It is revoked already.".to_owned()),
            ..Revocation::default()
        },
    }
}

fn consequences() -> Vec<String> {
    texts(&[
        "From this moment every call with it is refused, and its one call in progress ends.",
        "svc-ci called 8 seconds ago from 192.0.2.40: it will fail.",
        "This cannot be undone. The policy file is not changed: commit `revoked = true` to ci.toml:7.",
    ])
}

fn findings() -> Vec<Finding> {
    [
        (
            "Ends in 29 days.",
            "Rotate it or let it end; it calls 20 times a minute.",
            None,
        ),
        (
            "A line was never used.",
            "No call in the 94 days of the audit needed the line.",
            Some(place("ci.toml", 24)),
        ),
    ]
    .map(|(title, text, place)| Finding {
        tone: Tone::Warn,
        title: title.to_owned(),
        text: text.to_owned(),
        code: place.is_some().then(|| "TW0110".to_owned()),
        place,
    })
    .into()
}

fn lines() -> Vec<TokenLine> {
    [
        (
            15,
            r"[get]/rest/api/2/issue/KANBAN-\d+",
            "Read one issue of KANBAN",
            253_310,
        ),
        (
            16,
            r"[get,post]/rest/api/2/issue/KANBAN-\d+/comment",
            "List and add comments there",
            258_763,
        ),
        (
            19,
            "[post]/rest/api/2/filter[JsonData::editable:boolean==false]",
            "Make a filter that no one else can edit",
            18,
        ),
        (
            24,
            r"[put]/rest/api/2/issue/KANBAN-\d+[JsonData::fields.only]",
            "",
            0,
        ),
        (
            26,
            r"!/rest/api/2/issue/KANBAN-\d+/comment/.*",
            "Never a single comment, whatever other lines permit",
            8,
        ),
    ]
    .map(|(number, line, words, calls): (_, _, _, u64)| TokenLine {
        place: place("ci.toml", number),
        line: Line::new(line),
        forbids: line.starts_with('!'),
        words: words.to_owned(),
        reach: "1 of 412 operations".to_owned(),
        calls: Some(calls),
        is_searchable: true,
        last_ms: (calls > 0).then_some(NOW - 8_000),
    })
    .into()
}

fn denials() -> Vec<Denial> {
    [
        (
            "forbid-line",
            "DELETE",
            "/rest/api/2/issue/KANBAN-412/comment/18077",
            "",
            "ci.toml:26 forbids it.",
            0,
        ),
        (
            "no-line",
            "DELETE",
            "/rest/api/2/issue/KANBAN-412",
            "Method",
            "ci.toml:15 permits this path for GET only.",
            203,
        ),
        (
            "no-line",
            "POST",
            "/rest/api/2/filter",
            "Body",
            "ci.toml:19 wants `editable` to be false; it was absent.",
            0,
        ),
    ]
    .map(|(reason, method, path, part, story, alike)| Denial {
        sequence: 11_203_980,
        at_ms: NOW - 12 * MINUTE,
        verdict: Verdict::Deny,
        reason: reason.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        client: "198.51.100.23".to_owned(),
        alike,
        part: part.to_owned(),
        story: story.to_owned(),
    })
    .into()
}

fn addresses() -> Vec<Address> {
    vec![
        Address {
            address: "198.51.100.23".to_owned(),
            is_new: true,
            calls: tally(0, 204, 0),
            first_ms: NOW - 41 * MINUTE,
            last_ms: NOW - 12 * MINUTE,
        },
        Address {
            address: "192.0.2.40".to_owned(),
            is_new: false,
            calls: tally(512_091, 15, 0),
            first_ms: NOW - 300 * DAY,
            last_ms: NOW - 8_000 - HOUR,
        },
    ]
}

fn snippets() -> Vec<Snippet> {
    [
        (
            "curl",
            "curl -sS --fail-with-body \\\n  -u \"svc-ci:$TOKENWARD_TOKEN\" \\\n  https://api.example.com/rest/api/2/issue/KANBAN-1",
        ),
        (
            "Python",
            "import os, requests\n\nrequests.get(\"https://api.example.com/rest/api/2/issue/KANBAN-1\",\n    auth=(\"svc-ci\", os.environ[\"TOKENWARD_TOKEN\"]), timeout=30)",
        ),
    ]
    .map(|(name, text)| Snippet {
        name: name.to_owned(),
        text: text.to_owned(),
    })
    .into()
}
