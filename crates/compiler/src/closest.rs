//! The smallest change of a denied request that a token's lines would allow, and the narrowest line that would allow the
//! request as it is. For people who ask why a request is denied; the decision does not use it.
//!
//! For each permit line, the parts of the request that do not match are replaced by the nearest ones that do: the method, the
//! path (by an edit distance that counts segments first), values of parameters, members of the body. Forbid lines are left out
//! of the paths and values that are looked for. A change is a proposal: the caller judges the changed request as the proxy does.

mod asked;
mod body;
mod change;
mod forbidden;
mod goal;
mod json;
mod line;
mod nearest;
mod path;
mod query;

#[cfg(test)]
mod tests;

pub use asked::{Asked, AskedBody};
pub use change::Change;
pub use json::json;
pub use line::{Members, NewLine, Open, Place, escaped, members, narrowest_line, parameter};

use crate::{
    ast::Effect,
    decide::{self, Decision, decide},
    ir::{LineId, Program, Rule, TokenId},
    json as reader,
    method::Method,
};
use forbidden::Refused;
use nearest::Work;

/// Steps that a search may take for all lines of a token together.
const STEPS: u64 = 20_000_000;
/// Number of parts for which a segment counts in addition, if it has little in common with the request's: it names another resource.
const UNLIKE: usize = 2;
/// Maximum number of forbid lines that one request is led around.
const FORBIDDEN: usize = 3;

/// A changed request that the lines of a token allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Closest {
    /// The changed request.
    pub asked: Asked,
    /// The changes, in the order method, path, query, body.
    pub changes: Vec<Change>,
    /// The line that allows it.
    pub line: LineId,
    /// The number of changed parts: the method, each segment of the path, each parameter, each member of the body. A segment that
    /// has little in common with the request's counts as three.
    pub parts: usize,
    /// Characters that were changed, removed or added in paths and values.
    pub distance: u32,
}

impl Closest {
    /// The size of the change: the number of changed parts, then of characters.
    #[must_use]
    pub fn size(&self) -> (usize, u32) {
        (self.parts, self.distance)
    }
}

/// The changes that were found for a denied request.
#[derive(Debug, Default)]
pub struct Found {
    /// One for each permit line at most, the smallest first.
    pub closest: Vec<Closest>,
    /// Whether the search ended before all lines were tried.
    pub is_cut: bool,
}

/// Looks for the smallest changes of a request that the lines of a token of a bound program allow.
#[must_use]
pub fn closest(program: &Program, token: TokenId, asked: &Asked) -> Found {
    let within = program.within(token);
    let inner = within.as_ref().map_or(program, |within| within.program);
    let inner_token = within.as_ref().map_or(token, |within| within.token);
    let rules = |effect: Effect| -> Vec<&Rule> {
        let ids = inner.token(inner_token).rules(effect).iter();
        ids.filter_map(|id| inner.rule(id)).collect()
    };
    let search = Search {
        program: inner,
        token: inner_token,
        asked,
        forbids: rules(Effect::Forbid),
    };
    let mut work = Work::new(STEPS);
    let mut found = Found::default();
    for rule in rules(Effect::Permit) {
        if let Some(closest) = search.by_rule(rule, &mut work) {
            found.closest.push(closest);
        }
        if work.is_spent() {
            found.is_cut = true;
            break;
        }
    }
    found.closest.sort_by_key(Closest::size);
    for closest in &mut found.closest {
        closest.line = within
            .as_ref()
            .map_or(closest.line, |within| within.line(closest.line));
    }
    found
}

struct Search<'s> {
    program: &'s Program,
    token: TokenId,
    asked: &'s Asked,
    forbids: Vec<&'s Rule>,
}

impl<'s> Search<'s> {
    /// The smallest change after which this line matches and no forbid line does.
    fn by_rule(&self, rule: &Rule, work: &mut Work) -> Option<Closest> {
        let mut best: Option<Closest> = None;
        for method in methods(rule, self.asked.method) {
            // Another method is one change more.
            let least = usize::from(method != self.asked.method);
            if best.as_ref().is_some_and(|best| best.parts <= least) {
                continue;
            }
            let found = self.around((rule, method), &[], 0, work);
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.size() < best.size())
            {
                best = Some(found);
            }
        }
        best
    }

    /// The same with this method, around the forbid lines that the changed request meets.
    fn around(
        &self,
        (rule, method): (&Rule, Method),
        refused: &[Refused<'s>],
        depth: usize,
        work: &mut Work,
    ) -> Option<Closest> {
        let closest = self.matched((rule, method), refused, work)?;
        let forbid = match self.decided(&closest.asked) {
            Decided::Allowed => return Some(closest),
            Decided::Denied => return None,
            Decided::Forbidden(line) => self.forbids.iter().find(|forbid| forbid.line == line)?,
        };
        if depth == FORBIDDEN {
            return None;
        }
        let ways = Refused::ways(forbid).into_iter();
        let found = ways.filter_map(|way| {
            let refused = [refused, &[way]].concat();
            self.around((rule, method), &refused, depth + 1, work)
        });
        found.min_by_key(Closest::size)
    }

    /// The request with each part changed that this line does not match.
    fn matched(
        &self,
        (rule, method): (&Rule, Method),
        refused: &[Refused<'s>],
        work: &mut Work,
    ) -> Option<Closest> {
        let asked = self.asked;
        let mut changes = Vec::new();
        if method != asked.method {
            changes.push(Change::Method {
                from: asked.method,
                to: method,
            });
        }
        let forbids = self.forbids.iter().copied();
        let forbids =
            forbids.filter(|forbid| forbid.methods.contains(method) && forbid.constraints.is_none());
        let around = forbids.chain(refused.iter().filter_map(Refused::url));
        let path = path::nearest(self.program, rule, &asked.path, around, work)?;
        let mut distance = path.distance;
        let of_path = Change::of_path(&asked.path, &path.text);
        let unlike = change::unlike_segments(&asked.path, &path.text);
        let mut parts = changes.len() + path.segments as usize + UNLIKE * unlike;
        changes.extend(of_path);
        let query = query::nearest(self.program, rule, &asked.query, refused, work)?;
        distance += query.distance;
        parts += query.changes.len();
        changes.extend(query.changes);
        let body = body::nearest(self.program, (rule, method), &asked.body, refused, work)?;
        distance += body.distance;
        parts += body.changes.len();
        changes.extend(body.changes);
        Some(Closest {
            asked: Asked {
                method,
                path: path.text,
                query: query.pairs,
                body: body.body,
            },
            changes,
            line: rule.line,
            parts,
            distance,
        })
    }

    /// The decision on a changed request.
    fn decided(&self, asked: &Asked) -> Decided {
        let query: Vec<decide::Param<'_>> = asked
            .query
            .iter()
            .map(|(name, value)| decide::Param {
                name,
                value: value.as_deref(),
            })
            .collect();
        let mut request = decide::Request {
            token: self.token,
            method: asked.method,
            path: &asked.path,
            query: &query,
            body: asked.body.unread(),
        };
        let text = asked.body.text();
        let nodes;
        let mut decision = decide(self.program, &request);
        if let Decision::NeedsBody(wanted) = &decision {
            request.body = match reader::read(text.as_bytes(), wanted) {
                Ok(read) => {
                    nodes = read;
                    decide::Body::Read(&nodes)
                }
                Err(_) => decide::Body::Unreadable,
            };
            decision = decide(self.program, &request);
        }
        match decision {
            Decision::Allow(_) => Decided::Allowed,
            Decision::Deny(denial) => denial.line.map_or(Decided::Denied, Decided::Forbidden),
            Decision::NeedsBody(_) => Decided::Denied,
        }
    }
}

/// The decision on a changed request.
enum Decided {
    Allowed,
    Denied,
    /// A forbid line matches.
    Forbidden(LineId),
}

/// The methods of a line: the request's own first, then those that do the same kind of thing.
fn methods(rule: &Rule, own: Method) -> Vec<Method> {
    let reads = |method: Method| matches!(method, Method::Get | Method::Head | Method::Options);
    let methods = Method::NAMED.into_iter();
    let mut methods: Vec<Method> = methods.filter(|method| rule.methods.contains(*method)).collect();
    methods.sort_by_key(|method| (*method != own, reads(*method) != reads(own)));
    methods
}
