//! Answers about invariants, as certificates state them.

use crate::{
    analysis::{Certificates, Request, Subject},
    ir::TokenId,
    tokens::InvariantKind,
};

/// Whether a token keeps an invariant.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The invariant, as a token of the invariants' program.
    pub(super) invariant: TokenId,
    pub(super) token: TokenId,
    pub(super) kind: InvariantKind,
    /// Requests that break it.
    pub(super) breaches: Vec<Request>,
    /// Whether there may be more.
    pub(super) is_open: bool,
}

impl Answered {
    /// Adds the certificates of the answer: `policy` and `invariants` are the numbers of the programs.
    pub fn certify(&self, (policy, invariants): (usize, usize), certificates: &mut Certificates<'_>) {
        let demand = Subject::new(invariants, Some(self.invariant));
        let token = Subject::new(policy, Some(self.token));
        let found: Vec<&Request> = self.breaches.iter().collect();
        certificates.demand((self.kind, &demand), &token, (&found, self.is_open));
    }
}
