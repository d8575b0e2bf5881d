//! What can be asked of a JSON body.
//!
//! [`crate::json::Node`] tells of a place what stood there at least once: values, an object, a step of the wrong kind,
//! something lacking. So whatever a constraint says is made of *universals* (never at this place) and *demands* (once at
//! this place); [`model`] finds bodies for them.

pub(super) mod model;

use std::collections::BTreeSet;

use super::{
    language::LangId,
    places::PlaceId,
    values::{Trait, ValueSet},
};
use crate::{
    ast::{Effect, Operator},
    json::Kind,
};

/// Something that may be true of a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BodyAtom {
    /// The place it speaks of.
    pub(super) place: PlaceId,
    /// What it says of it.
    pub(super) says: Says,
}

/// What an atom says of a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Says {
    /// Nowhere, or once, this fact.
    Fact(Fact, Quantity),
    /// All values there are in this set.
    AllValues(ValueSet),
    /// One is.
    SomeValue(ValueSet),
    /// Objects there have no members but these.
    Only(BTreeSet<String>),
    /// One has another.
    Beside(BTreeSet<String>),
    /// The root has no member of this name, bare or with `[…]`.
    NoneOf(String),
    /// It has one.
    OneOf(String),
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Quantity {
    /// Never.
    Never,
    /// At least once.
    Once,
}

/// What may stand at a place: the flags of [`crate::json::Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// Anything.
    Found,
    /// A scalar, directly or in arrays.
    Value,
    /// An object, directly or in arrays.
    Object,
    /// A step on the way met the wrong kind.
    Misfit,
    /// The same, or what stands there is no object.
    NoObject,
    /// An object lacked it, or a step to it.
    Missing,
    /// The same, below `[*]`.
    Lacking,
}

/// A constraint on a node.
#[derive(Clone, Copy)]
pub(super) struct Test {
    pub(super) effect: Effect,
    pub(super) operator: Operator,
    pub(super) kind: Option<Kind>,
    pub(super) language: LangId,
}

/// When a constraint on the node at a place holds, or does not: see `decide/body.rs`.
pub(super) fn alternatives(test: Test, place: PlaceId, holds: bool) -> Vec<Vec<BodyAtom>> {
    use Fact::{Found, Lacking, Misfit, Missing, Object, Value};
    let never = |fact| Says::Fact(fact, Quantity::Never);
    let once = |fact| Says::Fact(fact, Quantity::Once);
    let values = Values::of(test);
    let readable = || vec![never(Object), never(Misfit), never(Lacking)];
    let with = |more: Vec<Says>| [more, readable()].concat();
    let certain = |all: ValueSet| {
        vec![
            once(Value),
            Says::AllValues(all),
            never(Object),
            never(Misfit),
            never(Missing),
            never(Lacking),
        ]
    };
    let alternatives = match (test.effect, test.operator, holds) {
        (Effect::Permit, Operator::All, true) => vec![with(vec![once(Value), Says::AllValues(values.typed)])],
        (Effect::Permit, Operator::All, false) => vec![
            vec![never(Value)],
            vec![Says::SomeValue(values.not_typed)],
            vec![once(Object)],
            vec![once(Misfit)],
            vec![once(Lacking)],
        ],
        (Effect::Permit, Operator::AllOrAbsent, true) => vec![
            with(vec![never(Found)]),
            with(vec![once(Value), Says::AllValues(values.typed)]),
        ],
        (Effect::Permit, Operator::AllOrAbsent, false) => vec![
            vec![Says::SomeValue(values.not_typed)],
            vec![once(Found), never(Value)],
            vec![once(Object)],
            vec![once(Misfit)],
            vec![once(Lacking)],
        ],
        (Effect::Permit, Operator::None, true) => vec![with(vec![Says::AllValues(values.surely_other)])],
        (Effect::Permit, Operator::None, false) => vec![
            vec![Says::SomeValue(values.maybe_typed)],
            vec![once(Object)],
            vec![once(Misfit)],
            vec![once(Lacking)],
        ],
        (Effect::Forbid, Operator::All, true) => vec![
            vec![Says::SomeValue(values.maybe)],
            vec![once(Object)],
            vec![once(Misfit)],
        ],
        (Effect::Forbid, Operator::All, false) => {
            vec![vec![
                Says::AllValues(values.surely_not),
                never(Object),
                never(Misfit),
            ]]
        }
        (Effect::Forbid, Operator::AllOrAbsent, true) => vec![
            vec![Says::SomeValue(values.maybe)],
            vec![never(Value)],
            vec![once(Missing)],
            vec![once(Object)],
            vec![once(Misfit)],
            vec![once(Lacking)],
        ],
        (Effect::Forbid, Operator::AllOrAbsent, false) => vec![certain(values.surely_not)],
        (Effect::Forbid, Operator::None, true) => vec![
            vec![Says::SomeValue(values.maybe_other)],
            vec![never(Value)],
            vec![once(Missing)],
            vec![once(Object)],
            vec![once(Misfit)],
            vec![once(Lacking)],
        ],
        (Effect::Forbid, Operator::None, false) => vec![certain(values.surely)],
    };
    alternatives.into_iter().map(|says| at(place, says)).collect()
}

/// When the objects at a place have no members but these, or do not.
pub(super) fn only(place: PlaceId, members: BTreeSet<String>, holds: bool) -> Vec<Vec<BodyAtom>> {
    let fact = |fact, quantity| Says::Fact(fact, quantity);
    let alternatives = if holds {
        vec![vec![
            Says::Only(members),
            fact(Fact::NoObject, Quantity::Never),
            fact(Fact::Lacking, Quantity::Never),
        ]]
    } else {
        vec![
            vec![Says::Beside(members)],
            vec![fact(Fact::NoObject, Quantity::Once)],
            vec![fact(Fact::Lacking, Quantity::Once)],
        ]
    };
    alternatives.into_iter().map(|says| at(place, says)).collect()
}

fn at(place: PlaceId, says: Vec<Says>) -> Vec<BodyAtom> {
    says.into_iter().map(|says| BodyAtom { place, says }).collect()
}

/// The sets of values that the operators speak of.
struct Values {
    /// Of the type, and matching.
    typed: ValueSet,
    /// All but those.
    not_typed: ValueSet,
    /// Of the type, plain, and not matching.
    surely_other: ValueSet,
    /// All but those.
    maybe_typed: ValueSet,
    /// Matching, or not plain.
    maybe: ValueSet,
    /// Plain, and not matching.
    surely_not: ValueSet,
    /// Not matching, not plain, or of another type.
    maybe_other: ValueSet,
    /// Matching, plain, of the type.
    surely: ValueSet,
}

impl Values {
    fn of(test: Test) -> Self {
        let matching = |is| Trait::text(test.language, is);
        let typed = Trait::kind(test.kind, true);
        // Without a type in the constraint, no value is of another.
        let untyped = || test.kind.map(|kind| Trait::kind(Some(kind), false));
        let odd = || Trait::plain(false);
        let plain = Trait::plain(true);
        Self {
            typed: vec![matching(true).and(typed)],
            not_typed: std::iter::once(matching(false)).chain(untyped()).collect(),
            surely_other: vec![matching(false).and(typed).and(plain)],
            maybe_typed: [matching(true), odd()].into_iter().chain(untyped()).collect(),
            maybe: vec![matching(true), odd()],
            surely_not: vec![matching(false).and(plain)],
            maybe_other: [matching(false), odd()].into_iter().chain(untyped()).collect(),
            surely: vec![matching(true).and(typed).and(plain)],
        }
    }
}
