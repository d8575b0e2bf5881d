//! The requests that the analysis reasons about.

/// The requests that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Universe {
    /// Paths are those that the proxy accepts with nothing relaxed. Otherwise every text that begins with `/` is one:
    /// more than any relaxation admits, so that "no request" still holds.
    pub canonical_paths: bool,
    /// GET and HEAD may have bodies.
    pub get_body: bool,
}

impl Default for Universe {
    /// Nothing is relaxed.
    fn default() -> Self {
        Self {
            canonical_paths: true,
            get_body: false,
        }
    }
}
