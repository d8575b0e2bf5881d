//! What can be asked of a JSON body.
//!
//! [`crate::json::Node`] records what occurred at a place at least once: values, an object, a step of the wrong kind,
//! a missing element. So every constraint consists of *universals* (never at this place) and *demands* (once at this
//! place); [`model`] finds bodies for them.

pub(super) mod model;
mod spelling;

use std::collections::BTreeSet;

use super::{
    language::LangId,
    places::PlaceId,
    values::{Trait, ValueSet},
};
use crate::{
    ast::{Effect, Operator},
    json::{Kind, Kinds},
};

/// Something that may be true of a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BodyAtom {
    /// The place it speaks of.
    pub(super) place: PlaceId,
    /// The claim about the place.
    pub(super) says: Says,
}

/// What an atom says of a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Says {
    /// Nowhere, or once, this fact.
    Fact(Fact, Quantity),
    /// All values there are in this set.
    AllValues(ValueSet),
    /// One value is in the set.
    SomeValue(ValueSet),
    /// Objects there have no members but these.
    Only(BTreeSet<String>),
    /// An object there has a member other than these.
    Beside(BTreeSet<String>),
    /// Objects there have no member whose name differs from this one only in letter case.
    NoVariant(String),
    /// An object there has such a member.
    Variant(String),
    /// The root has no member of this name, bare or with `[…]`.
    NoneOf(String),
    /// The root has a member of this name, bare or with `[…]`.
    OneOf(String),
}

/// The number of occurrences of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Quantity {
    /// The fact never occurs.
    Never,
    /// The fact occurs at least once.
    Once,
}

/// The facts that a place can have: the flags of [`crate::json::Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// Any value or object was found.
    Found,
    /// A scalar, directly or in arrays.
    Value,
    /// An object, directly or in arrays.
    Object,
    /// A step on the way met the wrong kind.
    Misfit,
    /// The value at the place is not an object, or a step met the wrong kind.
    NoObject,
    /// An object lacked it, or a step to it.
    Missing,
    /// An object below `[*]` lacked it, or a step to it.
    Lacking,
}

/// A constraint on a node.
#[derive(Clone, Copy)]
pub(super) struct Test {
    pub(super) effect: Effect,
    pub(super) operator: Operator,
    pub(super) kinds: Option<Kinds>,
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
    // A permit line treats a range as it treats a regexp.
    let operator = match (test.effect, test.operator) {
        (Effect::Permit, Operator::Within(_)) => Operator::All,
        (Effect::Permit, Operator::WithinOrAbsent(_)) => Operator::AllOrAbsent,
        (_, operator) => operator,
    };
    let alternatives = match (test.effect, operator, holds) {
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
        // The pattern of a forbid line's range is that of the other side.
        (_, Operator::Within(_), true) => vec![
            vec![Says::SomeValue(values.outside)],
            vec![once(Object)],
            vec![once(Misfit)],
        ],
        (_, Operator::Within(_), false) => {
            vec![vec![Says::AllValues(values.inside), never(Object), never(Misfit)]]
        }
        (_, Operator::WithinOrAbsent(_), true) => vec![
            vec![Says::SomeValue(values.outside)],
            vec![never(Value)],
            vec![once(Missing)],
            vec![once(Object)],
            vec![once(Misfit)],
            vec![once(Lacking)],
        ],
        (_, Operator::WithinOrAbsent(_), false) => vec![certain(values.inside)],
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
    /// Values of the types that match, and a `null` that needs no match.
    typed: ValueSet,
    /// The complement of `typed`.
    not_typed: ValueSet,
    /// Plain values of the type that do not match.
    surely_other: ValueSet,
    /// The complement of `surely_other`.
    maybe_typed: ValueSet,
    /// Matching, or not plain, or a `null` that needs no match.
    maybe: ValueSet,
    /// The complement of `maybe`.
    surely_not: ValueSet,
    /// Not matching, not plain, or of another type.
    maybe_other: ValueSet,
    /// Matching, plain, of the type.
    surely: ValueSet,
    /// Matching, of the type.
    inside: ValueSet,
    /// The complement of `inside`.
    outside: ValueSet,
}

impl Values {
    fn of(test: Test) -> Self {
        let matching = |is| Trait::text(test.language, is);
        let typed = Trait::kinds(test.kinds, true);
        // Without types in the constraint, no value is of another.
        let untyped = || test.kinds.map(|kinds| Trait::kinds(Some(kinds), false));
        let odd = || Trait::plain(false);
        let plain = Trait::plain(true);
        // Whether a value is a `null` that needs no match; without such, there is nothing to say.
        let accepts_null = test.kinds.is_some_and(Kinds::accepts_null);
        let null = |is| match accepts_null {
            true => Trait::kinds(Some(Kinds::only(Kind::Null)), is),
            false => Trait::ANY,
        };
        let listed_null = || accepts_null.then(|| null(true));
        let inside = vec![matching(true).and(typed)];
        let outside: ValueSet = std::iter::once(matching(false)).chain(untyped()).collect();
        Self {
            typed: inside.iter().copied().chain(listed_null()).collect(),
            // A listed null is of the types.
            not_typed: std::iter::once(matching(false).and(null(false)))
                .chain(untyped())
                .collect(),
            surely_other: vec![matching(false).and(typed).and(plain)],
            maybe_typed: [matching(true), odd()].into_iter().chain(untyped()).collect(),
            maybe: [matching(true), odd()].into_iter().chain(listed_null()).collect(),
            surely_not: vec![matching(false).and(plain).and(null(false))],
            maybe_other: [matching(false), odd()].into_iter().chain(untyped()).collect(),
            surely: vec![matching(true).and(typed).and(plain)],
            inside,
            outside,
        }
    }
}
