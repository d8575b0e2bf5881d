//! A policy in which every name has been looked up: what each token permits and forbids, in the order of decision.

use std::rc::Rc;

use ipnet::IpNet;
use regex_syntax::hir::{Hir, HirKind};

use crate::{
    ast::{Effect, Operator},
    call_limits::CallLimits,
    json::{Kinds, Path},
    method::MethodSet,
    range::Side,
    regexp::{Anchor, BASE_URL_MARK},
    source::Span,
    tokens::Seal,
};

/// All tokens.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The tokens in source order.
    pub tokens: Vec<Token>,
}

/// One token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The span of the definition.
    pub span: Span,
    /// Who may use it, and how.
    pub attributes: Attributes,
    /// The token's lines, those of included sets first. Lines of sets are shared between tokens.
    pub limits: Vec<Rc<Limit>>,
    /// How many of them are of included sets.
    pub included: usize,
}

/// A token's attributes: everything except its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The name, unique within the policy.
    pub name: String,
    /// The users that the token works for.
    pub users: Users,
    /// SHA-256 of the secret's bytes.
    pub secret_hash: [u8; 32],
    /// The hash before a rotation, and until when it counts (ms UTC).
    pub previous: Option<([u8; 32], i64)>,
    /// When it ends, ms UTC; `None`: never.
    pub expires: Option<i64>,
    /// Networks from which the token works; empty: from anywhere.
    pub allowed_ips: Vec<IpNet>,
    /// Whom the `contextUser` header may name.
    pub on_behalf_of: Vec<String>,
    /// Whether it is revoked.
    pub revoked: bool,
    /// The person or team responsible for the token.
    pub owner: Option<String>,
    /// The purpose of the token.
    pub description: Option<String>,
    /// Whether it may call what mints or shows credentials.
    pub mint: bool,
    /// Whether it may call endpoints that grant rights.
    pub escalate: bool,
    /// How often, how many at a time, and with how large a body it may call.
    pub limits: CallLimits,
    /// Whether it permits all that its forbid lines do not take back.
    pub unrestricted: bool,
    /// The warnings that it allows.
    pub lint_allow: Vec<crate::diagnostic::Code>,
    /// Whether the token's entry holds its secret, encrypted.
    pub secret_sealed: bool,
    /// The signature over all this but `revoked`, and the lines.
    pub seal: Option<Seal>,
}

/// Whom a token works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// One user or several; with one, Bearer works too.
    Named(Vec<String>),
    /// Any user that the caller names, Basic only.
    Any,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The span of the line.
    pub span: Span,
    /// Whether the line permits or forbids.
    pub effect: Effect,
    /// The methods it speaks of.
    pub methods: MethodSet,
    /// The pattern of the URL. A forbid line's pattern already includes letter case and aliases.
    pub url: Pattern,
    /// The part of the URL at which the pattern begins.
    pub anchor: Anchor,
    /// Constraints on parameters, in order.
    pub params: Vec<Param>,
    /// `[QueryParam::only]`: no parameter but those that `params` name.
    pub params_only: bool,
    /// Constraints on JSON nodes, in order.
    pub nodes: Vec<Node>,
    /// `[JsonData::only]` and `only` at deeper objects: objects with no members except those that `nodes` and `members` lead to.
    pub members: Vec<Path>,
}

/// A constraint on a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The parameter's name, decoded.
    pub name: String,
    /// How values are held against the pattern.
    pub operator: Operator,
    /// The pattern.
    pub pattern: Pattern,
}

/// A constraint on a JSON node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The node's place, from the root.
    pub path: Path,
    /// The only types that its values may have.
    pub kinds: Option<Kinds>,
    /// How values are held against the pattern.
    pub operator: Operator,
    /// The pattern.
    pub pattern: Pattern,
}

/// A regexp whose meaning is settled but for the base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Equal for patterns of equal meaning that were written alike, on the same side if they are ranges. For a range, its bound.
    pub text: String,
    /// For a range, the side of the bound that the pattern's texts are on. A forbid line's pattern is the other side's: the line
    /// matches values outside.
    pub side: Option<Side>,
    /// The pattern's meaning; whole-match.
    pub hir: Hir,
}

impl Limit {
    /// A pattern whose branches all begin with `{BASE_URL}` concerns only the path below it, and needs no binding.
    pub(crate) fn below_base(hir: &Hir) -> Option<Hir> {
        match hir.kind() {
            HirKind::Literal(literal) => Some(Hir::literal(
                literal.0.strip_prefix(BASE_URL_MARK.as_bytes())?.to_vec(),
            )),
            HirKind::Concat(parts) => {
                let (first, rest) = parts.split_first()?;
                let below = std::iter::once(Self::below_base(first)?).chain(rest.iter().cloned());
                Some(Hir::concat(below.collect()))
            }
            HirKind::Alternation(branches) => {
                let below: Option<Vec<Hir>> = branches.iter().map(Self::below_base).collect();
                Some(Hir::alternation(below?))
            }
            _ => None,
        }
    }
}
