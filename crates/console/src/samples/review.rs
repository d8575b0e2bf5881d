//! Made-up comparisons.

use super::common::{pairs, place, texts};
use super::try_it;
use crate::views::parts::{Line, Tone};
use crate::views::review::{Breach, Compared, Invariant, KeyChange, Outcome, Review, TokenChange, Witness};

/// One token allows more, one less.
pub(super) fn more() -> Review {
    Review {
        before: "live".to_owned(),
        after: "7c20f1e".to_owned(),
        compared: Some(Compared {
            result: Outcome::More,
            summary: "1 token may make calls that the live policy denies".to_owned(),
            details: "1 allows less, 39 allow exactly the same: that is proved over all possible requests."
                .to_owned(),
            settings: vec![key("upstream.public_url", "a", "b", "")],
            tokens: vec![wider(), narrower()],
            unchanged: 39,
            reviewed: Some("[[reviewed]]\ntoken = \"ci-comments\"\nwhy = \"\"".to_owned()),
            command: "tokenward diff main..7c20f1e".to_owned(),
        }),
        ..start()
    }
}

/// The form, and the invariants of the live policy.
pub(super) fn start() -> Review {
    let row = |name: &str, tone, state: &str, says: &str| Invariant {
        name: name.to_owned(),
        says: says.to_owned(),
        tone,
        state: state.to_owned(),
        tokens: Some(12),
        lines: vec![Line::new("[get,post]/rest/api/2/search[QueryParam::jql==.*HR.*]")],
        ..Invariant::default()
    };
    let broken = Invariant {
        why: "The directory is synchronised from elsewhere.".to_owned(),
        detail: "1 of 12 tokens breaks it.".to_owned(),
        breaches: vec![Breach {
            token: "ci-comments".to_owned(),
            request: Witness {
                is_allowed: true,
                method: "DELETE".to_owned(),
                url: "/rest/api/2/user".to_owned(),
                allowed_by: Some((place("ci.toml", 15), Line::new("[delete]/rest/api/2/.*"))),
                ..Witness::default()
            },
        }],
        ..row(
            "no-users-deleted",
            Tone::Bad,
            "does not hold",
            "never: no request that these lines match is allowed",
        )
    };
    let open = Invariant {
        detail: "It was not settled for 1 of 12 tokens.".to_owned(),
        open: pairs(&[(
            "board-sync",
            "comparing the patterns of the lines takes more than the budget.",
        )]),
        ..row(
            "no-foreign-jql",
            Tone::Warn,
            "not settled",
            "never: no request that these lines match is allowed",
        )
    };
    Review {
        before: "live".to_owned(),
        choices: pairs(&[("live", "live policy 9f3c1e7a"), ("/srv/candidate/policies", "/srv/candidate/policies")]),
        invariants: vec![
            broken,
            open,
            row(
                "no-administration",
                Tone::Good,
                "proved",
                "never: no request that these lines match is allowed",
            ),
        ],
        note: Some("Revisions of git are compared by `tokenward diff`: the proxy runs no other programs, so it reads no repository.".to_owned()),
        ..Review::default()
    }
}

/// Two policies that no request tells apart.
pub(super) fn same() -> Review {
    Review {
        compared: Some(Compared {
            summary: "No request tells the two policies apart".to_owned(),
            details: "This is proved for 41 tokens.".to_owned(),
            unchanged: 41,
            ..Compared::default()
        }),
        invariants: Vec::new(),
        note: None,
        ..start()
    }
}

/// A policy that does not compile, and a wrong field.
pub(super) fn errors() -> Review {
    Review {
        after: "nowhere".to_owned(),
        errors: pairs(&[(
            "after",
            "`nowhere` is not a choice; if it is a revision of git, compare it with `tokenward diff`.",
        )]),
        diagnostics: try_it::errors().diagnostics,
        invariants: Vec::new(),
        ..start()
    }
}

fn key(key: &str, before: &str, after: &str, wider: &str) -> KeyChange {
    KeyChange {
        key: key.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        wider: wider.to_owned(),
    }
}

fn wider() -> TokenChange {
    let line = |text: &str, added: Option<&str>| Line {
        added: added.map(str::to_owned),
        ..Line::new(text)
    };
    TokenChange {
        name: "ci-comments".to_owned(),
        standing: String::new(),
        result: Outcome::More,
        about: "team-kanban · calls as svc-ci · 512,310 calls in 30 d".to_owned(),
        keys: vec![key("allowed_from", "10.0.0.0/8", "any", "more addresses")],
        operations: texts(&["GET /rest/api/2/issue/{key}/worklog (getIssueWorklog)"]),
        witnesses: vec![Witness {
            is_allowed: true,
            method: "GET".to_owned(),
            url: "/rest/api/2/issue/KANBAN-0/worklog".to_owned(),
            body: "{\"a\":1}".to_owned(),
            operation: Some("Get issue worklog".to_owned()),
            allowed_by: Some((
                place("ci.toml", 15),
                line(r"[get]/rest/api/2/issue/KANBAN-\d+.*", Some(".*")),
            )),
            nearest: Some((
                place("ci.toml", 15),
                line(r"[get]/rest/api/2/issue/KANBAN-\d+", None),
            )),
            note: "`.*` admits any text, slashes too.".to_owned(),
            curl: String::new(),
        }],
        open: texts(&["The budget of 1,000,000 states was used up; counts as allowing more."]),
    }
}

fn narrower() -> TokenChange {
    TokenChange {
        name: "release-bot".to_owned(),
        standing: "new".to_owned(),
        result: Outcome::Less,
        witnesses: vec![Witness {
            method: "DELETE".to_owned(),
            url: "/rest/api/2/version/1".to_owned(),
            curl: "curl -X DELETE https://api.example.com/rest/api/2/version/1".to_owned(),
            ..Witness::default()
        }],
        ..TokenChange::default()
    }
}
