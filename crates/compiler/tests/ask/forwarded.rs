//! Answers about a policy behind a proxy: the requests in them are ones that the proxy forwards, or say what keeps it from that.

use tokenward_compiler::{
    analysis::{Obstacle, Universe},
    ask::{Breach, Extent, Question, Reach, equal, verdicts, who},
    ir::Program,
};

use super::{
    ids,
    policy::{BUDGET, base, compiled},
    toy::proxied,
};

fn question(text: &str) -> Question {
    Question::parse(text, &base(), false)
        .expect(text)
        .behind(proxied())
}

/// The only token of a policy, asked.
fn reach(lines: &str, text: &str) -> Reach {
    let program = compiled(&[("t", lines)]);
    let question = question(text);
    let tokens = ids(&program);
    let settings = (Universe::default(), &BUDGET.into());
    let mut found = who(&question, (&program, &tokens), settings, |_, _| {}).unwrap();
    found.pop().unwrap()
}

/// Each way's request, and what keeps the proxy from forwarding it.
fn ways(reach: &Reach) -> Vec<String> {
    let ways = reach.ways.iter();
    ways.map(|way| told(&way.request.decoded(), &way.obstacles))
        .collect()
}

fn told(request: &str, obstacles: &[Obstacle]) -> String {
    format!("{request} {}", Obstacle::describe(obstacles))
        .trim_end()
        .to_owned()
}

/// Whether the only token of a policy meets the demand, and the requests that show that it does not.
fn verdict(lines: &str, text: &str) -> (bool, Vec<Breach>) {
    let program = compiled(&[("t", lines)]);
    let question = question(text);
    let tokens = ids(&program);
    let settings = (Universe::default(), &BUDGET.into());
    let asked = (&question, question.demand().unwrap());
    let mut found = verdicts(asked, (&program, &tokens), settings, |_, _| {}).unwrap();
    let verdict = found.pop().unwrap();
    (verdict.holds(), verdict.breaches)
}

#[test]
fn examples_are_requests_that_the_proxy_forwards() {
    for lines in ["unrestricted", ".*", "/.*[a-z]/.*"] {
        let reach = reach(lines, "POST .*");
        assert!(reach.may(), "{lines}");
        let [way] = reach.ways.as_slice() else {
            panic!("{lines}: {reach:?}")
        };
        assert!(
            way.request.path.starts_with("/rest/") && way.obstacles.is_empty(),
            "{lines}: {way:?}"
        );
    }
    // Without a proxy any request that the lines allow is an example.
    let program = compiled(&[("t", "unrestricted")]);
    let bare = Question::parse("POST .*", &base(), false).unwrap();
    let settings = (Universe::default(), &BUDGET.into());
    let tokens = ids(&program);
    let mut found = who(&bare, (&program, &tokens), settings, |_, _| {}).unwrap();
    assert_eq!(ways(&found.pop().unwrap()), ["POST /"]);
}

#[test]
fn a_call_that_needs_a_key_is_blocked_without_it() {
    let asked = "POST /rest/pat(/.*)?";
    for lines in ["unrestricted", "[post]/rest/.*", "[post]/rest/pat.*"] {
        let without = reach(lines, asked);
        assert!(
            !without.may() && without.is_blocked() && without.is_settled(),
            "{without:?}"
        );
        assert!(
            ways(&without)
                .iter()
                .all(|way| way.ends_with(" only with `mint = true`")),
            "{without:?}"
        );
        let with = reach(&format!("mint\n{lines}"), asked);
        assert!(with.may() && !with.is_blocked(), "{with:?}");
        assert!(with.ways.iter().all(|way| way.obstacles.is_empty()), "{with:?}");
    }
    let none = reach("[get]/rest/.*", asked);
    assert!(!none.may() && !none.is_blocked(), "{none:?}");
}

#[test]
fn each_line_has_its_own_obstacles() {
    let reach = reach("[post]/rest/pat/.*\n[post]/secure/.*\n[post]/rest/a", "POST .*");
    assert!(reach.may());
    assert_eq!(
        ways(&reach),
        [
            "POST /rest/pat/ only with `mint = true`",
            "POST /secure/ only with another `upstream.endpoints`",
            "POST /rest/a",
        ]
    );
    assert!(
        matches!(&reach.extent, Extent::Part(denied) if denied.path.starts_with("/rest/")),
        "{reach:?}"
    );
}

/// A demand stays unmet if only a key or a setting protects it: the answer is about the policy, which may be all that is left.
#[test]
fn a_demand_that_only_a_key_keeps_is_not_met() {
    let (holds, breaches) = verdict("/rest/.*", "never /rest/pat/.*");
    assert!(!holds);
    let [breach] = breaches.as_slice() else {
        panic!("{breaches:?}")
    };
    assert!(breach.is_blocked() && breach.is_allowed, "{breach:?}");
    let (holds, breaches) = verdict("mint\n/rest/.*", "never /rest/pat/.*");
    assert!(
        !holds && breaches.iter().all(|breach| breach.obstacles.is_empty()),
        "{breaches:?}"
    );
    let (holds, breaches) = verdict("/rest/a.*\n/secure/.*", "only /rest/a.*");
    assert!(!holds && breaches.iter().all(Breach::is_blocked), "{breaches:?}");
    // Of all requests that break it, one that the proxy forwards is shown.
    let (_, breaches) = verdict(".*", "never [post].*");
    let [breach] = breaches.as_slice() else {
        panic!("{breaches:?}")
    };
    assert!(
        breach.obstacles.is_empty() && breach.request.path.starts_with("/rest/"),
        "{breach:?}"
    );
}

#[test]
fn always_is_not_met_by_lines_whose_calls_the_proxy_refuses() {
    let (holds, breaches) = verdict("[post]/rest/.*", "always POST /rest/pat/.*");
    assert!(!holds);
    let told: Vec<(bool, String)> = breaches
        .iter()
        .map(|breach| {
            (
                breach.is_allowed,
                told(&breach.request.decoded(), &breach.obstacles),
            )
        })
        .collect();
    assert_eq!(
        told,
        [(true, "POST /rest/pat/ only with `mint = true`".to_owned())]
    );
    assert!(verdict("mint\n[post]/rest/.*", "always POST /rest/pat/.*").0);
    assert!(verdict("[post]/rest/.*", "always POST /rest/b.*").0);
    let (holds, breaches) = verdict("[post]/rest/a", "always POST /rest/.*");
    assert!(
        !holds && breaches.iter().all(|breach| !breach.is_allowed),
        "{breaches:?}"
    );
}

#[test]
fn differences_of_two_tokens_are_requests_that_the_proxy_forwards() {
    let program: Program = compiled(&[
        ("a", ".*"),
        ("b", "[get]/rest/x"),
        ("c", "[get]/rest/x\n/rest/pat/.*"),
    ]);
    let tokens = ids(&program);
    let proxied = proxied();
    let of = |one: usize, other: usize| -> Vec<String> {
        let pair = (*tokens.get(one).unwrap(), *tokens.get(other).unwrap());
        let settings = (Universe::default(), Some(&proxied), &BUDGET.into());
        let found = equal(&program, pair, settings).unwrap().newly_denied.findings;
        let found = found.iter();
        found
            .map(|found| told(&found.witness.decoded(), &found.obstacles))
            .collect()
    };
    assert_eq!(of(0, 1), ["GET /rest/"]);
    assert_eq!(of(2, 1), ["GET /rest/pat/ only with `mint = true`"]);
}
