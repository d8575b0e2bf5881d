//! How much memory a program's layout may take beyond its plain form.

/// How far what is laid out may grow, bytes: so much, and so much for each token and each rule.
pub(super) const SLACK: usize = if cfg!(test) { 16 << 10 } else { 16 << 20 };
pub(super) const MOST: usize = 1 << 10;
