//! Names that a proxy refuses because its upstream could take them for a name that a line constrains.
//!
//! Only the proxy knows how frameworks parse names ([`NameRefusals`]). This module finds the names of a request.

use std::collections::HashSet;

use super::witness::{Json, Request, RequestBody};
use crate::{
    decide::{Constrained, constrains},
    ir::{Program, TokenId},
    json::{Path, Step},
};

/// A name at its place in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// A query parameter.
    Parameter(String),
    /// A member of an object in the JSON body.
    Member {
        /// The path of the object.
        object: Path,
        /// The name of the member.
        name: String,
    },
    /// A member of the root of a JSON body whose root lacks an object, or has `null` or `false` in its place.
    Beside {
        /// The path of the object.
        lacking: Path,
        /// The name of the member.
        name: String,
    },
    /// The root of the JSON body is not an object.
    NoObject,
}

impl Spelling {
    /// Creates a member of the root.
    pub fn of_root(name: impl Into<String>) -> Self {
        Self::Member {
            object: Path::ROOT,
            name: name.into(),
        }
    }

    /// Whether it is a name of the query.
    #[must_use]
    pub fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }
}

/// Names for which a proxy refuses requests, if a line constrains one of its own. Two classes are the same if their keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameClass {
    /// The names of the class.
    pub key: String,
    /// The key of a class that contains this one.
    pub within: Option<String>,
    /// The place of the names.
    pub site: Site,
}

/// The place of the names of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// The query.
    Query,
    /// The objects at a path of the JSON body.
    Object(Path),
    /// The objects that are members of the root.
    Inner,
    /// The root, if it lacks the object at this path.
    Beside(Path),
}

/// The rule by which a proxy refuses ambiguous names.
///
/// It looks at each name of a request by itself, and at each line whose methods and URL match.
pub trait NameRefusals {
    /// Whether the proxy refuses requests with this name because of the line.
    fn refuses(&self, line: Constrained<'_>, spelling: &Spelling) -> bool;

    /// Whether the proxy refuses every query that has both parameters, whatever the lines constrain.
    fn clash(&self, one: &str, other: &str) -> bool;

    /// Lists names that the proxy refuses because of the line, the clearest first. `fresh` is a name that means nothing.
    fn spellings(&self, line: Constrained<'_>, fresh: &str) -> Vec<Spelling>;

    /// Lists classes that contain all names that the proxy refuses because of the line. A name that the line itself contains may be
    /// in a class and not refused.
    fn classes(&self, line: Constrained<'_>) -> Vec<NameClass>;
}

/// Whether a proxy refuses a request because of a name that a line of the token constrains.
#[must_use]
pub fn are_refused(
    refusals: &dyn NameRefusals,
    (program, token): (&Program, TokenId),
    request: &Request,
) -> bool {
    let asked = (token, request.method, request.path.as_str());
    constrains(program, asked, |line| {
        !refused_names(refusals, line, request).is_empty()
    })
}

/// The names of a request that a proxy refuses because of a line whose methods and URL match.
pub(super) fn refused_names(
    refusals: &dyn NameRefusals,
    line: Constrained<'_>,
    request: &Request,
) -> Vec<Spelling> {
    let wrappers = line.closed_objects().filter(|path| path.0.len() == 1);
    let mut names = names_of(request, wrappers);
    names.retain(|spelling| refusals.refuses(line, spelling));
    names
}

/// Lists the names of a request. An object in an array hides its members from the path of the array.
///
/// `wrappers`: the objects that a root may lack.
fn names_of<'w>(request: &Request, wrappers: impl Iterator<Item = &'w Path>) -> Vec<Spelling> {
    let mut names: Vec<Spelling> = request
        .query
        .iter()
        .map(|(name, _)| Spelling::Parameter(name.clone()))
        .collect();
    let RequestBody::Json(body) = &request.body else {
        return names;
    };
    if !matches!(body, Json::Object(_)) {
        names.push(Spelling::NoObject);
    }
    members(body, &mut Vec::new(), &mut names);
    for lacking in wrappers.filter(|path| is_lacking(body, path)) {
        let root: Vec<String> = names
            .iter()
            .filter_map(|spelling| match spelling {
                Spelling::Member { object, name } if *object == Path::ROOT => Some(name.clone()),
                _ => None,
            })
            .collect();
        names.extend(root.into_iter().map(|name| Spelling::Beside {
            lacking: lacking.clone(),
            name,
        }));
    }
    let mut known = HashSet::new();
    names.retain(|name| known.insert(name.clone()));
    names
}

fn members(json: &Json, path: &mut Vec<Step>, names: &mut Vec<Spelling>) {
    match json {
        Json::Object(all) => {
            for (name, value) in all {
                names.push(Spelling::Member {
                    object: Path(path.clone()),
                    name: name.clone(),
                });
                path.push(Step::Name(name.clone()));
                members(value, path, names);
                path.pop();
            }
        }
        Json::Array(elements) => {
            for element in elements {
                path.push(Step::Each);
                members(element, path, names);
                path.pop();
            }
        }
        Json::Literal(_) | Json::String(_) => {}
    }
}

/// Whether a server treats the member of the root at this path as missing.
fn is_lacking(body: &Json, path: &Path) -> bool {
    let ([Step::Name(name)], Json::Object(members)) = (path.0.as_slice(), body) else {
        return true;
    };
    let Some((_, value)) = members.iter().find(|(known, _)| known == name) else {
        return true;
    };
    let mut scalars = Vec::new();
    let is_nothing =
        |scalar: &&Json| matches!(scalar, Json::Literal(text) if matches!(text.as_str(), "null" | "false"));
    !has_object(value, &mut scalars) && !scalars.is_empty() && scalars.iter().all(is_nothing)
}

/// Whether a value is an object, or an array with one; otherwise its scalars are collected.
fn has_object<'j>(json: &'j Json, scalars: &mut Vec<&'j Json>) -> bool {
    match json {
        Json::Object(_) => true,
        Json::Array(elements) => elements.iter().any(|element| has_object(element, scalars)),
        Json::Literal(_) | Json::String(_) => {
            scalars.push(json);
            false
        }
    }
}
