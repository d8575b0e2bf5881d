//! The body that a line matches and that is nearest to a given one.

use std::sync::OnceLock;

use super::asked::AskedBody;
use super::change::Change;
use super::forbidden::{Demand, Refused, demand, permitted};
use super::json::literal_kind;
use super::nearest::{self, Shape, Work};
use super::query::Values;
use crate::{
    analysis::Json,
    ast::Operator,
    ir::{Matcher, MatcherId, Program, Rule},
    json::{Kind, Kinds, Path, Step},
    method::Method,
};

/// A changed body.
pub(super) struct Body {
    pub(super) body: AskedBody,
    pub(super) changes: Vec<Change>,
    pub(super) distance: u32,
}

/// The nearest body that the line matches.
pub(super) fn nearest(
    program: &Program,
    (rule, method): (&Rule, Method),
    given: &AskedBody,
    refused: &[Refused<'_>],
    work: &mut Work,
) -> Option<Body> {
    let mut body = Body {
        body: given.clone(),
        changes: Vec::new(),
        distance: 0,
    };
    if matches!(method, Method::Get | Method::Head) && body.body != AskedBody::Absent {
        body.changes.push(Change::NoBody);
        body.body = AskedBody::Absent;
    }
    let asks = rule.asks_json() || refused.iter().any(|refused| matches!(refused, Refused::Node(_)));
    // A line with constraints matches no form, and one with constraints on the body only JSON.
    match &body.body {
        AskedBody::Form if rule.constraints.is_some() => return None,
        AskedBody::Form | AskedBody::Other if asks => return None,
        AskedBody::Mislabelled { json, is_form } if asks || (*is_form && rule.constraints.is_some()) => {
            body.body = AskedBody::Json(json.clone());
            body.changes.push(Change::MediaType);
        }
        _ => {}
    }
    if !asks {
        return Some(body);
    }
    let mut root = match &body.body {
        AskedBody::Json(json) => json.clone(),
        _ => Json::Object(Vec::new()),
    };
    let mut fixed = Fixed {
        changes: Vec::new(),
        distance: 0,
        work,
    };
    fixed.all(program, rule, refused, &mut root)?;
    if !fixed.changes.is_empty() {
        body.distance = fixed.distance;
        body.changes.append(&mut fixed.changes);
        body.body = AskedBody::Json(root);
    }
    Some(body)
}

/// A test of a node: the JSON types and the values that it may have.
struct Test {
    kinds: Option<Kinds>,
    values: Values,
}

struct Fixed<'w> {
    changes: Vec<Change>,
    distance: u32,
    work: &'w mut Work,
}

impl Fixed<'_> {
    fn all(
        &mut self,
        program: &Program,
        rule: &Rule,
        refused: &[Refused<'_>],
        root: &mut Json,
    ) -> Option<()> {
        let own = rule.nodes.iter().map(|test| (test, true));
        let around = refused.iter().filter_map(|refused| match refused {
            Refused::Node(test) => Some((*test, false)),
            Refused::Url(_) | Refused::Parameter(_) => None,
        });
        let tests: Vec<_> = own.chain(around).collect();
        let mut done: Vec<&Path> = Vec::new();
        for (test, _) in &tests {
            if done.contains(&&*test.path) {
                continue;
            }
            done.push(&test.path);
            let same = tests.iter().filter(|(other, _)| other.path == test.path);
            let own_kinds = same.clone().filter(|(_, is_own)| *is_own);
            let kinds = own_kinds.clone().find_map(|(test, _)| test.kinds);
            let demands = same.map(|(test, is_own)| demanded(test.operator, test.value, *is_own));
            let test_of_path = Test {
                kinds,
                values: Values::of(program, demands)?,
            };
            self.at(root, &test.path.0, &mut Path::ROOT.clone(), &test_of_path)?;
        }
        for object in &rule.members {
            self.only(root, rule, object, &object.0, &mut Path::ROOT.clone());
        }
        Some(())
    }

    /// Makes the value at the end of these steps one that the test accepts.
    fn at(&mut self, value: &mut Json, steps: &[Step], trail: &mut Path, test: &Test) -> Option<()> {
        let Some((step, rest)) = steps.split_first() else {
            return self.leaf(value, trail, test);
        };
        match (step, &mut *value) {
            (Step::Name(name), Json::Object(members)) => {
                trail.0.push(step.clone());
                match members.iter_mut().position(|(given, _)| given == name) {
                    Some(at) => self.member(members, (at, rest), trail, test)?,
                    None if test.values.is_required => {
                        let built = self.built(rest, test)?;
                        self.change(trail, None, Some(built.clone()));
                        members.push((name.clone(), built));
                    }
                    None => {}
                }
                trail.0.pop();
                Some(())
            }
            (Step::Each, Json::Array(elements)) => {
                trail.0.push(Step::Each);
                if elements.is_empty() && test.values.is_required {
                    let built = self.built(rest, test)?;
                    self.change(trail, None, Some(built.clone()));
                    elements.push(built);
                }
                for element in elements {
                    self.at(element, rest, trail, test)?;
                }
                trail.0.pop();
                Some(())
            }
            // A step of the wrong type fails with any operator.
            _ => {
                let built = match test.values.is_required {
                    true => self.built(steps, test)?,
                    false if matches!(step, Step::Each) => Json::Array(Vec::new()),
                    false => Json::Object(Vec::new()),
                };
                self.change(trail, Some(value.clone()), Some(built.clone()));
                *value = built;
                Some(())
            }
        }
    }

    /// Goes on in a member that is there. One that may be absent is left out if no value of it helps.
    fn member(
        &mut self,
        members: &mut Vec<(String, Json)>,
        (at, rest): (usize, &[Step]),
        trail: &mut Path,
        test: &Test,
    ) -> Option<()> {
        let (changes, distance, depth) = (self.changes.len(), self.distance, trail.0.len());
        let (_, value) = members.get_mut(at)?;
        let before = value.clone();
        let means_something = test.values.is_required || test.values.has_wanted || !rest.is_empty();
        if means_something && self.at(value, rest, trail, test).is_some() {
            return Some(());
        }
        trail.0.truncate(depth);
        self.changes.truncate(changes);
        self.distance = distance;
        if test.values.is_required {
            return None;
        }
        if !means_something && accepted(&before, test) {
            return Some(());
        }
        self.change(trail, Some(before), None);
        members.remove(at);
        Some(())
    }

    fn leaf(&mut self, value: &mut Json, trail: &mut Path, test: &Test) -> Option<()> {
        if accepted(value, test) {
            return Some(());
        }
        if let Json::Array(elements) = value
            && !elements.is_empty()
        {
            trail.0.push(Step::Each);
            for element in elements {
                self.leaf(element, trail, test)?;
            }
            trail.0.pop();
            return Some(());
        }
        let scalar = match &*value {
            Json::Literal(text) => Some((literal_kind(text), text.clone())),
            Json::String(text) => Some((Kind::String, text.clone())),
            Json::Array(_) | Json::Object(_) => None,
        };
        let fresh = self.scalar(scalar, test)?;
        self.change(trail, Some(value.clone()), Some(fresh.clone()));
        *value = fresh;
        Some(())
    }

    /// A value at the end of these steps, with the objects and arrays around it.
    fn built(&mut self, steps: &[Step], test: &Test) -> Option<Json> {
        Some(match steps.split_first() {
            None => self.scalar(None, test)?,
            Some((Step::Name(name), rest)) => Json::Object(vec![(name.clone(), self.built(rest, test)?)]),
            Some((Step::Each, rest)) => Json::Array(vec![self.built(rest, test)?]),
        })
    }

    /// The scalar that the test accepts and that is nearest to a given one.
    fn scalar(&mut self, given: Option<(Kind, String)>, test: &Test) -> Option<Json> {
        let own = given.as_ref().map(|(kind, _)| *kind);
        let text = given.map(|(_, text)| text).unwrap_or_default();
        let mut kinds = vec![Kind::String, Kind::Number, Kind::Boolean, Kind::Null];
        kinds.sort_by_key(|kind| Some(*kind) != own);
        let mut best: Option<(u32, Json)> = None;
        for kind in kinds {
            let is_allowed = test.kinds.is_none_or(|kinds| kinds.has(kind));
            // Without types, any type does; the request's own, or a string, is what is meant.
            let is_meant = test.kinds.is_some() || own.is_none_or(|own| own == kind) || kind == Kind::String;
            if !is_allowed || !is_meant {
                continue;
            }
            if let Some((distance, json)) = self.of_kind(kind, &text, test)
                && best.as_ref().is_none_or(|(least, _)| distance < *least)
            {
                best = Some((distance, json));
            }
        }
        let (distance, json) = best?;
        self.distance += distance;
        Some(json)
    }

    fn of_kind(&mut self, kind: Kind, text: &str, test: &Test) -> Option<(u32, Json)> {
        let words: &[&str] = match kind {
            Kind::String | Kind::Number => &[],
            Kind::Boolean => &["true", "false"],
            Kind::Null => &["null"],
        };
        if !words.is_empty() {
            let is_listed = kind == Kind::Null && test.kinds.is_some();
            let word = words
                .iter()
                .find(|word| is_listed || test.values.goal.has(word))?;
            let distance = u32::try_from(word.len()).unwrap_or(u32::MAX);
            return Some((distance, Json::Literal((*word).to_owned())));
        }
        let mut goal = test.values.goal.clone();
        if kind == Kind::Number {
            goal.add(numbers()?, true)?;
        }
        let near = nearest::nearest(&goal, text, Shape::Value, self.work)?;
        let json = match kind {
            Kind::Number => Json::Literal(near.text),
            _ => Json::String(near.text),
        };
        Some((near.distance, json))
    }

    /// Leaves out the members of an object that the line does not name.
    fn only(&mut self, value: &mut Json, rule: &Rule, object: &Path, steps: &[Step], trail: &mut Path) {
        match (steps.split_first(), value) {
            (None, Json::Object(members)) => {
                let is_named = |name: &str| {
                    rule.paths().any(|path| {
                        path.0.starts_with(&object.0)
                            && matches!(path.0.get(object.0.len()), Some(Step::Name(named)) if named == name)
                    })
                };
                let (kept, out): (Vec<_>, Vec<_>) = std::mem::take(members)
                    .into_iter()
                    .partition(|(name, _)| is_named(name));
                *members = kept;
                for (name, value) in out {
                    trail.0.push(Step::Name(name));
                    self.change(trail, Some(value), None);
                    trail.0.pop();
                }
            }
            (Some((step @ Step::Name(name), rest)), Json::Object(members)) => {
                if let Some((_, value)) = members.iter_mut().find(|(given, _)| given == name) {
                    trail.0.push(step.clone());
                    self.only(value, rule, object, rest, trail);
                    trail.0.pop();
                }
            }
            (Some((Step::Each, rest)), Json::Array(elements)) => {
                trail.0.push(Step::Each);
                for element in elements {
                    self.only(element, rule, object, rest, trail);
                }
                trail.0.pop();
            }
            _ => {}
        }
    }

    fn change(&mut self, trail: &Path, from: Option<Json>, to: Option<Json>) {
        self.changes.push(Change::Member {
            path: trail.to_string(),
            from,
            to,
        });
    }
}

fn demanded(operator: Operator, value: MatcherId, is_own: bool) -> Demand {
    match is_own {
        true => permitted(operator, value),
        false => demand(operator, value),
    }
}

/// Whether all values of a node are accepted; an object is not, and an empty array only if the node may be absent.
fn accepted(value: &Json, test: &Test) -> bool {
    match value {
        Json::Literal(text) => fits(literal_kind(text), text, test),
        Json::String(text) => fits(Kind::String, text, test),
        Json::Array(elements) if elements.is_empty() => !test.values.is_required && !test.values.has_wanted,
        Json::Array(elements) => elements.iter().all(|element| accepted(element, test)),
        Json::Object(_) => false,
    }
}

fn fits(kind: Kind, text: &str, test: &Test) -> bool {
    if let Some(kinds) = test.kinds {
        if kind == Kind::Null && kinds.has(Kind::Null) {
            return true;
        }
        if !kinds.has(kind) {
            return false;
        }
    }
    test.values.goal.has(text)
}

/// Numbers in shortest plain decimals, as far as bodies need them.
fn numbers() -> Option<&'static Matcher> {
    static NUMBERS: OnceLock<Option<Matcher>> = OnceLock::new();
    let build = || {
        let hir = regex_syntax::parse(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?").ok()?;
        Matcher::new(&hir).ok()
    };
    NUMBERS.get_or_init(build).as_ref()
}
