//! A file of tests to definitions: requests, with the decision that each expects.

use std::net::IpAddr;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{
    document::{self, At},
    entries,
    keys::Reader,
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    source::{Source, SourceId, Span},
};

/// Every key that a test may have.
const KEYS: &[&str] = &[
    "name", "token", "request", "headers", "body", "json", "curl", "user", "client", "at", "expect", "line",
    "reason", "status",
];
/// The keys that describe a request in addition to `request`. A curl command has all of them.
const PARTS: [&str; 3] = ["headers", "body", "json"];

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestDef {
    /// The span of the name.
    pub span: Span,
    /// The name, unique in its file.
    pub name: String,
    /// Name of the token that makes the request.
    pub token: At<String>,
    /// The request.
    pub request: RequestDef,
    /// User that makes the request; `None` for the token's only user.
    pub user: Option<At<String>>,
    /// Address of the client.
    pub client: Option<At<IpAddr>>,
    /// Time of the request, ms UTC; `None` for the time of the run.
    pub at: Option<At<i64>>,
    /// The expected decision.
    pub expect: At<Expect>,
    /// Text of the line that must decide.
    pub line: Option<At<String>>,
    /// Reason code that the decision must have.
    pub reason: Option<At<String>>,
    /// Status that the proxy must respond with.
    pub status: Option<At<u16>>,
}

/// An expected decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The proxy forwards the request, or answers it itself.
    Allow,
    /// The proxy does not forward the request.
    Deny,
}

impl Expect {
    /// The word in test files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

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

/// Reads the tests of one file. Errors go to `diagnostics`; the other tests are still read.
pub(crate) fn read(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<TestDef> {
    let mut tests = entries::read(
        (id, source),
        (&["test"], "test"),
        diagnostics,
        |reader, _, table, range| test(reader, table, range),
    );
    tests.sort_by_key(|test| test.span);
    unique(&tests, diagnostics);
    tests
}

/// Reports names that two tests have.
fn unique(tests: &[TestDef], diagnostics: &mut Vec<Diagnostic>) {
    let mut known = std::collections::HashMap::new();
    for test in tests {
        if let Some(first) = known.insert(test.name.as_str(), test.span) {
            let headline = format!("two tests are named `{}`", test.name);
            let found = Diagnostic::new(Code::TestName, test.span, headline);
            diagnostics.push(
                found
                    .related(first, "the other test")
                    .help("give each test of a file its own name"),
            );
        }
    }
}

type Value<'i> = toml::Spanned<DeValue<'i>>;

fn test(reader: &mut Reader<'_>, table: &DeTable<'_>, range: Range<usize>) -> Option<TestDef> {
    let place = document::span(reader.id, reader.source, range);
    let [mut name, mut token, mut line, mut reason, mut user] = [const { None }; 5];
    let (mut client, mut at, mut expect, mut status) = (None, None, None, None);
    let mut given: Vec<&str> = Vec::new();
    let before = reader.diagnostics.len();
    for (key, value) in table {
        let key_name = key.get_ref().as_ref();
        match key_name {
            "name" => name = reader.string(value, "name"),
            "token" => token = reader.string(value, "token"),
            "user" => user = reader.user(value),
            "client" => client = self::client(reader, value),
            "at" => at = reader.time(value),
            "expect" => expect = self::expect(reader, value),
            "line" => line = reader.string(value, "line").map(trimmed),
            "reason" => reason = reader.string(value, "reason"),
            "status" => status = self::status(reader, value),
            "request" | "headers" | "body" | "json" | "curl" => {}
            // A misspelt key is one error, not also a missing key.
            _ => given.extend(reader.unknown(key, KEYS)),
        }
        given.extend(KEYS.iter().find(|known| **known == key_name));
    }
    let request = request(reader, table, (place, &given));
    let help = [
        ("name", "name the test by what it shows"),
        ("token", "name the token that makes the request"),
        ("expect", "write `expect = \"allow\"` or `expect = \"deny\"`"),
    ];
    for (key, help) in help.into_iter().filter(|(key, _)| !given.contains(key)) {
        let found = Diagnostic::new(Code::MissingKey, place, format!("the test has no `{key}`"));
        reader.diagnostics.push(found.help(help));
    }
    // A test without one of its keys would show something else.
    if reader.diagnostics.len() > before {
        return None;
    }
    let name = name?;
    Some(TestDef {
        span: name.span,
        name: name.value,
        token: token?,
        request: request?,
        user,
        client,
        at,
        expect: expect?,
        line,
        reason,
        status,
    })
}

fn trimmed(text: At<String>) -> At<String> {
    At {
        value: text.value.trim().to_owned(),
        ..text
    }
}

/// The request, in one of its two forms.
fn request(
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

fn client(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<At<IpAddr>> {
    let text = reader.string(value, "client")?;
    match text.value.parse::<IpAddr>() {
        Ok(address) => Some(At {
            value: address.to_canonical(),
            span: text.span,
        }),
        Err(_) => {
            let headline = format!("`{}` is not an address", text.value);
            let found = Diagnostic::new(Code::WrongValue, text.span, headline);
            reader
                .diagnostics
                .push(found.help("write `10.0.0.7` or `2001:db8::7`"));
            None
        }
    }
}

fn expect(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<At<Expect>> {
    let text = reader.string(value, "expect")?;
    let of = |expect| {
        Some(At {
            value: expect,
            span: text.span,
        })
    };
    match text.value.as_str() {
        "allow" => of(Expect::Allow),
        "deny" => of(Expect::Deny),
        other => {
            let near = nearest(other, ["allow", "deny"]);
            let help = match near {
                Some(near) => format!("did you mean `\"{near}\"`?"),
                None => {
                    "write `\"allow\"` or `\"deny\"`; `reason` can say why a request is denied".to_owned()
                }
            };
            let headline = format!("`{other}` is not a decision");
            let found = Diagnostic::new(Code::WrongValue, text.span, headline);
            reader.diagnostics.push(found.help(help));
            None
        }
    }
}

fn status(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<At<u16>> {
    let DeValue::Integer(given) = value.get_ref() else {
        reader.wrong(value, "`status` must be a whole number, such as `403`");
        return None;
    };
    let span = document::span(reader.id, reader.source, value.span());
    let number = u16::from_str_radix(given.as_str(), given.radix()).ok();
    if let Some(number) = number.filter(|number| (100..600).contains(number)) {
        return Some(At { value: number, span });
    }
    let found = Diagnostic::new(Code::WrongValue, span, "`status` is not a status of HTTP");
    reader
        .diagnostics
        .push(found.help("write a number such as `403`"));
    None
}
