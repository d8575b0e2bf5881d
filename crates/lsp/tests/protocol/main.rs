//! The server as an editor meets it, over channels.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

mod client;

mod diagnostics;
mod features;
mod hostile;
mod speed;
