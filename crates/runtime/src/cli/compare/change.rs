//! One difference beside the lines, and how values are shown in it.

use std::collections::BTreeSet;

use tokenward_compiler::diagnostic::Code;

/// One difference of a key, a setting, a set or an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Change {
    /// The key as files have it: `expires`, `auth.never_act_as`; of an invariant or a set: its name.
    pub(in super::super) key: String,
    /// The value before.
    pub(in super::super) old: String,
    /// The value now, as a review names it.
    pub(in super::super) new: String,
    /// The finding that the change is; `None` if it gives nobody more.
    pub(in super::super) widens: Option<Code>,
    /// Whether it gives more for certain; otherwise its direction is not known.
    pub(in super::super) is_certain: bool,
}

impl Change {
    /// A change of `key`; `widens` is what it is found to be.
    pub(super) fn new(key: &str, old: String, new: String, widens: Option<Code>) -> Self {
        Self {
            key: key.to_owned(),
            old,
            new,
            widens,
            is_certain: true,
        }
    }

    /// The change as one of which it is not known whether it gives more.
    pub(super) fn uncertain(mut self) -> Self {
        self.is_certain = false;
        self
    }
}

/// A list, sorted; `none` if it is empty, a text that no list of names gives.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>, none: &str) -> String {
    let sorted: BTreeSet<&str> = names.into_iter().collect();
    if sorted.is_empty() {
        return none.to_owned();
    }
    let quoted: Vec<String> = sorted.into_iter().map(name).collect();
    quoted.join(", ")
}

/// A name: as it is written where nothing in it could be taken for a separator, else quoted. Two names never look alike.
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
