//! Serving: the listener for clients, the one for operators, and their background threads.

mod access;
mod capacity;
mod connection_limit;
mod date;
mod error;
mod front;
mod http1;
mod http2;
mod places;
mod prepare;
mod proxy_protocol;
mod reader_pace;
mod start;
mod stream;
mod tls;
mod worker;

#[cfg(test)]
mod tests;

pub use access::AccessError;
pub(crate) use access::{creatable, owner_of, store_access};
pub use error::ServeError;
pub use start::{Running, start};
pub(crate) use start::{run, start_with};
