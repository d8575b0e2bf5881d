//! Operations by the words of people: an id, or a method and a path.

use std::fmt;

use crate::model::{Description, Operation, Piece, Segment, Template};

/// Asked texts are compared up to this length, in bytes; a longer one has no near name.
const LONGEST: usize = 400;

/// Names that an ambiguous id stands for, at most.
const MOST_NAMES: usize = 5;

/// The asked text does not name one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// No operation has this id or name.
    Unknown {
        /// The asked text, shortened.
        asked: String,
        /// The nearest id or name of an operation, if one is near.
        nearest: Option<String>,
    },
    /// Several operations have this id, against the rules of descriptions.
    Ambiguous {
        /// The asked id, shortened.
        asked: String,
        /// The names of the operations, at most five.
        names: Vec<String>,
    },
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                asked,
                nearest: Some(near),
            } => write!(f, "no operation `{asked}`; did you mean `{near}`?"),
            Self::Unknown { asked, nearest: None } => {
                write!(
                    f,
                    "no operation `{asked}`; give an `operationId`, or a method and a path as in the description"
                )
            }
            Self::Ambiguous { asked, names } => {
                write!(
                    f,
                    "the `operationId` `{asked}` names several operations; give one of `{}`",
                    names.join("`, `")
                )
            }
        }
    }
}

impl std::error::Error for NotFound {}

impl Description {
    /// The operations with this `operationId`: one at most, unless the description is wrong.
    pub fn by_id<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Operation> {
        self.operations
            .iter()
            .filter(move |operation| operation.id.as_deref() == Some(id))
    }

    /// The first operation with this name: a method, in letters of either case, and a path. The path may have the names of its
    /// parameters changed (`GET /note/{}`), and may leave the base out.
    pub fn by_name(&self, name: &str) -> Option<&Operation> {
        let (method, path) = name.trim().split_once(char::is_whitespace)?;
        let path = path.trim();
        if !path.starts_with('/') {
            return None;
        }
        let of_method = |operation: &&Operation| operation.method.eq_ignore_ascii_case(method);
        let asked = Template::parse(path).form();
        let whole = |operation: &Operation| {
            let form = operation.template.form();
            operation
                .bases
                .iter()
                .any(|base| asked.strip_prefix(base.as_str()) == Some(&form))
        };
        let exact = self
            .operations
            .iter()
            .filter(of_method)
            .find(|operation| whole(operation));
        exact.or_else(|| {
            self.operations
                .iter()
                .filter(of_method)
                .find(|operation| operation.template.form() == asked)
        })
    }

    /// The operation with this id or name.
    ///
    /// # Errors
    /// No operation has it; the error has the nearest id or name. Or several operations have this id; the error has their names.
    pub fn find(&self, asked: &str) -> Result<&Operation, NotFound> {
        let shown = || crate::text::shortened(asked, 80);
        let has_id = |operation: &&Operation| operation.id.as_deref() == Some(asked.trim());
        let with_id: Vec<&Operation> = self.operations.iter().filter(has_id).collect();
        match with_id[..] {
            [] => {}
            [one] => return Ok(one),
            _ => {
                let names = with_id
                    .iter()
                    .take(MOST_NAMES)
                    .map(|operation| operation.name())
                    .collect();
                return Err(NotFound::Ambiguous {
                    asked: shown(),
                    names,
                });
            }
        }
        let unknown = || NotFound::Unknown {
            asked: shown(),
            nearest: self.nearest(asked),
        };
        self.by_name(asked).ok_or_else(unknown)
    }

    /// The operation of a call that is given by its method and its path, such as `GET /note/7`: that with the most literal segments.
    fn of_call(&self, asked: &str) -> Option<&Operation> {
        let (method, path) = asked.split_once(char::is_whitespace)?;
        let path = path.trim().split(['?', '#']).next().unwrap_or_default();
        let matched = |operation: &Operation, base: &str| {
            let rest = path.strip_prefix(base)?.strip_prefix('/')?;
            let given: Vec<&str> = rest.split('/').collect();
            let segments = &operation.template.segments;
            let fits = |(segment, text): (&Segment, &&str)| match segment.pieces.as_slice() {
                [] => text.is_empty(),
                [Piece::Literal(literal)] => literal == text,
                _ => !text.is_empty(),
            };
            let is_match = given.len() == segments.len() && segments.iter().zip(&given).all(fits);
            let literal = segments
                .iter()
                .filter(|segment| matches!(segment.pieces.as_slice(), [Piece::Literal(_)]));
            is_match.then(|| literal.count())
        };
        let of_method = self
            .operations
            .iter()
            .filter(|operation| operation.method.eq_ignore_ascii_case(method));
        let matching = of_method.filter_map(|operation| {
            let bases = operation.bases.iter().map(String::as_str).chain([""]);
            let literal = bases.filter_map(|base| matched(operation, base)).max()?;
            Some((literal, operation))
        });
        matching
            .max_by_key(|(literal, _)| *literal)
            .map(|(_, operation)| operation)
    }

    /// The id or name that is most like this text, if one is like it at all.
    pub fn nearest(&self, asked: &str) -> Option<String> {
        let asked = asked.trim();
        if asked.is_empty() || asked.len() > LONGEST {
            return None;
        }
        if let Some(operation) = self.of_call(asked) {
            return Some(operation.name());
        }
        let lower = asked.to_lowercase();
        let wants_name = asked.contains('/');
        let mut best: Option<(f64, String)> = None;
        for operation in &self.operations {
            let name = match (&operation.id, wants_name) {
                (Some(id), false) => id.clone(),
                _ => operation.name(),
            };
            if name.len() > LONGEST {
                continue;
            }
            let like = strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase());
            if like > best.as_ref().map_or(0.5, |(most, _)| *most) {
                best = Some((like, name));
            }
        }
        best.map(|(_, name)| name)
    }
}
