//! Reads git repositories as hostile input. No other module runs git.
//!
//! A pull request decides what a repository contains, and an attacker who can write to the directory also decides its
//! configuration. Every run therefore ignores the environment and the configuration that could name a command, and every
//! object is checked against its name. Trees and blobs are read as git stores them: no filter, no text conversion, no
//! checkout. See `git/run.rs` for what each run excludes.

mod blame;
mod conversions;
mod entry_kind;
mod error;
mod history;
mod lookup;
mod objects;
mod owner;
mod repository;
mod revision;
mod run;
mod state;
mod tree;

pub(crate) use blame::{Author, Origin, origin};
pub(crate) use error::GitError;
pub(crate) use history::Past;
pub(crate) use repository::{Repository, looks_like_one};
pub(crate) use revision::Commit;
pub(crate) use state::{HalfDone, committed, half_done, has_conflict};
