//! The search for one method and one kind of body.

use std::{collections::HashSet, rc::Rc};

use regex_syntax::hir::Hir;

use super::question::Cell;
use crate::{
    analysis::{
        Exhausted, Obstacle, Universe,
        body::{BodyAtom, model},
        clauses::{Alternatives, Atom, BodyKind, Ruled},
        language::{Goal, LangId, Languages, Literal},
        parameters::{self, QueryAtom},
        places::Places,
        refusal::variants,
        witness::{Json, Request, RequestBody},
    },
    ir::Matcher,
    method::Method,
};

/// A reader that refuses a request, and the clause by which it would not.
type Refused = ((usize, usize), Alternatives);

/// Steps that a rule counts for when a request is tried on it.
const STEPS_A_RULE: usize = 16;
/// Steps that its constraints count for besides, if its URL matches.
const STEPS_A_CONSTRAINT: usize = 100;
/// Rules without constraints that join the search one by one; then all of them do.
const ONE_BY_ONE: usize = 6;
/// Steps that the proxy's own judgement of a request counts for.
const STEPS_A_JUDGEMENT: usize = 2_000;
/// Paths that are left out one by one, since the proxy does not forward requests with them.
const LEFT_OUT: usize = 8;

pub(super) struct Search<'a, 'p> {
    cell: &'a Cell<'p, 'a>,
    /// The rules that must not match and name the method.
    others: &'a [Ruled<'p>],
    method: Method,
    kind: BodyKind,
    places: Places,
    languages: &'a mut Languages,
    /// The atoms of the rules that must match, as far as there is no choice, and the choices.
    given: Vec<Atom>,
    choices: Vec<Alternatives>,
    /// How many rules without constraints have joined.
    joined: usize,
    /// How many paths have been left out by themselves.
    left_out: usize,
    has_constraints: bool,
}

/// A state of the search.
#[derive(Clone, Default)]
struct Node {
    chosen: Chain<Atom>,
    /// How many of the given choices have been made.
    made: usize,
    /// Rules that fail in one of the chosen atoms.
    settled: Chain<usize>,
    /// Rules that refuse no body, for the same reason.
    readers: Chain<(usize, usize)>,
}

/// A list that shares its beginning with others.
#[derive(Debug)]
struct Chain<T>(Option<Rc<(T, Chain<T>)>>);

impl<T> Clone for Chain<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Chain<T> {
    fn push(&mut self, item: T) {
        self.0 = Some(Rc::new((item, self.clone())));
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::successors(self.0.as_deref(), |(_, rest)| rest.0.as_deref()).map(|(item, _)| item)
    }
}

impl<T> Drop for Chain<T> {
    /// Long lists are dropped one by one, not by recursion.
    fn drop(&mut self) {
        let mut rest = self.0.take();
        while let Some(node) = rest {
            rest = Rc::into_inner(node).and_then(|(_, mut behind)| behind.0.take());
        }
    }
}

/// What satisfies the chosen atoms.
struct Found {
    path: String,
    query: Vec<(String, String)>,
    body: Option<Json>,
}

impl<'a, 'p> Search<'a, 'p> {
    pub(super) fn new(
        cell: &'a Cell<'p, 'a>,
        others: &'a [Ruled<'p>],
        (method, kind, universe): (Method, BodyKind, Universe),
        languages: &'a mut Languages,
    ) -> Result<Self, Exhausted> {
        let mut given = vec![Atom::Url((LangId::ROOTED, true))];
        if universe.canonical_paths {
            given.push(Atom::Url((LangId::NO_PATH, false)));
        }
        if let Some(forwarding) = &cell.forwarding {
            given.extend(forwarding.paths(languages)?.map(Atom::Url));
        }
        let (mut places, mut choices) = (Places::new(), Vec::new());
        for ruled in &cell.must {
            given.push(Atom::Url(ruled.url(languages)?));
            choices.extend(ruled.holds(kind, &mut places, languages)?);
        }
        if let Some((ruled, rules)) = cell.refused_for {
            given.push(Atom::Url(ruled.url(languages)?));
            choices.extend(ruled.query_clauses(languages)?);
            if kind == BodyKind::Json {
                choices.push(variants(ruled, &mut places));
            }
            rules.iter().flat_map(|ruled| ruled.paths()).for_each(|path| {
                places.at(path);
            });
        }
        if let Some(ambiguous) = cell.ambiguous {
            given.push(Atom::Url(ambiguous.reader.url(languages)?));
            for ruled in ambiguous.covering(method) {
                let (url, is) = ruled.url(languages)?;
                given.push(Atom::Url((url, !is)));
            }
            choices.push(ambiguous.choice(kind, &mut places));
        }
        // Clauses with the fewest alternatives come first; of those with one there is no choice.
        choices.sort_by_key(Vec::len);
        let mut open = Vec::new();
        for clause in choices {
            match <[Vec<Atom>; 1]>::try_from(clause) {
                Ok([only]) => given.extend(only),
                Err(several) => open.push(several),
            }
        }
        Ok(Self {
            cell,
            others,
            method,
            kind,
            places,
            languages,
            given,
            choices: open,
            joined: 0,
            left_out: 0,
            has_constraints: cell.refused_for.is_some()
                || cell.ambiguous.is_some()
                || cell
                    .must
                    .iter()
                    .any(|ruled| ruled.asks_query() || ruled.asks_json()),
        })
    }

    /// Whether a constraint on query or body has played a part.
    pub(super) fn has_constraints(&self) -> bool {
        self.has_constraints
    }

    pub(super) fn request(&mut self) -> Result<Option<Request>, Exhausted> {
        if self.choices.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let mut open = vec![Node::default()];
        while let Some(mut node) = open.pop() {
            self.languages.work.take(1)?;
            let Some(found) = self.satisfy(&node)? else {
                continue;
            };
            if let Some(choice) = self.choices.get(node.made) {
                node.made += 1;
                let has =
                    |atom: &Atom| self.given.contains(atom) || node.chosen.iter().any(|known| known == atom);
                match choice.iter().any(|atoms| atoms.iter().all(has)) {
                    true => open.push(node),
                    false => branch(&mut open, &node, choice.clone()),
                }
                continue;
            }
            let request = self.request_of(found);
            let violated = self.violated(&node, &request)?;
            match violated {
                Violated::None => match self.refused(&node, &request)? {
                    None => match self.ambiguous(&node, &request)? {
                        Some(clause) => branch(&mut open, &node, clause),
                        None => match self.judged(&request)? {
                            Judged::Forwarded => return Ok(Some(request)),
                            Judged::Apart(url) => {
                                node.chosen.push(Atom::Url(url));
                                open.push(node);
                            }
                            Judged::PassedOver => self.cell.passed_over.set(true),
                        },
                    },
                    Some((reader, clause)) => {
                        node.readers.push(reader);
                        branch(&mut open, &node, clause);
                    }
                },
                Violated::Plain(rules) => {
                    for at in rules {
                        node.settled.push(at);
                        if let Some(ruled) = self.others.get(at) {
                            let (url, is) = ruled.url(self.languages)?;
                            node.chosen.push(Atom::Url((url, !is)));
                        }
                    }
                    open.push(node);
                }
                Violated::Constrained(at) => {
                    self.has_constraints = true;
                    node.settled.push(at);
                    if let Some(ruled) = self.others.get(at) {
                        let mut clause = ruled.fails(self.kind, &mut self.places, self.languages)?;
                        let (url, is) = ruled.url(self.languages)?;
                        clause.push(vec![Atom::Url((url, !is))]);
                        branch(&mut open, &node, clause);
                    }
                }
            }
        }
        Ok(None)
    }

    /// The rules that the request matches although it must not: those that can fail only in their URL, or the first other.
    fn violated(&mut self, node: &Node, request: &Request) -> Result<Violated, Exhausted> {
        self.languages.work.take(self.others.len() * STEPS_A_RULE)?;
        let settled: HashSet<usize> = node.settled.iter().copied().collect();
        let mut plain = Vec::new();
        let mut constrained = None;
        for (at, ruled) in self.others.iter().enumerate() {
            if settled.contains(&at) || !ruled.matches_path(&request.path) {
                continue;
            }
            if !ruled.asks_query() && !ruled.asks_json() {
                plain.push(at);
            } else if plain.is_empty() && constrained.is_none() {
                self.languages.work.take(STEPS_A_CONSTRAINT)?;
                constrained = ruled.surely_matches(request).then_some(at);
            }
        }
        if plain.is_empty() {
            return Ok(constrained.map_or(Violated::None, Violated::Constrained));
        }
        self.joined += 1;
        if self.joined > ONE_BY_ONE {
            // Many lines take part: the search for a text finds out which.
            let is_plain = |ruled: &Ruled<'_>| !ruled.asks_query() && !ruled.asks_json();
            let all = self.others.iter().enumerate();
            let all = all.filter(|(at, ruled)| !settled.contains(at) && is_plain(ruled));
            plain = all.map(|(at, _)| at).collect();
        }
        Ok(Violated::Plain(plain))
    }

    /// Whether the proxy forwards the request. If it recognises a call that the token may not make, all paths of the call are
    /// left out.
    fn judged(&mut self, request: &Request) -> Result<Judged, Exhausted> {
        let Some(forwarding) = self.cell.forwarding else {
            return Ok(Judged::Forwarded);
        };
        self.languages.work.take(STEPS_A_JUDGEMENT)?;
        let obstacles = forwarding.obstacles(request);
        if obstacles.is_empty() {
            return Ok(Judged::Forwarded);
        }
        if let Some(call) = forwarding.call_of(&obstacles, &request.path, self.languages)? {
            return Ok(Judged::Apart((call, false)));
        }
        // Whether a key is needed depends on method and path alone, so the path can be left out.
        let needs_key = |obstacle: &Obstacle| matches!(obstacle, Obstacle::Key { .. });
        if self.left_out == LEFT_OUT || !obstacles.iter().any(needs_key) {
            return Ok(Judged::PassedOver);
        }
        self.left_out += 1;
        let path = Hir::literal(request.path.as_bytes().to_vec());
        let path = Matcher::new(&path).map_err(|_| Exhausted)?;
        Ok(Judged::Apart((self.languages.of(&path)?, false)))
    }

    /// Why a policy refuses the request, as the clause that it does not.
    fn refused(&mut self, node: &Node, request: &Request) -> Result<Option<Refused>, Exhausted> {
        if !self.kind.may_be_refused() {
            return Ok(None);
        }
        let settled: HashSet<(usize, usize)> = node.readers.iter().copied().collect();
        let refusals = &self.cell.refusals;
        let Some(reader) = refusals.reader(request, &settled, &mut self.languages.work)? else {
            return Ok(None);
        };
        self.has_constraints = true;
        let clause = refusals.clause(reader, (self.method, self.kind), &mut self.places, self.languages)?;
        Ok(Some((reader, clause)))
    }

    /// Why a name of the request may not be there, as the clause that it is not, or that the line which makes it ambiguous does not
    /// match.
    fn ambiguous(&mut self, node: &Node, request: &Request) -> Result<Option<Alternatives>, Exhausted> {
        let known = (&mut self.places, &mut *self.languages);
        let found = match (self.cell.ambiguous, &self.cell.forwarding) {
            (Some(ambiguous), _) => ambiguous.clause(request, known)?,
            (None, Some(forwarding)) => forwarding.ambiguous(request, known)?,
            (None, None) => None,
        };
        let Some(mut clause) = found else {
            return Ok(None);
        };
        // What was chosen already did not help, and would not if it were chosen again.
        let known: HashSet<&Atom> = node.chosen.iter().chain(&self.given).collect();
        let all = clause.len();
        clause.retain(|atoms| atoms.iter().any(|atom| !known.contains(atom)));
        if clause.len() < all {
            self.cell.passed_over.set(true);
        }
        Ok(Some(clause))
    }

    fn request_of(&self, found: Found) -> Request {
        Request {
            method: self.method,
            path: found.path,
            query: found.query,
            body: match (self.kind, found.body) {
                (BodyKind::Json, Some(json)) => RequestBody::Json(json),
                (BodyKind::Form, _) => RequestBody::Form,
                (BodyKind::Other, _) => RequestBody::Other,
                (BodyKind::Broken, _) => RequestBody::Broken,
                (BodyKind::Twice, _) => RequestBody::Json(twice(self.cell.avoid)),
                (BodyKind::Absent | BodyKind::Json, _) => RequestBody::Absent,
            },
        }
    }

    fn satisfy(&mut self, node: &Node) -> Result<Option<Found>, Exhausted> {
        // In the order in which they were chosen, each once.
        let mut chosen: Vec<&Atom> = node.chosen.iter().collect();
        chosen.reverse();
        let mut known: HashSet<&Atom> = HashSet::new();
        let (mut urls, mut query, mut body) = (Vec::new(), Vec::<&QueryAtom>::new(), Vec::<&BodyAtom>::new());
        for atom in self.given.iter().chain(chosen).filter(|atom| known.insert(atom)) {
            match atom {
                Atom::Url(literal) => urls.push(*literal),
                Atom::Query(atom) => query.push(atom),
                Atom::Body(atom) => body.push(atom),
            }
        }
        let Some(path) = self.languages.text(&Goal::all(urls))? else {
            return Ok(None);
        };
        let refuses = |name: &str| {
            self.cell
                .forwarding
                .is_some_and(|forwarding| forwarding.refuses_parameter(name))
        };
        let Some(query) = parameters::satisfy(&query, &refuses, self.languages)? else {
            return Ok(None);
        };
        let body = if self.kind == BodyKind::Json {
            let body = model::satisfy(&body, &self.places, self.cell.avoid, self.languages)?;
            if body.is_none() {
                return Ok(None);
            }
            body
        } else {
            None
        };
        Ok(Some(Found { path, query, body }))
    }
}

/// An object with a name twice that means nothing to the rules.
fn twice(avoid: &dyn Fn(&str) -> bool) -> Json {
    let name = (0..).map(parameters::fresh).find(|name| !avoid(name));
    let member = (name.unwrap_or_default(), Json::Literal("1".to_owned()));
    Json::Object(vec![member.clone(), member])
}

/// What the proxy does with a request.
enum Judged {
    Forwarded,
    /// It refuses the request, and others whose paths are not this.
    Apart(Literal),
    /// It refuses the request for a reason of another part than the path.
    PassedOver,
}

/// The rules that match and must not.
enum Violated {
    None,
    /// Rules that can fail only in their URL.
    Plain(Vec<usize>),
    /// A rule that can fail in other parts too.
    Constrained(usize),
}

/// Adds a state for each alternative, so that the first is looked at first.
fn branch(open: &mut Vec<Node>, from: &Node, clause: Alternatives) {
    for atoms in clause.into_iter().rev() {
        let mut node = from.clone();
        atoms.into_iter().for_each(|atom| node.chosen.push(atom));
        open.push(node);
    }
}
