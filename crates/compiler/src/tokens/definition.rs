//! A token as its entry defines it, before anything is looked up.

use std::num::NonZeroU32;

use super::{document::At, lines::Lines, seal::Seal};
use crate::{
    call_limits::{CallLimits, Rate},
    diagnostic::Code,
    source::Span,
};

/// One `[[token]]` entry as written; `resolve` reports missing and contradictory keys.
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
    /// `escalate`
    pub escalate: bool,
    /// `rate`
    pub rate: Option<At<Rate>>,
    /// `burst`
    pub burst: Option<At<NonZeroU32>>,
    /// `concurrent`
    pub concurrent: Option<At<NonZeroU32>>,
    /// `max_body`, in bytes
    pub max_body: Option<At<u64>>,
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
    /// Whether the entry has the key `secret_sealed`
    pub secret_sealed: bool,
    /// `seal`
    pub seal: Option<Seal>,
    /// `lint_allow`
    pub lint_allow: Vec<AllowDef>,
    /// The keys of the entry, including those with an unusable value: such a key is not missing.
    pub given: Vec<String>,
}

/// An entry of `lint_allow`: `"TW0101: the build server renews it"`.
#[derive(Clone, Debug)]
pub struct AllowDef {
    /// The warning that the token allows.
    pub code: Code,
    /// The reason; `None` if there is none.
    pub why: Option<String>,
    /// The span of the entry.
    pub span: Span,
}

impl TokenDef {
    /// The codes of `lint_allow`.
    #[must_use]
    pub fn allowed(&self) -> Vec<Code> {
        self.lint_allow.iter().map(|entry| entry.code).collect()
    }

    /// The limits of calls, without their places.
    #[must_use]
    pub fn limits(&self) -> CallLimits {
        CallLimits {
            rate: self.rate.as_ref().map(|rate| rate.value),
            burst: self.burst.as_ref().map(|burst| burst.value),
            concurrent: self.concurrent.as_ref().map(|concurrent| concurrent.value),
            max_body: self.max_body.as_ref().map(|most| most.value),
        }
    }

    /// Whether the entry has a key, with any value.
    #[must_use]
    pub fn gives(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }
}
