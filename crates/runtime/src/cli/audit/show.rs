//! `tokenward audit show`: shows everything that is known of one call.

use serde_json::Value;
use tokenward_audit::{Filter, Page, Sequence};

use super::policy;
use super::source::Source;
use super::table::shown;
use super::which::Place;
use super::{Failure, output};
use crate::audit_json::story;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Request id of the response (32 hexadecimal digits), or the call's sequence number in the audit
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Time span to search: an id begins with the time of the request, and its record is not much later.
const AROUND_MS: i64 = 3_600_000;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.place.config()?;
    let source = args.place.source(&config)?;
    let found = match id_of(&args.id) {
        Some(id) => by_id(&source, id)?,
        None => {
            let place = args.id.parse().map_err(|_| {
                Failure::Usage(format!(
                    "`{}` is neither a request id (32 hexadecimal digits) nor the number of a call",
                    shown(&args.id)
                ))
            })?;
            by_place(&source, place)?
        }
    };
    let Some(call) = found else {
        return Err(Failure::Findings(format!(
            "no call `{}` in the audit; `tokenward audit events` shows the audit's own events",
            shown(&args.id)
        )));
    };
    if args.json {
        return output::print_document(&format!("{call}\n"));
    }
    let call: Value = serde_json::from_str(&call).map_err(Failure::trouble)?;
    let mut text = String::new();
    flattened("", &call, &mut text);
    // Show the lines if the policy still has them; it is not an error if not.
    let policy = policy::program(&config).ok();
    let texts = policy.as_ref().map(policy::texts).unwrap_or_default();
    let of_digest = |digest: &str| texts.get(digest).copied();
    let digest = call.pointer("/line/digest").and_then(Value::as_str);
    if let Some(line) = digest.and_then(of_digest) {
        text.push_str(&format!("{:24}{}\n", "line.text", shown(line)));
    }
    text.push('\n');
    for step in story::of(&call, of_digest) {
        text.push_str(&format!("{}\n", shown(&step)));
    }
    output::print(&text)
}

fn id_of(text: &str) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    hex::decode_to_slice(text, &mut id).ok()?;
    Some(id)
}

fn by_id(source: &Source, id: [u8; 16]) -> Result<Option<String>, Failure> {
    let anywhere = Filter {
        request_id: Some(id),
        ..Filter::default()
    };
    let page = Page {
        limit: 1,
        ..Page::default()
    };
    let came = id
        .iter()
        .take(6)
        .fold(0_i64, |ms, byte| ms << 8 | i64::from(*byte));
    let near = Filter {
        since_ms: Some(came - AROUND_MS),
        until_ms: Some(came + AROUND_MS),
        ..anywhere.clone()
    };
    match source.list(&near, page)?.pop() {
        Some(call) => Ok(Some(call)),
        // The clock may have been changed, or an upload may have taken long.
        None => Ok(source.list(&anywhere, page)?.pop()),
    }
}

fn by_place(source: &Source, place: u64) -> Result<Option<String>, Failure> {
    let page = Page {
        after: place.checked_sub(1).map(Sequence),
        before: place.checked_add(1).map(Sequence),
        limit: 1,
        newest_first: false,
    };
    Ok(source.list(&Filter::default(), page)?.pop())
}

/// Describes one tried line, or one inspected value, in a line.
fn looked_at(item: &Value) -> String {
    let text = |place: &str| item.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let Some(constraints) = item.get("constraints").and_then(Value::as_array) else {
        let value = match (item.get("value"), item.get("hmac")) {
            (Some(Value::String(value)), _) => format!("= {value}"),
            (_, Some(Value::String(hash))) => format!("hmac {hash}"),
            _ => "dropped".to_owned(),
        };
        return format!("{} ({}) {value}", text("/path"), text("/kind"));
    };
    let held = |of: &Value| match of.get("held").and_then(Value::as_str) {
        Some("yes") => "held",
        Some("no") => "did not hold",
        _ => "was not checked",
    };
    let each = constraints.iter().map(|constraint| {
        let name = constraint.get("constraint").and_then(Value::as_str);
        format!("{} {}", name.unwrap_or_default(), held(constraint))
    });
    format!(
        "{}:{} ({}) {}: {}",
        text("/line/file"),
        item.pointer("/line/number").unwrap_or(&Value::Null),
        text("/effect"),
        held(item),
        each.collect::<Vec<_>>().join(", ")
    )
}

/// Writes `name  value` for each member; nested members are named `outer.inner`.
fn flattened(outer: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = if outer.is_empty() {
                    name.clone()
                } else {
                    format!("{outer}.{name}")
                };
                flattened(&name, value, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{outer:24}{}\n", shown(&looked_at(item))));
            }
        }
        Value::Null => text.push_str(&format!("{outer:24}-\n")),
        Value::String(value) => text.push_str(&format!("{outer:24}{}\n", shown(value))),
        other => text.push_str(&format!("{outer:24}{other}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_decision_looked_at_is_told_in_a_line_each() {
        let call = serde_json::json!({
            "nodes": [
                {"path": "a", "kind": "string", "value": "x\u{1b}y", "hmac": null},
                {"path": "b", "kind": "number", "value": null, "hmac": "00ff"},
                {"path": "c", "kind": "null", "value": null, "hmac": null},
            ],
            "tried": [{
                "line": {"file": "ci.toml", "number": 7, "digest": "d"}, "effect": "permit", "held": "no",
                "constraints": [
                    {"constraint": "QueryParam::jql==", "held": "yes"},
                    {"constraint": "JsonData::a==", "held": "unknown"},
                ],
            }],
        });
        let mut text = String::new();
        flattened("", &call, &mut text);
        insta::assert_snapshot!(text, @r"
        nodes                   a (string) = x\u{1b}y
        nodes                   b (number) hmac 00ff
        nodes                   c (null) dropped
        tried                   ci.toml:7 (permit) did not hold: QueryParam::jql== held, JsonData::a== was not checked
        ");
    }
}
