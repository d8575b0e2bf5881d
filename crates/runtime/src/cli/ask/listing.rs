//! Parts that all answers have in common: lines with their places, requests, and text that is safe for a terminal.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use tokenward_compiler::analysis::{Obstacle, Request};
use tokenward_compiler::ir::{LineDigest, LineId, Program, Token, Users};
use tokenward_pdp::compare::lines::curl;
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::text::time;

use super::super::audit::shown;

/// Answers as text: lines with an indent.
#[derive(Default)]
pub(in super::super) struct Text(String);

impl Text {
    /// Adds a line. Characters in it that a terminal would act on stand as escapes.
    pub(in super::super) fn line(&mut self, indent: usize, text: &str) {
        self.0.push_str(&" ".repeat(indent));
        self.0.push_str(&shown(text));
        self.0.push('\n');
    }

    /// Adds an example: decoded, as a command, and with what keeps the proxy from forwarding it.
    pub(in super::super) fn request(
        &mut self,
        indent: usize,
        (request, obstacles): (&Request, &[Obstacle]),
        (program, token): (&Program, &Token),
    ) {
        self.line(indent, &format!("example: {}", request.decoded()));
        self.line(indent, &curl(request, program, &token.users));
        if let Some(why) = not_forwarded(obstacles) {
            self.line(indent, &why);
        }
    }

    pub(in super::super) fn end(self) -> String {
        self.0
    }
}

/// `ci.toml:7: [get]/rest/.*`
pub(in super::super) fn place(program: &Program, id: LineId) -> String {
    let line = program.line(id);
    format!("{}:{}: {}", line.file, line.number, line.text)
}

pub(super) fn line_json(program: &Program, id: LineId) -> Value {
    json!(ShownLine::of(program, id))
}

/// A line in JSON.
#[derive(Serialize)]
pub(in super::super) struct ShownLine<'p> {
    file: &'p str,
    line: u32,
    text: &'p str,
    #[serde(serialize_with = "displayed")]
    digest: LineDigest,
}

impl<'p> ShownLine<'p> {
    pub(in super::super) fn of(program: &'p Program, id: LineId) -> Self {
        let line = program.line(id);
        Self {
            file: line.file,
            line: line.number,
            text: line.text,
            digest: line.digest,
        }
    }
}

/// A value as the text that it is displayed as.
pub(in super::super) fn displayed<T: Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn request_json(
    (request, obstacles): (&Request, &[Obstacle]),
    (program, token): (&Program, &Token),
) -> Value {
    let content = request.body.content();
    json!({
        "decoded": request.decoded(),
        "method": request.method_name(),
        "target": request.target(),
        "content_type": content.as_ref().map(|(media, _)| media),
        "body": content.as_ref().map(|(_, text)| text),
        "curl": curl(request, program, &token.users),
        "forwarded": obstacles.is_empty(),
        "obstacles": obstacles.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Who may use a token, from where and until when.
pub(super) fn caller_json(token: &Token) -> Value {
    let users = match &token.users {
        Users::Named(users) => json!(users),
        Users::Any => Value::Null,
    };
    let networks: Vec<String> = token.allowed_ips.iter().map(ToString::to_string).collect();
    json!({
        "users": users,
        "any_user": token.users == Users::Any,
        "allowed_ips": networks,
        "expires": token.expires.map(time),
    })
}

/// The conditions of a token that are not about the request itself.
pub(super) fn caller(token: &Token) -> Vec<String> {
    let mut told = vec![match &token.users {
        Users::Named(users) => users.join(" or "),
        Users::Any => "any user".to_owned(),
    }];
    if !token.allowed_ips.is_empty() {
        let networks: Vec<String> = token.allowed_ips.iter().map(ToString::to_string).collect();
        told.push(format!("from {}", networks.join(" or ")));
    }
    if let Some(expires) = token.expires {
        told.push(format!("until {}", time(expires)));
    }
    told
}
