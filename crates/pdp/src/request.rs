//! Reads the head of an HTTP request once, into the form that is matched, logged and forwarded. Nothing else interprets
//! it.
//!
//! The module is pure: no I/O, no clock, no types of any HTTP library. [`read`] is its entry point. An ambiguous
//! request is refused with a [`Reason`]; there is no lenient mode.
//!
//! Where to start: `reading.rs` puts the parts together; `path.rs`, `query.rs`, `headers.rs`, `media.rs` and
//! `framing.rs` each read one part; `dispositions.rs` and `product/` contain the lists. `calls.rs`, `call_index.rs` and
//! `alias.rs` find calls that give credentials, rights or other calls.

mod alias;
mod call_index;
mod calls;
mod canonical;
mod client;
mod credentials;
mod disposition;
mod dispositions;
mod endpoint;
mod escape;
mod filed;
mod fold;
mod form;
mod forwarded;
mod framing;
mod header_words;
mod headers;
mod host;
mod kept;
mod known_headers;
mod mask;
mod media;
mod name_hash;
#[doc(hidden)]
pub mod parameter_paths;
mod path;
mod prefix;
mod product;
mod query;
mod reading;
mod reason;
mod relax;
mod rules;
mod secrets;
mod settings;
mod target;
mod work;

use crate::wire::raw;
pub use calls::{Call, Class, Group, Needs, Source};
pub use canonical::Canonical;
pub use client::{ClientAddress, Trust};
pub use credentials::Credentials;
pub use endpoint::matches_pattern;
pub(crate) use filed::Filed;
pub(crate) use fold::{folded, folded_with_letters_above, folded_without_iota};
pub use form::check_form;
pub use forwarded::ForwardedFields;
pub use kept::{Keep, Kept, KeyedHash};
pub use mask::{MASKED_NAMES, TOKEN_PREFIX};
pub(crate) use parameter_paths::{is_plain, well_formed};
pub use product::{Classified, Product};
pub use query::Pair;
pub(crate) use query::clash;
pub use raw::{Framing, RawHead, Version};
pub use reading::{Opened, Reading, SELF_PATH, open, open_knowing, read};
pub use reason::{Reason, Refusal};
pub use relax::Relax;
pub use rules::Rules;
pub use secrets::Secrets;
pub use settings::{RulesError, Settings};
pub use tokenward_compiler::decide::Media;
pub use tokenward_compiler::method::Method;
