//! An explanation for people.

use tokenward_pdp::explain::Report;

use super::advice::{Advice, Changed};
use super::line::Line;
use super::origin::Origin;
use crate::cli::audit::shown;

/// Lines that are listed at most; `--json` has all.
const LINES: usize = 200;

pub(super) fn of(
    report: &Report,
    origin: &Result<Option<Origin>, String>,
    advice: Option<&Advice>,
) -> String {
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
    match origin {
        Ok(Some(origin)) => say("      ", &of_origin(origin)),
        Ok(None) => {}
        Err(why) => say("      ", &format!("its commit is not known: {why}")),
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
    if let Some(advice) = advice {
        of_advice(advice, &mut out);
    }
    out
}

fn of_origin(origin: &Origin) -> String {
    let Some(commit) = &origin.commit else {
        return "this line is not committed".to_owned();
    };
    let short = commit.get(..12).unwrap_or(commit);
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let day = part(&origin.time).chars().take(10).collect::<String>();
    let shallow = match origin.is_shallow {
        true => " (or an earlier commit: the clone is shallow)",
        false => "",
    };
    format!(
        "commit {short} by {} <{}> on {day}: {}{shallow}",
        part(&origin.author),
        part(&origin.email),
        part(&origin.subject)
    )
}

fn of_advice(advice: &Advice, out: &mut String) {
    out.push('\n');
    match (&advice.change, &advice.no_change) {
        (Some(change), _) => of_change(change, out),
        (None, why) => {
            let why = why.as_deref().unwrap_or_default();
            line(out, "smallest change of the request: none; ", why);
        }
    }
    match (&advice.new_line, &advice.no_new_line) {
        (Some(new), _) => of_line(new, out),
        (None, why) => {
            let why = why.as_deref().unwrap_or_default();
            line(out, "smallest line: none; ", why);
        }
    }
}

fn of_change(change: &Changed, out: &mut String) {
    line(
        out,
        "smallest change of the request that the proxy would forward:",
        "",
    );
    for one in &change.changes {
        line(out, "  ", &one.text);
    }
    let by = change
        .allowed_by
        .as_deref()
        .unwrap_or("no line, since the token is unrestricted");
    line(out, "  allowed by ", by);
    match &change.curl {
        Some(curl) => line(out, "  ", curl),
        None => line(out, "  ", &format!("{} {}", change.method, change.url)),
    }
}

fn of_line(new: &Line, out: &mut String) {
    let count = new.allows_also.len();
    let beyond = match count {
        0 => "and no other".to_owned(),
        1 => "and others that differ from it in 1 part".to_owned(),
        _ => format!("and others that differ from it in {count} parts"),
    };
    line(
        out,
        &format!("smallest line that would allow this request, {beyond}:"),
        "",
    );
    line(out, "  ", &new.text);
    for open in &new.allows_also {
        line(out, "  it also allows ", open);
    }
    line(
        out,
        "as a patch, for `tokenward explain --patch … | git apply`:",
        "",
    );
    for row in new.patch.lines() {
        line(out, "  ", row);
    }
}

/// A line of the answer. Text of the request or of files is escaped.
fn line(out: &mut String, before: &str, text: &str) {
    out.push_str(before);
    out.push_str(&shown(text));
    out.push('\n');
}
