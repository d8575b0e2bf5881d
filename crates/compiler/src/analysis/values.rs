//! Sets of JSON scalars, and members of their intersections.

use super::{
    budget::Exhausted,
    language::{Goal, LangId, Languages, Literal},
};
use crate::json::{Kind, Kinds};

/// A set of scalars, as alternatives: a scalar is in the set if all traits of one of them are true.
pub(super) type ValueSet = Vec<Trait>;

/// Something that may be true of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trait {
    /// The types that it can have, or none.
    pub(super) kinds: Option<(Kinds, bool)>,
    /// The language its text is in, or is not.
    pub(super) text: Option<Literal>,
    /// Whether it is written in shortest plain decimals, if it is a number.
    pub(super) plain: Option<bool>,
}

impl Trait {
    /// True of every scalar.
    pub(super) const ANY: Self = Self {
        kinds: None,
        text: None,
        plain: None,
    };

    pub(super) fn kinds(kinds: Option<Kinds>, is: bool) -> Self {
        Self {
            kinds: kinds.map(|kinds| (kinds, is)),
            ..Self::ANY
        }
    }

    pub(super) fn text(language: LangId, is: bool) -> Self {
        Self {
            text: Some((language, is)),
            ..Self::ANY
        }
    }

    pub(super) fn plain(is: bool) -> Self {
        Self {
            plain: Some(is),
            ..Self::ANY
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            kinds: self.kinds.or(other.kinds),
            text: self.text.or(other.text),
            plain: self.plain.or(other.plain),
        }
    }

    /// The remaining goal for the text of a scalar of this type; `None` if no such scalar has the trait.
    fn of(self, kind: Kind) -> Option<Vec<Literal>> {
        let typed = self.kinds.is_none_or(|(kinds, is)| kinds.has(kind) == is);
        let plain = match (self.plain, kind) {
            (None, _) | (Some(true), Kind::String | Kind::Boolean | Kind::Null) => None,
            (Some(is), Kind::Number) => Some((LangId::PLAIN, is)),
            (Some(false), _) => return None,
        };
        typed.then(|| self.text.into_iter().chain(plain).collect())
    }
}

/// A scalar that is in all of the sets.
///
/// # Errors
/// The budget is spent.
pub(super) fn member(
    sets: &[&ValueSet],
    languages: &mut Languages,
) -> Result<Option<(Kind, String)>, Exhausted> {
    for kind in [Kind::String, Kind::Number, Kind::Boolean, Kind::Null] {
        let of_kind = |set: &&ValueSet| {
            set.iter()
                .filter_map(|alternative| alternative.of(kind))
                .collect()
        };
        let mut goal = Goal(sets.iter().map(of_kind).collect());
        goal.0.extend(Goal::all(grammar(kind)).0);
        if let Some(text) = languages.text(&goal)? {
            return Ok(Some((kind, text)));
        }
    }
    Ok(None)
}

/// The texts that scalars of this type have.
fn grammar(kind: Kind) -> Option<Literal> {
    let language = match kind {
        Kind::String => return None,
        Kind::Number => LangId::NUMBER,
        Kind::Boolean => LangId::BOOLEAN,
        Kind::Null => LangId::NULL,
    };
    Some((language, true))
}
