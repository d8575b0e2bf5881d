//! What would help after a denial: the smallest change of the request, and the smallest line.

use serde::Serialize;
use tokenward_compiler::closest::Change;
use tokenward_pdp::explain::Report;
use tokenward_pdp::nearby::{Forwarded, Nearby, Read};
use tokenward_pdp::text::bounded;

use super::case::Case;
use super::line::{self, Line};

/// Longest text of a change.
const LONGEST: usize = 1_000;

/// What would help after a denial. Of each pair, one is present.
#[derive(Debug, Serialize)]
pub(super) struct Advice {
    /// The smallest change of the request that the proxy would forward.
    pub(super) change: Option<Changed>,
    /// Why there is none.
    pub(super) no_change: Option<String>,
    /// The smallest line that would allow the request.
    pub(super) new_line: Option<Line>,
    /// Why there is none.
    pub(super) no_new_line: Option<String>,
}

/// A changed request.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    /// The changed request, as the report shows requests.
    pub(super) method: String,
    pub(super) url: String,
    /// The changed body, if it is JSON.
    pub(super) body: Option<String>,
    /// Each change: its part (`method`, `path`, `parameter`, `body`, `header`) and its text.
    pub(super) changes: Vec<One>,
    /// The line that allows it, as `FILE:NUMBER: TEXT`.
    pub(super) allowed_by: Option<String>,
    /// A command that sends it.
    pub(super) curl: Option<String>,
}

/// One change.
#[derive(Debug, Serialize)]
pub(super) struct One {
    pub(super) part: &'static str,
    pub(super) text: String,
}

/// What would help after this denial.
pub(super) fn of(case: &Case<'_>) -> Advice {
    let lines_decided = ["no-line", "forbid-line"].contains(&case.report.reason.as_str());
    let read = lines_decided.then(|| case.judge.read(case.question)).flatten();
    let Some(read) = read else {
        let (change, line) = unhelpful(case.report);
        return Advice {
            change: None,
            no_change: Some(change),
            new_line: None,
            no_new_line: Some(line),
        };
    };
    let (change, no_change) = match case.judge.nearby(case.program, case.question, &read) {
        Nearby::Found(found) => (Some(changed(case, *found, &read)), None),
        Nearby::None { is_cut, refusal } => (None, Some(none_near(is_cut, refusal))),
    };
    let (new_line, no_new_line) = match line::propose(case, &read) {
        Ok(line) => (Some(line), None),
        Err(why) => (None, Some(why)),
    };
    Advice {
        change,
        no_change,
        new_line,
        no_new_line,
    }
}

fn changed(case: &Case<'_>, found: Forwarded, read: &Read) -> Changed {
    let masked = |text: &str| case.judge.masked(text, read);
    let body = found.closest.asked.body.text();
    let is_body_changed = found.closest.asked.body != read.asked.body;
    Changed {
        changes: found
            .closest
            .changes
            .iter()
            .map(|change: &Change| One {
                part: change.part(),
                text: bounded(&masked(&change.to_string()), LONGEST),
            })
            .collect(),
        body: (is_body_changed && !body.is_empty()).then(|| masked(&body)),
        allowed_by: found
            .report
            .line
            .map(|line| format!("{}:{}: {}", line.file, line.number, line.text)),
        method: found.report.method,
        url: found.report.url,
        curl: found.curl,
    }
}

fn none_near(is_cut: bool, refusal: Option<String>) -> String {
    if let Some(refusal) = refusal {
        return format!("a line allows a changed request, but the proxy would refuse it: {refusal}");
    }
    let cut = match is_cut {
        true => "; the search was cut short, so there may be one",
        false => "",
    };
    format!(
        "no change of the method, the path, the parameters or the JSON body was found that a line allows{cut}"
    )
}

/// Why neither a change of the request nor a line helps: for reasons that come before the lines.
fn unhelpful(report: &Report) -> (String, String) {
    let (change, line) = match report.reason.as_str() {
        "revoked" => (
            "no request with this token is allowed, since the token is revoked",
            "no line helps, since the token is revoked; create another token",
        ),
        "expired" => (
            "no request with this secret is allowed, since it has ended",
            "no line helps; give the token a new secret or a later `expires`",
        ),
        "address" => (
            "the token works only from other addresses; call from one that `allowed_ips` contains",
            "no line helps; `allowed_ips` of the token decides this",
        ),
        "minting" => (
            "the call issues or shows credentials, however it is written",
            "no line helps; the token needs `mint = true`, which its owner must decide",
        ),
        "escalating" => (
            "the call gives rights, however it is written",
            "no line helps; the token needs `escalate = true`, which its owner must decide",
        ),
        "context-user" => (
            "leave out the header `contextUser`, or name a user that `on_behalf_of` lists",
            "no line helps; `on_behalf_of` of the token decides this",
        ),
        "outside-endpoints" => (
            "the proxy does not serve this path; check the base URL and its context path",
            "no line helps; `endpoints` of the configuration decides which paths are served",
        ),
        "policy-error" => (
            "the token has a line with an error, so the proxy allows it nothing",
            "correct the line that `tokenward compile --check` names",
        ),
        "no-upstream-identity" => (
            "the proxy has no upstream credentials of the user, so it forwards no request of this user",
            "no line helps; `[upstream.identity]` of the configuration decides this",
        ),
        "body-too-large" | "body-over-limit" | "body-over-token-limit" => (
            "send a smaller body",
            "no line helps; `limits` of the configuration and `max_body` of the token decide this",
        ),
        _ if report.status == Some(400) => (
            "write the request as the reason says: the proxy refuses it before it asks any line",
            "no line helps: the proxy refuses the request before it asks any line",
        ),
        _ => (
            "no change of the method, the path, the parameters or the body helps: the reason is another one",
            "no line helps: the proxy answers before it asks any line",
        ),
    };
    (change.to_owned(), line.to_owned())
}
