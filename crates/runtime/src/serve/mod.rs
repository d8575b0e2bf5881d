//! Serving: the listener that clients call, the one for operators, and what runs beside them.

mod error;
mod http;
mod start;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

pub use error::ServeError;
pub use start::{Running, run, start};
