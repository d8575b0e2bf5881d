//! The refusal of ambiguous names, name by name, for proofs about all requests.
//!
//! Each check of a query or a body asks whether one of its names is ambiguous to one line. So a request is refused if one of its
//! names is. A test compares both with generated lines and requests. The limit on the number of names is not considered.

use tokenward_compiler::analysis::{NameClass, NameRefusals, Site, Spelling};
use tokenward_compiler::decide::Constrained;
use tokenward_compiler::json::{self, Path, Step};

use super::{QueryNames, is_spelled_otherwise, is_wrapped, leads_to_any, paths, ways, wrappers};
use crate::request::parameter_paths::Step as Parsed;
use crate::request::{self, Filed, Rules, is_plain, well_formed};

/// The name under which Rails stores a JSON body that is not an object.
const NO_OBJECT: &str = "_json";

/// Judges names as a proxy does whose upstream parses them.
pub struct Refusals {
    wraps: bool,
    /// Whether parameters clash regardless of letter case.
    folds: bool,
}

impl Refusals {
    /// Returns `None` if the proxy does not refuse ambiguous names.
    pub fn new(rules: &Rules) -> Option<Self> {
        rules.parses_names().then(|| Self {
            wraps: rules.wraps(),
            folds: rules.folds_parameters(),
        })
    }

    fn refuses_root(&self, line: Constrained<'_>, name: &str) -> bool {
        let root = Filed::new(std::iter::once(name));
        line.parameters().any(|name| root.shares_root(name))
            || paths(line).any(|path| is_first_spelled_otherwise(line, path, &root))
            || self.wraps && (is_wrapped(line, &root) || leads_to_any(line, &root.below_root()))
    }

    /// Whether Rails would store this member of the root in an object with an `only` that the root lacks.
    fn refuses_beside(&self, line: Constrained<'_>, name: &str, is_lacking: impl Fn(&Path) -> bool) -> bool {
        let root = Filed::new(std::iter::once(name));
        self.wraps && wrappers(line).any(|(path, object)| is_lacking(path) && root.has_wrapped_in(object))
    }

    fn refuses_member(&self, line: Constrained<'_>, object: &Path, name: &str) -> bool {
        let names = Filed::new(std::iter::once(name));
        let is_other = |path: &Path| {
            let way = path
                .0
                .get(..object.0.len())
                .filter(|way| *way == object.0.as_slice());
            way.is_some_and(|way| way.len() < path.0.len() && is_spelled_otherwise(line, (way, path), &names))
        };
        let in_root = matches!(object.0.as_slice(), [Step::Name(_)]);
        paths(line).any(is_other) || self.wraps && in_root && leads_to_any(line, &names)
    }
}

fn is_first_spelled_otherwise(line: Constrained<'_>, path: &Path, root: &Filed<'_>) -> bool {
    !path.0.is_empty() && is_spelled_otherwise(line, (&[], path), root)
}

impl NameRefusals for Refusals {
    fn refuses(&self, line: Constrained<'_>, spelling: &Spelling) -> bool {
        match spelling {
            Spelling::Parameter(name) => {
                QueryNames::new(std::iter::once(name.as_str()), self.wraps).are_ambiguous(line)
            }
            Spelling::Member { object, name } if *object == Path::ROOT => self.refuses_root(line, name),
            Spelling::Member { object, name } => self.refuses_member(line, object, name),
            Spelling::Beside { lacking, name } => self.refuses_beside(line, name, |path| path == lacking),
            // Such a root lacks all objects.
            Spelling::NoObject => {
                self.refuses_root(line, NO_OBJECT) || self.refuses_beside(line, NO_OBJECT, |_| true)
            }
        }
    }

    fn clash(&self, one: &str, other: &str) -> bool {
        request::clash(one, other, self.folds)
    }

    fn spellings(&self, line: Constrained<'_>, fresh: &str) -> Vec<Spelling> {
        let mut made = Vec::new();
        for name in line.parameters() {
            spell_parameter(name, fresh, &mut made);
        }
        for path in paths(line) {
            spell_node(path, fresh, &mut made);
        }
        for (path, _) in wrappers(line) {
            made.push(Spelling::Beside {
                lacking: path.clone(),
                name: fresh.to_owned(),
            });
        }
        made.push(Spelling::NoObject);
        made
    }

    fn classes(&self, line: Constrained<'_>) -> Vec<NameClass> {
        let mut classes = Vec::new();
        for name in line.parameters() {
            self.classify_parameter(name, &mut classes);
        }
        for path in paths(line) {
            self.classify_node(path, &mut classes);
        }
        if self.wraps {
            // A parameter that leads to a member of any object of the root.
            let led = line.nodes().map(|path| other(Site::Query, "leads", path));
            classes.extend(led);
            let closed = wrappers(line).map(|(path, _)| other(Site::Beside(path.clone()), "beside", path));
            classes.extend(closed);
        }
        let mut known = std::collections::HashSet::new();
        classes.retain(|class| known.insert(class.key.clone()));
        classes
    }
}

impl Refusals {
    fn classify_parameter(&self, name: &str, classes: &mut Vec<NameClass>) {
        if is_plain(name) {
            return classes.extend([begins(Place::Query, name), begins(Place::Root, name)]);
        }
        let Some(path) = well_formed(name) else {
            let place = Path::ROOT;
            classes.push(other(Site::Query, "parameter", name));
            return classes.push(other(Site::Object(place), "parameter", name));
        };
        if let Some(Parsed::Name(first)) = path.first() {
            classes.push(NameClass {
                within: Some(begins(Place::Query, first).key),
                ..other(Site::Query, "parameter", name)
            });
            classes.push(begins(Place::Root, first));
        }
        if self.wraps {
            classes.push(match path.get(1) {
                Some(Parsed::Name(second)) if is_plain(second) => begins(Place::Root, second),
                _ => other(Site::Object(Path::ROOT), "wrapped", name),
            });
        }
    }

    fn classify_node(&self, path: &Path, classes: &mut Vec<NameClass>) {
        let plain = |step: Option<&Step>| match step {
            Some(Step::Name(name)) if is_plain(name) => Some(name.clone()),
            _ => None,
        };
        let first = plain(path.0.first());
        classes.push(match &first {
            Some(first) => begins(Place::Query, first),
            None => other(Site::Query, "node", path),
        });
        for way in ways(path) {
            let site = Site::Object(Path(way.to_vec()));
            let left = path.0.get(way.len()..).unwrap_or_default();
            classes.push(match (&first, way, left) {
                (_, _, [Step::Each, ..] | []) => continue,
                (Some(first), [], [_]) => begins(Place::Root, first),
                (Some(first), [], _) => NameClass {
                    within: Some(begins(Place::Root, first).key),
                    ..other(site, "member", path)
                },
                _ => other(site, &format!("member {}", Path(way.to_vec())), path),
            });
        }
        if self.wraps {
            match (path.0.get(1), plain(path.0.get(1))) {
                (None, _) => {}
                (_, Some(second)) => classes.push(begins(Place::Root, &second)),
                (Some(_), None) => classes.push(other(Site::Object(Path::ROOT), "wrapped node", path)),
            }
            classes.push(other(Site::Inner, "inner", path));
            classes.push(other(Site::Object(Path::ROOT), "below", path));
        }
    }
}

#[derive(Clone, Copy)]
enum Place {
    Query,
    Root,
}

/// The names of a query, or of the root, that begin with a plain name, or with an element if the name is an index.
fn begins(place: Place, name: &str) -> NameClass {
    let (site, word) = match place {
        Place::Query => (Site::Query, "query"),
        Place::Root => (Site::Object(Path::ROOT), "root"),
    };
    NameClass {
        key: format!("{word} begins {}", json::case_key(name)),
        within: None,
        site,
    }
}

fn other(site: Site, kind: &str, of: impl std::fmt::Display) -> NameClass {
    let place = match site {
        Site::Query => "query",
        Site::Object(_) | Site::Inner | Site::Beside(_) => "body",
    };
    NameClass {
        key: format!("{place} {kind} {of}"),
        within: None,
        site,
    }
}

/// Adds other spellings of a parameter, in the query and in the body.
fn spell_parameter(name: &str, fresh: &str, made: &mut Vec<Spelling>) {
    let first = first_of(name);
    let nested = [
        format!("{name}[]"),
        format!("{name}[{fresh}]"),
        format!("{name}.{fresh}"),
    ];
    let mut names = vec![other_case(name)];
    names.extend(nested);
    if first != name {
        let steps: Vec<&str> = name
            .split(['[', ']', '.'])
            .filter(|step| !step.is_empty())
            .collect();
        names.extend([
            steps.join("."),
            bracketed(&steps),
            format!("[{}]", steps.join("][")),
            first.to_owned(),
            other_case(first),
            format!("{first}[{fresh}]"),
        ]);
        made.extend(steps.get(1).map(|second| Spelling::of_root(*second)));
    }
    made.extend(names.into_iter().map(Spelling::Parameter));
    made.extend([name, first, &other_case(first)].map(Spelling::of_root));
}

/// Adds other spellings of a node.
fn spell_node(path: &Path, fresh: &str, made: &mut Vec<Spelling>) {
    let steps: Vec<&str> = path
        .0
        .iter()
        .map(|step| match step {
            Step::Name(name) => name.as_str(),
            Step::Each => "",
        })
        .collect();
    // In the objects on the way, in another case or with the rest of the path in one name.
    for (at, step) in path.0.iter().enumerate() {
        let Step::Name(name) = step else { continue };
        let object = Path(path.0.iter().take(at).cloned().collect());
        let rest = steps.get(at..).unwrap_or_default();
        for name in [
            other_case(name),
            rest.join("."),
            bracketed(rest),
            format!("{name}[{fresh}]"),
        ] {
            made.push(Spelling::Member {
                object: object.clone(),
                name,
            });
        }
    }
    let first = steps
        .first()
        .copied()
        .filter(|first| !first.is_empty())
        .unwrap_or(NO_OBJECT);
    let inner = [&[fresh], steps.as_slice()].concat();
    let names = [
        first.to_owned(),
        other_case(first),
        format!("{first}[{fresh}]"),
        bracketed(&steps),
        bracketed(&inner),
    ];
    made.extend(names.into_iter().map(Spelling::Parameter));
    made.extend(steps.get(1).map(|second| Spelling::of_root(*second)));
    made.push(Spelling::of_root(bracketed(&inner)));
    made.push(Spelling::of_root(inner.join(".")));
    made.push(Spelling::Member {
        object: Path(vec![Step::Name(fresh.to_owned())]),
        name: first.to_owned(),
    });
}

/// Joins steps as in `a[b][c]`.
fn bracketed(steps: &[&str]) -> String {
    match steps.split_first() {
        Some((first, rest)) => {
            let rest: String = rest.iter().map(|step| format!("[{step}]")).collect();
            format!("{first}{rest}")
        }
        None => String::new(),
    }
}

fn first_of(name: &str) -> &str {
    name.split(['[', '.'])
        .next()
        .filter(|first| !first.is_empty())
        .unwrap_or(name)
}

/// The name in another letter case; the same name if it has no letters.
fn other_case(name: &str) -> String {
    let upper = name.to_uppercase();
    if upper == name { name.to_lowercase() } else { upper }
}
