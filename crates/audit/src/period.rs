//! One period on disk: its name, its database while it is written, its files afterwards.

pub(crate) mod database;
pub(crate) mod edges;
pub(crate) mod files;
pub(crate) mod find_blocks;
pub(crate) mod journal;
pub(crate) mod last_batch;
pub(crate) mod name;
pub(crate) mod open;
