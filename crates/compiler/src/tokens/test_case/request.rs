//! The request of a test: a curl command, or keys.

use toml::de::{DeTable, DeValue};

use super::super::{
    document::{self, At, Value},
    keys::Reader,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
};

/// The keys that describe a request in addition to `request`. A curl command has all of them.
const PARTS: [&str; 3] = ["headers", "body", "json"];

/// The request of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestDef {
    /// A curl command.
    Curl(At<String>),
    /// Keys of the test.
    Keys(Keys),
}

/// A request in keys of the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The method.
    pub method: String,
    /// The URL, or its path below the public URL.
    pub url: At<String>,
    /// Header fields as `Name: value`.
    pub headers: Vec<At<String>>,
    /// The body as it is sent.
    pub body: Option<At<String>>,
    /// Whether the body was written as `json`.
    pub is_json: bool,
}

/// The request, in one of its two forms.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    (place, given): (Span, &[&str]),
) -> Option<RequestDef> {
    let value = |name: &str| {
        let mut keys = table.iter();
        keys.find(|(key, _)| key.get_ref() == name)
            .map(|(_, value)| value)
    };
    let wrong = |reader: &mut Reader<'_>, span: Span, headline: &str, help: &str| {
        let found = Diagnostic::new(Code::TestRequest, span, headline);
        reader.diagnostics.push(found.help(help));
        None
    };
    let span_of =
        |reader: &Reader<'_>, value: &Value<'_>| document::span(reader.id, reader.source, value.span());
    match (value("request"), value("curl")) {
        (Some(_), Some(curl)) => {
            let span = span_of(reader, curl);
            let help = "keep the one that describes the request, and remove the other";
            wrong(reader, span, "the test has both `request` and `curl`", help)
        }
        (None, None) if given.contains(&"request") || given.contains(&"curl") => None,
        (None, None) => {
            let help = "add `request = \"GET /rest/…\"`, or a curl command as `curl = '''…'''`";
            wrong(reader, place, "the test has no request", help)
        }
        (None, Some(curl)) => {
            for part in PARTS {
                if let Some(value) = value(part) {
                    let span = span_of(reader, value);
                    let headline = format!("`{part}` cannot be used with `curl`");
                    return wrong(reader, span, &headline, "write it into the curl command");
                }
            }
            text(reader, curl, "curl").map(RequestDef::Curl)
        }
        (Some(request), None) => {
            let line = text(reader, request, "request");
            let headers = value("headers").map_or_else(Vec::new, |value| headers(reader, value));
            let (body, is_json) = match (value("body"), value("json")) {
                (Some(_), Some(json)) => {
                    let span = span_of(reader, json);
                    let help = "write `json` for a JSON body, or `body` for any other text";
                    return wrong(reader, span, "the test has both `body` and `json`", help);
                }
                (Some(body), None) => (Some(text(reader, body, "body")?), false),
                (None, Some(json)) => (Some(self::json(reader, json)?), true),
                (None, None) => (None, false),
            };
            let line = line?;
            let Some((method, url)) = line.value.trim().split_once([' ', '\t']) else {
                let help = "write the method and the path or URL: `request = \"GET /rest/…\"`";
                return wrong(reader, line.span, "the request is not a method and a URL", help);
            };
            Some(RequestDef::Keys(Keys {
                method: method.to_owned(),
                url: At {
                    value: url.trim().to_owned(),
                    span: line.span,
                },
                headers,
                body,
                is_json,
            }))
        }
    }
}

/// A text of any characters.
fn text(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Option<At<String>> {
    let Some(text) = value.get_ref().as_str() else {
        reader.wrong(value, &format!("`{key}` must be a string"));
        return None;
    };
    Some(At {
        value: text.to_owned(),
        span: document::span(reader.id, reader.source, value.span()),
    })
}

fn headers(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<At<String>> {
    let help = "`headers` must be a list of strings: `[\"Name: value\"]`";
    let Some(entries) = value.get_ref().as_array() else {
        reader.wrong(value, help);
        return Vec::new();
    };
    let mut headers = Vec::new();
    for entry in entries.iter() {
        let Some(header) = text(reader, entry, "a header") else {
            continue;
        };
        let name = header.value.split_once(':').map(|(name, _)| name.trim());
        if name.is_none_or(str::is_empty) || header.value.starts_with('@') {
            let headline = format!("`{}` is not a header", header.value);
            let found = Diagnostic::new(Code::TestRequest, header.span, headline);
            reader.diagnostics.push(found.help("write `\"Name: value\"`"));
        } else {
            headers.push(header);
        }
    }
    headers
}

/// A JSON body: its text, or a table or list of TOML, which is converted.
fn json(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<At<String>> {
    let span = document::span(reader.id, reader.source, value.span());
    let wrong = |reader: &mut Reader<'_>, headline: String, help: &str| {
        let found = Diagnostic::new(Code::TestRequest, span, headline);
        reader.diagnostics.push(found.help(help));
        None
    };
    if let Some(text) = value.get_ref().as_str() {
        return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Some(At {
                value: text.to_owned(),
                span,
            }),
            Err(error) => wrong(
                reader,
                format!("the text of `json` is not JSON: {error}"),
                "correct it; to send a body that is not JSON, write `body` and a header `Content-Type: application/json`",
            ),
        };
    }
    match of_toml(value.get_ref()) {
        Some(value) => Some(At {
            value: value.to_string(),
            span,
        }),
        None => wrong(
            reader,
            "JSON has no value for this".to_owned(),
            "write the body as text: `json = '{\"name\": null}'`",
        ),
    }
}

/// A value of TOML as JSON; `None` if it has a date, or a number that JSON does not have.
fn of_toml(value: &DeValue<'_>) -> Option<serde_json::Value> {
    Some(match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.into(),
        DeValue::Float(number) => {
            let number = number.as_str().parse::<f64>().ok()?;
            serde_json::Number::from_f64(number)?.into()
        }
        DeValue::Datetime(_) => return None,
        DeValue::Array(entries) => {
            let entries = entries.iter().map(|entry| of_toml(entry.get_ref()));
            serde_json::Value::Array(entries.collect::<Option<_>>()?)
        }
        DeValue::Table(members) => {
            let member = |(key, value): (&document::Key<'_>, &Value<'_>)| {
                Some((key.get_ref().to_string(), of_toml(value.get_ref())?))
            };
            serde_json::Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
    })
}
