//! The wanted nodes of a body: a trie of paths, so that one pass over the body finds them all.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::fold::{fold, same_but_for_case};
use super::names::AsItIs;
use super::path::{Path, Step};

/// Names of a place up to which looking at each is faster than a table.
const FEW: usize = 8;

/// The nodes that are wanted of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'p> {
    // INVARIANT: the first is the root, and places come after those that lead to them.
    places: Vec<Place<'p>>,
    slots: u32,
}

/// Where [`Nodes`](super::Nodes) has what stood at a wanted path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(u32);

impl Slot {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl<'p> Wanted<'p> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Wanted {
            places: vec![Place::default()],
            slots: 0,
        }
    }

    /// Asks for the values at a path. A path that was asked for before has its slot already.
    pub fn node(&mut self, path: &'p Path) -> Slot {
        let fresh = Slot(self.slots);
        let slot = self
            .place_of(path)
            .map_or(fresh, |place| *place.node.get_or_insert(fresh));
        self.take(slot, fresh)
    }

    /// Asks for the names of the members of the object at a path.
    pub fn members(&mut self, path: &'p Path) -> Slot {
        let fresh = Slot(self.slots);
        let slot = self
            .place_of(path)
            .map_or(fresh, |place| *place.members.get_or_insert(fresh));
        self.take(slot, fresh)
    }

    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// A copy that owns its names.
    #[must_use]
    pub fn into_owned(self) -> Wanted<'static> {
        let owned = |name: Cow<'_, str>| Cow::Owned(name.into_owned());
        let places = self.places.into_iter().map(|place| Place {
            names: place
                .names
                .into_iter()
                .map(|member| Member {
                    name: owned(member.name),
                    folded: owned(member.folded),
                    place: member.place,
                    before: member.before,
                })
                .collect(),
            by_hash: place.by_hash,
            each: place.each,
            in_element: place.in_element,
            node: place.node,
            members: place.members,
        });
        Wanted {
            places: places.collect(),
            slots: self.slots,
        }
    }

    fn take(&mut self, slot: Slot, fresh: Slot) -> Slot {
        if slot == fresh {
            self.slots = self.slots.saturating_add(1);
        }
        slot
    }

    fn place_of(&mut self, path: &'p Path) -> Option<&mut Place<'p>> {
        let mut at = PlaceId::ROOT;
        for step in &path.0 {
            let fresh = PlaceId(self.places.len());
            let place = self.places.get_mut(at.0)?;
            let in_element = place.in_element || *step == Step::Each;
            at = match step {
                Step::Each => *place.each.get_or_insert(fresh),
                Step::Name(name) => {
                    let folded = fold(name);
                    let known = place.alike(&folded).find(|known| known.name == *name);
                    match known.map(|known| known.place) {
                        Some(known) => known,
                        None => {
                            place.add(Cow::Borrowed(name), folded, fresh);
                            fresh
                        }
                    }
                }
            };
            if at == fresh {
                self.places.push(Place {
                    in_element,
                    ..Place::default()
                });
            }
        }
        self.places.get_mut(at.0)
    }

    pub(super) fn slots(&self) -> usize {
        self.slots as usize
    }

    pub(super) fn place(&self, id: PlaceId) -> Option<&Place<'p>> {
        self.places.get(id.0)
    }

    /// Every place, those that lead to others before them.
    pub(super) fn places(&self) -> &[Place<'p>] {
        &self.places
    }
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Names a place of a [`Wanted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaceId(usize);

impl PlaceId {
    pub(super) const ROOT: PlaceId = PlaceId(0);

    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// A place in bodies to which wanted paths lead, or which they pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'p> {
    /// The next places by the names that lead to them.
    pub(super) names: Vec<Member<'p>>,
    /// For each hash of a folded name its last member; empty if there are few names.
    by_hash: HashMap<u64, usize, BuildHasherDefault<AsItIs>>,
    /// The next place for the elements of an array.
    pub(super) each: Option<PlaceId>,
    /// `[*]` is among the steps that lead here.
    pub(super) in_element: bool,
    pub(super) node: Option<Slot>,
    pub(super) members: Option<Slot>,
}

/// A name that leads from a place to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member<'p> {
    pub(super) name: Cow<'p, str>,
    folded: Cow<'p, str>,
    pub(super) place: PlaceId,
    /// The member before this one with the same hash.
    before: Option<usize>,
}

/// The meaning of a body's name at a place.
#[derive(Clone, Copy)]
pub(super) enum Next {
    Unwanted,
    Wanted(PlaceId),
    CaseVariant,
}

impl<'p> Place<'p> {
    /// The place that a member's name leads to. A variant of any wanted name is one, even if it is itself wanted: servers
    /// that ignore case would confuse the two.
    pub(super) fn next(&self, name: &str) -> Next {
        if self.names.is_empty() {
            return Next::Unwanted;
        }
        let mut next = Next::Unwanted;
        for wanted in self.alike(&fold(name)) {
            if wanted.name != name {
                return Next::CaseVariant;
            }
            next = Next::Wanted(wanted.place);
        }
        next
    }

    /// The names that are equal to a folded one but for their case. Cost: about the same for any number of names, since bodies
    /// have as many as they like.
    fn alike<'s>(&'s self, folded: &'s str) -> impl Iterator<Item = &'s Member<'p>> {
        let (all, last) = match self.by_hash.is_empty() {
            true => (self.names.as_slice(), None),
            false => (&[][..], self.by_hash.get(&hash(folded))),
        };
        let by_hash = std::iter::successors(last.and_then(|at| self.names.get(*at)), |member| {
            self.names.get(member.before?)
        });
        let may_be = all.iter().chain(by_hash);
        may_be.filter(move |member| same_but_for_case(&member.folded, folded))
    }

    fn add(&mut self, name: Cow<'p, str>, folded: Cow<'p, str>, place: PlaceId) {
        let hash_of_new = hash(&folded);
        self.names.push(Member {
            name,
            folded,
            place,
            before: None,
        });
        let at = self.names.len() - 1;
        if at == FEW {
            for at in 0..at {
                let hash = self.names.get(at).map(|member| hash(&member.folded));
                hash.into_iter().for_each(|hash| self.list(at, hash));
            }
        }
        if at >= FEW {
            self.list(at, hash_of_new);
        }
    }

    fn list(&mut self, at: usize, hash: u64) {
        let before = self.by_hash.insert(hash, at);
        if let Some(member) = self.names.get_mut(at) {
            member.before = before;
        }
    }
}

/// A hash of a folded name, whatever its letters' case. FNV-1a: the names are the policy's, so nobody gains by a collision.
fn hash(folded: &str) -> u64 {
    folded.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> Path {
        Path(vec![Step::Name(name.to_owned())])
    }

    #[test]
    fn many_names_are_found_as_few_are() {
        let names: Vec<String> = (0..100)
            .map(|at| format!("name{at}"))
            .chain(["Maß".to_owned()])
            .collect();
        let paths: Vec<Path> = names.iter().map(|name| path(name)).collect();
        let variant = path("Name7");
        let mut wanted = Wanted::new();
        for path in &paths {
            wanted.node(path);
        }
        assert_eq!(wanted.node(&paths[5]), wanted.node(&paths[5]));
        let root = wanted.place(PlaceId::ROOT).unwrap();
        assert!(
            names
                .iter()
                .all(|name| matches!(root.next(name), Next::Wanted(_)))
        );
        assert!(matches!(root.next("NAME7"), Next::CaseVariant));
        assert!(matches!(root.next("MASS"), Next::CaseVariant));
        assert!(matches!(root.next("name100"), Next::Unwanted));
        // Both spellings are wanted: a body with either is ambiguous.
        wanted.node(&variant);
        let root = wanted.place(PlaceId::ROOT).unwrap();
        assert!(matches!(root.next("name7"), Next::CaseVariant));
        assert!(matches!(root.next("Name7"), Next::CaseVariant));
    }
}
