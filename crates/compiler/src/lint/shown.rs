//! A request as the note of a lint shows it: decoded, so that a reader sees what the proxy compares.

use crate::{
    analysis::Request,
    diagnostic::Witness,
    ir::{Program, Token},
};

/// The request as proof: decoded, and as a command that sends it.
pub(super) fn witness(program: &Program, token: &Token, request: &Request) -> Witness {
    Witness {
        request: request.decoded(),
        ..request.witness(program, &token.users)
    }
}
