//! Shows which lines were compared with a request, and which of their constraints held. The audit uses it in addition to the
//! decision; the decision does not.

use std::ops::ControlFlow;

use super::{Asked, Body, Found, Held as Bearing, Request, body, constraints, each_match, query};
use crate::{
    ast::Effect,
    ir::{Asks, LineId, Program, Rule, Slots},
    json::{Nodes, Path, Scalar},
};

/// A line whose methods and URL matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried<'a> {
    /// The line.
    pub line: LineId,
    /// The effect of a match.
    pub effect: Effect,
    /// Whether the line matches as a whole. The kind of body, or an upstream that mixes query and body, can keep a permit line
    /// from matching, and make a forbid line match, independent of the constraints by themselves.
    pub held: Held,
    /// The line's constraints: on parameters, then on the body, each kind in the order of the line.
    pub constraints: Vec<Constraint<'a>>,
}

/// One constraint of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint<'a> {
    /// The constraint's text up to its regexp: `QueryParam::jql==`, `JsonData::fields.key==`, `QueryParam::only`.
    pub text: String,
    /// Whether it held, all by itself.
    pub held: Held,
    /// The kind of what the constraint looked at.
    pub found: Found,
    /// For a constraint on a node of a body that was read: its path, and the values that stood there.
    pub node: Option<(&'a Path, &'a [Scalar<'a>])>,
}

/// Whether a line or constraint held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The line or constraint did not hold.
    No,
    /// The line or constraint held.
    Yes,
    /// The body decides, and was not read.
    Unknown,
}

impl From<bool> for Held {
    fn from(held: bool) -> Self {
        if held { Self::Yes } else { Self::No }
    }
}

/// The lines that the decision on this request tried, in its order, up to the first that matches with any body: first
/// the forbid lines, then, unless one of those matched so, the permit lines. The first forbid line that held decided;
/// without one, the first permit line that held.
///
/// Costs about as much as the decision, and an allocation for each constraint.
#[must_use]
pub fn explain<'a>(program: &'a Program, request: &Request<'a>) -> Vec<Tried<'a>> {
    let Some(within) = program.within(request.token) else {
        return explain_whole(program, request);
    };
    let token = within.token;
    let mut tried = explain_whole(within.program, &Request { token, ..*request });
    for tried in &mut tried {
        tried.line = within.line(tried.line);
    }
    tried
}

/// Explains by a program that is not put together from others.
fn explain_whole<'a>(program: &'a Program, request: &Request<'a>) -> Vec<Tried<'a>> {
    // The lines that the decision tries, in its order and up to the same line.
    let mut found: Vec<(LineId, Effect, Option<Asks<'a>>, Bearing)> = Vec::new();
    for effect in [Effect::Forbid, Effect::Permit] {
        let certain = each_match(program, request, effect, |matched| {
            let asks = matched.asks;
            let bearing = asks.map_or(Bearing::Yes, |asks| constraints(&asks, request));
            found.push((matched.line, effect, asks, bearing));
            match bearing {
                Bearing::Yes => ControlFlow::Break(()),
                Bearing::No | Bearing::IfBody => ControlFlow::Continue(()),
            }
        });
        if certain.is_break() {
            break;
        }
    }
    // Lines that need the body get their slots from the same questions as in the decision.
    let open = found.iter().filter(|(.., bearing)| *bearing == Bearing::IfBody);
    let open: Vec<Asks<'a>> = open.filter_map(|(_, _, asks, _)| *asks).collect();
    let asked = Asked::by(&open);
    let mut places = 0..;
    let mut tried = Vec::with_capacity(found.len());
    for (line, effect, asks, bearing) in found {
        let place = (bearing == Bearing::IfBody).then(|| places.next()).flatten();
        let slots = place.and_then(|place| asked.slots(place));
        let held = match (bearing, slots, asks, request.body) {
            (Bearing::Yes, ..) => Held::Yes,
            (Bearing::No, ..) => Held::No,
            (_, Some(slots), Some(asks), Body::Read(nodes)) => body::holds(&asks, slots, nodes).into(),
            (.., Body::Unreadable) => Held::from(effect == Effect::Forbid),
            _ => Held::Unknown,
        };
        let constraints = asks.map_or_else(Vec::new, |asks| each(asks, slots, request));
        tried.push(Tried {
            line,
            effect,
            held,
            constraints,
        });
    }
    tried
}

/// Each constraint of a rule by itself.
pub(super) fn each<'a>(asks: Asks<'a>, slots: Option<&Slots>, request: &Request<'a>) -> Vec<Constraint<'a>> {
    let Some(rule) = asks.plain() else {
        return Vec::new();
    };
    let mut constraints = of_query(&asks, rule, request);
    constraints.extend(of_body(&asks, rule, slots, request));
    constraints
}

fn without_node<'a>(text: String, held: Held, found: Found) -> Constraint<'a> {
    Constraint {
        text,
        held,
        found,
        node: None,
    }
}

/// The constraints on parameters.
fn of_query<'a>(asks: &Asks<'a>, rule: &Rule, request: &Request<'a>) -> Vec<Constraint<'a>> {
    let mut constraints = Vec::new();
    for (test, asked) in rule.params.iter().zip(asks.params()) {
        let text = format!("QueryParam::{}{}", test.name, test.operator.as_str());
        let given = request
            .query
            .iter()
            .filter(|given| *given.name == *test.name)
            .count();
        let held = query::holds_one(rule.effect, asked, request.query);
        constraints.push(without_node(text, held.into(), Found::Parameters(given)));
    }
    if rule.params_only {
        let only = query::only(asks, request.query);
        constraints.push(without_node(
            "QueryParam::only".to_owned(),
            only.into(),
            Found::others(only),
        ));
    }
    constraints
}

/// The constraints on the body.
fn of_body<'a>(
    asks: &Asks<'a>,
    rule: &'a Rule,
    slots: Option<&Slots>,
    request: &Request<'a>,
) -> Vec<Constraint<'a>> {
    let mut constraints = Vec::new();
    // An absent body is an empty object, which decides without slots of the request's own.
    let absent = matches!(request.body, Body::Absent).then(|| {
        let asked = Asked::by(std::slice::from_ref(asks));
        (Nodes::empty_object(asked.wanted()), asked)
    });
    let own = absent
        .as_ref()
        .and_then(|(empty, asked)| Some((empty, asked.slots(0)?)));
    let read = match (request.body, slots) {
        (Body::Read(nodes), Some(slots)) => Some((nodes, slots)),
        _ => None,
    };
    let elsewise = match request.body {
        Body::Unreadable => Held::from(rule.effect == Effect::Forbid),
        _ => Held::Unknown,
    };
    for (at, (test, asked)) in rule.nodes.iter().zip(asks.nodes()).enumerate() {
        let kinds = test.kinds.map_or_else(String::new, |kinds| format!(":{kinds}"));
        let text = format!("JsonData::{}{kinds}{}", test.path, test.operator.as_str());
        let node = read.and_then(|(nodes, slots)| Some(nodes.node(*slots.nodes.get(at)?)));
        let looked_at = node.or_else(|| {
            let (empty, slots) = own?;
            Some(empty.node(*slots.nodes.get(at)?))
        });
        let held = looked_at.map(|node| body::holds_one(rule.effect, asked, node).into());
        constraints.push(Constraint {
            text,
            held: held.unwrap_or(elsewise),
            found: looked_at.map_or(Found::Unread, Found::at),
            node: node.map(|node| (&*test.path, node.values.as_slice())),
        });
    }
    // `only` at each object, read as the nodes are.
    for (at, path) in rule.members.iter().enumerate() {
        let object = match path.0.is_empty() {
            true => String::new(),
            false => format!("{path}."),
        };
        let node = read.and_then(|(nodes, slots)| Some(nodes.node(*slots.members.get(at)?)));
        let looked_at = node.or_else(|| {
            let (empty, slots) = own?;
            Some(empty.node(*slots.members.get(at)?))
        });
        let held = looked_at.map(|node| body::only(rule, path, node));
        constraints.push(without_node(
            format!("JsonData::{object}only"),
            held.map_or(elsewise, Held::from),
            held.map_or(Found::Unread, Found::others),
        ));
    }
    constraints
}
