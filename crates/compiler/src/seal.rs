//! Seals: in secure mode each token carries a signature over all its data, made with a key outside git.
//!
//! A seal is Ed25519 (RFC 8032) over a *statement*, version 2:
//!
//! ```text
//! tokenward token seal 2⏎
//! name 11:ci-comments⏎
//! user 6:svc-ci⏎                                  one for each user; any_user 4:true⏎ in their place
//! secret_hash 64:2bb8…⏎                           SHA-256 in lower-case hexadecimal
//! previous_secret_hash 64:…⏎                      and
//! previous_until 13:1893456000000⏎                ms since 1970 UTC, both only after a rotation
//! expires 13:1893456000000⏎                       the same
//! allowed_ips 10:10.0.0.0/8⏎                      one for each, with its prefix length
//! on_behalf_of 5:alice⏎                           one for each
//! mint 4:true⏎                                    if set
//! escalate 4:true⏎                            if set; version 1 lacks this key and the next four
//! rate 6:600/1m⏎                                  if set; the time in its longest unit
//! burst 3:100⏎                                    the same
//! concurrent 1:5⏎                                 the same
//! max_body 7:1048576⏎                             the same, in bytes
//! unrestricted 4:true⏎                            if set
//! owner 4:team⏎
//! description 3:why⏎
//! lint_allow 6:TW0101⏎                            one for each
//! limit 30:[get]/rest/api/2/issue/KANBAN-1⏎       one for each: forbid lines first, those of sets first
//! ```
//!
//! The keys have this order, absent ones are left out, lists keep their order. A number is the length of the text after
//! its colon, in bytes of UTF-8, so that different tokens have different statements. Included sets appear as their lines.
//! `revoked` is not: revoking is the one change that needs no key. A version signs the keys that its table names
//! ([`Version::keys`]): a token that has any other key has no statement of that version, and its seal is wrong. As it
//! policy file has it, a seal is `v2:`, the key's id, `:` and the signature in hexadecimal.

mod check;
mod fault;
mod statement;

pub use crate::tokens::{KeyId, NotAKey, NotASeal, PublicKey, Seal, Version};
pub use check::{faults, report};
pub use fault::{Fault, Mode, fault, lines};
pub use statement::{NotSigned, statement};
