//! Made-up requests that are tried.

use super::common::{elsewhere, nearest, pairs, place, texts};
use crate::views::parts::{Diagnostic, Verdict};
use crate::views::try_it::{Advice, Also, Judged, TryForm, TryIt};

/// Nothing was sent.
pub(super) fn empty() -> TryIt {
    TryIt {
        tokens: texts(&["board-sync", "ci-comments"]),
        ..TryIt::default()
    }
}

/// A denied request.
pub(super) fn denied() -> TryIt {
    TryIt {
        form: TryForm {
            token: "ci-comments".to_owned(),
            user: "svc-ci".to_owned(),
            lines: "[get]/rest/api/2/issue/KANBAN-\\d+\n[post]/rest/api/2/filter[JsonData::editable:boolean==false]".to_owned(),
            is_edited: true,
            request: "curl -u svc-ci:\"$TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"editable\":true}' \\\n  https://api.example.com/rest/api/2/filter".to_owned(),
            client: "192.0.2.40".to_owned(),
        },
        hints: pairs(&[
            ("lines", "2 lines, no errors. They differ from those of the live token."),
            ("request", "Understood in full. The secret is not looked at."),
        ]),
        judged: Some(Judged {
            verdict: Verdict::Deny,
            reason: "no-line".to_owned(),
            status: Some(403),
            method: "POST".to_owned(),
            url: "/rest/api/2/filter".to_owned(),
            why: "Line 2 has this method and path, but wants `editable` to be false; it is true.".to_owned(),
            notes: Vec::new(),
            lines: vec![
                elsewhere(place("", 1), r"[get]/rest/api/2/issue/KANBAN-\d+"),
                nearest(place("", 2), "[post]/rest/api/2/filter[JsonData::editable:boolean==false]"),
            ],
            advice: Some(Advice {
                line: "[post]/rest/api/2/filter".to_owned(),
                words: Some("POST /rest/api/2/filter".to_owned()),
                also: texts(&["any parameters: a line with conditions on parameters allows no form", "any body"]),
                examples: vec![Also {
                    method: "POST".to_owned(),
                    url: "/rest/api/2/filter".to_owned(),
                    body: "{\"jql\": \"a\"}".to_owned(),
                    note: String::new(),
                }],
                operations: texts(&["Create filter"]),
                edit: "/console/tokens/ci-comments/limits?add=x".to_owned(),
                ..Advice::default()
            }),
            no_advice: String::new(),
            test: Some("[[test]]\ntoken = \"ci-comments\"\nrequest = \"POST /rest/api/2/filter\"\nbody = '{\"editable\":true}'\nexpect = \"deny\"".to_owned()),
            command: "tokenward explain --token ci-comments POST /rest/api/2/filter".to_owned(),
        }),
        ..empty()
    }
}

/// An allowed request.
pub(super) fn allowed() -> TryIt {
    let denied = denied();
    let judged = denied.judged.map(|judged| Judged {
        verdict: Verdict::Allow,
        reason: "allowed".to_owned(),
        status: None,
        why: "Line 2 permits it.".to_owned(),
        notes: texts(&["The body has no length."]),
        lines: Vec::new(),
        advice: None,
        ..judged
    });
    TryIt {
        form: denied.form,
        judged,
        ..empty()
    }
}

/// Lines and a request with errors.
pub(super) fn errors() -> TryIt {
    TryIt {
        form: TryForm {
            lines: "[gte]/rest".to_owned(),
            request: "curl --interface eth0 https://api.example.com/".to_owned(),
            ..denied().form
        },
        errors: pairs(&[
            (
                "request",
                "the option `--interface` of curl is not understood; remove it",
            ),
            ("client", "`x` is not an address"),
            ("lines", "1 error in 1 line"),
        ]),
        diagnostics: vec![Diagnostic {
            is_error: true,
            code: "TW0010".to_owned(),
            message: "unknown method `gte`".to_owned(),
            place: place("", 1),
            column: 2,
            source: vec![(1, "[gte]/rest".to_owned())],
            marked: Some((1, 4)),
            help: "did you mean `get`?".to_owned(),
        }],
        ..empty()
    }
}
