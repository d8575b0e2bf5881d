//! A request as the note of a lint shows it: decoded, so that a reader sees what the proxy compares.

use crate::{
    analysis::Request,
    diagnostic::Witness,
    ir::{Program, Token},
    policy::Users,
};

/// The request as proof: decoded, and as a command that sends it.
pub(super) fn witness(program: &Program, token: &Token, request: &Request) -> Witness {
    let user = match &token.users {
        Users::Named(users) => users.first().map_or("USER", String::as_str),
        Users::Any => "USER",
    };
    let base = program.base();
    Witness {
        request: request.decoded(),
        curl: base.map(|base| request.curl(base, user)).unwrap_or_default(),
    }
}
