//! Files that save questions from reading: all of it is derived from the blocks, and may be missing.

pub(crate) mod bloom;
pub(crate) mod counts;
pub(crate) mod file;
pub(crate) mod skipped;
pub(crate) mod time_order;
pub(crate) mod writer;
