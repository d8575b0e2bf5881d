//! The `tokenward` command as its users meet it: one module for each part of it, in one binary. `tests/README.md` lists the helpers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

mod ownership;
mod policy;
mod proxy;
mod reach;
mod reach_losses;
mod report;
mod repository;
mod tokenward;

mod ambiguous_names;
mod ask;
mod audit;
mod audit_filters;
mod audit_live;
mod audit_output;
mod audit_places;
mod certificates;
mod cli;
mod completions;
mod config_check;
mod dead_lines;
mod descriptors;
mod diff;
mod explain;
mod explain_advice;
mod fixing;
mod fleet;
mod fmt;
mod formats;
mod forwarded;
mod git_hostile;
mod hardening;
mod health;
mod hostile_names;
mod hostile_pull_requests;
mod import;
mod init;
mod lints;
mod lsp;
mod mistakes;
mod new_operations;
mod policy_tests;
mod proofs;
mod scan;
mod sides;
mod signals;
mod signed;
mod token;
mod token_from;
mod upstream_address;
mod watch;
