//! A language server for policy files: findings while somebody types, explanations of lines, completion, and new names of sets.
//!
//! The server speaks the Language Server Protocol 3.17 over standard input and output ([`serve`]), or over any pair of channels
//! ([`serve_on`]). What a policy means under its configuration comes from the program around it, which implements [`Host`].
//!
//! One thread handles messages, in their order. Each policy has two threads of its own: one checks the pieces that changed at once,
//! the other checks the whole policy after a pause. A newer change replaces a check that waits, and ends one that runs. Explanations
//! and formatting need proofs, and are done by another thread, with a bounded queue.

mod actions;
mod checks;
mod completion;
mod cursor;
mod explain;
mod findings;
mod formatting;
mod host;
mod hover;
pub mod keys;
mod outline;
mod pieces;
mod publish;
mod rename;
mod requests;
pub mod schema;
mod server;
mod sets;
mod text;
mod transport;
mod worker;
mod workspace;

pub use host::{Checked, DescribedPath, DescribedSegment, Found, Host, Policy, Problem, Stop, Terms};
pub use server::{Ended, serve, serve_on};
