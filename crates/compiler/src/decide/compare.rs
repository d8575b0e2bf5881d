//! Compares a request with every line of its token, one by one: the first part of the line that failed, and the value that
//! it met. For people who ask why a request is denied; the decision does not use it.

use super::{Asked, Body, Media, Request, body, constraints, explain, query};
use super::{Held as Bearing, explain::Held};
use crate::{
    ast::Effect,
    ir::{Asks, LineId, Program, Rule, Slots},
    json::{self, Kind, Node, Nodes, ReadError},
    method::MethodSet,
};

/// A line, and the first of its parts that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The line.
    pub line: LineId,
    /// The effect of a match.
    pub effect: Effect,
    /// The first part that failed, in the order method, URL, parameters, body; `None` if the line matches.
    pub failed: Option<Failed>,
}

/// A part of a line that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// The line is for these methods only.
    Method(MethodSet),
    /// The URL regexp does not match the path.
    Url,
    /// A constraint did not hold.
    Constraint {
        /// The constraint's text up to its regexp, as in [`explain::Constraint`].
        text: String,
        /// The value that the constraint met.
        met: Met,
    },
    /// The line has constraints, and the body is of a kind that no line with constraints matches.
    Body(Media),
    /// The line has constraints on the body, which is not JSON.
    NotJson(ReadError),
    /// The upstream merges query and body, and a constrained name stands on the other side.
    Merged,
}

/// The value that a constraint met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Met {
    /// The values: of a parameter, or of a node with the type of each. Of an `only`: the names that the line does not have.
    pub values: Vec<(Option<Kind>, String)>,
    /// An object stood at the node.
    pub object: bool,
    /// A step on the way to the node met a value of the wrong kind.
    pub misfit: bool,
    /// An element of an array lacks the node.
    pub lacking: bool,
}

impl Met {
    /// Whether nothing stood at the place.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares a request with the token's lines of one effect, in the order of decision. `bytes` is the whole body; it is read
/// if `request.body` is an unread JSON body.
///
/// Costs about as much as a decision for each line.
#[must_use]
pub fn compare(program: &Program, request: &Request<'_>, effect: Effect, bytes: &[u8]) -> Vec<Compared> {
    let within = program.within(request.token);
    let rules = program.token(request.token).rules(effect).iter();
    let program = within.as_ref().map_or(program, |within| within.program);
    let known = rules.filter_map(|id| Some((id, program.rule(id)?)));
    known
        .map(|(id, rule)| Compared {
            line: within.as_ref().map_or(rule.line, |within| within.line(rule.line)),
            effect,
            failed: first_failure(program, (Asks::of_rule(program, id, rule), rule), request, bytes),
        })
        .collect()
}

fn first_failure(
    program: &Program,
    (asks, rule): (Option<Asks<'_>>, &Rule),
    request: &Request<'_>,
    bytes: &[u8],
) -> Option<Failed> {
    if !rule.methods.contains(request.method) {
        return Some(Failed::Method(rule.methods));
    }
    if !program.url(rule.url).matches(request.path) {
        return Some(Failed::Url);
    }
    let asks = asks?;
    // The body is read for this line by itself, so that its slots are the line's own.
    let asked = Asked::by(std::slice::from_ref(&asks));
    let (read, unread) = match request.body {
        Body::Unread(Media::Json) if !bytes.is_empty() => match json::read(bytes, asked.wanted()) {
            Ok(nodes) => (Some(nodes), None),
            Err(error) => (None, Some(error)),
        },
        Body::Unread(Media::Json) | Body::Absent => (Some(Nodes::empty_object(asked.wanted())), None),
        Body::Unread(_) | Body::Read(_) | Body::Unreadable => (None, None),
    };
    let body = match (&read, &unread, request.body) {
        (Some(nodes), _, Body::Unread(_)) => Body::Read(nodes),
        (_, Some(_), _) => Body::Unreadable,
        (.., body) => body,
    };
    let request = Request { body, ..*request };
    let slots = asked.slots(0);
    let bearing = constraints(&asks, &request);
    let held = match (bearing, slots, &read) {
        (Bearing::Yes, ..) => true,
        (Bearing::No, ..) => false,
        (Bearing::IfBody, Some(slots), Some(nodes)) => body::holds(&asks, slots, nodes),
        // As in the decision, an unreadable body matches only forbid lines.
        (Bearing::IfBody, ..) => asks.effect == Effect::Forbid,
    };
    if held {
        return None;
    }
    if let Body::Unread(kind @ (Media::Form | Media::Multipart)) = body {
        return Some(Failed::Body(kind));
    }
    let failed = explain::each(asks, slots, &request)
        .into_iter()
        .enumerate()
        .find(|(_, constraint)| constraint.held == Held::No);
    let of_query = rule.params.len() + usize::from(rule.params_only);
    if let Some((at, constraint)) = failed.filter(|(at, _)| *at < of_query || unread.is_none()) {
        let met = if at < of_query {
            of_parameters(rule, at, &request)
        } else {
            let node = read.as_ref().zip(slots);
            node.map_or_else(Met::default, |(nodes, slots)| {
                of_body(rule, at - of_query, (nodes, slots))
            })
        };
        return Some(Failed::Constraint {
            text: constraint.text,
            met,
        });
    }
    Some(match (unread, body) {
        (Some(error), _) => Failed::NotJson(error),
        _ if asks.tables.merges_body && query::names_node(rule, request.query) => Failed::Merged,
        (_, Body::Unread(kind)) => Failed::Body(kind),
        _ => Failed::Merged,
    })
}

/// The values that the constraint on parameters at this place met.
fn of_parameters(rule: &Rule, at: usize, request: &Request<'_>) -> Met {
    let values = match rule.params.get(at) {
        Some(test) => {
            let named = request.query.iter().filter(|param| *param.name == *test.name);
            let values = named.map(|param| param.value.unwrap_or_default());
            values.map(|value| (None, value.to_owned())).collect()
        }
        None => {
            let named = |name: &str| rule.params.iter().any(|test| *test.name == *name);
            let others = request.query.iter().filter(|param| !named(param.name));
            others.map(|param| (None, param.name.to_owned())).collect()
        }
    };
    Met {
        values,
        ..Met::default()
    }
}

/// The values that the constraint on the body at this place met: of nodes, then of `only`.
fn of_body(rule: &Rule, at: usize, (nodes, slots): (&Nodes<'_>, &Slots)) -> Met {
    if let Some(slot) = slots.nodes.get(at) {
        return met(nodes.node(*slot));
    }
    let place = at.checked_sub(slots.nodes.len());
    let member = place.and_then(|at| Some((rule.members.get(at)?, slots.members.get(at)?)));
    let Some((path, slot)) = member else {
        return Met::default();
    };
    let node = nodes.node(*slot);
    let names = node.members.iter().filter(|name| {
        let alone = Node {
            members: vec![(*name).clone()],
            ..Node::default()
        };
        !body::only(rule, path, &alone)
    });
    Met {
        values: names.map(|name| (None, name.to_string())).collect(),
        object: false,
        misfit: node.misfit,
        lacking: node.lacking,
    }
}

fn met(node: &Node<'_>) -> Met {
    let values = node.values.iter();
    Met {
        values: values
            .map(|value| (Some(value.kind), value.text.to_string()))
            .collect(),
        object: node.object,
        misfit: node.misfit,
        lacking: node.lacking,
    }
}
