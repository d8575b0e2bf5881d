//! What can be asked of a query, and queries that satisfy it.
//!
//! A query is a bag of values for each name; names do not depend on each other but through `only` and the families of
//! names that upstreams merge with bodies, and these concern only names. So each demand is met by a pair of its own.

use std::collections::BTreeSet;

use super::{
    budget::Exhausted,
    language::{Goal, LangId, Languages, Literal},
};
use crate::{
    ast::{Effect, Operator},
    param::{names, root_name},
};

/// Something that may be true of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum QueryAtom {
    /// The parameter is absent.
    Absent(String),
    /// The parameter is there.
    Present(String),
    /// All of its values satisfy this.
    All(String, Literal),
    /// One of its values does.
    Some(String, Literal),
    /// The query has only these names.
    Only(BTreeSet<String>),
    /// The query has a name other than these.
    Beside(BTreeSet<String>),
    /// No name is this one, or this one followed by `[…]`.
    NoneOf(String),
    /// Some name is.
    OneOf(String),
}

/// Names without a meaning that are tried: more than lines have names, and configurations refuse.
const FRESH: u32 = 100_000;

/// When a constraint on a parameter holds, or does not: see `decide/query.rs`.
pub(super) fn alternatives(
    (effect, operator): (Effect, Operator),
    name: &str,
    language: LangId,
    holds: bool,
) -> Vec<Vec<QueryAtom>> {
    use QueryAtom::{Absent, All, Present, Some};
    let name = || name.to_owned();
    let all = |is| All(name(), (language, is));
    let some = |is| Some(name(), (language, is));
    // A permit line treats a range as it treats a regexp; the pattern of a forbid line's range is that of the other side.
    let operator = match (effect, operator) {
        (Effect::Permit, Operator::Within(_)) => Operator::All,
        (Effect::Permit, Operator::WithinOrAbsent(_)) => Operator::AllOrAbsent,
        (Effect::Forbid, Operator::WithinOrAbsent(_)) => Operator::None,
        (_, operator) => operator,
    };
    match (effect, operator, holds) {
        (_, Operator::Within(_) | Operator::WithinOrAbsent(_), true) => vec![vec![some(false)]],
        (_, Operator::Within(_) | Operator::WithinOrAbsent(_), false) => vec![vec![all(true)]],
        (Effect::Permit, Operator::All, true) => vec![vec![Present(name()), all(true)]],
        (Effect::Permit, Operator::All, false) => vec![vec![Absent(name())], vec![some(false)]],
        (Effect::Permit, Operator::AllOrAbsent, true) => vec![vec![all(true)]],
        (Effect::Permit, Operator::AllOrAbsent, false) => vec![vec![some(false)]],
        (Effect::Permit, Operator::None, true) => vec![vec![all(false)]],
        (Effect::Permit, Operator::None, false) | (Effect::Forbid, Operator::All, true) => {
            vec![vec![some(true)]]
        }
        (Effect::Forbid, Operator::All, false) => vec![vec![all(false)]],
        (Effect::Forbid, Operator::AllOrAbsent, true) => vec![vec![Absent(name())], vec![some(true)]],
        (Effect::Forbid, Operator::AllOrAbsent, false) => vec![vec![Present(name()), all(false)]],
        (Effect::Forbid, Operator::None, true) => vec![vec![Absent(name())], vec![some(false)]],
        (Effect::Forbid, Operator::None, false) => vec![vec![Present(name()), all(true)]],
    }
}

/// Returns parameters that satisfy all atoms, of names that are not refused.
///
/// # Errors
/// The budget is spent.
pub(super) fn satisfy(
    atoms: &[&QueryAtom],
    refuses: &dyn Fn(&str) -> bool,
    languages: &mut Languages,
) -> Result<Option<Vec<(String, String)>>, Exhausted> {
    let mut query = Query {
        atoms,
        refuses,
        languages,
        pairs: Vec::new(),
    };
    // Values that must differ from others come first, so that a demand for any value finds one.
    for atom in atoms {
        if let QueryAtom::Some(name, literal) = atom
            && !query.add(name, Some(*literal))?
        {
            return Ok(None);
        }
    }
    for atom in atoms {
        let met = match atom {
            QueryAtom::Present(name) => query.has(|known| known == name) || query.add(name, None)?,
            QueryAtom::Beside(names) => {
                query.has(|known| !names.contains(known)) || query.add_one(|name| !names.contains(name))?
            }
            QueryAtom::OneOf(first) => {
                query.has(|known| names(known, first)) || query.add_one(|name| names(name, first))?
            }
            _ => true,
        };
        if !met {
            return Ok(None);
        }
    }
    Ok(Some(query.pairs))
}

struct Query<'a> {
    atoms: &'a [&'a QueryAtom],
    refuses: &'a dyn Fn(&str) -> bool,
    languages: &'a mut Languages,
    pairs: Vec<(String, String)>,
}

impl Query<'_> {
    fn has(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.pairs.iter().any(|(name, _)| wanted(name))
    }

    /// Adds a value to a name; false if the name may not be there, or not have such a value.
    fn add(&mut self, name: &str, literal: Option<Literal>) -> Result<bool, Exhausted> {
        // Names that the proxy refuses are in no query.
        if name.is_empty() || name.chars().any(char::is_control) || (self.refuses)(name) {
            return Ok(false);
        }
        let excluded = self.atoms.iter().any(|atom| match atom {
            QueryAtom::Absent(other) => other == name,
            QueryAtom::Only(names) => !names.contains(name),
            QueryAtom::NoneOf(first) => names(name, first),
            _ => false,
        });
        if excluded {
            return Ok(false);
        }
        let all = self.atoms.iter().filter_map(|atom| match atom {
            QueryAtom::All(other, literal) if other == name => Some(*literal),
            _ => None,
        });
        let goal = Goal::all(all.chain(literal));
        let Some(value) = self.languages.text(&goal)? else {
            return Ok(false);
        };
        let pair = (name.to_owned(), value);
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
        Ok(true)
    }

    /// Adds a name that `wanted` accepts: a name of the atoms if possible, otherwise a fresh one.
    fn add_one(&mut self, wanted: impl Fn(&str) -> bool) -> Result<bool, Exhausted> {
        let mut known = BTreeSet::new();
        for atom in self.atoms {
            match atom {
                QueryAtom::Absent(name)
                | QueryAtom::Present(name)
                | QueryAtom::All(name, _)
                | QueryAtom::Some(name, _)
                | QueryAtom::NoneOf(name)
                | QueryAtom::OneOf(name) => known.extend([name.clone()]),
                QueryAtom::Only(names) | QueryAtom::Beside(names) => known.extend(names.iter().cloned()),
            }
        }
        let firsts: BTreeSet<&str> = known.iter().map(|name| root_name(name)).collect();
        let mut names = (0..FRESH).map(fresh);
        let alone = names.find(|name| !firsts.contains(name.as_str()) && !(self.refuses)(name));
        // One fresh name per family is enough: atoms distinguish names by name and by family, no further.
        let in_family = firsts.iter().filter_map(|first| {
            (0..)
                .map(|number| format!("{first}[{}]", fresh(number)))
                .find(|name| !known.contains(name))
        });
        let candidates: Vec<String> = known.iter().cloned().chain(alone).chain(in_family).collect();
        for candidate in candidates {
            if wanted(&candidate) && self.add(&candidate, None)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Names that mean nothing: `x`, `x1`, `x2`.
pub(super) fn fresh(number: u32) -> String {
    if number == 0 {
        "x".to_owned()
    } else {
        format!("x{number}")
    }
}
