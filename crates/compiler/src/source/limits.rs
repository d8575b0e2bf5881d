//! Limits of a policy directory, on disk and in git: far above every policy, and far below what exhausts a machine.

/// Levels of directories.
pub const DEPTH: usize = 16;
/// Files, directories and links, those that are left out included.
pub const ENTRIES: usize = 65_536;
/// Bytes of one file.
pub const FILE_BYTES: u64 = 64 << 20;
/// Bytes of all policy files.
pub const TOTAL_BYTES: u64 = 256 << 20;
