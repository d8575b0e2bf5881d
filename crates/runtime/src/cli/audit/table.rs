//! Recorded calls as a table for people.

use serde::Deserialize;
use tokenward_pdp::text::is_deceptive;

/// Whether the columns' names are written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Heading {
    /// Above the rows, if there are any.
    Shown,
    /// Rows only: they continue a table.
    Left,
}

/// The columns with their minimum widths, so that successive pages mostly align. The last column is open.
const COLUMNS: [(&str, usize); 8] = [
    ("TIME", 24),
    ("DECISION", 8),
    ("STATUS", 6),
    ("TOKEN", 14),
    ("USER", 12),
    ("REASON", 12),
    ("LINE", 14),
    ("CALL", 0),
];

/// The parts of a recorded call that a table shows.
#[derive(Deserialize)]
struct Call {
    time: String,
    verdict: String,
    token: Option<String>,
    user: Option<String>,
    on_behalf_of: Option<String>,
    reason: String,
    line: Option<Line>,
    method: String,
    url: String,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Line {
    file: String,
    number: u32,
}

#[derive(Deserialize)]
struct Outcome {
    status: Option<u16>,
    end: Option<String>,
}

impl Outcome {
    /// Gives the status that the client got, or a mark that it is unknown.
    fn text(self) -> Option<String> {
        let lost = || self.end.filter(|end| end == "lost");
        self.status.map(|status| status.to_string()).or_else(lost)
    }
}

/// Formats one line for each recorded call, with control and bidirectional characters escaped. A line of JSON that is
/// not a call is shown unchanged: another version's proxy may have written it.
pub(super) fn of(lines: &[String], heading: Heading) -> String {
    let mut rows: Vec<Result<[String; 8], &String>> = lines
        .iter()
        .map(|line| serde_json::from_str(line).map(row).map_err(|_| line))
        .collect();
    if heading == Heading::Shown && !rows.is_empty() {
        rows.insert(0, Ok(COLUMNS.map(|(name, _)| name.to_owned())));
    }
    let mut widths = COLUMNS.map(|(_, width)| width);
    for row in rows.iter().flatten() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let text = |row: &Result<[String; 8], &String>| match row {
        Ok(cells) => {
            let cells: Vec<String> = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            format!("{}\n", cells.join("  ").trim_end())
        }
        Err(line) => format!("{}\n", shown(line)),
    };
    rows.iter().map(text).collect()
}

fn row(call: Call) -> [String; 8] {
    let or_dash = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| shown(&text));
    let user = match call.on_behalf_of {
        Some(other) => format!("{} for {}", or_dash(call.user), shown(&other)),
        None => or_dash(call.user),
    };
    [
        shown(&call.time),
        shown(&call.verdict),
        or_dash(call.outcome.and_then(Outcome::text)),
        or_dash(call.token),
        user,
        shown(&call.reason),
        or_dash(call.line.map(|line| format!("{}:{}", line.file, line.number))),
        format!("{} {}", shown(&call.method), shown(&call.url)),
    ]
}

/// Escapes characters that would repaint a terminal or reorder its text, such as `\u{1b}`.
pub(in crate::cli) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_deceptive(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_escapes_what_callers_sent() {
        let calls = [
            r#"{"time":"2027-01-15T08:00:00.250Z","verdict":"allow","token":"ci","user":"svc","on_behalf_of":"alice","reason":"line",
               "line":{"file":"ci.toml","number":12,"digest":"0"},"method":"GET","url":"https://j/rest/x","outcome":{"status":200}}"#,
            r#"{"time":"2027-01-15T08:00:01.250Z","verdict":"refuse","token":null,"user":"a\u001b[2J\u202eb","on_behalf_of":null,
               "reason":"no-token","line":null,"method":"GET","url":"/Zoë","outcome":null}"#,
            r#"{"time":"2027-01-15T08:00:02.250Z","verdict":"allow","token":"ci","user":"svc","on_behalf_of":null,"reason":"line",
               "line":null,"method":"PUT","url":"https://j/rest/y","outcome":{"status":null,"end":"lost"}}"#,
            r#"{"another":"version"}"#,
        ];
        let calls = calls.map(str::to_owned);
        insta::assert_snapshot!(of(&calls, Heading::Shown));
        assert_eq!(of(&calls, Heading::Left).lines().count(), 4);
        assert_eq!(of(&[], Heading::Shown), "");
    }
}
