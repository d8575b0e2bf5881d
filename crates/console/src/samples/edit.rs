//! Made-up forms that write TOML.

use super::common::{pairs, texts};
use super::try_it;
use crate::views::edit::{Limits, Made, NewToken, NewTokenForm};

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
            allows: texts(&["It would reach 1 of 412 operations: Get issue."]),
        }),
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
        effects: texts(&["For example GET /rest/api/2/issue/KANBAN-0/worklog."]),
        is_wider: true,
        ..Limits::default()
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
