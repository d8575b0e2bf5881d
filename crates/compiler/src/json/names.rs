//! The names in the objects that are open, to find duplicates.
//!
//! Bodies are hostile: comparing every name with every other would take quadratic time, and so would a hash that
//! collides at will. Small objects, which most are, compare, first by a few bytes of each name; larger ones go to a set
//! under the standard library's randomly keyed hash, which is stored with each name: a set that grows does not hash again.

use std::borrow::Cow;
use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

// Up to here comparing is faster than hashing.
const SMALL: usize = 32;

/// The names of all open objects.
pub(super) struct Names<'b> {
    // Names of the small objects, outermost first, each with its mark.
    small: Vec<(u64, Cow<'b, str>)>,
    // Sets of the large objects, outermost first. INVARIANT: the innermost large object's set is the last.
    large: Vec<Set<'b>>,
    keys: RandomState,
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
            keys: RandomState::new(),
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
            let hash = self.hash(&name);
            return self.large.last_mut().is_some_and(|set| set.insert(hash, name));
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
            let mut set = Set::default();
            for (_, name) in self.small.drain(object.start..) {
                set.insert(hash(&self.keys, &name), name);
            }
            self.large.push(set);
        }
        true
    }

    /// Whether the innermost object has a name.
    #[cfg(test)]
    pub(super) fn contains(&self, object: Object, name: &str) -> bool {
        if object.large {
            let hash = self.hash(name);
            self.large.last().is_some_and(|set| set.contains(hash, name))
        } else {
            let mark = mark(name);
            let mine = self.small.get(object.start..).unwrap_or_default();
            mine.iter().any(|(other, known)| *other == mark && known == name)
        }
    }

    fn hash(&self, name: &str) -> u64 {
        hash(&self.keys, name)
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

fn hash(keys: &RandomState, name: &str) -> u64 {
    let mut hasher = keys.build_hasher();
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// Names by their hashes.
#[derive(Default)]
struct Set<'b> {
    by_hash: HashMap<u64, Cow<'b, str>, BuildHasherDefault<AsItIs>>,
    /// Names with the hash of another one: as good as never any.
    others: HashSet<Cow<'b, str>>,
}

impl<'b> Set<'b> {
    /// Adds a name. False if it was there already.
    fn insert(&mut self, hash: u64, name: Cow<'b, str>) -> bool {
        match self.by_hash.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(name);
                true
            }
            Entry::Occupied(place) => *place.get() != name && self.others.insert(name),
        }
    }

    #[cfg(test)]
    fn contains(&self, hash: u64, name: &str) -> bool {
        self.by_hash
            .get(&hash)
            .is_some_and(|known| known == name || self.others.contains(name))
    }
}

/// Returns a number that is already a hash.
#[derive(Clone, Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Keys are `u64`s, which do not come here; this is right for others all the same.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
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

#[cfg(test)]
mod tests;
