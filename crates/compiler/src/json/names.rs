//! The names in the objects that are open, to find duplicates.
//!
//! Bodies are hostile: comparing every name with every other would take quadratic time, and so would a hash that
//! collides at will. Small objects, which most are, compare, first by a few bytes of each name; larger ones go to a set
//! under the standard library's randomly keyed hash.

use std::borrow::Cow;
use std::collections::HashSet;

// Up to here comparing is faster than hashing.
const SMALL: usize = 32;

/// The names of all open objects.
pub(super) struct Names<'b> {
    // Of the small ones, outermost first, each with its mark.
    small: Vec<(u64, Cow<'b, str>)>,
    // Of the large ones, outermost first. INVARIANT: the innermost large object's set is the last.
    large: Vec<HashSet<Cow<'b, str>>>,
}

/// One open object. They close in the reverse order of their opening.
#[derive(Clone, Copy)]
pub(super) struct Object {
    start: usize,
    large: bool,
}

impl<'b> Names<'b> {
    pub(super) fn new() -> Self {
        Self {
            small: Vec::with_capacity(SMALL),
            large: Vec::new(),
        }
    }

    pub(super) fn open(&mut self) -> Object {
        Object {
            start: self.small.len(),
            large: false,
        }
    }

    /// Adds a name to the innermost object. False if it was there already.
    pub(super) fn add(&mut self, object: &mut Object, name: Cow<'b, str>) -> bool {
        if object.large {
            return self.large.last_mut().is_some_and(|set| set.insert(name));
        }
        let mine = self.small.get(object.start..).unwrap_or_default();
        let mark = mark(&name);
        if mine.iter().any(|(other, known)| *other == mark && *known == name) {
            return false;
        }
        let full = mine.len() >= SMALL;
        self.small.push((mark, name));
        if full {
            // A new set each time: to clear one takes time in proportion to the largest object it ever held.
            object.large = true;
            self.large
                .push(self.small.drain(object.start..).map(|(_, name)| name).collect());
        }
        true
    }

    /// Whether the innermost object has a name.
    pub(super) fn contains(&self, object: Object, name: &str) -> bool {
        if object.large {
            self.large.last().is_some_and(|set| set.contains(name))
        } else {
            let mark = mark(name);
            let mine = self.small.get(object.start..).unwrap_or_default();
            mine.iter().any(|(other, known)| *other == mark && known == name)
        }
    }

    /// Closes the innermost object.
    pub(super) fn close(&mut self, object: Object) {
        if object.large {
            self.large.pop();
        } else {
            self.small.truncate(object.start);
        }
    }
}

/// Equal for equal names; mostly not for others, which mostly differ in length or at their end.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let end = match bytes.last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    end ^ (name.len() as u64).rotate_right(8)
}
