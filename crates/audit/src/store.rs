//! The periods of a store, the lock, and where the chain ends after a crash.

pub(crate) mod end_note;
pub(crate) mod lock;
pub(crate) mod periods;
pub(crate) mod recover;
pub(crate) mod retention;
