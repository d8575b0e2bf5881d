//! The operations that calls belong to.

use std::collections::BTreeSet;

use tokenward_compiler::closest::{Asked, Place, escaped};
use tokenward_openapi::{Location, Operation, Piece, Segment, Shape};

use super::value;

/// The described operations of an upstream.
pub(super) struct Operations<'d> {
    all: Vec<Placed<'d>>,
    /// Whether the upstream merges JSON bodies with the query.
    pub(super) merges: bool,
}

/// An operation at one of its bases, below the public URL.
struct Placed<'d> {
    operation: &'d Operation,
    base: Vec<&'d str>,
}

/// The operation of a call, with the values of its parameters.
pub(super) struct Known<'o> {
    operation: &'o Operation,
    base: Vec<&'o str>,
    /// The values of each segment's parameters, in their order.
    values: Vec<Vec<String>>,
}

impl<'d> Operations<'d> {
    /// `context` is the path of the public URL: bases may have it, or may be below it.
    pub(super) fn new(described: &'d [Operation], context: &str, merges: bool) -> Self {
        let mut all = Vec::new();
        for operation in described {
            for base in operation.bases.iter() {
                let below = base
                    .strip_prefix(context)
                    .filter(|rest| rest.is_empty() || rest.starts_with('/'));
                let base = below
                    .unwrap_or(base)
                    .split('/')
                    .filter(|segment| !segment.is_empty())
                    .collect();
                all.push(Placed { operation, base });
            }
        }
        Self { all, merges }
    }

    /// The operation of a call: of several, the one with the most literal segments.
    pub(super) fn of(&self, asked: &Asked) -> Option<Known<'_>> {
        let segments: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        let of_method = self
            .all
            .iter()
            .filter(|placed| placed.operation.method == asked.method.as_str());
        let found = of_method.filter_map(|placed| {
            let rest = segments.strip_prefix(placed.base.as_slice())?;
            let values = values(placed.operation, rest)?;
            let literal = values.iter().filter(|values| values.is_empty()).count();
            Some((
                literal,
                Known {
                    operation: placed.operation,
                    base: placed.base.clone(),
                    values,
                },
            ))
        });
        // The first one of several, so that equal calls have equal operations.
        found
            .reduce(|best, other| if other.0 > best.0 { other } else { best })
            .map(|(_, known)| known)
    }
}

impl Known<'_> {
    pub(super) fn name(&self) -> String {
        self.operation.name()
    }

    pub(super) fn has_body(&self) -> bool {
        self.operation.body.is_some()
    }

    /// The shape of a parameter in the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&Shape> {
        let found = |of: &&tokenward_openapi::Parameter| of.location == Location::Query && of.name == name;
        self.operation.parameters.iter().find(found).map(|of| &of.shape)
    }

    /// The shape of the top-level property that a path to a member begins with, and whether the path is the property itself.
    pub(super) fn property(&self, path: &str) -> Option<(&Shape, bool)> {
        let body = self.operation.body.as_ref()?;
        let is_of = |name: &str| {
            let rest = path.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest.is_empty())
        };
        body.properties
            .iter()
            .find_map(|property| Some((&property.shape, is_of(&property.name)?)))
    }

    /// The patterns of the segments: literal texts as they are, and the values of parameters generalised if they are ids.
    pub(super) fn segments(&self, open: &mut BTreeSet<String>) -> Vec<String> {
        let mut out: Vec<String> = self.base.iter().map(|text| escaped(text, Place::Url)).collect();
        for (segment, values) in self.operation.template.segments.iter().zip(&self.values) {
            let mut text = String::new();
            let mut values = values.iter();
            for piece in &segment.pieces {
                match piece {
                    Piece::Literal(literal) => text.push_str(&escaped(literal, Place::Url)),
                    Piece::Parameter(name) => {
                        let given = values.next().map(String::as_str).unwrap_or_default();
                        let any = Shape::default();
                        let shape = self.operation.path_parameter(name).map_or(&any, |of| &of.shape);
                        match value::of_segment(given, shape) {
                            Some(pattern) => {
                                open.insert(format!("`{name}` as `{pattern}`"));
                                text.push_str(&pattern);
                            }
                            None => text.push_str(&escaped(given, Place::Url)),
                        }
                    }
                }
            }
            out.push(text);
        }
        out
    }
}

/// The values of the parameters in each segment of a path; None if the path is not one of the operation's.
fn values(operation: &Operation, segments: &[&str]) -> Option<Vec<Vec<String>>> {
    let template = &operation.template.segments;
    if let Some(last) = template.last()
        && segments.len() > template.len()
        && let [Piece::Parameter(name)] = last.pieces.as_slice()
        && operation.path_parameter(name).is_some_and(|of| of.multi_segment)
    {
        let (before, rest) = segments.split_at_checked(template.len() - 1)?;
        let before = template
            .iter()
            .zip(before)
            .map(|(segment, text)| of_segment(segment, text));
        let mut out: Vec<Vec<String>> = before.collect::<Option<_>>()?;
        out.push(vec![rest.join("/")]);
        return Some(out);
    }
    if template.len() != segments.len() {
        return None;
    }
    template
        .iter()
        .zip(segments)
        .map(|(segment, text)| of_segment(segment, text))
        .collect()
}

/// The values of the parameters of one segment; each takes as little as possible.
fn of_segment(segment: &Segment, text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut pieces = segment.pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
            Piece::Parameter(_) => {
                let end = match pieces.peek() {
                    None => rest.len(),
                    // The last literal takes the last place where it occurs.
                    Some(Piece::Literal(literal)) => rest.get(1..)?.find(literal.as_str())? + 1,
                    Some(Piece::Parameter(_)) => rest.chars().next()?.len_utf8(),
                };
                let (value, after) = rest
                    .split_at_checked(end)
                    .filter(|(value, _)| !value.is_empty())?;
                out.push(value.to_owned());
                rest = after;
            }
        }
    }
    rest.is_empty().then_some(out)
}
