//! Tests of the store as a whole; what belongs to one file stands with it.

mod clocks;
mod codec;
mod damage;
mod disguised;
mod ends;
mod faults;
mod inserted;
mod lacking;
mod limits;
mod memory;
mod model;
mod passing;
mod proofs;
mod queries;
mod reading;
mod reopen;
mod sample;
mod sheaves;
mod signed;
mod sums;
mod sums_verified;
mod version_1;
