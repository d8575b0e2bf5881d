//! A request that proves a finding.

use crate::method::Method;

/// A request that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// As one line.
    pub request: String,
    /// As a `curl` command.
    pub curl: String,
    /// The method.
    pub method: Method,
    /// The path below the public URL, decoded.
    pub path: String,
    /// The operation of the API that the request is a call of, if a description is known and has it.
    pub operation: Option<String>,
}
