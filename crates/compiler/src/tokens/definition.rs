//! A token as its entry defines it, before anything is looked up.

use super::{document::At, lines::Lines, seal::Seal};
use crate::{diagnostic::Code, source::Span};

/// One `[[token]]` entry as written; what is missing or contradicts itself is `resolve`'s to say.
#[derive(Clone, Debug)]
pub struct TokenDef {
    /// The entry, or its name once that is known: where findings about the whole token point.
    pub span: Span,
    /// `name`
    pub name: Option<At<String>>,
    /// `user`
    pub user: Option<At<String>>,
    /// `users`
    pub users: Option<At<Vec<String>>>,
    /// `any_user`
    pub any_user: Option<At<bool>>,
    /// `secret_hash`
    pub secret_hash: Option<At<[u8; 32]>>,
    /// `previous_secret_hash`
    pub previous_secret_hash: Option<At<[u8; 32]>>,
    /// `previous_until`, ms UTC
    pub previous_until: Option<At<i64>>,
    /// `expires`, ms UTC
    pub expires: Option<At<i64>>,
    /// `allowed_ips`
    pub allowed_ips: Vec<ipnet::IpNet>,
    /// `on_behalf_of`
    pub on_behalf_of: Option<At<Vec<String>>>,
    /// `revoked`
    pub revoked: bool,
    /// `mint`
    pub mint: bool,
    /// `unrestricted`
    pub unrestricted: Option<At<bool>>,
    /// `owner`
    pub owner: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `include`
    pub include: Vec<At<String>>,
    /// `limit_to`
    pub limit_to: Option<Lines>,
    /// Whether `secret_sealed` stands there
    pub secret_sealed: bool,
    /// `seal`
    pub seal: Option<Seal>,
    /// `lint_allow`
    pub lint_allow: Vec<Code>,
    /// The keys that stand there, with a value that can be used or without: what is there is not missing.
    pub given: Vec<String>,
}

impl TokenDef {
    /// Whether a key stands there, whatever its value.
    #[must_use]
    pub fn gives(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }
}
