//! The story of one call, for `audit show`: what happened, in the order in which it happened, with the text of each line.

use serde_json::Value;

/// Tells the story of a recorded call, in one sentence a step. `text_of` finds the text of a line by its digest, if the policy
/// still has the line.
pub(crate) fn of<'p>(call: &Value, text_of: impl Fn(&str) -> Option<&'p str>) -> Vec<String> {
    let text = |place: &str| call.pointer(place).and_then(Value::as_str);
    let line = |at: &Value| {
        let file = at.get("file").and_then(Value::as_str).unwrap_or_default();
        let place = format!("{file}:{}", at.get("number").unwrap_or(&Value::Null));
        let digest = at.get("digest").and_then(Value::as_str).unwrap_or_default();
        match text_of(digest) {
            Some(text) => format!("{place}: {text}"),
            None => format!("{place} (no longer in the policy)"),
        }
    };
    let mut steps = vec![format!(
        "{} came from {} at {}.",
        text("/method").unwrap_or_default(),
        text("/client").unwrap_or_default(),
        text("/time").unwrap_or_default()
    )];
    // Authentication.
    steps.push(match (text("/token"), text("/user")) {
        (Some(token), Some(user)) => format!("Token {token} was recognised, for user {user}."),
        (Some(token), None) => format!("Token {token} was recognised."),
        (None, _) => "No token was recognised.".to_owned(),
    });
    if let Some(user) = text("/on_behalf_of") {
        steps.push(format!("The call was made on behalf of {user}."));
    }
    // The decision.
    if let Some(why) = text("/unread") {
        steps.push(format!("The proxy could not read the body as JSON: {why}."));
    }
    let empty = Vec::new();
    let tried = call.get("tried").and_then(Value::as_array).unwrap_or(&empty);
    for tried in tried {
        let at = tried.get("line").map(line).unwrap_or_default();
        let effect = tried.get("effect").and_then(Value::as_str).unwrap_or_default();
        steps.push(format!("The {effect} line {} {at}", result(tried)));
    }
    if let Some(lacking) = call.get("lacking") {
        let member = |name| lacking.get(name).and_then(Value::as_str).unwrap_or_default();
        steps.push(format!(
            "The nearest permit line failed at `{}`, where the request has {}. {}",
            member("condition"),
            member("found"),
            lacking.get("line").map(line).unwrap_or_default()
        ));
    }
    steps.push(decision(call, line));
    // The end.
    steps.extend(end(call));
    let numbered = steps.into_iter().zip(1..);
    numbered
        .map(|(step, number)| format!("{number}. {step}"))
        .collect()
}

/// Describes whether a tried line matched, and the first of its constraints that did not hold.
fn result(tried: &Value) -> String {
    let held = |of: &Value| {
        of.get("held")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let empty = Vec::new();
    let constraints = tried
        .get("constraints")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    let first = |wanted: &str| {
        let found = constraints.iter().find(|constraint| held(constraint) == wanted);
        found
            .and_then(|found| found.get("constraint"))
            .and_then(Value::as_str)
    };
    match (held(tried).as_str(), first("no"), first("unknown")) {
        ("yes", ..) => "matched:".to_owned(),
        ("no", Some(failed), _) => format!("did not match, since `{failed}` did not hold:"),
        ("no", None, Some(unread)) => {
            format!("did not match, since `{unread}` needs a body that can be read:")
        }
        ("no", None, None) => {
            "did not match, since the upstream takes parameters from such a body:".to_owned()
        }
        _ => "depends on the body, which was not read:".to_owned(),
    }
}

fn decision(call: &Value, line: impl Fn(&Value) -> String) -> String {
    let text = |place: &str| call.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let verdict = match text("/verdict") {
        "allow" => "allowed",
        "deny" => "denied",
        _ => "refused",
    };
    let by = call.get("line").filter(|line| !line.is_null()).map(line);
    let by = by.map_or_else(String::new, |line| format!(", by {line}"));
    format!("The call was {verdict} ({}){by}.", text("/reason"))
}

/// Describes the upstream's part and the response.
fn end(call: &Value) -> Vec<String> {
    let Some(outcome) = call.get("outcome").filter(|outcome| !outcome.is_null()) else {
        return vec!["The call has not ended.".to_owned()];
    };
    let mut steps = Vec::new();
    if let Some(status) = outcome.get("upstream_status").and_then(Value::as_u64) {
        steps.push(format!("The upstream answered with status {status}."));
    }
    let end = outcome.get("end").and_then(Value::as_str).unwrap_or_default();
    steps.push(match outcome.get("status").and_then(Value::as_u64) {
        Some(status) => format!("The client got status {status}; end: {end}."),
        None => format!("The client got no status; end: {end}."),
    });
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_told_in_the_order_in_which_it_happened() {
        let line =
            |number| serde_json::json!({"file": "p.toml", "number": number, "digest": format!("d{number}")});
        let call = serde_json::json!({
            "time": "T", "client": "10.0.0.1", "method": "POST", "token": "ci", "user": "svc", "on_behalf_of": null,
            "verdict": "deny", "reason": "no-line", "line": null,
            "unread": "a comma after the last element (line 1, column 14); remove it",
            "tried": [
                {"line": line(6), "effect": "forbid", "held": "no", "constraints": [{"constraint": "QueryParam::a==", "held": "no"}]},
                {"line": line(7), "effect": "permit", "held": "no", "constraints": [
                    {"constraint": "QueryParam::b==", "held": "yes"}, {"constraint": "JsonData::summary==", "held": "unknown"},
                ]},
            ],
            "lacking": {"line": line(7), "condition": "JsonData::summary==", "found": "a body that was not read"},
            "outcome": {"status": 403, "upstream_status": null, "end": "complete"},
        });
        let told = of(&call, |digest| {
            (digest == "d7").then_some("[post]/rest/x[QueryParam::b==1][JsonData::summary==.*]")
        });
        insta::assert_snapshot!(told.join("\n"), @r"
        1. POST came from 10.0.0.1 at T.
        2. Token ci was recognised, for user svc.
        3. The proxy could not read the body as JSON: a comma after the last element (line 1, column 14); remove it.
        4. The forbid line did not match, since `QueryParam::a==` did not hold: p.toml:6 (no longer in the policy)
        5. The permit line did not match, since `JsonData::summary==` needs a body that can be read: p.toml:7: [post]/rest/x[QueryParam::b==1][JsonData::summary==.*]
        6. The nearest permit line failed at `JsonData::summary==`, where the request has a body that was not read. p.toml:7: [post]/rest/x[QueryParam::b==1][JsonData::summary==.*]
        7. The call was denied (no-line).
        8. The client got status 403; end: complete.
        ");
    }
}
