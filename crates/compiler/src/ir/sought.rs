//! The parts of a request by which a program finds its lines.

use crate::{method::Method, param::Param};

/// What of a request finds lines.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'r> {
    pub(crate) method: Method,
    pub(crate) path: &'r str,
    pub(crate) query: &'r [Param<'r>],
}
