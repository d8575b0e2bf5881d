//! Counts before nouns.

pub(super) fn plural(count: usize, what: &str) -> String {
    match count {
        1 => what.to_owned(),
        _ if what.ends_with('x') => format!("{what}es"),
        _ => format!("{what}s"),
    }
}
