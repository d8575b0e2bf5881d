//! Mistakes in the parts of a line: sign, methods, URL and constraints.

use std::ops::Range;

use super::{
    mistake::{Edit, Kind},
    pattern,
};
use crate::{
    ast::{Constraint, Effect, Limit, Operator, Pattern, Test},
    method::Method,
};

/// Methods that are added to a list, the most harmful first.
const MORE: [Method; 5] = [
    Method::Delete,
    Method::Put,
    Method::Post,
    Method::Patch,
    Method::Get,
];

pub(super) fn edits(text: &str, syntax: &Limit, found: &mut Vec<Edit>) {
    let url = range(&syntax.url);
    if syntax.effect == Effect::Forbid
        && let Some(at) = text.get(..url.start).and_then(|before| before.find('!'))
    {
        found.push(edit(Kind::LostSign, at..at + 1, ""));
    }
    methods(text, syntax, url.start, found);
    pattern::edits(text, &syntax.url, true, found);
    if text.get(url.clone()).is_some_and(|url| url.starts_with('/')) {
        found.push(edit(Kind::Unanchored, url.start..url.start, ".*"));
    }
    for constraint in &syntax.constraints {
        self::constraint(text, constraint, found);
    }
}

fn edit(kind: Kind, place: Range<usize>, text: impl Into<String>) -> Edit {
    Edit {
        kind,
        place,
        text: text.into(),
    }
}

fn range(pattern: &Pattern) -> Range<usize> {
    pattern.span.start..pattern.span.end
}

/// Mistakes in the method list, which is before the URL.
fn methods(text: &str, syntax: &Limit, url: usize, found: &mut Vec<Edit>) {
    let Some(methods) = syntax.methods else { return };
    let before = text.get(..url).unwrap_or_default();
    let (Some(start), Some(end)) = (before.find('['), before.rfind(']')) else {
        return;
    };
    let list = start..end + 1;
    let named: Vec<Method> = Method::NAMED
        .into_iter()
        .filter(|method| methods.contains(*method))
        .collect();
    let spelled = |methods: &[Method]| {
        let names = methods.iter().map(|method| method.as_str().to_ascii_lowercase());
        format!("[{}]", names.collect::<Vec<_>>().join(","))
    };
    found.push(edit(Kind::LostMethods, list.clone(), ""));
    if let Some(more) = MORE.into_iter().find(|method| !methods.contains(*method)) {
        let with = [named.as_slice(), &[more]].concat();
        found.push(edit(Kind::MoreMethods, list.clone(), spelled(&with)));
    }
    if named.len() > 1 {
        for lost in &named {
            let rest: Vec<Method> = named.iter().copied().filter(|method| method != lost).collect();
            found.push(edit(Kind::LostMethod, list.clone(), spelled(&rest)));
        }
    }
}

fn constraint(text: &str, constraint: &Constraint, found: &mut Vec<Edit>) {
    let whole = constraint.span.start..constraint.span.end;
    found.push(edit(Kind::LostCondition, whole.clone(), ""));
    let (operator, kinds, value) = match &constraint.test {
        Test::Only => return,
        Test::Values {
            operator,
            kinds,
            pattern,
        } => (*operator, kinds.is_some(), pattern.span),
        Test::Range {
            operator,
            kinds,
            span,
            ..
        } => (*operator, kinds.is_some(), *span),
    };
    // The operator is in front of the value, and the types are in front of it.
    let head = text.get(whole.start..value.start).unwrap_or_default();
    let Some(at) = head.rfind(operator.as_str()).map(|at| whole.start + at) else {
        return;
    };
    let place = at..at + operator.as_str().len();
    if let Some(other) = other_operator(operator) {
        let kind = if operator == Operator::All {
            Kind::MayBeAbsent
        } else {
            Kind::MovedBound
        };
        found.push(edit(kind, place.clone(), other));
    }
    if kinds && let Some(colon) = text.get(whole.start..at).and_then(|name| name.rfind(':')) {
        found.push(edit(Kind::LostType, whole.start + colon..at, ""));
    }
    if let Test::Values { pattern, .. } = &constraint.test {
        pattern::edits(text, pattern, false, found);
    }
}

/// The operator that is written by mistake.
fn other_operator(operator: Operator) -> Option<&'static str> {
    Some(match operator.as_str() {
        "==" => "?=",
        "<" => "<=",
        "<=" => "<",
        ">" => ">=",
        ">=" => ">",
        "?<" => "?<=",
        "?<=" => "?<",
        "?>" => "?>=",
        "?>=" => "?>",
        _ => return None,
    })
}
