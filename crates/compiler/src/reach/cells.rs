//! What the lines of one token may do of one operation.

use std::collections::{HashMap, HashSet};

use super::{
    classes::{Class, Classes, Lines},
    paths::{Samples, Touch},
};
use crate::{
    analysis::{
        Accepted, Asked, Fault, Inconclusive, Meeting, Obstacle, Prover, Proxied, Request, RequestBody,
        Ruled, Side, token_allows,
    },
    ir::{LineId, Program, TokenId},
};

/// How many calls of an operation a token may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extent {
    /// The lines of the token allow all of them.
    Full,
    /// The lines allow some of them.
    Part,
    /// The lines allow some or all of them, and the proxy forwards none of those.
    Blocked,
    /// Permit lines match some of them, and forbid lines deny all of those.
    Forbidden,
    /// Not settled within the budget.
    Open,
}

/// Why a token may not make all calls of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Because {
    /// No permit line matches some of the paths.
    pub path: bool,
    /// A line has a condition on the query or the body, and only lines with one allow what it allows.
    pub condition: bool,
    /// A forbid line denies some of the calls that permit lines match.
    pub forbid: bool,
}

/// A line that allows some of the calls.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The line; `None`: the token is unrestricted.
    pub class: Option<Class>,
    /// Whether the line by itself allows all of the calls.
    pub is_whole: bool,
    /// A call that the line matches and the token's lines allow.
    pub request: Request,
    /// What keeps the proxy from forwarding this call, and every other one of the line.
    pub obstacles: Vec<Obstacle>,
}

/// What some tokens, which have equal lines about an operation, may do of it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// How many of the calls.
    pub extent: Extent,
    /// Why not all.
    pub because: Because,
    /// The permit lines.
    pub hits: Vec<Hit>,
    /// The forbid lines that deny some of the calls that the permit lines match.
    pub forbids: Vec<Class>,
    /// A call of the operation that the lines do not allow, if the extent is `Part`. The proxy would forward it, if a line allowed it.
    pub outside: Option<Request>,
    /// What was not settled.
    pub inconclusive: Option<Inconclusive>,
}

impl Cell {
    /// A call that the token may make.
    #[must_use]
    pub fn inside(&self) -> Option<&Request> {
        let forwarded = self.hits.iter().find(|hit| hit.obstacles.is_empty());
        forwarded.or(self.hits.first()).map(|hit| &hit.request)
    }

    /// Whether the token may make some of the calls.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        matches!(self.extent, Extent::Full | Extent::Part)
    }

    /// Whether nothing was left open.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.extent != Extent::Open && self.inconclusive.is_none()
    }
}

/// One token, one operation.
pub(super) struct Asking<'p, 'a> {
    pub(super) program: &'p Program,
    pub(super) token: TokenId,
    pub(super) proxied: Option<&'p Proxied>,
    pub(super) demand: (&'p Program, TokenId),
    pub(super) samples: &'a Samples,
    pub(super) classes: &'a Classes,
    pub(super) lines: &'a Lines,
    /// The permit lines and the forbid lines that meet the operation's paths.
    pub(super) permits: &'a [Touch],
    pub(super) forbids: &'a [Touch],
}

impl<'p> Asking<'p, '_> {
    /// The answer; `None`: the lines allow none of the calls, and would not without forbid lines.
    pub(super) fn answer(&self, prover: &mut Prover<'p>) -> Result<Option<Cell>, Fault> {
        if let Some(cell) = self.whole_at_once().or_else(|| self.part_at_once()) {
            return Ok(Some(cell));
        }
        prover.begin_token();
        let policy = Side::of(self.program, self.token).behind(self.proxied);
        let demand = Side::demand(self.demand.0, self.demand.1).behind(self.proxied);
        // The others were told apart from the operation's paths before.
        let touching: HashSet<Class> = self.permits.iter().map(|touch| touch.class).collect();
        let lines = self.lines.permits.iter();
        let meeting = lines.filter(|(class, _)| touching.contains(class));
        let meeting: HashSet<LineId> = meeting.map(|(_, line)| *line).collect();
        let common = prover.common_by(policy, demand, |line| meeting.contains(&line))?;
        let forbids = self.exceptions(prover);
        let mut cell = Cell {
            extent: Extent::Part,
            because: Because::default(),
            hits: self.hits(common.findings, &forbids),
            forbids,
            outside: None,
            inconclusive: common.inconclusive,
        };
        if cell.hits.is_empty() {
            cell.extent = match (cell.inconclusive, cell.forbids.is_empty()) {
                (Some(_), _) => Extent::Open,
                (None, false) => Extent::Forbidden,
                (None, true) => return Ok(None),
            };
            return Ok(Some(cell));
        }
        self.look_outside(&mut cell, (policy, demand), prover)?;
        if cell.hits.iter().all(|hit| Obstacle::are_certain(&hit.obstacles)) {
            cell.extent = Extent::Blocked;
        }
        Ok(Some(cell))
    }

    /// The answer, if one line without conditions matches all calls and no forbid line meets them.
    fn whole_at_once(&self) -> Option<Cell> {
        if !self.forbids.is_empty() {
            return None;
        }
        let is_unrestricted = self.program.token(self.token).unrestricted;
        let whole: Vec<Class> = self
            .permits
            .iter()
            .filter(|touch| touch.is_whole())
            .map(|touch| touch.class)
            .collect();
        if whole.is_empty() && !is_unrestricted {
            return None;
        }
        // Other lines add nothing. They are named by `hits`, which needs their own requests.
        if !is_unrestricted && whole.len() < self.permits.len() {
            return None;
        }
        let request = self.samples.all().iter().find(|request| {
            token_allows(self.program, self.token, request) && self.obstacles(request).is_empty()
        })?;
        let hit = |class| Hit {
            class,
            is_whole: true,
            request: request.clone(),
            obstacles: Vec::new(),
        };
        let hits = if is_unrestricted {
            vec![hit(None)]
        } else {
            whole.into_iter().map(|class| hit(Some(class))).collect()
        };
        Some(Cell {
            extent: Extent::Full,
            because: Because::default(),
            hits,
            forbids: Vec::new(),
            outside: None,
            inconclusive: None,
        })
    }

    /// The answer, if no line has conditions, no forbid line meets the calls, each permit line has a call that is forwarded, and the
    /// operation has a call that none of them matches.
    fn part_at_once(&self) -> Option<Cell> {
        let is_plain = !self.permits.iter().any(|touch| touch.is_conditional);
        if !self.forbids.is_empty() || !is_plain || self.program.token(self.token).unrestricted {
            return None;
        }
        let method = self.samples.all().first()?.method;
        let rules = self.rules(self.permits);
        let matched = |request: &Request| rules.iter().any(|ruled| ruled.matches_path(&request.path));
        let mut forwardable = self.samples.forwardable().iter();
        let outside = forwardable.find(|request| !matched(request))?.clone();
        let hits = self.permits.iter().map(|touch| {
            let request = Request {
                method,
                path: touch.path.as_ref()?.to_string(),
                query: Vec::new(),
                body: RequestBody::Absent,
            };
            let is_shown =
                token_allows(self.program, self.token, &request) && self.obstacles(&request).is_empty();
            is_shown.then_some(Hit {
                class: Some(touch.class),
                is_whole: false,
                request,
                obstacles: Vec::new(),
            })
        });
        Some(Cell {
            extent: Extent::Part,
            because: Because {
                path: true,
                ..Because::default()
            },
            hits: hits.collect::<Option<Vec<Hit>>>()?,
            forbids: Vec::new(),
            outside: Some(outside),
            inconclusive: None,
        })
    }

    fn obstacles(&self, request: &Request) -> Vec<Obstacle> {
        let asked = Asked::token(self.program, self.token);
        self.proxied
            .map_or_else(Vec::new, |proxied| proxied.proxy().obstacles(asked, request))
    }

    fn hits(&self, found: Vec<crate::analysis::Shared>, forbids: &[Class]) -> Vec<Hit> {
        let lines = self.lines.permits.iter().map(|(class, line)| (*line, *class));
        let class_of: HashMap<LineId, Class> = lines.collect();
        let hits = found.into_iter().map(|found| {
            let class = found.source.and_then(|line| class_of.get(&line).copied());
            let touch = self.permits.iter().find(|touch| Some(touch.class) == class);
            Hit {
                class,
                is_whole: forbids.is_empty() && touch.is_none_or(Touch::is_whole),
                request: found.witness,
                obstacles: found.obstacles,
            }
        });
        hits.collect()
    }

    /// The forbid lines that deny some of the calls that permit lines match. One for which this could not be settled is among them.
    fn exceptions(&self, prover: &mut Prover<'p>) -> Vec<Class> {
        let Some(asked) = Side::demand(self.demand.0, self.demand.1)
            .permits()
            .first()
            .copied()
        else {
            return Vec::new();
        };
        let permits: Vec<Option<Ruled<'p>>> = if self.program.token(self.token).unrestricted {
            vec![None]
        } else {
            self.rules(self.permits).into_iter().map(Some).collect()
        };
        let denies = |forbid: Ruled<'p>| {
            permits.iter().any(|permit| {
                let must: Vec<Ruled<'p>> = [asked, forbid].into_iter().chain(*permit).collect();
                !matches!(prover.request(&must, &[]), Ok(None))
            })
        };
        let mut denies = denies;
        let forbids = self.forbids.iter().map(|touch| touch.class);
        forbids
            .filter(|class| self.classes.rule(self.program, *class).is_some_and(&mut denies))
            .collect()
    }

    fn rules(&self, touches: &[Touch]) -> Vec<Ruled<'p>> {
        let rules = touches
            .iter()
            .filter_map(|touch| self.classes.rule(self.program, touch.class));
        rules.collect()
    }

    /// Looks for a call that the lines do not allow, and says why they do not.
    fn look_outside(
        &self,
        cell: &mut Cell,
        (policy, demand): (Side<'p>, Side<'p>),
        prover: &mut Prover<'p>,
    ) -> Result<(), Fault> {
        let is_unrestricted = policy.is_unrestricted();
        let rules = self.rules(self.permits);
        let matches_path = |request: &Request| {
            is_unrestricted || rules.iter().any(|ruled| ruled.matches_path(&request.path))
        };
        let forwardable = self.samples.forwardable().iter();
        let sampled = forwardable.filter(|request| !token_allows(self.program, self.token, request));
        // A call at a path that no line matches shows most.
        cell.outside = sampled.min_by_key(|request| matches_path(request)).cloned();
        if cell.outside.is_none() {
            let beyond = prover.beyond(demand, policy, &Accepted::default())?;
            let forwarded = |found: &crate::analysis::Finding| !Obstacle::are_certain(&found.obstacles);
            cell.outside = beyond
                .findings
                .into_iter()
                .find(forwarded)
                .map(|found| found.witness);
            cell.inconclusive = cell.inconclusive.or(beyond.inconclusive);
            if cell.outside.is_none() {
                cell.extent = if beyond.inconclusive.is_some() {
                    Extent::Part
                } else {
                    Extent::Full
                };
                return Ok(());
            }
        }
        let is_past = cell
            .outside
            .as_ref()
            .is_some_and(|request| !matches_path(request));
        cell.because = Because {
            path: is_past || !is_unrestricted && self.leaves_paths(&rules, prover),
            condition: self.has_condition(&rules, prover),
            forbid: !cell.forbids.is_empty(),
        };
        Ok(())
    }

    /// Whether the operation has paths that none of the rules matches.
    fn leaves_paths(&self, rules: &[Ruled<'p>], prover: &mut Prover<'p>) -> bool {
        if self.permits.iter().any(|touch| touch.meeting == Meeting::All) {
            return false;
        }
        let asked = Side::demand(self.demand.0, self.demand.1).permits();
        asked
            .first()
            .is_some_and(|asked| !matches!(prover.path_outside(*asked, rules), Ok(None)))
    }

    /// Whether a rule has conditions, and no rule without conditions matches all that it matches.
    fn has_condition(&self, rules: &[Ruled<'p>], prover: &mut Prover<'p>) -> bool {
        let is_conditional = |ruled: &Ruled<'p>| ruled.rule.asks_query() || ruled.rule.asks_json();
        if self.permits.iter().any(Touch::is_whole) {
            return false;
        }
        let (with, without): (Vec<Ruled<'p>>, Vec<Ruled<'p>>) =
            rules.iter().copied().partition(is_conditional);
        with.iter()
            .any(|rule| !without.iter().any(|other| prover.is_within(*rule, *other)))
    }
}
