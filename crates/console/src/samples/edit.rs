//! Made-up forms that write TOML.

use super::common::{pairs, place, texts};
use super::try_it;
use crate::views::edit::{Limits, Made, NewToken, NewTokenForm};
use crate::views::effect::Effect;
use crate::views::parts::Line;
use crate::views::review::{Outcome, Witness};

/// An empty form.
pub(super) fn new_token() -> NewToken {
    NewToken::default()
}

/// A token that was made.
pub(super) fn made() -> NewToken {
    NewToken {
        form: form(),
        made: Some(Made {
            toml: "[token.ci-notes]\npurpose = \"Release notes\"\nuser = \"svc-ci\"\nsecret = \"sha256:0b5a\"\nlimits = '''\n[get]/rest/api/2/issue/KANBAN-\\d+\n'''".to_owned(),
            secret: Some("twd_made_up_secret_shown_once".to_owned()),
            next: texts(&["Commit the TOML to a file of the policy directory.", "Give the secret to the script."]),
        }),
        effect: Some(allows()),
        ..NewToken::default()
    }
}

/// A form with errors.
pub(super) fn wrong() -> NewToken {
    NewToken {
        form: form(),
        errors: pairs(&[
            ("name", "there is a token with this name at ci.toml:7"),
            ("lines", "1 error in 1 line"),
        ]),
        diagnostics: try_it::errors().diagnostics,
        ..NewToken::default()
    }
}

/// A mode without secrets.
pub(super) fn impossible() -> NewToken {
    NewToken {
        impossible: Some("In secure mode the proxy never sees the secret of a token. Run `tokenward token new` on your machine.".to_owned()),
        ..NewToken::default()
    }
}

/// A change that allows more.
pub(super) fn limits() -> Limits {
    Limits {
        name: "ci-comments".to_owned(),
        lines: "[get]/rest/api/2/issue/KANBAN-\\d+.*".to_owned(),
        place: "ci.toml:7".to_owned(),
        toml: Some("limits = '''\n[get]/rest/api/2/issue/KANBAN-\\d+.*\n'''".to_owned()),
        effect: Some(wider()),
        ..Limits::default()
    }
}

/// Limits that were not settled.
pub(super) fn open() -> Limits {
    Limits {
        effect: Some(Effect {
            result: Outcome::Open,
            open: texts(&[
                "Whether more is newly allowed: comparing the patterns of the lines takes more than the budget.",
            ]),
            ..Effect::default()
        }),
        ..limits()
    }
}

/// Limits that allow nothing more.
pub(super) fn narrower() -> Limits {
    Limits {
        lines: "[get]/rest/api/2/issue/KANBAN-1".to_owned(),
        effect: Some(Effect {
            result: Outcome::Less,
            witnesses: vec![Witness {
                is_allowed: false,
                ..witness()
            }],
            ..Effect::default()
        }),
        ..limits()
    }
}

fn wider() -> Effect {
    Effect {
        result: Outcome::More,
        witnesses: vec![witness()],
        operations: texts(&["GET /rest/api/2/issue/{key}/worklog (getIssueWorklog)"]),
        ..Effect::default()
    }
}

fn allows() -> Effect {
    Effect {
        is_new: true,
        more: 2,
        ..wider()
    }
}

fn witness() -> Witness {
    let line = |number, text: &str| Some((place("ci.toml", number), Line::new(text)));
    Witness {
        is_allowed: true,
        method: "GET".to_owned(),
        url: "/rest/api/2/issue/KANBAN-0/worklog".to_owned(),
        operation: Some("GET /rest/api/2/issue/{key}/worklog (getIssueWorklog)".to_owned()),
        allowed_by: line(15, r"[get]/rest/api/2/issue/KANBAN-\d+.*"),
        nearest: line(15, r"[get]/rest/api/2/issue/KANBAN-\d+"),
        note: r"Wider: path from `\d+` to `\d+.*`.".to_owned(),
        ..Witness::default()
    }
}

fn form() -> NewTokenForm {
    NewTokenForm {
        name: "ci-notes".to_owned(),
        purpose: "Release notes".to_owned(),
        owner: "team-release".to_owned(),
        users: "svc-ci".to_owned(),
        expires: "90d".to_owned(),
        allowed_from: String::new(),
        lines: "[get]/rest/api/2/issue/KANBAN-\\d+".to_owned(),
    }
}
