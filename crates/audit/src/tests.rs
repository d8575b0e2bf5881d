//! Tests of the store as a whole; what belongs to one file stands with it.

mod batches;
mod clocks;
mod codec;
mod counts;
mod counts_verified;
mod damage;
mod disguised;
mod ends;
mod faults;
mod inserted;
mod left_out;
mod limits;
mod memory;
mod model;
mod passing;
mod proofs;
mod queries;
mod reading;
mod reopen;
pub(crate) mod sample;
mod signed;
mod version_1;
mod version_2;
