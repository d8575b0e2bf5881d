//! Answers as one JSON object.

use serde_json::{Value, json};
use tokenward_compiler::ask::{Demand, Extent, Question, Reach, Verdict, Way};
use tokenward_compiler::ir::{Program, Token};

use super::asked::{Asked, Blocked};
use super::equality::Equality;
use super::listing::{caller_json, line_json, request_json};
use super::policy::Policy;

pub(super) fn reaches(asked: &Asked, policy: &Policy, (reaches, blocked): (&[Reach], &[Blocked])) -> Value {
    let program = &policy.program;
    let told = reaches
        .iter()
        .filter(|reach| !reach.ways.is_empty() || !reach.is_settled());
    let blocked_json = blocked
        .iter()
        .map(|one| json!({ "token": program.token(one.token).name, "why": one.why }));
    json!({
        "version": 1,
        "kind": asked.kind,
        "question": asked.text,
        "checked": reaches.len() + blocked.len(),
        "may": reaches.iter().filter(|reach| reach.may()).count(),
        "settled": reaches.iter().all(Reach::is_settled),
        "tokens": told.map(|reach| reach_json(policy, reach)).collect::<Vec<_>>(),
        "blocked": blocked_json.collect::<Vec<_>>(),
    })
}

fn reach_json(policy: &Policy, reach: &Reach) -> Value {
    let program = &policy.program;
    let token = program.token(reach.token);
    let (extent, denied, open) = match &reach.extent {
        Extent::Nothing => ("none", None, None),
        Extent::Part(denied) => ("some", Some(denied), None),
        Extent::Everything => ("all", None, None),
        Extent::Open(why) => ("unsettled", None, Some(*why)),
    };
    let ways = reach.ways.iter().map(|way| way_json(way, (program, token)));
    let exceptions = reach.exceptions.iter().map(|line| line_json(program, *line));
    json!({
        "token": token.name,
        "state": policy.state(token),
        "caller": caller_json(token),
        "may": reach.may(),
        "extent": extent,
        "lines": ways.collect::<Vec<_>>(),
        "exceptions": exceptions.collect::<Vec<_>>(),
        "not_allowed": denied.map(|request| request_json((request, &reach.denied_obstacles), (program, token))),
        "why": reach.inconclusive.or(open).map(|why| why.to_string()),
    })
}

fn way_json(way: &Way, (program, token): (&Program, &Token)) -> Value {
    let conditions = way.conditions.iter();
    let conditions = conditions.map(|one| json!({ "subject": one.subject.as_str(), "text": one.text }));
    json!({
        "line": way.line.map(|line| line_json(program, line)),
        "conditions": conditions.collect::<Vec<_>>(),
        "request": request_json((&way.request, &way.obstacles), (program, token)),
    })
}

pub(super) fn verdicts(
    (question, demand): (&Question, Demand),
    policy: &Policy,
    verdicts: &[Verdict],
) -> Value {
    let program = &policy.program;
    let told = verdicts.iter().filter(|verdict| !verdict.holds()).map(|verdict| {
        let token = program.token(verdict.token);
        let breaches = verdict.breaches.iter().map(|breach| {
            json!({
                "line": breach.line.map(|line| line_json(program, line)),
                "allowed": breach.is_allowed,
                "request": request_json((&breach.request, &breach.obstacles), (program, token)),
            })
        });
        json!({
            "token": token.name,
            "state": policy.state(token),
            "breaches": breaches.collect::<Vec<_>>(),
            "why": verdict.inconclusive.map(|why| why.to_string()),
        })
    });
    let is_no = verdicts.iter().any(|verdict| !verdict.breaches.is_empty());
    let is_settled = verdicts.iter().all(|verdict| verdict.inconclusive.is_none());
    json!({
        "version": 1,
        "kind": demand.as_str(),
        "question": question.line(),
        "checked": verdicts.len(),
        "holds": answer(is_no, is_settled),
        "settled": is_settled,
        "tokens": told.collect::<Vec<_>>(),
    })
}

pub(super) fn equality(equality: &Equality<'_>) -> Value {
    let program = equality.program;
    let sides = equality.sides().map(|(id, only, rights)| {
        let token = program.token(id);
        let found = only.findings.iter().map(|found| {
            json!({
                "allowed_by": found.allowed_by.map(|line| line_json(program, line)),
                "denied_by": found.denied_by.map(|line| line_json(program, line)),
                "refused": found.is_refused,
                "request": request_json((&found.witness, &found.obstacles), (program, token)),
            })
        });
        json!({
            "token": token.name,
            "caller": caller_json(token),
            "only": found.collect::<Vec<_>>(),
            "rights": rights,
            "why": only.inconclusive.map(|why| why.to_string()),
        })
    });
    json!({
        "version": 1,
        "kind": "equal",
        "equal": answer(equality.differs(), equality.is_settled()),
        "settled": equality.is_settled(),
        "tokens": sides,
    })
}

/// `false` if there is a proof, `true` if all is settled, otherwise `null`.
fn answer(is_no: bool, is_settled: bool) -> Value {
    match (is_no, is_settled) {
        (true, _) => Value::Bool(false),
        (false, true) => Value::Bool(true),
        (false, false) => Value::Null,
    }
}
