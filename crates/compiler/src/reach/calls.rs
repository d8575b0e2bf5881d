//! Finds the operation that a call belongs to.

use std::collections::HashMap;

use super::operation::{Operation, Piece, Segment, Values};
use crate::method::Method;

/// Operations by method and by the number of segments of their calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    closed: HashMap<(Method, usize), Vec<Place>>,
    /// Operations with a parameter that may have slashes.
    open: HashMap<Method, Vec<Place>>,
}

/// An operation at one of its bases.
#[derive(Debug)]
struct Place {
    operation: usize,
    segments: Vec<Form>,
}

/// A segment of a template, from those that fit most texts to those that fit one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Any,
    Values,
    Literal(String),
}

impl Calls {
    pub(super) fn of(operations: &[Operation]) -> Self {
        let mut calls = Self::default();
        for (operation, described) in operations.iter().enumerate() {
            for base in described.paths_before() {
                let segments = || base.iter().chain(&described.segments);
                let place = Place {
                    operation,
                    segments: segments().map(form).collect(),
                };
                let method = described.method;
                if segments().any(Segment::spans) {
                    calls.open.entry(method).or_default().push(place);
                } else {
                    let key = (method, place.segments.len());
                    calls.closed.entry(key).or_default().push(place);
                }
            }
        }
        calls
    }

    /// The operation with a call of this method and path that `matches` accepts. Of several, the one whose template is more exact in the
    /// first segment in which they differ, as servers choose; of equals, the first.
    pub(super) fn find(&self, method: Method, path: &str, matches: impl Fn(usize) -> bool) -> Option<usize> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let closed = self.closed.get(&(method, segments.len()));
        let is_call = |place: &&Place| {
            // Most templates differ in a text, and are told apart without their automata.
            let texts = place.segments.iter().zip(&segments);
            let has_texts = |(form, text): (&Form, &&str)| match form {
                Form::Literal(own) => own == text,
                Form::Any | Form::Values => true,
            };
            texts.into_iter().all(has_texts) && matches(place.operation)
        };
        let exact = closed.into_iter().flatten().filter(is_call);
        let exact = exact.reduce(|best, other| {
            if other.segments > best.segments {
                other
            } else {
                best
            }
        });
        let open = self.open.get(&method).into_iter().flatten();
        let mut open = open.filter(|place| matches(place.operation));
        exact.or_else(|| open.next()).map(|place| place.operation)
    }
}

fn form(segment: &Segment) -> Form {
    match segment.0.as_slice() {
        [
            Piece::Parameter {
                values: Values::Any | Values::Path,
                ..
            },
        ] => Form::Any,
        _ => segment.text().map_or(Form::Values, Form::Literal),
    }
}

#[cfg(test)]
mod tests;
