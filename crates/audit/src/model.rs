//! The values that callers give to the store and get from it.

pub(crate) mod entry;
pub(crate) mod evidence;
pub(crate) mod filter;
pub(crate) mod item;
pub(crate) mod packed;
pub(crate) mod record;
pub(crate) mod url_pattern;
