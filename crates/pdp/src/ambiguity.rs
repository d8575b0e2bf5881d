//! Finds ambiguous names: names of query parameters or JSON members that an upstream's framework could take for a name
//! that a line constrains, in another spelling or on the other side.

pub mod refusals;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use tokenward_compiler::decide::{Constrained, constrained, constrains};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::json::{self, Kind, Node, Nodes, Path, ReadError, Slot, Step, Wanted};

use crate::request::{Canonical, Filed, Rules};

/// Maximum number of different names that are compared in one object, or in the objects of the root together. Each costs
/// about a microsecond, and no API of the products whose frameworks parse names has as many parameters.
const MAX_MEMBERS: usize = 4096;

/// Whether the query has an ambiguous name.
pub(crate) fn is_query_ambiguous(
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    rules: &Rules,
) -> bool {
    if !rules.parses_names() || canonical.query.is_empty() {
        return false;
    }
    let names = QueryNames::new(
        canonical.query.iter().map(|(name, _)| name.as_str()),
        rules.wraps(),
    );
    constrains(program, asked(token, canonical), |line| names.are_ambiguous(line))
}

/// Names of a query.
struct QueryNames<'n> {
    names: Filed<'n>,
    /// A parameter such as `issue[project_id]` keeps Rails from wrapping the body.
    below: Filed<'n>,
}

impl<'n> QueryNames<'n> {
    fn new(names: impl Iterator<Item = &'n str>, wraps: bool) -> Self {
        let names = Filed::new(names);
        let below = if wraps {
            names.below_root()
        } else {
            Filed::default()
        };
        Self { names, below }
    }

    /// Whether the upstream could take one of the names for one that the line constrains.
    fn are_ambiguous(&self, line: Constrained<'_>) -> bool {
        let is_own = |name: &str| line.parameters().any(|own| own == name);
        let mut parameters = line.parameters();
        parameters.any(|name| self.names.has_parameter(name, is_own))
            || paths(line).any(|path| self.names.shares_root_of_node(&path.0))
            || line.nodes().any(|path| self.below.leads_to_node(&path.0))
    }
}

fn asked(token: TokenId, canonical: &Canonical) -> (TokenId, tokenward_compiler::method::Method, &str) {
    (token, canonical.method, &canonical.path)
}

/// Lists the paths in the body that a line constrains. An `only` at the root is left out: it concerns no single name,
/// and the decision checks it.
fn paths<'p>(line: Constrained<'p>) -> impl Iterator<Item = &'p Path> {
    let closed = line.closed_objects().filter(|path| **path != Path::ROOT);
    line.nodes().chain(closed)
}

/// Constrained names and paths, to find ambiguous names in a JSON body.
pub(crate) struct BodyNames<'p> {
    lines: Vec<Constrained<'p>>,
    /// The objects on the paths that the lines constrain; the first is the root.
    objects: Vec<Path>,
    /// Index of each object in `objects`.
    places: HashMap<&'p [Step], usize>,
    wraps: bool,
}

/// Slots for the results of reading the body.
pub(crate) struct BodySlots<'p> {
    /// The member names of each object.
    members: Vec<Slot>,
    /// The objects with an `only` that are members of the root, each with its name.
    closed: Vec<(&'p str, Slot)>,
}

impl<'p> BodyNames<'p> {
    pub(crate) fn new(program: &'p Program, token: TokenId, canonical: &Canonical, rules: &Rules) -> Self {
        let mut lines = Vec::new();
        if rules.parses_names() {
            lines = constrained(program, asked(token, canonical));
        }
        let mut names = Self {
            lines,
            objects: Vec::new(),
            places: HashMap::new(),
            wraps: rules.wraps(),
        };
        if !names.lines.is_empty() {
            names.add(&[]);
        }
        let constrained: Vec<&'p Path> = names.lines.iter().flat_map(|line| paths(*line)).collect();
        for steps in constrained.into_iter().flat_map(ways) {
            names.add(steps);
        }
        names
    }

    fn add(&mut self, steps: &'p [Step]) {
        if let Entry::Vacant(place) = self.places.entry(steps) {
            place.insert(self.objects.len());
            self.objects.push(Path(steps.to_vec()));
        }
    }

    pub(crate) fn ask<'w>(&'w self, wanted: &mut Wanted<'w>) -> BodySlots<'w> {
        BodySlots {
            members: self.objects.iter().map(|path| wanted.members(path)).collect(),
            closed: self
                .lines
                .iter()
                .flat_map(|line| wrappers(*line))
                .map(|(path, name)| (name, wanted.node(path)))
                .collect(),
        }
    }

    /// Whether an object whose names would be compared has too many of them.
    pub(crate) fn are_too_many(slots: &BodySlots<'_>, nodes: &Nodes<'_>) -> bool {
        let mut members = slots.members.iter();
        members.any(|slot| nodes.node(*slot).members.len() > MAX_MEMBERS)
    }

    /// Whether the body has an ambiguous name. To be called only if they are not too many.
    pub(crate) fn are_ambiguous(&self, slots: &BodySlots<'_>, nodes: &Nodes<'_>) -> bool {
        let filed = slots.members.iter().zip(&self.objects).map(|(slot, path)| {
            let node = nodes.node(*slot);
            // Rails stores a body that is not an object under this name.
            let root = (*path == Path::ROOT && node.misfit).then_some("_json");
            Filed::new(node.members.iter().map(AsRef::as_ref).chain(root))
        });
        let filed: Vec<Filed<'_>> = filed.collect();
        let Some(root) = filed.first() else { return false };
        let has_other = self.lines.iter().any(|line| {
            line.parameters().any(|name| root.shares_root(name))
                || paths(*line).any(|path| self.has_other_spelling(*line, path, &filed))
        });
        has_other || self.wraps && self.has_wrapped(slots, nodes, root)
    }

    /// Whether `wrap_parameters` would store a member of the root at a constrained path. It does so only in an object
    /// that the request lacks, but releases differ in the values that they treat as missing. The lack of the object is
    /// therefore considered only for `only`, which would otherwise forbid every member next to the object.
    fn has_wrapped(&self, slots: &BodySlots<'_>, nodes: &Nodes<'_>, root: &Filed<'_>) -> bool {
        let by_name = self.lines.iter().any(|line| is_wrapped(*line, root));
        let mut closed = slots.closed.iter();
        by_name || closed.any(|(name, slot)| is_lacking(nodes.node(*slot)) && root.has_wrapped_in(name))
    }

    /// Whether an object in the root has a member at a path that a line constrains in the root itself. A server that
    /// relies on `wrap_parameters` reads only the object, and Rails fills it from the root only if the request lacks it:
    /// with `{"project_id":1,"issue":{"project_id":2}}` it reads 2. The names of the objects are not known before the
    /// body is read, so this reads it a second time.
    ///
    /// # Errors
    /// Reading the body fails.
    pub(crate) fn are_unwrapped(
        &self,
        slots: &BodySlots<'_>,
        nodes: &Nodes<'_>,
        bytes: &[u8],
    ) -> Result<Unwrapped, ReadError> {
        let root = slots.members.first().filter(|_| self.wraps);
        let Some(root) = root.map(|slot| nodes.node(*slot)) else {
            return Ok(Unwrapped::No);
        };
        let objects: Vec<Path> = root
            .members
            .iter()
            .map(|name| Path(vec![Step::Name(name.to_string())]))
            .collect();
        let mut wanted = Wanted::new();
        let members: Vec<Slot> = objects.iter().map(|path| wanted.members(path)).collect();
        let read = json::read(bytes, &wanted)?;
        let names: HashSet<&str> = members
            .iter()
            .flat_map(|slot| read.node(*slot).members.iter().map(AsRef::as_ref))
            .collect();
        if names.len() > MAX_MEMBERS {
            return Ok(Unwrapped::TooMany);
        }
        let inner = Filed::new(names.into_iter());
        let below = Filed::new(root.members.iter().map(AsRef::as_ref)).below_root();
        let mut lines = self.lines.iter();
        let found = lines.any(|line| leads_to_any(*line, &inner) || leads_to_any(*line, &below));
        Ok(if found { Unwrapped::Yes } else { Unwrapped::No })
    }

    /// Whether an object on the way to `path` has a name by which some reader would follow the same path, or a part of
    /// it.
    fn has_other_spelling(&self, line: Constrained<'_>, path: &Path, filed: &[Filed<'_>]) -> bool {
        ways(path).any(|way| {
            let Some(names) = self.places.get(way).and_then(|at| filed.get(*at)) else {
                return false;
            };
            is_spelled_otherwise(line, (way, path), names)
        })
    }
}

/// Whether the names of the objects at `way`, which leads to `path`, have another spelling of the rest of the path.
fn is_spelled_otherwise(line: Constrained<'_>, (way, path): (&[Step], &Path), names: &Filed<'_>) -> bool {
    let is_own = |name: &str| {
        let mut behind = paths(line).filter_map(|own| own.0.strip_prefix(way)?.first());
        behind.any(|step| matches!(step, Step::Name(own) if own == name))
    };
    let left = path.0.strip_prefix(way).unwrap_or_default();
    names.has_node(left, is_own)
}

/// Whether `wrap_parameters` would store a member of the root at a path of the line.
fn is_wrapped(line: Constrained<'_>, root: &Filed<'_>) -> bool {
    line.parameters().any(|name| root.has_wrapped(name))
        || paths(line).any(|path| root.has_wrapped_node(&path.0))
}

/// Whether one of the names leads to a path of the line, in any spelling.
fn leads_to_any(line: Constrained<'_>, names: &Filed<'_>) -> bool {
    paths(line).any(|path| names.has_any_node(&path.0))
}

/// What [`BodyNames::are_unwrapped`] found.
pub(crate) enum Unwrapped {
    No,
    Yes,
    /// The objects have more names than are compared.
    TooMany,
}

/// The paths of the objects and arrays that lead to the end of `path`, beginning with the root.
fn ways(path: &Path) -> impl Iterator<Item = &[Step]> {
    (0..path.0.len()).filter_map(|length| path.0.get(..length))
}

/// The members of the root that are objects with an `only`, with their names.
fn wrappers(line: Constrained<'_>) -> impl Iterator<Item = (&Path, &str)> {
    line.closed_objects().filter_map(|path| match path.0.as_slice() {
        [Step::Name(name)] => Some((path, name.as_str())),
        _ => None,
    })
}

/// Whether Rails treats the object as missing. Releases before 5.0 treat `null` and `false` as missing.
fn is_lacking(node: &Node<'_>) -> bool {
    let is_nothing = |kind: Kind, text: &str| kind == Kind::Null || kind == Kind::Boolean && text == "false";
    let mut values = node.values.iter();
    !node.found
        || !node.object && !node.values.is_empty() && values.all(|value| is_nothing(value.kind, &value.text))
}

#[cfg(test)]
mod tests;
