//! The `tokenward` command as its users meet it: one module for each part of it, in one binary.

mod repository;
mod running;

mod audit;
mod audit_live;
mod audit_output;
mod audit_places;
mod cli;
mod diff;
mod git_hostile;
mod hostile_pull_requests;
mod import;
mod proofs;
mod scan;
mod signed;
mod token;
