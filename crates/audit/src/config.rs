//! Settings of a store.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a store. `Config::at(path)` gives the defaults named at each field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Directory that holds the store; created if absent. One directory per UTC day below it.
    pub path: PathBuf,
    /// Whether an append waits for the disk. Default: [`Durability::Durable`].
    pub durability: Durability,
    /// How the caller treats calls that cannot be recorded. The store only keeps the setting for the caller to ask.
    /// Default: [`OnFailure::Refuse`].
    pub on_failure: OnFailure,
    /// Most bytes of records that wait for the disk. Default: 16 MiB. Outcomes may take as much
    /// again.
    pub queue_bytes: usize,
    /// How long an append waits for room in the queue, and for the disk. Default: 5 s.
    pub wait: Duration,
    /// Records of unauthenticated callers stored per minute, of callers with a recognised token that does not work for
    /// them, and of each token's calls that a limit refused; further ones are counted. Each kind has a quota of this size.
    /// Default: 600.
    pub outsider_quota_per_minute: u32,
    /// Number of full UTC days to keep in addition to today; absent: all. Default: 90.
    pub retention_days: Option<u32>,
    /// Size of the file that is given up when the disk is full, bytes; 0: none. Default: 8 MiB.
    pub reserve_bytes: u64,
    /// Memory that one open day may use as cache, bytes. In addition, some 10 MB of the newest data always stay in memory.
    /// Default: 32 MiB.
    pub cache_bytes: u64,
    /// File of the key that signs heads of the chain, see [`crate::SigningKey`]; absent: they are not
    /// signed.
    pub signing_key: Option<PathBuf>,
    /// How often the chain's head is signed while records come; also when the store is closed.
    /// Default: 60 s.
    pub signing_interval: Duration,
}

/// When an append counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When its block is on disk.
    Durable,
    /// At once; a crash may lose what came in the last half second.
    Buffered,
}

/// How the caller treats calls that cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Refuse them.
    Refuse,
    /// Let those that change nothing (GET, HEAD) pass, and count them.
    AllowSafe,
}

impl Config {
    /// The defaults, for a store at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Durable,
            on_failure: OnFailure::Refuse,
            queue_bytes: 16 << 20,
            wait: Duration::from_secs(5),
            outsider_quota_per_minute: 600,
            retention_days: Some(90),
            reserve_bytes: 8 << 20,
            cache_bytes: 32 << 20,
            signing_key: None,
            signing_interval: Duration::from_secs(60),
        }
    }
}

impl Default for Config {
    /// The defaults, at `audit` below the working directory.
    fn default() -> Self {
        Self::at("audit")
    }
}
