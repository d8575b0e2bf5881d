//! Writing policies and calls: changes of policy files, keys, and ready calls with a token.

pub mod edit;
pub(crate) mod from_calls;
pub mod keys;
pub(crate) mod proposal;
pub(crate) mod snippet;
pub(crate) mod time;
pub(crate) mod unhelpful;
pub(crate) mod words;
