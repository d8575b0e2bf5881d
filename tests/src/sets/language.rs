//! Languages by Brzozowski's derivatives: what may follow a character is again an expression.
//!
//! J. A. Brzozowski, "Derivatives of Regular Expressions" (1964). No automaton is built and nothing is searched: a text is in the
//! language if the expression that is left behind its last character holds the empty text. Assertions look at the characters on both
//! sides, so the derivative and the test for the empty text are told them.

use std::collections::{BTreeSet, HashMap};

use super::chars::Chars;

/// The number of an expression in its [`Expressions`].
pub(super) type Id = usize;

/// An assertion about a place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Assertion {
    Start,
    End,
    Boundary,
    NoBoundary,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Expression {
    Never,
    Empty,
    Chars(Chars),
    Assertion(Assertion),
    Concat(Id, Id),
    Union(BTreeSet<Id>),
    Repeat(Id, u32, Option<u32>),
}

/// What stands next to a place: nothing, a character of a word, another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Side {
    Edge,
    Word,
    Other,
}

impl Side {
    fn of(char: char) -> Self {
        match char.is_ascii_alphanumeric() || char == '_' {
            true => Self::Word,
            false => Self::Other,
        }
    }
}

/// Expressions, each kept once, and their derivatives.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    every: Vec<Expression>,
    known: HashMap<Expression, Id>,
    derivatives: HashMap<(Id, Side, char), Id>,
}

impl Expressions {
    /// Whether they take so much memory (some hundred MB) that one should begin again.
    pub(super) fn is_large(&self) -> bool {
        self.derivatives.len() > 1_000_000
    }

    fn keep(&mut self, expression: Expression) -> Id {
        if let Some(id) = self.known.get(&expression) {
            return *id;
        }
        self.every.push(expression.clone());
        self.known.insert(expression, self.every.len() - 1);
        self.every.len() - 1
    }

    fn expression(&self, id: Id) -> Expression {
        self.every.get(id).cloned().unwrap_or(Expression::Never)
    }

    pub(super) fn never(&mut self) -> Id {
        self.keep(Expression::Never)
    }

    pub(super) fn empty(&mut self) -> Id {
        self.keep(Expression::Empty)
    }

    pub(super) fn chars(&mut self, chars: Chars) -> Id {
        match chars == Chars::default() {
            true => self.never(),
            false => self.keep(Expression::Chars(chars)),
        }
    }

    pub(super) fn assertion(&mut self, assertion: Assertion) -> Id {
        self.keep(Expression::Assertion(assertion))
    }

    pub(super) fn concat(&mut self, first: Id, rest: Id) -> Id {
        match (self.expression(first), self.expression(rest)) {
            (Expression::Never, _) | (_, Expression::Never) => self.never(),
            (Expression::Empty, _) => rest,
            (_, Expression::Empty) => first,
            (Expression::Concat(one, other), _) => {
                let rest = self.concat(other, rest);
                self.concat(one, rest)
            }
            _ => self.keep(Expression::Concat(first, rest)),
        }
    }

    pub(super) fn union(&mut self, parts: impl IntoIterator<Item = Id>) -> Id {
        let mut flat = BTreeSet::new();
        for id in parts {
            match self.expression(id) {
                Expression::Never => {}
                Expression::Union(inner) => flat.extend(inner),
                _ => {
                    flat.insert(id);
                }
            }
        }
        match (flat.len(), flat.first()) {
            (0, _) => self.never(),
            (1, Some(only)) => *only,
            _ => self.keep(Expression::Union(flat)),
        }
    }

    pub(super) fn repeat(&mut self, inner: Id, least: u32, most: Option<u32>) -> Id {
        match (self.expression(inner), most) {
            (_, Some(0)) | (Expression::Empty, _) => self.empty(),
            (_, Some(1)) if least == 1 => inner,
            (Expression::Never, _) if least == 0 => self.empty(),
            (Expression::Never, _) => inner,
            _ => self.keep(Expression::Repeat(inner, least, most)),
        }
    }

    /// Whether the empty text, between these two sides, is in the language.
    fn holds_empty(&self, id: Id, sides: (Side, Side)) -> bool {
        match self.every.get(id) {
            None | Some(Expression::Never | Expression::Chars(_)) => false,
            Some(Expression::Empty) => true,
            Some(Expression::Assertion(assertion)) => match assertion {
                Assertion::Start => sides.0 == Side::Edge,
                Assertion::End => sides.1 == Side::Edge,
                Assertion::Boundary => (sides.0 == Side::Word) != (sides.1 == Side::Word),
                Assertion::NoBoundary => (sides.0 == Side::Word) == (sides.1 == Side::Word),
            },
            Some(Expression::Concat(first, rest)) => {
                self.holds_empty(*first, sides) && self.holds_empty(*rest, sides)
            }
            Some(Expression::Union(parts)) => parts.iter().any(|part| self.holds_empty(*part, sides)),
            Some(Expression::Repeat(inner, least, _)) => *least == 0 || self.holds_empty(*inner, sides),
        }
    }

    /// What may follow a character that stands behind that side.
    fn derivative(&mut self, id: Id, before: Side, char: char) -> Id {
        if let Some(known) = self.derivatives.get(&(id, before, char)) {
            return *known;
        }
        let sides = (before, Side::of(char));
        let derived = match self.expression(id) {
            Expression::Never | Expression::Empty | Expression::Assertion(_) => self.never(),
            Expression::Chars(chars) => match chars.contains(char) {
                true => self.empty(),
                false => self.never(),
            },
            Expression::Concat(first, rest) => {
                let through = self.derivative(first, before, char);
                let through = self.concat(through, rest);
                match self.holds_empty(first, sides) {
                    true => {
                        let past = self.derivative(rest, before, char);
                        self.union([through, past])
                    }
                    false => through,
                }
            }
            Expression::Union(parts) => {
                let derived: Vec<Id> = parts
                    .iter()
                    .map(|part| self.derivative(*part, before, char))
                    .collect();
                self.union(derived)
            }
            Expression::Repeat(inner, least, most) => {
                let through = self.derivative(inner, before, char);
                // Where a round can be empty here, any number of those that must be gone through can be spent at once.
                let least = match self.holds_empty(inner, sides) {
                    true => 0,
                    false => least.saturating_sub(1),
                };
                let rest = self.repeat(inner, least, most.map(|most| most.saturating_sub(1)));
                self.concat(through, rest)
            }
        };
        self.derivatives.insert((id, before, char), derived);
        derived
    }

    /// Whether the language has a text.
    pub(super) fn has(&mut self, mut id: Id, text: &str) -> bool {
        let mut before = Side::Edge;
        for char in text.chars() {
            id = self.derivative(id, before, char);
            before = Side::of(char);
        }
        self.holds_empty(id, (before, Side::Edge))
    }
}
