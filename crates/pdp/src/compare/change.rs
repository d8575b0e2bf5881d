//! A difference in something other than lines, and how its values are shown.

use std::collections::BTreeSet;

use tokenward_compiler::diagnostic::Code;

/// A difference in a key, a setting, a set or an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key as in the files (`expires`, `auth.never_act_as`), or the name of an invariant or a set.
    pub key: String,
    /// The value before.
    pub old: String,
    /// The value now, as reviews quote it.
    pub new: String,
    /// Code of the finding; `None` if the change gives nobody more.
    pub widens: Option<Code>,
    /// Whether it gives more for certain; otherwise its direction is not known.
    pub is_certain: bool,
}

impl Change {
    /// Creates a change of `key`; `widens` is the code of its finding.
    pub(super) fn new(key: &str, old: String, new: String, widens: Option<Code>) -> Self {
        Self {
            key: key.to_owned(),
            old,
            new,
            widens,
            is_certain: true,
        }
    }

    /// The change, marked as one that may or may not give more.
    pub(super) fn uncertain(mut self) -> Self {
        self.is_certain = false;
        self
    }
}

/// Formats names as a sorted list. An empty list becomes `none`, a text that no list of names gives.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>, none: &str) -> String {
    let sorted: BTreeSet<&str> = names.into_iter().collect();
    if sorted.is_empty() {
        return none.to_owned();
    }
    let quoted: Vec<String> = sorted.into_iter().map(name).collect();
    quoted.join(", ")
}

/// Formats a name: unquoted if no character of it could be taken for a separator, otherwise quoted. Two names never
/// look alike.
pub(super) fn name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@*+$[]%~=&?".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_differ_look_different() {
        assert_eq!(list(["b", "a"], "(none)"), "a, b");
        assert_eq!(list(["a, b"], "(none)"), "\"a, b\"");
        assert_eq!(list(["(none)"], "(none)"), "\"(none)\"");
        assert_eq!(list([], "(none)"), "(none)");
        assert_eq!(list([""], "(none)"), "\"\"");
    }
}
