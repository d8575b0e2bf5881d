//! TW0512: `[get,post]` with a condition on the body: GET has no body, so the line never matches it.

use super::{
    line::Line,
    suspect::{Claim, Suspect},
};
use crate::{
    ast::{Effect, Subject},
    diagnostic::Code,
    method::{Method, MethodSet},
};

const BODILESS: [Method; 2] = [Method::Get, Method::Head];

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    let Some(methods) = line.syntax.methods else {
        return;
    };
    let mut constraints = line.syntax.constraints.iter();
    let Some(node) = constraints.find(|constraint| matches!(constraint.subject, Subject::Json(_))) else {
        return;
    };
    let bodiless: Vec<&str> = BODILESS
        .into_iter()
        .filter(|method| methods.contains(*method))
        .map(Method::as_str)
        .collect();
    let others: Vec<String> = Method::NAMED
        .into_iter()
        .filter(|method| methods.contains(*method) && !BODILESS.contains(method))
        .map(|method| method.as_str().to_lowercase())
        .collect();
    if bodiless.is_empty() || others.is_empty() || methods == MethodSet::NAMED {
        return;
    }
    let does = match line.effect() {
        Effect::Permit => "permits",
        Effect::Forbid => "forbids",
    };
    let named = bodiless.join(" and ");
    let narrower = line.for_methods(&others.join(","));
    found.push(Suspect {
        code: Code::BodilessMethod,
        span: node.span,
        headline: format!("this line {does} no {named} request: it tests the body, and {named} has none"),
        help: format!("write `{narrower}`, and a line of its own for {named}"),
        claim: Claim::Nothing(line.compilable(line.for_methods(&bodiless.join(",").to_lowercase()))),
        fixes: line.fixes([&narrower]),
        mend: line.mend([narrower]),
    });
}
