//! Made-up data: each page in each state.

mod audit;
mod edit;
mod hostile;
mod overview;
mod review;
mod token;
mod try_it;

use crate::pages;
use crate::views::chrome::{Chrome, LivePolicy, Login, Notice, Role};
use crate::views::entry;
use crate::views::parts::{Held, JudgedLine, Line, Missed, Place, State, Tally, Tone};

/// 2027-03-04 14:32:06.004 UTC
const NOW: i64 = 1_804_170_726_004;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Names and HTML of all pages in all states.
#[must_use]
pub fn gallery() -> Vec<(&'static str, String)> {
    let quiet = chrome();
    let failed = Chrome {
        failed_reload_ms: Some(NOW - 26 * MINUTE),
        ..chrome()
    };
    let out = Chrome {
        login: None,
        policy: None,
        ..chrome()
    };
    let mut all = vec![
        ("overview", pages::overview(&quiet, &overview::busy())),
        (
            "overview-reload-failed",
            pages::overview(&failed, &overview::reload_failed()),
        ),
        ("overview-empty", pages::overview(&quiet, &overview::empty())),
        ("tokens", pages::tokens(&quiet, &token::list())),
        ("tokens-none-matches", pages::tokens(&quiet, &token::no_match())),
        ("tokens-none", pages::tokens(&quiet, &token::no_token())),
        ("token", pages::token(&quiet, &token::one())),
        ("token-unused", pages::token(&viewer(), &token::unused())),
        ("revoke", pages::revoke(&quiet, &token::revoke())),
        (
            "revoke-impossible",
            pages::revoke(&viewer(), &token::revoke_impossible()),
        ),
        ("audit", pages::audit(&quiet, &audit::list())),
        ("audit-nothing", pages::audit(&quiet, &audit::nothing())),
        ("audit-first", pages::audit(&quiet, &audit::no_call())),
        ("audit-failed", pages::audit(&quiet, &audit::failed())),
        ("audit-verified", pages::audit(&quiet, &audit::verified())),
        ("call-denied", pages::call(&quiet, &audit::denied())),
        ("call-allowed", pages::call(&quiet, &audit::allowed())),
        ("call-refused", pages::call(&quiet, &audit::refused())),
        ("try-empty", pages::try_it(&quiet, &try_it::empty())),
        ("try-denied", pages::try_it(&quiet, &try_it::denied())),
        ("try-allowed", pages::try_it(&quiet, &try_it::allowed())),
        ("try-errors", pages::try_it(&quiet, &try_it::errors())),
        ("review", pages::review(&quiet, &review::more())),
        ("review-start", pages::review(&quiet, &review::start())),
        ("review-same", pages::review(&quiet, &review::same())),
        ("review-errors", pages::review(&quiet, &review::errors())),
        ("new-token", pages::new_token(&quiet, &edit::new_token())),
        ("new-token-made", pages::new_token(&quiet, &edit::made())),
        ("new-token-errors", pages::new_token(&quiet, &edit::wrong())),
        (
            "new-token-impossible",
            pages::new_token(&quiet, &edit::impossible()),
        ),
        ("limits", pages::limits(&quiet, &edit::limits())),
        ("login", pages::login(&out, &login(None))),
        (
            "login-failed",
            pages::login(&out, &login(Some("The secret is wrong."))),
        ),
        ("signed-out", pages::logged_out(&out, &signed_out())),
        ("not-found", pages::failure(&quiet, &not_found())),
        ("signed-out-error", pages::failure(&out, &not_signed_in())),
    ];
    let noticed = Chrome {
        notice: Some(Notice {
            is_failure: true,
            text: "ci-comments could not be revoked.".to_owned(),
            details: vec![
                "The list of revocations cannot be written: no space left on device. The token still works."
                    .to_owned(),
            ],
        }),
        ..chrome()
    };
    all.push(("token-notice", pages::token(&noticed, &token::one())));
    all.extend(hostile::pages());
    all
}

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
        }),
        now_ms: NOW,
        took_ms: Some(11),
        notice: None,
    }
}

fn viewer() -> Chrome {
    Chrome {
        login: Some(Login {
            name: "auditor".to_owned(),
            role: Role::Viewer,
            csrf: "c5rf".to_owned(),
        }),
        ..chrome()
    }
}

fn login(error: Option<&str>) -> entry::Login {
    entry::Login {
        next: "/console/tokens".to_owned(),
        error: error.map(str::to_owned),
        by_secret: true,
        other_ways: Vec::new(),
        hint: "The first line of the file secrets/admin on the proxy's machine.".to_owned(),
        csrf: "l0gin".to_owned(),
    }
}

fn signed_out() -> entry::LoggedOut {
    entry::LoggedOut {
        why: "You signed out. The session cannot be used again.".to_owned(),
    }
}

fn not_found() -> entry::Failure {
    entry::Failure {
        status: 404,
        title: "There is no token `ci-coments`".to_owned(),
        details: vec!["The live policy has 41 tokens. It may have been renamed or removed.".to_owned()],
        links: vec![("/console/tokens".to_owned(), "All tokens".to_owned())],
    }
}

fn not_signed_in() -> entry::Failure {
    entry::Failure {
        status: 401,
        title: "Your session has ended".to_owned(),
        details: vec!["Nothing was done. Sign in, and send the form again.".to_owned()],
        links: Vec::new(),
    }
}

fn tally(allowed: u64, denied: u64, refused: u64) -> Tally {
    Tally {
        allowed,
        denied,
        refused,
    }
}

fn place(file: &str, number: u32) -> Place {
    Place {
        file: file.to_owned(),
        number,
    }
}

fn good(text: &str, detail: &str) -> State {
    State {
        tone: Tone::Good,
        text: text.to_owned(),
        detail: detail.to_owned(),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A line that missed by a condition.
fn nearest(at: Place, text: &str) -> JudgedLine {
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
fn elsewhere(at: Place, text: &str) -> JudgedLine {
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
