//! A request as the note of a lint shows it: decoded, so that a reader sees what the proxy compares.

use std::fmt::Write;

use crate::{
    analysis::Request,
    diagnostic::Witness,
    ir::{Program, Token},
    policy::Users,
    visible::visible,
};

/// The request as proof: decoded, and as a command that sends it.
pub(super) fn witness(program: &Program, token: &Token, request: &Request) -> Witness {
    let user = match &token.users {
        Users::Named(users) => users.first().map_or("USER", String::as_str),
        Users::Any => "USER",
    };
    let base = program.base();
    Witness {
        request: decoded(request),
        curl: base.map(|base| request.curl(base, user)).unwrap_or_default(),
    }
}

fn decoded(request: &Request) -> String {
    let mut text = format!("{} {}", request.method_name(), visible(&request.path));
    for (at, (name, value)) in request.query.iter().enumerate() {
        let sign = if at == 0 { '?' } else { '&' };
        // Writing to a string does not fail.
        let _ = write!(text, "{sign}{}={}", visible(name), visible(value));
    }
    if let Some((media, body)) = request.body.content() {
        let _ = write!(text, " with {media}: {body}");
    }
    text
}
