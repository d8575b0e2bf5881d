//! Requests that match some rules and none of some others.
//!
//! The search is lazy: it begins with the rules that must match, and tries the request that it finds on the others. A rule
//! that matches although it must not has to fail in one of its parts: a choice, searched depth first, cut where the parts
//! chosen so far exclude each other. Path, query and body do not depend on each other, so a choice is possible if each of
//! the three is. Rules that no request in the search matches cost nothing but that trial, and no request of a part of the
//! demands is no request of all.

mod question;
mod search;

use std::collections::BTreeSet;

pub(super) use self::question::Cell;
use self::search::Search;
use super::{
    Exhausted, Universe,
    ambiguous::Ambiguous,
    clauses::{BodyKind, Ruled},
    language::Languages,
    witness::Request,
};
use crate::method::{Method, MethodSet};

/// Steps that a rule counts for when it is made part of a question.
const STEPS_A_RULE: usize = 8;

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

impl<'p> Cell<'p, '_> {
    /// A request in the cell.
    ///
    /// # Errors
    /// The work is spent.
    pub(super) fn request(
        &self,
        universe: Universe,
        languages: &mut Languages,
    ) -> Result<Option<Request>, Exhausted> {
        let permitted = self.must.iter().map(|ruled| ruled.rule.methods);
        let permitted = permitted.chain(self.refused_for.map(|(ruled, _)| ruled.rule.methods));
        let permitted = permitted.chain(self.ambiguous.map(|ambiguous| ambiguous.reader.rule.methods));
        let methods = permitted.fold(MethodSet::ALL, MethodSet::intersection);
        let ambiguous = self.ambiguous.map_or(&[][..], |ambiguous| ambiguous.others);
        let readers: Vec<Ruled<'p>> = self.refusals.readers().chain(ambiguous.iter().copied()).collect();
        // A method that every rule treats like one already tried gives no new request.
        let mut tried = BTreeSet::new();
        for method in METHODS.into_iter().filter(|method| methods.contains(*method)) {
            languages.work.take(self.others().count() * STEPS_A_RULE)?;
            let bodiless = matches!(method, Method::Get | Method::Head) && !universe.get_body;
            let named: Vec<bool> = self
                .others()
                .chain(readers.iter().copied())
                .map(|ruled| ruled.rule.methods.contains(method))
                .collect();
            // The proxy distinguishes methods too.
            if !tried.insert((bodiless, named)) && self.forwarding.is_none() {
                continue;
            }
            if let Some(request) = self.of_method(method, bodiless, universe, languages)? {
                return Ok(Some(request));
            }
        }
        Ok(None)
    }

    fn others(&self) -> impl Iterator<Item = Ruled<'p>> {
        self.must_not.iter().copied().flatten().copied()
    }

    fn of_method(
        &self,
        method: Method,
        bodiless: bool,
        universe: Universe,
        languages: &mut Languages,
    ) -> Result<Option<Request>, Exhausted> {
        let others: Vec<Ruled<'p>> = self
            .others()
            .filter(|ruled| ruled.rule.methods.contains(method))
            .collect();
        for kind in self.body_kinds(&others, bodiless) {
            let mut search = Search::new(self, &others, (method, kind, universe), languages)?;
            if let Some(request) = search.request()? {
                return Ok(Some(request));
            }
            // Without a constraint that matters, every kind of body gives the same answer.
            if !search.has_constraints() {
                break;
            }
        }
        Ok(None)
    }

    /// The kinds of bodies that the rules distinguish.
    fn body_kinds(&self, others: &[Ruled<'p>], bodiless: bool) -> Vec<BodyKind> {
        let mut asking = self.must.iter().chain(others);
        if self.refused_for.is_some() {
            return if bodiless {
                Vec::new()
            } else {
                vec![BodyKind::Json, BodyKind::Twice]
            };
        }
        let mut kinds = vec![BodyKind::Absent];
        if bodiless {
            return kinds;
        }
        if asking.clone().any(|ruled| ruled.reads_body()) {
            kinds.extend([BodyKind::Json, BodyKind::Form, BodyKind::Other, BodyKind::Broken]);
        } else if asking.any(|ruled| ruled.asks_query()) {
            kinds.push(BodyKind::Form);
        }
        if self.ambiguous.is_some_and(Ambiguous::looks_at_bodies) && !kinds.contains(&BodyKind::Json) {
            kinds.push(BodyKind::Json);
        }
        kinds
    }
}
