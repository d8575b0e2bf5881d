//! Counts before nouns.

pub(super) fn plural(count: usize, what: &str) -> String {
    if count == 1 {
        what.to_owned()
    } else {
        format!("{what}s")
    }
}
