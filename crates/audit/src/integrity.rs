//! Proof against tampering: signed heads of the chain, and its verification.

pub(crate) mod findings;
pub(crate) mod head_check;
pub(crate) mod heads_file;
pub(crate) mod keys;
pub(crate) mod proof;
pub(crate) mod signed_head;
pub(crate) mod verify;
