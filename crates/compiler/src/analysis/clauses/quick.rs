//! Recognises a permit line that does not match a request without a decision: most lines do not match.

use super::{Matched, Ruled};
use crate::{
    analysis::witness::{Json, Request, RequestBody},
    ast::{Effect, Operator},
    ir::Matcher,
    json::{Path, Step},
};

impl Ruled<'_> {
    /// Whether the rule by itself matches a request and its body is not ambiguous to it.
    pub(in super::super) fn surely_matches(self, request: &Request) -> bool {
        !surely_fails(self, request) && self.matches(request) == Matched::Yes
    }
}

/// Whether one of the rule's constraints certainly fails. "No" says nothing.
fn surely_fails(ruled: Ruled<'_>, request: &Request) -> bool {
    if ruled.rule.effect == Effect::Forbid {
        return false;
    }
    let params = ruled.rule.params.iter().any(|test| {
        let values = request.query.iter().filter(|(name, _)| **name == *test.name);
        let mut values = values.map(|(_, value)| value.as_str()).peekable();
        if values.peek().is_none() {
            return test.operator.needs_value();
        }
        let matcher = ruled.program.value(test.value);
        values.any(|value| misses(test.operator, matcher, value))
    });
    let RequestBody::Json(body) = &request.body else {
        return params;
    };
    params
        || ruled
            .rule
            .nodes
            .iter()
            .any(|test| match value_at(body, &test.path) {
                None => false,
                Some(None) => test.operator.needs_value(),
                Some(Some(Json::String(text) | Json::Literal(text))) => {
                    let is_null = matches!(text.as_str(), "null");
                    !is_null && misses(test.operator, ruled.program.value(test.value), text)
                }
                Some(Some(Json::Array(_) | Json::Object(_))) => false,
            })
}

/// Whether one value makes the constraint of a permit line fail.
fn misses(operator: Operator, matcher: &Matcher, value: &str) -> bool {
    match operator {
        Operator::All | Operator::AllOrAbsent | Operator::Within(_) | Operator::WithinOrAbsent(_) => {
            !matcher.matches(value)
        }
        Operator::None => matcher.matches(value),
    }
}

/// The value at a path of names; the outer `None`: the path has other steps, or leads through something other than objects.
fn value_at<'j>(body: &'j Json, path: &Path) -> Option<Option<&'j Json>> {
    let mut at = body;
    for step in &path.0 {
        let (Step::Name(name), Json::Object(members)) = (step, at) else {
            return None;
        };
        match members.iter().find(|(known, _)| known == name) {
            Some((_, value)) => at = value,
            None => return Some(None),
        }
    }
    Some(Some(at))
}
