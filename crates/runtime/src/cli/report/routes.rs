//! Finds the operation that a recorded call was made of.

use std::collections::HashMap;

use tokenward_compiler::method::Method;
use tokenward_compiler::reach::{Operation, Piece, Segment, Values};

/// The pattern that descriptions' whole numbers have.
const DIGITS: &str = "^[0-9]+$";
/// Paths whose operation is remembered. Calls repeat their paths.
const REMEMBERED: usize = 50_000;

/// Operations by method and by the number of segments.
pub(super) struct Routes<'o> {
    exact: HashMap<(Method, usize), Vec<Route<'o>>>,
    /// Operations with a parameter that may have slashes.
    open: Vec<(Method, Route<'o>)>,
    known: HashMap<(Method, String), Option<usize>>,
}

struct Route<'o> {
    operation: usize,
    segments: Vec<&'o Segment>,
}

/// How exactly a segment of a template fits. A server prefers the more exact template.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Any,
    Values,
    Literal,
}

impl<'o> Routes<'o> {
    pub(super) fn of(operations: &'o [Operation]) -> Self {
        let mut routes = Self {
            exact: HashMap::new(),
            open: Vec::new(),
            known: HashMap::new(),
        };
        for (at, operation) in operations.iter().enumerate() {
            for base in &operation.bases {
                let segments: Vec<&Segment> = base.iter().chain(&operation.segments).collect();
                let is_open = segments.iter().any(|segment| is_open(segment));
                let route = Route {
                    operation: at,
                    segments,
                };
                if is_open {
                    routes.open.push((operation.method, route));
                } else {
                    let key = (operation.method, route.segments.len());
                    routes.exact.entry(key).or_default().push(route);
                }
            }
        }
        routes
    }

    /// The operation of a call with a method and a decoded path below the public URL.
    pub(super) fn find(&mut self, method: &str, path: &str) -> Option<usize> {
        let method = Method::from_token(method);
        let key = (method, path.to_owned());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = self.search(method, path);
        if self.known.len() < REMEMBERED {
            self.known.insert(key, found);
        }
        found
    }

    fn search(&self, method: Method, path: &str) -> Option<usize> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let exact = self.exact.get(&(method, segments.len()));
        let exact = exact.into_iter().flatten();
        let mut best: Option<(Vec<Fit>, usize)> = None;
        for route in exact {
            let fits = route.segments.iter().zip(&segments);
            let fits: Option<Vec<Fit>> = fits.map(|(segment, text)| fit(segment, text)).collect();
            if let Some(fits) = fits
                && best.as_ref().is_none_or(|(known, _)| fits > *known)
            {
                best = Some((fits, route.operation));
            }
        }
        let open = || {
            let mut open = self.open.iter().filter(|(own, _)| *own == method);
            open.find(|(_, route)| fits_openly(&route.segments, &segments))
        };
        best.map(|(_, operation)| operation)
            .or_else(|| open().map(|(_, route)| route.operation))
    }
}

fn is_open(segment: &Segment) -> bool {
    segment.0.iter().any(|piece| {
        matches!(
            piece,
            Piece::Parameter {
                values: Values::Path,
                ..
            }
        )
    })
}

/// Whether the segments before the first open one fit.
fn fits_openly(template: &[&Segment], path: &[&str]) -> bool {
    let before = template.iter().take_while(|segment| !is_open(segment)).count();
    path.len() >= template.len()
        && template
            .iter()
            .zip(path)
            .take(before)
            .all(|(segment, text)| fit(segment, text).is_some())
}

/// How a segment of a path fits a template's.
fn fit(segment: &Segment, text: &str) -> Option<Fit> {
    match segment.0.as_slice() {
        [] => text.is_empty().then_some(Fit::Literal),
        [Piece::Literal(literal)] => (literal == text).then_some(Fit::Literal),
        [Piece::Parameter { values, .. }] => value(values, text),
        pieces => pieces_fit(pieces, text).then_some(Fit::Values),
    }
}

fn value(values: &Values, text: &str) -> Option<Fit> {
    match values {
        Values::OneOf(all) => all.iter().any(|one| one == text).then_some(Fit::Values),
        Values::Pattern(pattern) if pattern == DIGITS => {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(Fit::Values)
        }
        Values::Any | Values::Path | Values::Pattern(_) => (!text.is_empty()).then_some(Fit::Any),
    }
}

/// Whether a text has the literals of a segment in their order, those at the edges at its edges.
fn pieces_fit(pieces: &[Piece], text: &str) -> bool {
    let mut rest = text;
    let mut is_anchored = true;
    for piece in pieces {
        match piece {
            Piece::Parameter { .. } => is_anchored = false,
            Piece::Literal(literal) => {
                let Some(at) = rest.find(literal.as_str()) else {
                    return false;
                };
                if is_anchored && at > 0 {
                    return false;
                }
                rest = rest.get(at + literal.len()..).unwrap_or_default();
                is_anchored = true;
            }
        }
    }
    !is_anchored || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: Method, template: &str) -> Operation {
        let piece = |text: &str| match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Piece::Parameter {
                name: name.to_owned(),
                values: match name {
                    "id" => Values::Pattern(DIGITS.to_owned()),
                    "path+" => Values::Path,
                    _ => Values::Any,
                },
                examples: Vec::new(),
            },
            None => Piece::Literal(text.to_owned()),
        };
        let segments = template.trim_start_matches('/').split('/');
        Operation {
            name: template.to_owned(),
            method,
            path: template.to_owned(),
            bases: vec![vec![Segment(vec![Piece::Literal("rest".to_owned())])]],
            segments: segments
                .map(|text| match text.split_once(".json") {
                    Some((before, "")) => Segment(vec![piece(before), Piece::Literal(".json".to_owned())]),
                    _ => Segment(vec![piece(text)]),
                })
                .collect(),
        }
    }

    #[test]
    fn the_most_exact_template_wins() {
        let operations = [
            operation(Method::Get, "/issue/{key}"),
            operation(Method::Get, "/issue/picker"),
            operation(Method::Get, "/{any}/picker"),
            operation(Method::Get, "/filter/{id}"),
            operation(Method::Delete, "/issue/{key}"),
            operation(Method::Get, "/file/{path+}"),
            operation(Method::Get, "/note/{key}.json"),
        ];
        let mut routes = Routes::of(&operations);
        for (method, path, found) in [
            ("GET", "/rest/issue/A-1", Some(0)),
            ("GET", "/rest/issue/picker", Some(1)),
            ("GET", "/rest/other/picker", Some(2)),
            ("GET", "/rest/filter/12", Some(3)),
            ("GET", "/rest/filter/x", None),
            ("GET", "/rest/issue/", None),
            ("DELETE", "/rest/issue/picker", Some(4)),
            ("POST", "/rest/issue/picker", None),
            ("GET", "/rest/file/a/b/c", Some(5)),
            ("GET", "/rest/note/a.json", Some(6)),
            ("GET", "/rest/note/a.jsonx", None),
            ("GET", "/issue/A-1", None),
            ("GET", "rest", None),
            ("GET", "", None),
        ] {
            assert_eq!(routes.find(method, path), found, "{method} {path}");
            assert_eq!(routes.find(method, path), found, "{method} {path}, remembered");
        }
    }
}
