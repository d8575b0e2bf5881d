//! What the tests that cross crates share: the `tokenward` binary on free ports, a recording upstream, a plain client.
//!
//! ```no_run
//! use tokenward_tests::{Call, Client, Proxy, Setup, TestToken, Upstream};
//!
//! let upstream = Upstream::start();
//! let token = TestToken::new("reader", &["[get]/rest/api/2/issue/.*"]);
//! let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
//! let answer = Client::connect(proxy.port()).send(&Call::get("/rest/api/2/issue/KANBAN-1").bearer(&token));
//! assert_eq!(answer.status, 200);
//! ```
//!
//! Everything listens on 127.0.0.1 and ends when its value is dropped. A helper that cannot do its part panics: that fails
//! the test, which is what a broken test bed should do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test bed: a helper that fails, fails its test"
)]

pub mod attributes;
pub mod compose;
pub mod generate;
pub mod layers;
pub mod living;
pub mod naive;
pub mod oracle;
pub mod property;
pub mod reference;
pub mod sets;
pub mod small;
pub mod witness;

mod client;
mod proxy;
mod token;
mod upstream;

pub use client::{Answer, Call, Client};
pub use proxy::{AuditRow, Proxy, Setup, binary, run};
pub use token::TestToken;
pub use tokenward_testbed::{Invocation, PATIENCE, Ran, Stopwatch, eventually, free_ports};
pub use upstream::{Seen, Upstream};
