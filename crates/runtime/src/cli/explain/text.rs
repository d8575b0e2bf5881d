//! An explanation for people.

use crate::cli::audit::shown;
use crate::pep::explain::Report;

/// Lines that are listed at most; `--json` has all.
const LINES: usize = 200;

pub(in super::super) fn of(report: &Report) -> String {
    let mut out = String::new();
    let status = report
        .status
        .map_or_else(String::new, |status| format!(" ({status})"));
    let verdict = match report.decision.as_str() {
        "allow" => "allowed",
        "deny" => "denied",
        _ => "refused",
    };
    let mut say = |indent: &str, text: &str| {
        out.push_str(indent);
        out.push_str(&shown(text));
        out.push('\n');
    };
    say("", &format!("{verdict}: {}{status}", report.reason));
    let call = format!("{} {}", report.method, report.url);
    if call != " " {
        say("  ", &call);
    }
    let user = report
        .user
        .as_ref()
        .map_or_else(String::new, |user| format!(" as `{user}`"));
    let behalf = report
        .on_behalf_of
        .as_ref()
        .map_or_else(String::new, |user| format!(" on behalf of `{user}`"));
    say("  ", &format!("token `{}`{user}{behalf}", report.token));
    say("  ", &report.detail);
    if let Some(line) = &report.line {
        say("  ", &format!("{}:{}: {}", line.file, line.number, line.text));
    }
    for line in report.lines.iter().take(LINES) {
        say(
            "  ",
            &format!("{}:{}: {}", line.place.file, line.place.number, line.place.text),
        );
        if let Some(failed) = &line.failed {
            say("      ", &failed.why);
        }
    }
    if let Some(more @ 1..) = report.lines.len().checked_sub(LINES) {
        say("  ", &format!("{more} more lines: --json lists all"));
    }
    for note in &report.notes {
        say("note: ", note);
    }
    out
}
