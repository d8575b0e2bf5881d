//! The decision: pure, synchronous, the same for the same program and request.

pub mod compare;
pub mod explain;
pub mod nearest;

mod body;
mod constrained;
mod found;
mod query;

pub use crate::param::Param;
pub use constrained::{Constrained, constrained, constrains};
pub use found::{Found, Scalars};

use std::{borrow::Cow, ops::ControlFlow};

use self::body::Asked;
use crate::{
    ast::Effect,
    ir::{Asks, LineId, Match, Program, Sought, TokenId},
    json::{Nodes, Wanted},
    method::Method,
};

/// The kind of a body according to its head: `Content-Type`, `Content-Encoding`, framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// One JSON media type, charset absent or UTF-8, no `Content-Encoding`.
    Json,
    /// A form.
    Form,
    /// Any `multipart/*`.
    Multipart,
    /// Any other media type, and a body without one.
    Other,
}

/// How far a body is known.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// The request has no body, or an empty one; JSON constraints see an empty object.
    Absent,
    /// There is one, not read yet.
    Unread(Media),
    /// The body was read; these are the nodes that [`Decision::NeedsBody`] asked for.
    Read(&'a Nodes<'a>),
    /// The body was read, and is not JSON.
    Unreadable,
}

/// A request in its canonical form.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The token whose secret the request presented.
    pub token: TokenId,
    /// The request's method.
    pub method: Method,
    /// The path below the base URL, percent-decoded; begins with `/` unless it is empty.
    pub path: &'a str,
    /// The parameters, in order.
    pub query: &'a [Param<'a>],
    /// The body.
    pub body: Body<'a>,
}

/// The decision on a request.
#[derive(Debug)]
pub enum Decision<'p> {
    /// The request is allowed.
    Allow(Grant),
    /// The request is denied.
    Deny(Denial),
    /// A line whose other parts match looks into the body: read it whole, give it to [`crate::json::read`] with this, and
    /// ask again with [`Body::Read`], or with [`Body::Unreadable`] if it is not JSON.
    NeedsBody(Cow<'p, Wanted<'p>>),
}

/// The proof that a decision allowed a request: nothing else makes one.
#[derive(Debug)]
pub struct Grant {
    line: Option<LineId>,
}

impl Grant {
    /// The permit line that decided; `None` for an unrestricted token beyond its lines.
    #[must_use]
    pub fn line(&self) -> Option<LineId> {
        self.line
    }
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The kind of reason.
    pub reason: DenyReason,
    /// The forbid line that matched.
    pub line: Option<LineId>,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// No permit line matches.
    NoLine,
    /// A forbid line matches.
    ForbidLine,
}

/// Whether a rule matches, as far as the request is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    No,
    Yes,
    /// The body decides.
    IfBody,
}

/// Decides a request. Without an inspected body it neither allocates nor waits.
///
/// The first forbid line that matches denies; otherwise the first permit line that matches allows. A forbid line that
/// matches any body denies at once, without the body.
#[must_use]
pub fn decide<'p>(program: &'p Program, request: &Request<'_>) -> Decision<'p> {
    // Both ways decide at one place, which is then not a call.
    let within = program.within(request.token);
    let (decider, token) = match &within {
        Some(within) => (within.program, within.token),
        None => (program, request.token),
    };
    let decided = decide_whole(decider, &Request { token, ..*request });
    let Some(within) = within else { return decided };
    // A line of the part, as the whole program names it.
    let named = |line: Option<LineId>| line.map(|line| within.line(line));
    match decided {
        Decision::Allow(Grant { line }) => allowed(named(line)),
        Decision::Deny(Denial { reason, line }) => Decision::Deny(Denial {
            reason,
            line: named(line),
        }),
        needs => needs,
    }
}

/// Decides a request by a program that is not put together from others.
fn decide_whole<'p>(program: &'p Program, request: &Request<'_>) -> Decision<'p> {
    // Constraints that need the body, in order, up to the first line that needs none. An empty list allocates nothing.
    let mut open: Vec<Asks<'p>> = Vec::new();
    let mut first = |effect| {
        each_match(program, request, effect, |found| {
            match found.asks.map_or(Held::Yes, |asks| constraints(&asks, request)) {
                Held::No => {}
                Held::Yes => return ControlFlow::Break(found.line),
                Held::IfBody => open.extend(found.asks),
            }
            ControlFlow::Continue(())
        })
        .break_value()
    };
    if let Some(line) = first(Effect::Forbid) {
        return forbidden(line);
    }
    let certain = first(Effect::Permit);
    match request.body {
        Body::Unread(_) if !open.is_empty() => return Decision::NeedsBody(Asked::by(&open).into_wanted()),
        Body::Read(nodes) if !open.is_empty() => {
            let asked = Asked::by(&open);
            for (at, asks) in open.iter().enumerate() {
                match (
                    asked.slots(at).map(|slots| body::holds(asks, slots, nodes)),
                    asks.effect,
                ) {
                    (Some(false), _) | (None, Effect::Permit) => {}
                    (_, Effect::Forbid) => return forbidden(asks.line),
                    (Some(true), Effect::Permit) => return allowed(Some(asks.line)),
                }
            }
        }
        // An unreadable body matches only forbid lines.
        Body::Unreadable => {
            if let Some(asks) = open.iter().find(|asks| asks.effect == Effect::Forbid) {
                return forbidden(asks.line);
            }
        }
        Body::Absent | Body::Unread(_) | Body::Read(_) => {}
    }
    match certain {
        Some(line) => allowed(Some(line)),
        None if is_unrestricted(program, request.token) => allowed(None),
        None => Decision::Deny(Denial {
            reason: DenyReason::NoLine,
            line: None,
        }),
    }
}

/// Calls back for each line of the token, of one effect, whose methods and URL match, in the order of decision.
fn each_match<'p, B>(
    program: &'p Program,
    request: &Request<'_>,
    effect: Effect,
    mut found: impl FnMut(Match<'p>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if let Some(layout) = &program.layout {
        let sought = Sought {
            method: request.method,
            path: request.path,
            query: request.query,
        };
        return layout.each(program, (request.token, effect), sought, found);
    }
    let rules = program.token(request.token).rules(effect);
    for (id, rule) in rules.iter().filter_map(|id| Some((id, program.rule(id)?))) {
        if rule.methods.contains(request.method) && program.url(rule.url).matches(request.path) {
            found(Match {
                line: rule.line,
                asks: Asks::of_rule(program, id, rule),
            })?;
        }
    }
    ControlFlow::Continue(())
}

/// Read from the layout, the token itself being far from it.
fn is_unrestricted(program: &Program, token: TokenId) -> bool {
    match &program.layout {
        Some(layout) => layout.is_unrestricted(token),
        None => program.token(token).unrestricted,
    }
}

fn forbidden<'p>(line: LineId) -> Decision<'p> {
    Decision::Deny(Denial {
        reason: DenyReason::ForbidLine,
        line: Some(line),
    })
}

fn allowed<'p>(line: Option<LineId>) -> Decision<'p> {
    Decision::Allow(Grant { line })
}

/// Whether the constraints of a rule, whose methods and URL match, hold by all but the content of the body.
fn constraints(asks: &Asks<'_>, request: &Request<'_>) -> Held {
    let merges_body = asks.tables.merges_body;
    let unreadable = match asks.effect {
        Effect::Permit => Held::No,
        Effect::Forbid => Held::Yes,
    };
    // The upstream takes the fields of a form as parameters, so the query does not show all of them.
    if matches!(request.body, Body::Unread(Media::Form | Media::Multipart)) {
        return unreadable;
    }
    if asks.query && !query::holds(asks, request.query) {
        return Held::No;
    }
    if merges_body
        && asks.json
        && asks
            .plain()
            .is_none_or(|rule| query::names_node(rule, request.query))
    {
        return unreadable;
    }
    match request.body {
        Body::Absent if asks.json => {
            let asked = Asked::by(std::slice::from_ref(asks));
            let nodes = Nodes::empty_object(asked.wanted());
            match asked.slots(0).map(|slots| body::holds(asks, slots, &nodes)) {
                Some(true) => Held::Yes,
                Some(false) => Held::No,
                None => unreadable,
            }
        }
        Body::Unread(Media::Json) | Body::Read(_) | Body::Unreadable
            if asks.json || merges_body && asks.query =>
        {
            Held::IfBody
        }
        Body::Unread(Media::Other) if asks.json => unreadable,
        _ => Held::Yes,
    }
}
