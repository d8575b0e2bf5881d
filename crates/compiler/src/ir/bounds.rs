//! How much memory a program's layout may take beyond its plain form.

/// Maximum growth of the layout, in bytes: a constant, and a number for each token and each rule.
pub(super) const SLACK: usize = if cfg!(test) { 16 << 10 } else { 16 << 20 };
pub(super) const MOST: usize = 1 << 10;
