//! What must hold whatever the bytes: one function a property, which panics where it is broken.
//!
//! `fuzz/` drives them with libFuzzer; `tests/tests/fuzz_inputs.rs` runs them over the inputs kept in `corpus/fuzz`, which are the
//! ones that once broke them and a few that reach deep.

mod artifact;
mod choices;
mod decide;
mod json;
mod line;
mod openapi;
mod policy;
mod request;
mod wire;

pub use artifact::artifact;
pub use decide::{BASES, agree, decide};
pub(crate) use decide::{compiled, nearest};
pub use json::json;
pub use line::line;
pub use openapi::openapi;
pub use policy::{policy, sources};
pub use request::request;
pub use wire::wire;

/// A property of any bytes.
pub type Property = fn(&[u8]);

/// Every property by the name of its fuzz target.
pub const ALL: &[(&str, Property)] = &[
    ("artifact", artifact),
    ("decide", decide),
    ("json", json),
    ("line", line),
    ("openapi", openapi),
    ("policy", policy),
    ("request", request),
    ("wire", wire),
];
