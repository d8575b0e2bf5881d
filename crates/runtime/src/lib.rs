//! The enforcing proxy: reads each request once, has the compiled policy decide it, records it, and forwards the
//! request that was judged. The `tokenward` command is the binary of this crate.

#![cfg_attr(
    not(feature = "proxy"),
    allow(
        dead_code,
        unused_imports,
        unreachable_pub,
        reason = "the proxy and the command use them"
    )
)]

#[cfg(feature = "proxy")]
pub mod admin;
#[cfg(feature = "proxy")]
mod audit_json;
#[cfg(feature = "proxy")]
pub mod authoring;
mod buffers;
#[cfg(feature = "proxy")]
mod call;
#[cfg(feature = "proxy")]
mod capture;
#[cfg(feature = "proxy")]
pub mod cli;
pub mod config;
mod curl;
#[cfg(feature = "proxy")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "proxy")]
mod git;
#[cfg(feature = "proxy")]
mod hardening;
#[cfg(feature = "proxy")]
pub mod identity;
mod limiter;
#[cfg(feature = "proxy")]
pub mod live;
#[cfg(feature = "proxy")]
mod metrics;
mod network;
#[cfg(feature = "proxy")]
mod ownership;
#[cfg(feature = "proxy")]
pub mod pep;
mod problem;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod request;
#[cfg(feature = "proxy")]
pub mod respond;
pub mod secret;
#[cfg(feature = "proxy")]
pub mod serve;
#[cfg(feature = "proxy")]
pub mod telemetry;
mod testing;
mod text;
#[cfg(feature = "proxy")]
mod tls;
mod wire;

// Without the proxy: the same files, as far as they read and judge requests and compare policies, in the same places.

#[cfg(not(feature = "proxy"))]
mod call {
    pub(crate) mod evidence;

    use std::sync::atomic::{AtomicI64, Ordering};

    /// Milliseconds since 1970 UTC. There is no clock: until the time is set, everything has expired.
    static NOW_MS: AtomicI64 = AtomicI64::new(i64::MAX);

    pub(crate) fn now_ms() -> i64 {
        NOW_MS.load(Ordering::Relaxed)
    }

    pub(crate) fn set_now_ms(now_ms: i64) {
        NOW_MS.store(now_ms, Ordering::Relaxed);
    }
}

#[cfg(not(feature = "proxy"))]
#[doc(hidden)]
pub mod cli {
    mod compare;
    mod compile {
        mod linted;
        mod new_access {
            use tokenward_compiler::analysis::Budget;
            use tokenward_compiler::diagnostic::Diagnostic;
            use tokenward_compiler::earlier::Rereading;
            use tokenward_compiler::ir::Program;

            use crate::cli::Failure;
            use crate::cli::side::Side;

            /// There is no base.
            pub(super) enum Base {}

            impl Base {
                pub(super) fn check(
                    &self,
                    _: (&Side, &Program),
                    _: &[Rereading],
                    _: &Budget,
                    _: &mut Vec<Diagnostic>,
                ) -> Result<(), Failure> {
                    match *self {}
                }
            }
        }
        mod proved;
        mod unusable;

        pub(super) use proved::Compiled;
    }
    mod diff {
        mod json;
        mod text;

        use super::compare::Report;

        pub(super) fn as_json(report: &Report) -> String {
            json::render(report)
        }
    }
    mod explain {
        pub(super) mod pasted;
    }
    mod failure;
    mod forwarded;
    mod output;
    pub mod playground;
    mod plural;
    mod progress {
        /// Nobody watches.
        pub(super) struct Progress;

        impl Progress {
            pub(super) fn new(_: &'static str) -> Self {
                Self
            }

            pub(super) fn tell(&mut self, _: usize, _: usize) {}
        }
    }
    mod servable;
    mod side {
        mod compiled;

        pub(super) use compiled::Side;
    }
    mod time {
        pub(super) use crate::call::now_ms;
    }

    pub(crate) use failure::Failure;
}

#[cfg(not(feature = "proxy"))]
mod identity {
    mod names;

    pub(crate) use names::header_names;

    /// The credentials of users are not read.
    pub(crate) enum Identities {}

    impl Identities {
        pub(crate) fn headers(&self, _: &str) -> Result<(), ()> {
            match *self {}
        }
    }
}

#[cfg(not(feature = "proxy"))]
mod live {
    pub(crate) use crate::secret::{SecretHash, parse_hash};
}

#[cfg(not(feature = "proxy"))]
mod pep {
    mod ambiguity;
    mod auth;
    mod cors;
    pub(crate) mod explain;
    mod inspect;
    mod rehearse;

    pub(crate) use ambiguity::refusals::Refusals;
    pub(crate) use auth::AuthRules;
    pub(crate) use rehearse::{Unsent, by_lines, rehearsed};
}

#[cfg(not(feature = "proxy"))]
mod respond {
    mod words;

    pub(crate) use words::{Help, described};
}

#[cfg(not(feature = "proxy"))]
mod serve {
    mod reading;

    pub(crate) use reading::{reading, rules};
}
