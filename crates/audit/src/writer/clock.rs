//! The clock of a store, which tests set.

use std::sync::Arc;

/// A clock: milliseconds since 1970 UTC.
pub(crate) type Now = Arc<dyn Fn() -> i64 + Send + Sync>;
