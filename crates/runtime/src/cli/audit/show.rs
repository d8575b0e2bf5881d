//! `tokenward audit show`: all that is known of one call.

use serde_json::Value;
use tokenward_audit::{Filter, Page, Sequence};

use super::policy;
use super::source::Source;
use super::table::shown;
use super::which::Place;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The request id of the answer (32 hexadecimal digits), or the call's place in the audit (a number)
    #[arg(value_name = "ID")]
    id: String,
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// An id begins with the time when the request came; its record is not much later.
const AROUND_MS: i64 = 3_600_000;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.place.config()?;
    let source = args.place.source(&config)?;
    let found = match id_of(&args.id) {
        Some(id) => by_id(&source, id)?,
        None => {
            let place = args.id.parse().map_err(|_| {
                Failure::Usage(format!(
                    "`{}` is neither a request id, 32 hexadecimal digits, nor a call's number",
                    shown(&args.id)
                ))
            })?;
            by_place(&source, place)?
        }
    };
    let Some(call) = found else {
        return Err(Failure::Findings(format!(
            "there is no call `{}`",
            shown(&args.id)
        )));
    };
    if args.json {
        return output::print(&format!("{call}\n"));
    }
    let call: Value = serde_json::from_str(&call).map_err(Failure::trouble)?;
    let mut text = String::new();
    told("", &call, &mut text);
    // Shown where the policy still has it; that it has not is no trouble.
    let digest = call.pointer("/line/digest").and_then(Value::as_str);
    let line = digest.and_then(|digest| policy::line(&config, digest));
    if let Some(line) = line {
        text.push_str(&format!("{:24}{}\n", "line.text", shown(&line)));
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
        // Whose clock was set meanwhile, or an upload that took long.
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

/// `name  value` for each member, those of members below it as `outer.inner`.
fn told(outer: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = if outer.is_empty() {
                    name.clone()
                } else {
                    format!("{outer}.{name}")
                };
                told(&name, value, text);
            }
        }
        Value::Null => text.push_str(&format!("{outer:24}-\n")),
        Value::String(value) => text.push_str(&format!("{outer:24}{}\n", shown(value))),
        other => text.push_str(&format!("{outer:24}{other}\n")),
    }
}
