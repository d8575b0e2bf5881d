//! A policy in which every name has been looked up: what each token permits and forbids, in the order of decision.

use std::rc::Rc;

use ipnet::IpNet;
use regex_syntax::hir::Hir;

use crate::{
    ast::{Effect, Operator},
    json::{Kind, Path},
    method::MethodSet,
    regexp::Anchor,
    source::Span,
    tokens::Seal,
};

/// All tokens.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// In source order.
    pub tokens: Vec<Token>,
}

/// One token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Where it is defined.
    pub span: Span,
    /// Who may use it, and how.
    pub attributes: Attributes,
    /// Its lines, those of included sets first. Lines of sets are shared between tokens.
    pub limits: Vec<Rc<Limit>>,
    /// How many of them are of included sets.
    pub included: usize,
}

/// What a token says of itself beside its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Unique within the policy.
    pub name: String,
    /// Whom it works for.
    pub users: Users,
    /// SHA-256 of the secret's bytes.
    pub secret_hash: [u8; 32],
    /// The hash before a rotation, and until when it counts (ms UTC).
    pub previous: Option<([u8; 32], i64)>,
    /// When it ends, ms UTC; `None`: never.
    pub expires: Option<i64>,
    /// From where it works; empty: from anywhere.
    pub allowed_ips: Vec<IpNet>,
    /// Whom the `contextUser` header may name.
    pub on_behalf_of: Vec<String>,
    /// Whether it is revoked.
    pub revoked: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it may call what mints or shows credentials.
    pub mint: bool,
    /// Whether it permits all that its forbid lines do not take back.
    pub unrestricted: bool,
    /// The warnings that it allows.
    pub lint_allow: Vec<crate::diagnostic::Code>,
    /// Whether its secret stands beside it, encrypted.
    pub secret_sealed: bool,
    /// The signature over all this but `revoked`, and the lines.
    pub seal: Option<Seal>,
}

/// Whom a token works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// One user or several; with one, Bearer works too.
    Named(Vec<String>),
    /// Whoever the caller says he is, Basic only.
    Any,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Where it stands.
    pub span: Span,
    /// Permit, or forbid.
    pub effect: Effect,
    /// The methods it speaks of.
    pub methods: MethodSet,
    /// What the URL must match. A forbid line's pattern has letter case and aliases already taken in.
    pub url: Pattern,
    /// Where the URL pattern begins.
    pub anchor: Anchor,
    /// Constraints on parameters, in order.
    pub params: Vec<Param>,
    /// `[QueryParam::only]`: no parameter but those that `params` name.
    pub params_only: bool,
    /// Constraints on JSON nodes, in order.
    pub nodes: Vec<Node>,
    /// `[JsonData::only]` and its kin: objects that have no members but those that `nodes` and `members` lead to.
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
    /// The only type its values may have.
    pub kind: Option<Kind>,
    /// How values are held against the pattern.
    pub operator: Operator,
    /// The pattern.
    pub pattern: Pattern,
}

/// A regexp whose meaning is settled but for the base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Equal for patterns of equal meaning that were written alike; names the pattern in listings.
    pub text: String,
    /// Its meaning; whole-match.
    pub hir: Hir,
}
