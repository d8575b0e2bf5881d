//! The values that callers give to the store and get from it.

#[cfg(feature = "store")]
pub(crate) mod entry;
pub(crate) mod evidence;
#[cfg(feature = "store")]
pub(crate) mod filter;
#[cfg(feature = "store")]
pub(crate) mod item;
#[cfg(feature = "store")]
pub(crate) mod packed;
pub(crate) mod record;
#[cfg(feature = "store")]
pub(crate) mod url_pattern;
