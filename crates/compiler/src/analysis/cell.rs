//! Requests that match some rules and none of some others.
//!
//! Every rule that must not match fails in one of its parts: a choice for each such rule, searched depth first, cut where
//! the parts chosen so far exclude each other. Path, query and body do not depend on each other, so a choice is possible
//! if each of the three is.

use std::collections::BTreeMap;

use super::{
    Exhausted, Universe,
    body::{BodyAtom, model},
    clauses::{Alternatives, Atom, BodyKind, Ruled},
    language::{Goal, LangId, Languages, Literal},
    parameters::{self, QueryAtom},
    places::Places,
    witness::{Json, Request, RequestBody},
};
use crate::method::{Method, MethodSet};

/// A question: all of `must`, none of `must_not`.
pub(super) struct Cell<'p> {
    pub(super) must: Vec<Ruled<'p>>,
    pub(super) must_not: Vec<Ruled<'p>>,
}

/// Methods in the order in which a witness takes them.
pub(super) const METHODS: [Method; 8] = [
    Method::Get,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
    Method::Head,
    Method::Options,
    Method::Other,
];

impl<'p> Cell<'p> {
    /// A request in the cell.
    ///
    /// # Errors
    /// The budget is spent.
    pub(super) fn request(
        &self,
        universe: Universe,
        avoid: &dyn Fn(&str) -> bool,
        languages: &mut Languages,
    ) -> Result<Option<Request>, Exhausted> {
        let permitted = self.must.iter().map(|ruled| ruled.rule.methods);
        let methods = permitted.fold(MethodSet::ALL, MethodSet::intersection);
        // A method that every rule treats like one already tried gives no new request.
        let mut tried = BTreeMap::new();
        for method in METHODS.into_iter().filter(|method| methods.contains(*method)) {
            let bodiless = matches!(method, Method::Get | Method::Head) && !universe.get_body;
            let named: Vec<bool> = self
                .must_not
                .iter()
                .map(|ruled| ruled.rule.methods.contains(method))
                .collect();
            if tried.insert((bodiless, named), ()).is_some() {
                continue;
            }
            if let Some(request) = self.of_method(method, bodiless, universe, avoid, languages)? {
                return Ok(Some(request));
            }
        }
        Ok(None)
    }

    fn of_method(
        &self,
        method: Method,
        bodiless: bool,
        universe: Universe,
        avoid: &dyn Fn(&str) -> bool,
        languages: &mut Languages,
    ) -> Result<Option<Request>, Exhausted> {
        let Some((urls, near)) = self.urls(method, universe, languages)? else {
            return Ok(None);
        };
        for kind in self.body_kinds(&near, bodiless) {
            let mut places = Places::new();
            // One clause for the URLs, one for each part of the rules that must match, one for each rule that must not.
            let mut clauses: Vec<Alternatives> = urls.iter().map(|url| vec![vec![Atom::Url(*url)]]).collect();
            for ruled in &self.must {
                clauses.extend(ruled.holds(kind, &mut places, languages)?);
            }
            for (ruled, (url, is)) in &near {
                let mut clause = ruled.fails(kind, &mut places, languages)?;
                clause.push(vec![Atom::Url((*url, !is))]);
                clauses.push(clause);
            }
            // Clauses with the fewest alternatives come first; a rule that matches in any case comes before all others.
            clauses.sort_by_key(Vec::len);
            let mut search = Search {
                places: &places,
                json: kind == BodyKind::Json,
                avoid,
                languages,
            };
            if let Some(found) = search.choose(&clauses, &Chosen::default())? {
                return Ok(Some(Request {
                    method,
                    path: found.path,
                    query: found.query,
                    body: match (kind, found.body) {
                        (BodyKind::Json, Some(json)) => RequestBody::Json(json),
                        (BodyKind::Form, _) => RequestBody::Form,
                        (BodyKind::Other, _) => RequestBody::Other,
                        (BodyKind::Broken, _) => RequestBody::Broken,
                        (BodyKind::Absent | BodyKind::Json, _) => RequestBody::Absent,
                    },
                }));
            }
        }
        Ok(None)
    }

    /// The demands on the URL, and the rules that must not match and could, each with its URL; `None` if no URL meets all
    /// demands.
    fn urls(
        &self,
        method: Method,
        universe: Universe,
        languages: &mut Languages,
    ) -> Result<Option<Urls<'p>>, Exhausted> {
        let mut urls: Vec<Literal> = vec![(LangId::ROOTED, true)];
        if universe.canonical_paths {
            urls.push((LangId::NO_PATH, false));
        }
        for ruled in &self.must {
            urls.push(ruled.url(languages)?);
        }
        // A rule without constraints on query and body can fail only by its URL.
        let mut open = Vec::new();
        for ruled in self
            .must_not
            .iter()
            .filter(|ruled| ruled.rule.methods.contains(method))
        {
            let (url, is) = ruled.url(languages)?;
            if ruled.asks_query() || ruled.asks_json() {
                open.push((*ruled, (url, is)));
            } else {
                urls.push((url, !is));
            }
        }
        if languages.text(&Goal::all(urls.iter().copied()))?.is_none() {
            return Ok(None);
        }
        let mut near = Vec::new();
        for (ruled, url) in open {
            if languages
                .text(&Goal::all(urls.iter().copied().chain([url])))?
                .is_some()
            {
                near.push((ruled, url));
            }
        }
        Ok(Some((urls, near)))
    }

    /// The kinds of bodies that the rules distinguish.
    fn body_kinds(&self, near: &[(Ruled<'p>, Literal)], bodiless: bool) -> Vec<BodyKind> {
        let asking = || {
            self.must
                .iter()
                .copied()
                .chain(near.iter().map(|(ruled, _)| *ruled))
        };
        let mut kinds = vec![BodyKind::Absent];
        if !bodiless && asking().any(|ruled| ruled.asks_json() || ruled.asks_root()) {
            kinds.extend([BodyKind::Json, BodyKind::Form, BodyKind::Other, BodyKind::Broken]);
        } else if !bodiless && asking().any(Ruled::asks_query) {
            kinds.push(BodyKind::Form);
        }
        kinds
    }
}

/// Demands on the URL, and rules that could match, each with its URL.
type Urls<'p> = (Vec<Literal>, Vec<(Ruled<'p>, Literal)>);

/// Atoms that have been chosen, each once.
#[derive(Clone, Default)]
struct Chosen<'c> {
    urls: Vec<Literal>,
    query: Vec<&'c QueryAtom>,
    body: Vec<&'c BodyAtom>,
}

impl<'c> Chosen<'c> {
    fn has(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Url(literal) => self.urls.contains(literal),
            Atom::Query(atom) => self.query.contains(&atom),
            Atom::Body(atom) => self.body.contains(&atom),
        }
    }

    fn add(&mut self, atom: &'c Atom) {
        if self.has(atom) {
            return;
        }
        match atom {
            Atom::Url(literal) => self.urls.push(*literal),
            Atom::Query(atom) => self.query.push(atom),
            Atom::Body(atom) => self.body.push(atom),
        }
    }
}

/// What satisfies the chosen atoms.
struct Found {
    path: String,
    query: Vec<(String, String)>,
    body: Option<Json>,
}

struct Search<'a> {
    places: &'a Places,
    json: bool,
    avoid: &'a dyn Fn(&str) -> bool,
    languages: &'a mut Languages,
}

impl Search<'_> {
    /// Satisfies all clauses together with the atoms chosen so far. Depth is bounded by the number of rules.
    fn choose<'c>(
        &mut self,
        clauses: &'c [Alternatives],
        chosen: &Chosen<'c>,
    ) -> Result<Option<Found>, Exhausted> {
        let mut chosen = chosen.clone();
        let mut left = clauses;
        // Without a choice there is nothing to try one by one.
        while let Some((clause, rest)) = left.split_first() {
            match clause.as_slice() {
                [] => return Ok(None),
                [only] => only.iter().for_each(|atom| chosen.add(atom)),
                several
                    if several
                        .iter()
                        .any(|atoms| atoms.iter().all(|atom| chosen.has(atom))) => {}
                _ => break,
            }
            left = rest;
        }
        let Some(found) = self.satisfy(&chosen)? else {
            return Ok(None);
        };
        let Some((clause, rest)) = left.split_first() else {
            return Ok(Some(found));
        };
        for atoms in clause {
            self.languages.budget = self.languages.budget.checked_sub(1).ok_or(Exhausted)?;
            let mut next = chosen.clone();
            atoms.iter().for_each(|atom| next.add(atom));
            if let Some(found) = self.choose(rest, &next)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn satisfy(&mut self, chosen: &Chosen<'_>) -> Result<Option<Found>, Exhausted> {
        let Some(path) = self.languages.text(&Goal::all(chosen.urls.iter().copied()))? else {
            return Ok(None);
        };
        let Some(query) = parameters::satisfy(&chosen.query, self.languages)? else {
            return Ok(None);
        };
        let body = if self.json {
            let body = model::satisfy(&chosen.body, self.places, self.avoid, self.languages)?;
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
