//! Counts before nouns.

/// Returns the noun for a count of things.
pub fn plural(count: usize, what: &str) -> String {
    match count {
        1 => what.to_owned(),
        _ if what.ends_with('x') => format!("{what}es"),
        _ => format!("{what}s"),
    }
}
