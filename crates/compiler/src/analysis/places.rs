//! The places in JSON bodies that rules name: a trie of their paths.

use crate::json::{Path, Step};

/// Names a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PlaceId(usize);

/// The places of a question.
#[derive(Clone, Debug)]
pub(super) struct Places(Vec<Place>);

/// One place.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    parent: Option<PlaceId>,
    /// The members that lead further.
    pub(super) names: Vec<(String, PlaceId)>,
    /// The place of the elements of an array.
    pub(super) each: Option<PlaceId>,
    /// `[*]` is among the steps that lead here.
    pub(super) in_element: bool,
}

impl Places {
    pub(super) const ROOT: PlaceId = PlaceId(0);

    pub(super) fn new() -> Self {
        Self(vec![Place::default()])
    }

    /// The place of a path.
    pub(super) fn at(&mut self, path: &Path) -> PlaceId {
        path.0.iter().fold(Self::ROOT, |from, step| self.step(from, step))
    }

    fn step(&mut self, from: PlaceId, step: &Step) -> PlaceId {
        let fresh = PlaceId(self.0.len());
        let Some(place) = self.0.get_mut(from.0) else {
            return from;
        };
        let in_element = place.in_element || *step == Step::Each;
        let to = match step {
            Step::Each => *place.each.get_or_insert(fresh),
            Step::Name(name) => match place.names.iter().find(|(known, _)| known == name) {
                Some((_, known)) => *known,
                None => {
                    place.names.push((name.clone(), fresh));
                    fresh
                }
            },
        };
        if to == fresh {
            self.0.push(Place {
                parent: Some(from),
                in_element,
                ..Place::default()
            });
        }
        to
    }

    pub(super) fn get(&self, id: PlaceId) -> Option<&Place> {
        self.0.get(id.0)
    }

    /// Whether `place` is `above`, or below it.
    pub(super) fn is_within(&self, place: PlaceId, above: PlaceId) -> bool {
        let mut at = Some(place);
        while let Some(id) = at {
            if id == above {
                return true;
            }
            at = self.get(id).and_then(|place| place.parent);
        }
        false
    }
}
