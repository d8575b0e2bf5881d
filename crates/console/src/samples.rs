//! Made-up data: each page in each state.

mod audit;
mod common;
mod edit;
mod hostile;
mod overview;
mod review;
mod token;
mod try_it;

use crate::pages;
use crate::views::chrome::{Chrome, Login, Notice, Role};
use crate::views::entry;
pub use common::chrome;
use common::{MINUTE, NOW};

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
        ("limits-narrower", pages::limits(&quiet, &edit::narrower())),
        ("limits-open", pages::limits(&quiet, &edit::open())),
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

fn viewer() -> Chrome {
    Chrome {
        login: Some(Login {
            name: "auditor".to_owned(),
            role: Role::Viewer,
            csrf: "c5rf".to_owned(),
            has_session: true,
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
