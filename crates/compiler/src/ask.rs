//! Answers one question about a policy: which tokens may make some requests, whether tokens never, only or always may, and whether
//! two tokens allow the same.
//!
//! A question has the form of a limit line, and gets its meaning as an invariant does: it is about the requests that a token of
//! this line would be allowed to make. The answers come from the same proofs as those about invariants: each request in an answer
//! was decided by the program before it is returned, and each "no" covers all requests.

mod certify;
mod conditions;
mod equal;
mod error;
mod question;
mod verdict;
mod who;

pub use self::{
    conditions::{Condition, Subject},
    equal::equal,
    error::QuestionError,
    question::Question,
    verdict::{Breach, Verdict, verdicts},
    who::{Extent, Reach, Way, who},
};
pub use crate::tokens::InvariantKind as Demand;

use crate::{
    diagnostic::nearest,
    ir::{Program, TokenId},
};

/// The token of a name.
///
/// # Errors
/// The policy has no such token; the error names the nearest one.
pub fn token_named(program: &Program, name: &str) -> Result<TokenId, QuestionError> {
    let found = program.tokens().find(|(_, token)| token.name == name);
    found.map(|(id, _)| id).ok_or_else(|| {
        let names = program.tokens().map(|(_, token)| token.name.as_str());
        QuestionError::NoSuchToken {
            name: name.to_owned(),
            near: nearest(name, names).map(str::to_owned),
        }
    })
}
