//! Results as one JSON object.

use serde_json::{Value, json};
use tokenward_pdp::testing::{Case, Coverage, Fate, Mutation, Place};

use super::results::Results;
use super::text::percent;

pub(super) fn of(results: &Results<'_>) -> Value {
    let failed = results.cases.iter().filter(|case| !case.passes()).count();
    json!({
        "version": 1,
        "kind": "tests",
        "tests": results.cases.iter().map(case_json).collect::<Vec<_>>(),
        "passed": results.cases.len() - failed,
        "failed": failed,
        "left_out": results.left_out,
        "coverage": results.coverage.map(coverage_json),
        "mutation": results.mutation.map(|found| mutation_json(found, results.cases)),
    })
}

fn case_json(case: &Case) -> Value {
    let mismatches = case.mismatches();
    let mismatches = mismatches.iter().map(
        |mismatch| json!({ "part": mismatch.part, "expected": mismatch.expected, "seen": mismatch.seen }),
    );
    json!({
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "token": case.question.token,
        "result": if case.passes() { "pass" } else { "fail" },
        "expected": {
            "decision": case.expected.decision.as_str(),
            "line": case.expected.line,
            "reason": case.expected.reason,
            "status": case.expected.status,
        },
        "mismatches": mismatches.collect::<Vec<_>>(),
        "seen": serde_json::to_value(&case.seen).unwrap_or_default(),
        "notes": case.notes,
    })
}

fn place_json(place: &Place) -> Value {
    json!({ "file": place.file, "line": place.number, "text": place.text })
}

fn coverage_json(coverage: &Coverage) -> Value {
    let (covered, all) = coverage.counts();
    let lines = coverage.lines.iter().map(|line| {
        let parts = line.parts.iter();
        let parts =
            parts.map(|part| json!({ "kind": part.kind, "text": part.text, "covered": part.is_covered }));
        json!({
            "line": place_json(&line.place),
            "tests": line.decided,
            "parts": parts.collect::<Vec<_>>(),
        })
    });
    json!({
        "covered": covered,
        "all": all,
        "percent": percent((covered, all)),
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn mutation_json(mutation: &Mutation, cases: &[Case]) -> Value {
    let tried = mutation.tried.iter().map(|tried| {
        let (fate, killer, request, expect) = match &tried.fate {
            Fate::Killed(at) => {
                let killer = cases
                    .get(*at)
                    .map(|case| format!("{}:{}: {}", case.file, case.line, case.name));
                ("noticed", killer, None, None)
            }
            Fate::Refused => ("refused", None, None, None),
            Fate::Same => ("same", None, None, None),
            Fate::Open => ("open", None, None, None),
            Fate::Survived(found) => {
                let expect = if found.seen.is_allowed() { "allow" } else { "deny" };
                (
                    "survived",
                    None,
                    Some(found.difference.request.to_string()),
                    Some(expect),
                )
            }
        };
        json!({
            "line": place_json(&tried.place),
            "kind": tried.mutant.kind.as_str(),
            "changed": tried.mutant.line,
            "result": fate,
            "noticed_by": killer,
            "request": request,
            "expect": expect,
        })
    });
    json!({
        "score": mutation.score(),
        "noticed": mutation.killed(),
        "survived": mutation.survived(),
        "same": mutation.same(),
        "refused": mutation.refused(),
        "open": mutation.open(),
        "not_tried": mutation.left_out,
        "changes": tried.collect::<Vec<_>>(),
    })
}
