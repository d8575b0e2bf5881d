//! Requests that one policy refuses because of their names, and another does not.
//!
//! The proxy refuses a name that its upstream could take for a name of a line ([`super::names`]). Of each request it looks at all lines
//! whose methods and URL match. So if a line is gone, or has another URL or fewer constraints, a request may pass that was refused
//! because of it.

use std::collections::{BTreeSet, HashSet};

use regex_syntax::hir::Hir;

use super::{
    body::{BodyAtom, Fact, Quantity, Says},
    budget::{Exhausted, Work},
    clauses::{Alternatives, Atom, BodyKind, Ruled},
    language::Languages,
    names::{NameRefusals, Site, Spelling, refused_names},
    parameters::QueryAtom,
    places::{PlaceId, Places},
    values::Trait,
    witness::Request,
};
use crate::{
    decide::Constrained,
    ir::{Matcher, Program, TokenId},
    json::{Kind, Kinds, Path, Step},
    method::Method,
};

/// Steps that a line counts for when the names of a request are compared with its own.
const STEPS_A_LINE: usize = 200;

/// A question about names: one policy refuses the request because of `reader`, and the other policy has no line that makes it refuse
/// the request.
pub(super) struct Ambiguous<'p, 'q> {
    /// The line of the policy that refuses the request.
    pub(super) reader: Ruled<'p>,
    /// The names. The request has one of them.
    pub(super) wanted: Wanted<'q>,
    /// The lines of the other policy that constrain names.
    pub(super) others: &'q [Ruled<'p>],
    pub(super) proxy: &'q dyn NameRefusals,
}

/// Names, one of which a request must have.
pub(super) enum Wanted<'q> {
    /// One of these.
    Spelled(&'q [Spelling]),
    /// Any name at a place that no line contains. It stands for a name that the reader refuses, and the lines `covering` refuse all
    /// such names.
    Unknown {
        site: &'q Site,
        /// The names that lines contain.
        known: &'q BTreeSet<String>,
        /// The members of the root that may be objects.
        firsts: &'q [String],
        /// The positions of the lines among the others.
        covering: &'q [usize],
    },
}

impl<'p> Ambiguous<'p, '_> {
    /// Whether the request may need a JSON body.
    pub(super) fn looks_at_bodies(&self) -> bool {
        match &self.wanted {
            Wanted::Spelled(spellings) => spellings.iter().any(|spelling| !spelling.is_parameter()),
            Wanted::Unknown { site, .. } => **site != Site::Query,
        }
    }

    /// The lines of the other policy whose URL the request may not match.
    pub(super) fn covering(&self, method: Method) -> impl Iterator<Item = Ruled<'p>> {
        let positions: &[usize] = match &self.wanted {
            Wanted::Spelled(_) => &[],
            Wanted::Unknown { covering, .. } => covering,
        };
        let lines = positions.iter().filter_map(|at| self.others.get(*at).copied());
        lines.filter(move |ruled| ruled.rule.methods.contains(method))
    }

    /// When a request with a body of this kind has one of the wanted names.
    pub(super) fn choice(&self, kind: BodyKind, places: &mut Places) -> Alternatives {
        let is_possible = |spelling: &&Spelling| spelling.is_parameter() || kind == BodyKind::Json;
        match &self.wanted {
            Wanted::Spelled(spellings) => spellings
                .iter()
                .filter(is_possible)
                .map(|spelling| present(spelling, places))
                .collect(),
            Wanted::Unknown {
                site, known, firsts, ..
            } => match site {
                Site::Query => vec![vec![Atom::Query(QueryAtom::Beside((*known).clone()))]],
                _ if kind != BodyKind::Json => Vec::new(),
                site => unknown(site, known, firsts, places),
            },
        }
    }

    /// Whether the one policy refuses the request because of the reader, and the other does not because of any line.
    pub(super) fn is_proved_by(&self, request: &Request) -> bool {
        let refuses = |ruled: &Ruled<'p>| {
            ruled.rule.methods.contains(request.method)
                && ruled.matches_path(&request.path)
                && !refused_names(self.proxy, Constrained::of(ruled.rule), request).is_empty()
        };
        refuses(&self.reader) && !self.others.iter().any(refuses) && clash(self.proxy, request).is_none()
    }

    /// Why the other policy refuses a request because of its names, as the clause that it does not. `None`: it does not refuse it.
    pub(super) fn clause(
        &self,
        request: &Request,
        known: (&mut Places, &mut Languages),
    ) -> Result<Option<Alternatives>, Exhausted> {
        clause((self.proxy, self.others), request, known)
    }
}

/// The lines of a token that constrain names, for which a proxy may refuse requests: forbid lines, then permit lines.
pub(super) fn lines(program: &Program, token: TokenId) -> Vec<Ruled<'_>> {
    let token = program.token(token);
    let rules = token.forbids.iter().chain(token.permits.iter());
    let ruled = rules.filter_map(|id| {
        Some(Ruled {
            program,
            rule: program.rule(id)?,
        })
    });
    ruled
        .filter(|ruled| ruled.asks_query() || ruled.asks_json())
        .collect()
}

/// Two parameters of a request that the proxy refuses together, whatever the lines are.
fn clash<'r>(proxy: &dyn NameRefusals, request: &'r Request) -> Option<[&'r str; 2]> {
    let names = || request.query.iter().map(|(name, _)| name.as_str());
    names().find_map(|one| {
        let other = names().find(|other| *other != one && proxy.clash(one, other))?;
        Some([one, other])
    })
}

/// Why a proxy refuses a request because of its names and these lines, as the clause that it does not. `None`: it does not refuse it.
pub(super) fn clause(
    (proxy, lines): (&dyn NameRefusals, &[Ruled<'_>]),
    request: &Request,
    (places, languages): (&mut Places, &mut Languages),
) -> Result<Option<Alternatives>, Exhausted> {
    if let Some(names) = clash(proxy, request) {
        let absent = |name: &str| vec![Atom::Query(QueryAtom::Absent(name.to_owned()))];
        return Ok(Some(names.map(absent).to_vec()));
    }
    let Some((line, refused)) = refusal(proxy, lines, request, &mut languages.work)? else {
        return Ok(None);
    };
    let (url, is) = line.url(languages)?;
    let none = refused.iter().flat_map(|spelling| absent(spelling, places));
    let mut clause = vec![vec![Atom::Url((url, !is))], none.collect()];
    // Or the root has the objects that it lacks, and the other names are absent.
    let mut lacking: Vec<PlaceId> = Vec::new();
    let mut others = Vec::new();
    for spelling in &refused {
        match spelling {
            Spelling::Beside { lacking: path, .. } => lacking.push(places.at(path)),
            spelling => others.extend(absent(spelling, places)),
        }
    }
    lacking.sort_unstable();
    lacking.dedup();
    if !lacking.is_empty() {
        for says in has_something(languages)? {
            let atoms = |place: &PlaceId| {
                says.clone()
                    .into_iter()
                    .map(|says| body(*place, says))
                    .collect::<Vec<_>>()
            };
            let there = lacking.iter().flat_map(atoms);
            clause.push(there.chain(others.iter().cloned()).collect());
        }
    }
    Ok(Some(clause))
}

/// The first line that makes the proxy refuse a request for its names, and these names.
pub(super) fn refusal<'p>(
    proxy: &dyn NameRefusals,
    lines: &[Ruled<'p>],
    request: &Request,
    work: &mut Work,
) -> Result<Option<(Ruled<'p>, Vec<Spelling>)>, Exhausted> {
    for ruled in lines {
        work.take(1)?;
        if !ruled.rule.methods.contains(request.method) || !ruled.matches_path(&request.path) {
            continue;
        }
        work.take(STEPS_A_LINE)?;
        let refused = refused_names(proxy, Constrained::of(ruled.rule), request);
        if !refused.is_empty() {
            return Ok(Some((*ruled, refused)));
        }
    }
    Ok(None)
}

/// Lists the names that a rule contains, each at its own place.
pub(super) fn own(ruled: Ruled<'_>) -> Vec<Spelling> {
    let parameters = ruled.rule.params.iter();
    let mut all: Vec<Spelling> = parameters
        .map(|test| Spelling::Parameter(test.name.to_string()))
        .collect();
    for path in ruled.paths() {
        for (at, step) in path.0.iter().enumerate() {
            let Step::Name(name) = step else { continue };
            all.push(Spelling::Member {
                object: Path(path.0.iter().take(at).cloned().collect()),
                name: name.clone(),
            });
        }
    }
    all
}

/// Lists the names that rules contain, each at the places where it may stand.
pub(super) fn spelled<'p>(rules: &[Ruled<'p>]) -> Vec<Spelling> {
    let mut all = Vec::new();
    for ruled in rules {
        for test in &ruled.rule.params {
            all.push(Spelling::Parameter(test.name.to_string()));
            all.push(Spelling::of_root(test.name.to_string()));
        }
        for path in ruled.paths() {
            for step in &path.0 {
                let Step::Name(name) = step else { continue };
                all.push(Spelling::Parameter(name.clone()));
                all.push(Spelling::of_root(name.clone()));
            }
        }
        all.extend(own(*ruled));
    }
    let mut known = HashSet::new();
    all.retain(|spelling| known.insert(spelling.clone()));
    all
}

fn present(spelling: &Spelling, places: &mut Places) -> Vec<Atom> {
    let found = |places: &mut Places, object: &Path, name: &String| {
        body(
            member(object, name, places),
            Says::Fact(Fact::Found, Quantity::Once),
        )
    };
    match spelling {
        Spelling::Parameter(name) => vec![Atom::Query(QueryAtom::Present(name.clone()))],
        Spelling::Member { object, name } => vec![found(places, object, name)],
        Spelling::Beside { lacking, name } => vec![
            found(places, &Path::ROOT, name),
            body(places.at(lacking), Says::Fact(Fact::Found, Quantity::Never)),
        ],
        Spelling::NoObject => vec![body(Places::ROOT, Says::Fact(Fact::NoObject, Quantity::Once))],
    }
}

fn absent(spelling: &Spelling, places: &mut Places) -> Option<Atom> {
    let missing = |place| body(place, Says::Fact(Fact::Found, Quantity::Never));
    Some(match spelling {
        Spelling::Parameter(name) => Atom::Query(QueryAtom::Absent(name.clone())),
        Spelling::Member { object, name } => missing(member(object, name, places)),
        Spelling::Beside { name, .. } => missing(member(&Path::ROOT, name, places)),
        Spelling::NoObject => body(Places::ROOT, Says::Fact(Fact::NoObject, Quantity::Never)),
    })
}

/// When a body has a name that no line contains at a place.
fn unknown(site: &Site, known: &BTreeSet<String>, firsts: &[String], places: &mut Places) -> Alternatives {
    let beside = |place| body(place, Says::Beside(known.clone()));
    let once = |place, fact| body(place, Says::Fact(fact, Quantity::Once));
    match site {
        Site::Query => Vec::new(),
        Site::Object(path) => vec![vec![beside(places.at(path))]],
        Site::Inner => {
            let mut alternatives = vec![vec![beside(Places::ROOT)]];
            for first in firsts {
                let place = member(&Path::ROOT, first, places);
                alternatives.push(vec![once(place, Fact::Object)]);
            }
            alternatives
        }
        Site::Beside(_) => vec![vec![beside(Places::ROOT)]],
    }
}

/// The forms of a node that no server treats as missing: it is an object, has a value that is neither `null` nor `false`, or is an
/// array without values.
fn has_something(languages: &mut Languages) -> Result<[Vec<Says>; 3], Exhausted> {
    let literal = Hir::literal(b"false".to_vec());
    let literal = languages.of(&Matcher::new(&literal).map_err(|_| Exhausted)?)?;
    let of = |kind| Trait::kinds(Some(Kinds::only(kind)), true);
    let values = vec![
        of(Kind::String),
        of(Kind::Number),
        of(Kind::Boolean).and(Trait::text(literal, false)),
    ];
    Ok([
        vec![Says::Fact(Fact::Object, Quantity::Once)],
        vec![Says::SomeValue(values)],
        vec![
            Says::Fact(Fact::Found, Quantity::Once),
            Says::Fact(Fact::Value, Quantity::Never),
        ],
    ])
}

fn member(object: &Path, name: &str, places: &mut Places) -> PlaceId {
    let mut steps = object.0.clone();
    steps.push(Step::Name(name.to_owned()));
    places.at(&Path(steps))
}

fn body(place: PlaceId, says: Says) -> Atom {
    Atom::Body(BodyAtom { place, says })
}
