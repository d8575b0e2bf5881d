//! A request that proves a finding.

/// A request that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// As one line.
    pub request: String,
    /// As a `curl` command.
    pub curl: String,
}
