//! A file of tests to definitions: requests, with the decision that each expects.

mod request;

pub use request::{Keys, RequestDef};

use std::net::IpAddr;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{
    document::{self, At, Value},
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
    let request = request::read(reader, table, (place, &given));
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
