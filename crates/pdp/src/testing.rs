//! Tests of policies: requests with the decisions that their authors expect, judged by the steps of the proxy.
//!
//! `bench` judges a request, `cases` reads the requests of test files, `expectation` compares expected with seen. `lab` compiles policies
//! with one changed line; `coverage`, `mutate` and `generate` use it to find out what the tests do not show.

mod bench;
mod cases;
mod coverage;
mod expectation;
mod generate;
mod lab;
mod mutate;

pub use bench::Bench;
pub use cases::{Case, read};
pub use coverage::{Coverage, coverage};
pub use generate::{generate, test as generated_test};
pub use lab::{Lab, Place};
pub use mutate::{Fate, Mutation, Terms, mutate, mutate_lines};
