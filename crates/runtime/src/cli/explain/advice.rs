//! What would help after a denial: the smallest change of the request, and the smallest line.

use serde::Serialize;
use tokenward_compiler::closest::Change;
use tokenward_pdp::nearby::{Forwarded, Nearby, Read};
use tokenward_pdp::text::bounded;

use super::case::Case;
use super::line::{self, Line};
use crate::authoring::unhelpful::unhelpful;

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
