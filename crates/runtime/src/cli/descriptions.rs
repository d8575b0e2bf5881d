//! Descriptions of the protected API: their operations, and these as the analysis sees them.

mod args;
mod compared;
mod described;
mod lazy;
mod names;

pub(super) use args::DescriptionArgs;
pub(super) use compared::catalogue;
pub(super) use described::{Described, DescribedFile, name, read_one};
pub(super) use lazy::LazyNames;
pub(super) use names::Names;
