//! What findings rest on, as claims that a certificate can prove.

use crate::{
    analysis::{Certificates, Request, Subject},
    diagnostic::{Code, Diagnostic},
    ir::{RuleId, TokenId},
    source::Span,
};

/// What a finding rests on.
#[derive(Clone, Debug)]
pub enum Grounds {
    /// The token with only the first lines allows no request.
    Nothing(TokenId, Vec<RuleId>),
    /// The whole token allows no request.
    NothingAtAll(TokenId),
    /// The token with only the first line allows nothing beyond the token with only the others.
    Within(TokenId, RuleId, Vec<RuleId>),
    /// The token without a forbid line allows nothing beyond the whole token.
    Idle(TokenId, RuleId),
    /// Both tokens allow the same.
    Equal(TokenId, TokenId),
    /// The token allows a request.
    Allows(TokenId, Box<Request>),
}

/// A finding, and what it rests on.
#[derive(Clone, Debug)]
pub struct Grounded {
    code: Code,
    span: Span,
    grounds: Grounds,
}

impl Grounded {
    /// The grounds of a finding.
    #[must_use]
    pub fn new(finding: &Diagnostic, grounds: Grounds) -> Self {
        Self {
            code: finding.code,
            span: finding.primary.span,
            grounds,
        }
    }

    /// Whether it is about this finding.
    #[must_use]
    pub fn is_of(&self, finding: &Diagnostic) -> bool {
        (self.code, self.span) == (finding.code, finding.primary.span)
    }

    /// Adds the certificates of what the finding rests on. `side`: the number of the policy; `what`: the finding in words.
    pub fn certify(&self, side: usize, what: &str, certificates: &mut Certificates<'_>) {
        let token = |token: TokenId| Subject::new(side, Some(token));
        match &self.grounds {
            Grounds::Nothing(id, lines) => {
                certificates.nothing(&[token(*id).only(lines.clone())], None, what);
            }
            Grounds::NothingAtAll(id) => certificates.nothing(&[token(*id)], None, what),
            Grounds::Within(id, line, others) => {
                let others = token(*id).only(others.clone());
                certificates.nothing(&[token(*id).only(vec![*line])], Some(&others), what);
            }
            Grounds::Idle(id, line) => {
                certificates.nothing(&[token(*id).without(vec![*line])], Some(&token(*id)), what);
            }
            Grounds::Equal(one, other) => {
                certificates.nothing(&[token(*one)], Some(&token(*other)), what);
                certificates.nothing(&[token(*other)], Some(&token(*one)), what);
            }
            Grounds::Allows(id, request) => certificates.request(&[token(*id)], None, request, what),
        }
    }
}

/// Whether findings of a code claim something about all requests, or about a request: they rest on a proof. Findings about invariants
/// do not count, since each answer about an invariant has a certificate of its own.
#[must_use]
pub fn rest_on_proofs(code: Code) -> bool {
    matches!(
        code,
        Code::DeadHere
            | Code::EmptyLine
            | Code::CoveredLine
            | Code::IdleForbid
            | Code::TakenBack
            | Code::EqualReach
            | Code::UnusableToken
            | Code::MeansMore
            | Code::IdleLine
            | Code::NewAccess
            | Code::LiftedForbid
            | Code::FreedToken
            | Code::OpenComparison
            | Code::LatentAccess
            | Code::LiftedNames
            | Code::Unanchored
            | Code::MissingBoundary
            | Code::UnescapedDot
            | Code::OpenValue
            | Code::NoMethods
            | Code::AllowsAll
            | Code::DeadAlternative
            | Code::TopAlternation
            | Code::BodilessMethod
            | Code::ReachesReserved
            | Code::AvoidableForbid
            | Code::SingleForList
    )
}
