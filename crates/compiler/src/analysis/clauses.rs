//! When a rule matches, or does not, in requests of one method and one kind of body: in clauses, each a choice between
//! alternatives, each a list of atoms.
//!
//! The mirror of [`crate::decide`]: it decides one request, and this module describes all requests at once.

mod quick;

use std::collections::BTreeSet;

use super::{
    body::{self, BodyAtom, Says},
    budget::Exhausted,
    language::{Languages, Literal},
    parameters::{self, QueryAtom},
    places::Places,
    witness::{Request, Said, ask},
};
use crate::{
    ast::Effect,
    ir::{Program, Rule},
    json::{Path, Step},
    param::root_name,
};

/// Whether a rule matches a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matched {
    No,
    Yes,
    /// It looks into the body, which is ambiguous to it.
    Refused,
}

/// Something that may be true of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Atom {
    /// The path is, or is not, in a language.
    Url(Literal),
    /// A claim about the query.
    Query(QueryAtom),
    /// A claim about a JSON body.
    Body(BodyAtom),
}

/// Lists of atoms, one of which must be true as a whole. No request satisfies an empty list of alternatives.
pub(super) type Alternatives = Vec<Vec<Atom>>;

/// The kind of body of a request, as far as rules distinguish bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum BodyKind {
    /// The request has no body.
    Absent,
    /// JSON.
    Json,
    /// A form, or multipart: rules treat them alike.
    Form,
    /// Any other body: neither JSON nor a form.
    Other,
    /// JSON by its head, and not by its text.
    Broken,
    /// JSON with a name twice, which is refused if any rule looks at it.
    Twice,
}

impl BodyKind {
    /// Whether a policy may refuse such a body as ambiguous.
    pub(super) fn may_be_refused(self) -> bool {
        matches!(self, Self::Json | Self::Twice)
    }
}

/// A rule with its program.
#[derive(Clone, Copy)]
pub(crate) struct Ruled<'p> {
    pub(crate) program: &'p Program,
    pub(crate) rule: &'p Rule,
}

impl<'p> Ruled<'p> {
    pub(super) fn asks_query(self) -> bool {
        self.rule.asks_query()
    }

    pub(super) fn asks_json(self) -> bool {
        self.rule.asks_json()
    }

    /// Whether the upstream could take members of a body for parameters of this rule.
    pub(super) fn asks_root(self) -> bool {
        self.program.merges_body && self.asks_query()
    }

    /// Whether the rule looks at the body: it may refuse one that is ambiguous.
    pub(crate) fn reads_body(self) -> bool {
        self.asks_json() || self.asks_root()
    }

    pub(super) fn paths(self) -> impl Iterator<Item = &'p Path> {
        self.rule.paths()
    }

    /// Whether the rule's URL matches a path.
    pub(crate) fn matches_path(self, path: &str) -> bool {
        self.program.url(self.rule.url).matches(path)
    }

    /// Whether the rule by itself matches a request, as the proxy decides it.
    pub(super) fn matches(self, request: &Request) -> Matched {
        if !self.rule.methods.contains(request.method) || !self.matches_path(&request.path) {
            return Matched::No;
        }
        if !self.asks_query() && !self.asks_json() {
            return Matched::Yes;
        }
        let (program, token) = self.program.of_rule(self.rule);
        match (self.rule.effect, ask(&program, Some(token), request)) {
            (_, Said::Refuse) => Matched::Refused,
            (Effect::Permit, Said::Allow(_)) | (Effect::Forbid, Said::Deny(Some(_))) => Matched::Yes,
            _ => Matched::No,
        }
    }

    /// When the query keeps the rule from matching, or from looking at the body.
    pub(super) fn query_fails(self, languages: &mut Languages) -> Result<Alternatives, Exhausted> {
        let mut parts = Parts::default();
        self.query_parts(&mut parts, false, languages)?;
        let unreadable = mixed(&parts);
        Ok([parts.query.concat(), unreadable].concat())
    }

    /// When the query lets the rule look at the body: all of these clauses.
    pub(super) fn query_clauses(self, languages: &mut Languages) -> Result<Vec<Alternatives>, Exhausted> {
        let mut parts = Parts::default();
        self.query_parts(&mut parts, true, languages)?;
        let families = parts.in_query.into_iter();
        let families = families.map(|first| vec![vec![Atom::Query(QueryAtom::NoneOf(first))]]);
        Ok(parts.query.into_iter().chain(families).collect())
    }

    /// When the query makes the rule, a permit line, match whatever the body is; `None` if the rule looks at the body.
    pub(super) fn query_holds(self, languages: &mut Languages) -> Result<Option<Vec<Atom>>, Exhausted> {
        if self.reads_body() {
            return Ok(None);
        }
        let mut parts = Parts::default();
        self.query_parts(&mut parts, true, languages)?;
        // A permit line leaves no choice.
        let atoms = parts
            .query
            .into_iter()
            .flat_map(|clause| clause.into_iter().take(1).flatten());
        Ok(Some(atoms.collect()))
    }

    /// When the rule's URL matches.
    pub(super) fn url(self, languages: &mut Languages) -> Result<Literal, Exhausted> {
        use crate::ir::UrlMatcher;
        match self.program.url(self.rule.url) {
            UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => Ok((languages.of(matcher)?, true)),
            // Matches nothing, as in a decision.
            UrlMatcher::Unbound(_) => Ok((super::language::LangId::NOTHING, true)),
        }
    }

    /// When the rule's constraints hold: all of these clauses.
    pub(super) fn holds(
        self,
        kind: BodyKind,
        places: &mut Places,
        languages: &mut Languages,
    ) -> Result<Vec<Alternatives>, Exhausted> {
        let parts = self.parts(kind, true, places, languages)?;
        Ok(match self.rule.effect {
            Effect::Permit => {
                let apart = |atom: Atom| vec![vec![atom]];
                let families = parts
                    .in_query
                    .into_iter()
                    .map(|first| apart(Atom::Query(QueryAtom::NoneOf(first))));
                let members = parts
                    .in_root
                    .into_iter()
                    .map(|first| apart(root(Says::NoneOf(first))));
                parts
                    .query
                    .into_iter()
                    .chain(parts.body)
                    .chain(families)
                    .chain(members)
                    .collect()
            }
            Effect::Forbid => {
                let unreadable: Alternatives = mixed(&parts);
                let body = parts
                    .body
                    .into_iter()
                    .map(|clause| [clause, unreadable.clone()].concat());
                parts.query.into_iter().chain(body).collect()
            }
        })
    }

    /// When they do not: this clause.
    pub(super) fn fails(
        self,
        kind: BodyKind,
        places: &mut Places,
        languages: &mut Languages,
    ) -> Result<Alternatives, Exhausted> {
        let parts = self.parts(kind, false, places, languages)?;
        let unreadable = mixed(&parts);
        let query = parts.query.concat();
        let body = parts.body.concat();
        Ok(match self.rule.effect {
            Effect::Permit => [query, body, unreadable].concat(),
            Effect::Forbid => {
                let apart: Vec<Atom> = parts
                    .in_query
                    .into_iter()
                    .map(|first| Atom::Query(QueryAtom::NoneOf(first)))
                    .chain(parts.in_root.into_iter().map(|first| root(Says::NoneOf(first))))
                    .collect();
                let body = body.into_iter().map(|atoms| [atoms, apart.clone()].concat());
                query.into_iter().chain(body).collect()
            }
        })
    }

    fn parts(
        self,
        kind: BodyKind,
        holds: bool,
        places: &mut Places,
        languages: &mut Languages,
    ) -> Result<Parts, Exhausted> {
        let rule = self.rule;
        let (forbid, asks) = (
            rule.effect == Effect::Forbid,
            self.asks_query() || self.asks_json(),
        );
        // An alternative without atoms always holds, a clause without alternatives never does.
        let constant = |is: bool| if is == holds { vec![vec![]] } else { vec![] };
        let mut parts = Parts::default();
        if kind == BodyKind::Form && asks {
            parts.query.push(constant(forbid));
            return Ok(parts);
        }
        self.query_parts(&mut parts, holds, languages)?;
        match kind {
            BodyKind::Absent => {
                let met = rule.nodes.iter().map(|test| match test.path.0.first() {
                    // An empty object lacks every node.
                    Some(Step::Name(_)) => !test.operator.needs_value(),
                    // It is an object itself, and not an array.
                    Some(Step::Each) | None => forbid,
                });
                parts.body.extend(met.map(constant));
                // Its members are none, and it has no elements that could have any.
                let closed = rule.members.iter();
                let closed = closed.map(|path| path.0.first() != Some(&Step::Each));
                parts.body.extend(closed.map(constant));
                if self.asks_json() {
                    parts.body.push(constant(true));
                }
            }
            BodyKind::Json => self.json_parts(&mut parts, holds, places, languages)?,
            // A policy refuses a body with a name twice wherever it denies one that is not JSON, and more.
            BodyKind::Broken | BodyKind::Twice if self.reads_body() => parts.body.push(constant(forbid)),
            BodyKind::Other if self.asks_json() => parts.body.push(constant(forbid)),
            BodyKind::Form | BodyKind::Broken | BodyKind::Twice | BodyKind::Other => {}
        }
        Ok(parts)
    }

    /// Adds the clauses about the query.
    fn query_parts(self, parts: &mut Parts, holds: bool, languages: &mut Languages) -> Result<(), Exhausted> {
        let Self { program, rule } = self;
        for test in &rule.params {
            let language = languages.of(program.known_value(test.value).ok_or(Exhausted)?)?;
            let alternatives =
                parameters::alternatives((rule.effect, test.operator), &test.name, language, holds);
            parts.query.push(atoms(alternatives, Atom::Query));
        }
        let merges_only = program.merges_body && rule.has_root_only();
        if rule.params_only || merges_only {
            let names = rule.params.iter().map(|test| test.name.to_string()).collect();
            let atom = if holds {
                QueryAtom::Only(names)
            } else {
                QueryAtom::Beside(names)
            };
            parts.query.push(vec![vec![Atom::Query(atom)]]);
        }
        if program.merges_body && self.asks_json() {
            let firsts = self.paths().filter_map(|path| match path.0.first() {
                Some(Step::Name(first)) => Some(root_name(first).to_owned()),
                _ => None,
            });
            parts.in_query = firsts.collect::<BTreeSet<_>>().into_iter().collect();
        }
        Ok(())
    }

    /// Adds the clauses about a JSON body.
    fn json_parts(
        self,
        parts: &mut Parts,
        holds: bool,
        places: &mut Places,
        languages: &mut Languages,
    ) -> Result<(), Exhausted> {
        let Self { program, rule } = self;
        self.paths().for_each(|path| {
            places.at(path);
        });
        for node in &rule.nodes {
            let test = body::Test {
                effect: rule.effect,
                operator: node.operator,
                kinds: node.kinds,
                language: languages.of(program.known_value(node.value).ok_or(Exhausted)?)?,
            };
            let alternatives = body::alternatives(test, places.at(&node.path), holds);
            parts.body.push(atoms(alternatives, Atom::Body));
        }
        for path in &rule.members {
            let alternatives = body::only(places.at(path), self.members(path), holds);
            parts.body.push(atoms(alternatives, Atom::Body));
        }
        if program.merges_body && rule.params_only {
            let root = self.members(&Path::ROOT);
            let alternatives = body::only(Places::ROOT, root, holds);
            parts.body.push(atoms(alternatives, Atom::Body));
        }
        if self.asks_root() {
            let firsts = rule.params.iter().map(|test| root_name(&test.name).to_owned());
            parts.in_root = firsts.collect::<BTreeSet<_>>().into_iter().collect();
        }
        Ok(())
    }

    /// The members that `only` at this path leaves.
    fn members(self, path: &Path) -> BTreeSet<String> {
        self.paths()
            .filter_map(|other| match other.0.strip_prefix(path.0.as_slice())?.first()? {
                Step::Name(name) => Some(name.clone()),
                Step::Each => None,
            })
            .collect()
    }
}

/// The parts of a rule's constraints.
#[derive(Default)]
struct Parts {
    /// All of these must hold; or, of the rule's failing, one.
    query: Vec<Alternatives>,
    /// Clauses about the body.
    body: Vec<Alternatives>,
    /// First names of nodes. A parameter of such a name makes it unclear which value the upstream takes: then permit lines do not
    /// match, and forbid lines match with any body.
    in_query: Vec<String>,
    /// First names of parameters: so do members of the root of these names.
    in_root: Vec<String>,
}

/// Alternatives that say: query and body are mixed.
fn mixed(parts: &Parts) -> Alternatives {
    let query = parts
        .in_query
        .iter()
        .map(|first| vec![Atom::Query(QueryAtom::OneOf(first.clone()))]);
    let body = parts
        .in_root
        .iter()
        .map(|first| vec![root(Says::OneOf(first.clone()))]);
    query.chain(body).collect()
}

fn root(says: Says) -> Atom {
    Atom::Body(BodyAtom {
        place: Places::ROOT,
        says,
    })
}

/// Alternatives over one part of a request, as alternatives over all of it.
fn atoms<T>(alternatives: Vec<Vec<T>>, atom: impl Fn(T) -> Atom) -> Alternatives {
    alternatives
        .into_iter()
        .map(|atoms| atoms.into_iter().map(&atom).collect())
        .collect()
}
