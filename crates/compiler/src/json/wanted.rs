//! The wanted nodes of a body: a trie of paths, so that one pass over the body finds them all.

use std::borrow::Cow;

use super::fold::{fold, same_but_for_case};
use super::path::{Path, Step};

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
                })
                .collect(),
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
                Step::Name(name) => match place.names.iter().find(|known| known.name == *name) {
                    Some(known) => known.place,
                    None => {
                        place.names.push(Member {
                            name: Cow::Borrowed(name),
                            folded: fold(name),
                            place: fresh,
                        });
                        fresh
                    }
                },
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

    /// Calls back for every slot at a place and below it. A loop, as paths are as long as policies make them.
    pub(super) fn all_slots(&self, from: PlaceId, mut found: impl FnMut(Slot)) {
        let mut due = Vec::new();
        let mut next = Some(from);
        while let Some(place) = next.and_then(|id| self.place(id)) {
            place.node.into_iter().chain(place.members).for_each(&mut found);
            due.extend(place.below());
            next = due.pop();
        }
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
}

/// A place in bodies to which wanted paths lead, or which they pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'p> {
    /// The next places by the names that lead to them.
    pub(super) names: Vec<Member<'p>>,
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
}

/// The meaning of a body's name at a place.
#[derive(Clone, Copy)]
pub(super) enum Next {
    Unwanted,
    Wanted(PlaceId),
    CaseVariant,
}

impl Place<'_> {
    /// The place that a member's name leads to. A variant of any wanted name is one, even if it is itself wanted: servers
    /// that ignore case would confuse the two.
    pub(super) fn next(&self, name: &str) -> Next {
        if self.names.is_empty() {
            return Next::Unwanted;
        }
        let folded = fold(name);
        self.names.iter().fold(Next::Unwanted, |next, wanted| match next {
            Next::CaseVariant => next,
            _ if wanted.name == name => Next::Wanted(wanted.place),
            _ if same_but_for_case(&wanted.folded, &folded) => Next::CaseVariant,
            _ => next,
        })
    }

    /// All places that are one step away.
    pub(super) fn below(&self) -> impl Iterator<Item = PlaceId> {
        self.names.iter().map(|member| member.place).chain(self.each)
    }
}
