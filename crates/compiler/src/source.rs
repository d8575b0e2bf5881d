//! The texts that a policy is made of, and places in them.

pub mod limits;
mod places;
#[cfg(feature = "files")]
mod read;
mod set;

#[cfg(feature = "files")]
pub use read::{Links, ReadDirError, is_module_directory};
pub use set::{
    Source, SourceId, SourceKind, SourceSet, Span, TESTS, is_hidden, is_nearly_read, nearly_special,
};
