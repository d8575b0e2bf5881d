//! The policy decision point: reads a request once, into the form that is matched, recorded and forwarded, and answers how the proxy
//! would treat it by the compiled policy, the credentials and the configuration. It does not serve, send or store anything, and
//! has no clock: its callers pass the time.
//!
//! The proxy (`tokenward-runtime`) enforces what this crate decides. The command and the playground ask it about single requests
//! ([`explain`]), whole policies ([`check`]) and changes of policies ([`compare`]).

pub mod ambiguity;
pub mod auth;
pub mod buffers;
pub mod check;
pub mod compare;
pub mod config;
pub mod curl;
pub mod evidence;
pub mod explain;
pub mod forwarded;
pub mod inspect;
pub mod nearby;
pub mod pasted;
pub mod plural;
pub mod preflight;
pub mod problem;
pub mod rehearse;
pub mod request;
pub mod secret;
pub mod servable;
pub mod side;
pub mod testing;
pub mod text;
mod unanswered;
pub mod wire;
pub mod words;

pub use unanswered::{FaultyInvariants, Unanswered};
