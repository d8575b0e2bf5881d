//! What a request must pass for a proxy to forward it.

use super::{
    ambiguous,
    budget::Exhausted,
    clauses::Alternatives,
    language::{LangId, Languages, Literal},
    obstacle::Obstacle,
    places::Places,
    proxied::{Asked, Proxied},
    witness::Request,
};
use crate::ir::Matcher;

/// A proxy, and the token that makes the requests.
#[derive(Clone, Copy)]
pub(crate) struct Forwarding<'p> {
    pub(crate) proxied: &'p Proxied,
    pub(crate) asked: Asked<'p>,
}

impl Forwarding<'_> {
    /// What keeps the proxy from forwarding the request.
    pub(crate) fn obstacles(&self, request: &Request) -> Vec<Obstacle> {
        self.proxied.proxy().obstacles(self.asked, request)
    }

    /// Why the proxy refuses the request because of its names, as the clause that it does not. `None`: it does not refuse it.
    pub(super) fn ambiguous(
        &self,
        request: &Request,
        known: (&mut Places, &mut Languages),
    ) -> Result<Option<Alternatives>, Exhausted> {
        match (self.proxied.proxy().names(), self.asked.lines) {
            (Some(proxy), Some((program, token))) => {
                let lines = ambiguous::lines(program, token);
                ambiguous::clause((proxy, &lines), request, known)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn refuses_parameter(&self, name: &str) -> bool {
        self.proxied.proxy().refuses_parameter(name)
    }

    /// What every path must be.
    pub(super) fn paths(&self, languages: &mut Languages) -> Result<[Literal; 2], Exhausted> {
        let served = languages.of(self.proxied.served())?;
        let refused = languages.of(self.proxied.refused())?;
        Ok([(served, true), (refused, false)])
    }

    /// The paths of a call that the token may not make, this one among them.
    pub(super) fn call_of(
        &self,
        obstacles: &[Obstacle],
        path: &str,
        languages: &mut Languages,
    ) -> Result<Option<LangId>, Exhausted> {
        for obstacle in obstacles {
            let Obstacle::Key { call: Some(call), .. } = obstacle else {
                continue;
            };
            let matcher: Matcher = self.proxied.call(call).map_err(|_| Exhausted)?;
            if matcher.matches(path) {
                return languages.of(&matcher).map(Some);
            }
        }
        Ok(None)
    }
}
