//! Answers to questions.

pub(crate) mod by_status;
pub(crate) mod calls;
pub(crate) mod items;
pub(crate) mod left_out;
pub(crate) mod matches;
pub(crate) mod scan;
pub(crate) mod source;
pub(crate) mod usage;
pub(crate) mod walk;
