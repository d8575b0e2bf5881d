//! Recorded calls as comma-separated values (RFC 4180), safe to open in a spreadsheet.

use serde_json::Value;

use super::table::shown;

/// The columns, and the path of each in a line of JSON.
pub(super) const COLUMNS: [(&str, &str); 26] = [
    ("sequence", "/sequence"),
    ("time", "/time"),
    ("request_id", "/request_id"),
    ("client_request_id", "/client_request_id"),
    ("token", "/token"),
    ("user", "/user"),
    ("on_behalf_of", "/on_behalf_of"),
    ("client", "/client"),
    ("method", "/method"),
    ("url", "/url"),
    ("decision", "/verdict"),
    ("reason", "/reason"),
    ("file", "/line/file"),
    ("line", "/line/number"),
    ("line_digest", "/line/digest"),
    ("policy", "/policy"),
    ("request_bytes", "/request_bytes"),
    ("decision_ns", "/decision_ns"),
    ("end", "/outcome/end"),
    ("status", "/outcome/status"),
    ("upstream_status", "/outcome/upstream_status"),
    ("sent_bytes", "/outcome/sent_bytes"),
    ("received_bytes", "/outcome/received_bytes"),
    ("total_us", "/outcome/total_us"),
    ("upstream_us", "/outcome/upstream_us"),
    ("time_ms", "/time_ms"),
];

/// Formats the row of the columns' names.
pub(super) fn heading() -> String {
    COLUMNS.map(|(name, _)| name).join(",") + "\r\n"
}

/// Formats the row of a call, given as a line of JSON. Absent values are empty.
pub(super) fn row(call: &str) -> String {
    let call: Value = serde_json::from_str(call).unwrap_or_default();
    let cells = COLUMNS.map(|(_, place)| match call.pointer(place) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cell(text),
        Some(other) => other.to_string(),
    });
    cells.join(",") + "\r\n"
}

/// Escapes control and bidirectional characters. If a spreadsheet would read the text as a formula, an apostrophe in
/// front marks it as text.
fn cell(text: &str) -> String {
    let text = shown(text);
    let guard = if text.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    if text.contains(['"', ',', '\n', '\r', ' ', ';']) || !guard.is_empty() {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_one_value_each_and_no_formula() {
        let call = r#"{"sequence":7,"time":"2027-01-15T08:00:00.250Z","token":"=cmd|x","user":"a\"b, c","on_behalf_of":null,
            "client":"::1","method":"GET","url":"https://j/x\u001b[2J\n\u202e","verdict":"allow","line":{"file":"ci.toml","number":12},
            "outcome":{"status":200}}"#;
        let row = row(call);
        assert_eq!(
            row,
            "7,2027-01-15T08:00:00.250Z,,,\"'=cmd|x\",\"a\"\"b, c\",,::1,GET,https://j/x\\u{1b}[2J\\u{a}\\u{202e},\
             allow,,ci.toml,12,,,,,,200,,,,,,\r\n"
        );
        assert_eq!(row.matches(',').count(), heading().matches(',').count() + 1);
    }
}
