//! Questions to a policy: which tokens may, by which lines and under which conditions; and whether a demand holds.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a test's way to fail"
)]

#[path = "ask/forwarded.rs"]
mod forwarded;
#[path = "ask/generated.rs"]
mod generated;
#[path = "ask/policy.rs"]
mod policy;
#[path = "forwarded/toy.rs"]
mod toy;

use policy::{BUDGET, base, compiled};
use tokenward_compiler::{
    analysis::{Budget, Json, Request, RequestBody, Served, Universe},
    ask::{Extent, Question, QuestionError, Reach, equal, token_named, verdicts, who},
    compile,
    ir::{Program, TokenId},
    method::Method,
    source::SourceSet,
};

fn question(text: &str) -> Question {
    Question::parse(text, &base(), false).expect(text)
}

fn ids(program: &Program) -> Vec<TokenId> {
    program.tokens().map(|(id, _)| id).collect()
}

fn asked(program: &Program, question: &Question) -> Vec<Reach> {
    let tokens = ids(program);
    who(
        question,
        (program, &tokens),
        (Universe::default(), &BUDGET.into()),
        |_, _| {},
    )
    .expect("no fault")
}

/// The answer in a few words: for each token its lines by number, with their conditions, and forbid lines.
fn told(program: &Program, text: &str) -> Vec<String> {
    let question = question(text);
    let mut told = Vec::new();
    for reach in asked(program, &question) {
        let name = &program.token(reach.token).name;
        let extent = match &reach.extent {
            Extent::Nothing => "nothing".to_owned(),
            Extent::Part(denied) => format!("not {}", denied.decoded()),
            Extent::Everything => "everything".to_owned(),
            Extent::Open(why) => why.to_string(),
        };
        told.push(format!("{name}: {extent}"));
        for way in &reach.ways {
            let line = way.line.map_or("unrestricted", |line| program.line(line).text);
            let conditions: Vec<&str> = way.conditions.iter().map(|one| one.text.as_str()).collect();
            told.push(format!(
                "  {line} if [{}]: {}",
                conditions.join("; "),
                way.request.decoded()
            ));
        }
        for line in &reach.exceptions {
            told.push(format!("  but {}", program.line(*line).text));
        }
    }
    told
}

const POLICY: &[(&str, &str)] = &[
    (
        "ci",
        "[get,delete]/rest/api/2/issue/KANBAN-\\d+\n[post]/rest/api/2/search[QueryParam::max<=50][JsonData::jql:string==project.*]\n!/rest/api/2/issue/KANBAN-1",
    ),
    ("reader", "[get]/rest/.*\n!.*/admin.*"),
    ("admin", "unrestricted"),
    ("other", "[get]/other/.*"),
];

#[test]
fn tokens_lines_conditions_and_requests() {
    let program = compiled(POLICY);
    assert_eq!(
        told(&program, "DELETE /rest/.*"),
        [
            "ci: not DELETE /rest/a",
            "  [get,delete]/rest/api/2/issue/KANBAN-\\d+ if [the path matches `/rest/api/2/issue/KANBAN-\\d+`]: DELETE /rest/api/2/issue/KANBAN-0",
            "  but !/rest/api/2/issue/KANBAN-1",
            "reader: nothing",
            "admin: everything",
            "  unrestricted if []: DELETE /rest/",
            "other: nothing",
        ]
    );
    assert_eq!(
        told(&program, "[get,put]/rest/api/2/issue/KANBAN-7"),
        [
            "ci: not PUT /rest/api/2/issue/KANBAN-7",
            "  [get,delete]/rest/api/2/issue/KANBAN-\\d+ if [the method is GET]: GET /rest/api/2/issue/KANBAN-7",
            "reader: not PUT /rest/api/2/issue/KANBAN-7",
            "  [get]/rest/.* if [the method is GET]: GET /rest/api/2/issue/KANBAN-7",
            "admin: everything",
            "  unrestricted if []: GET /rest/api/2/issue/KANBAN-7",
            "other: nothing",
        ]
    );
}

#[test]
fn constraints_are_told_in_words() {
    let program = compiled(&[(
        "t",
        "/a[QueryParam::q==x|y][QueryParam::r?=z][QueryParam::only]\n\
         /b[QueryParam::q!=x][QueryParam::n>=5][QueryParam::d?<2018-01-01]\n\
         /c[JsonData::l[*].k:string|null==v][JsonData::b:boolean==true][JsonData::only]\n\
         /d[JsonData::$:number==1]\n\
         /e[JsonData::o.only]",
    )]);
    let question = question(".*");
    let told: Vec<String> = asked(&program, &question)
        .iter()
        .flat_map(|reach| &reach.ways)
        .flat_map(|way| &way.conditions)
        .map(|one| format!("{}: {}", one.subject.as_str(), one.text))
        .filter(|text| !text.starts_with("path"))
        .collect();
    assert_eq!(
        told,
        [
            "query: the query parameter `q` is present, and each of its values matches `x|y`",
            "query: the query parameter `r` is absent, or each of its values matches `z`",
            "query: the query has no parameters other than `q` and `r`",
            "query: none of the values of the query parameter `q` matches `x`",
            "query: the query parameter `n` is present, and each of its values is at least 5",
            "query: the query parameter `d` is absent, or each of its values is below 2018-01-01",
            "body: the JSON node `l[*].k` is present, and each of its values is a string that matches `v`, or null",
            "body: the JSON node `b` is present, and each of its values is a boolean that matches `true`",
            "body: the JSON body has no members other than `l` and `b`",
            "body: the JSON body is present, and each of its values is a number that matches `1`",
            "body: the JSON node `o` has no members",
        ]
    );
}

#[test]
fn what_the_question_says_is_no_condition() {
    let program = compiled(&[("t", "[post]/rest/.*[JsonData::a==x|y][QueryParam::b?=.*]")]);
    let of = |text: &str| {
        let question = question(text);
        let reach = asked(&program, &question).pop().unwrap();
        let way = reach.ways.first().unwrap();
        let conditions: Vec<&str> = way.conditions.iter().map(|one| one.text.as_str()).collect();
        (conditions.join("; "), reach.extent)
    };
    assert_eq!(
        of("[post]/rest/a[JsonData::a==x]"),
        (String::new(), Extent::Everything)
    );
    let (conditions, extent) = of("[post]/rest/a[JsonData::a==.*]");
    assert_eq!(
        conditions,
        "the JSON node `a` is present, and each of its values matches `x|y`"
    );
    assert!(matches!(extent, Extent::Part(_)), "{extent:?}");
}

/// One line of a set has another meaning for each user.
#[test]
fn conditions_are_those_of_the_tokens_own_user() {
    let token = |name: &str, user: &str, secret: &str| {
        format!(
            "[[token]]\nname = \"{name}\"\nuser = \"{user}\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{}\"\ninclude = [\"own\"]\n",
            secret.repeat(32)
        )
    };
    let tokens = token("ann", "ann", "11") + &token("bob", "bob", "22");
    let sources = SourceSet::from_files([
        ("t.toml".to_owned(), tokens),
        (
            "own.limits".to_owned(),
            "[get]/rest/users/(shared|{USER})/.*".to_owned(),
        ),
    ]);
    let program = compile(&sources).program.unwrap().bind(&base()).unwrap();
    let question = question("GET /rest/users/(ann|shared)/x");
    let conditions: Vec<usize> = asked(&program, &question)
        .iter()
        .flat_map(|reach| &reach.ways)
        .map(|way| way.conditions.len())
        .collect();
    assert_eq!(conditions, [0, 1]);
}

#[test]
fn demands_hold_or_are_refuted_by_a_request() {
    let program = compiled(POLICY);
    let verdict = |name: &str, text: &str| {
        let question = question(text);
        let token = token_named(&program, name).unwrap();
        let verdict = verdicts(
            (&question, question.demand().unwrap()),
            (&program, &[token]),
            (Universe::default(), &BUDGET.into()),
            |_, _| {},
        );
        let verdict = verdict.unwrap().pop().unwrap();
        let breaches = verdict.breaches.iter().map(|breach| {
            let line = breach.line.map_or("-", |line| program.line(line).text);
            format!("{} by {line}", breach.request.decoded())
        });
        (verdict.holds(), breaches.collect::<Vec<_>>())
    };
    assert_eq!(verdict("reader", "never [delete]/rest/.*"), (true, vec![]));
    assert_eq!(
        verdict("ci", "never [delete]/rest/.*"),
        (
            false,
            vec!["DELETE /rest/api/2/issue/KANBAN-0 by [get,delete]/rest/api/2/issue/KANBAN-\\d+".to_owned()]
        )
    );
    assert_eq!(verdict("reader", "only GET .*"), (true, vec![]));
    assert!(!verdict("ci", "only GET .*").0);
    assert_eq!(verdict("admin", "always DELETE /rest/.*"), (true, vec![]));
    assert_eq!(
        verdict("ci", "Always GET /rest/api/2/issue/KANBAN-[1-9]"),
        (
            false,
            vec!["GET /rest/api/2/issue/KANBAN-1 by !/rest/api/2/issue/KANBAN-1".to_owned()]
        )
    );
}

#[test]
fn two_tokens_are_equal_or_each_difference_has_a_request() {
    let program = compiled(&[
        ("a", "/rest/a|/rest/b"),
        ("b", "/rest/b\n/rest/a"),
        ("c", "/rest/b\n[get]/rest/c"),
    ]);
    let of = |one: &str, other: &str| {
        let ids = (
            token_named(&program, one).unwrap(),
            token_named(&program, other).unwrap(),
        );
        let compared = equal(&program, ids, (Universe::default(), None, &BUDGET.into())).unwrap();
        let requests = |difference: &tokenward_compiler::analysis::Difference| -> Vec<String> {
            let findings = difference.findings.iter();
            findings.map(|found| found.witness.decoded()).collect()
        };
        (
            requests(&compared.newly_denied),
            requests(&compared.newly_allowed),
        )
    };
    assert_eq!(of("a", "b"), (vec![], vec![]));
    assert_eq!(
        of("a", "c"),
        (vec!["GET /rest/a".to_owned()], vec!["GET /rest/c".to_owned()])
    );
}

#[test]
fn one_call_has_a_query_and_any_body() {
    let program = compiled(&[
        ("exact", "[post]/rest/a[QueryParam::q==x y]"),
        ("free", "[post]/rest/.*[JsonData::n==1]"),
        ("other", "[post]/rest/a[QueryParam::q==z]"),
        ("none", "[post]/rest/a[QueryParam::only]"),
    ]);
    let query = [("q".to_owned(), "x y".to_owned())];
    let question = Question::call((Method::Post, "POST"), "/rest/a", &query, &base()).unwrap();
    assert_eq!(question.line(), "POST /rest/a");
    let may: Vec<(String, String)> = asked(&program, &question)
        .iter()
        .filter_map(|reach| {
            let way = reach.ways.first()?;
            let conditions: Vec<&str> = way.conditions.iter().map(|one| one.text.as_str()).collect();
            Some((way.request.decoded(), conditions.join("; ")))
        })
        .collect();
    assert_eq!(
        may,
        [
            ("POST /rest/a?q=x y".to_owned(), String::new()),
            (
                "POST /rest/a?q=x y with application/json: {\"n\": \"1\"}".to_owned(),
                "the JSON node `n` is present, and each of its values matches `1`".to_owned()
            ),
        ]
    );
    let twice = [("q".to_owned(), "x".to_owned()), ("q".to_owned(), "y".to_owned())];
    let refused = Question::call((Method::Get, "GET"), "/rest/a", &twice, &base());
    assert!(matches!(refused, Err(QuestionError::SeveralValues { name }) if name == "q"));
}

#[test]
fn an_upstream_that_merges_bodies_does_not_change_the_call() {
    let program = compiled(&[("t", "[post]/rest/a[JsonData::n==1]")]).merging_body(true);
    let question = Question::call((Method::Post, "POST"), "/rest/a", &[], &base()).unwrap();
    assert!(asked(&program, &question).iter().all(Reach::may));
}

#[test]
fn every_bad_question_has_one_sentence_with_the_cure() {
    for (text, expected) in [
        (
            "",
            "the question is empty; write a method and a URL regexp, such as `DELETE /rest/.*`",
        ),
        (
            "never",
            "the question is empty; write a method and a URL regexp, such as `DELETE /rest/.*`",
        ),
        (
            "DELETE",
            "the question has no URL regexp; add one, such as `DELETE /rest/.*`, or `DELETE .*` for every path",
        ),
        (
            "![delete].*",
            "the question begins with `!`; remove the `!`, or write `never` before the line to ask whether it is forbidden",
        ),
        (
            "never # all",
            "the question begins with `#`, like a comment; remove the `#`",
        ),
        (
            "DELET /rest/.*",
            "`DELET` is not a method that a line can name; did you mean `DELETE`?",
        ),
        (
            "nevr [delete].*",
            "`nevr` is not a method that a line can name; did you mean `never`?",
        ),
        (
            "frobnicate /x",
            "`frobnicate` is not a method that a line can name; write a method, a list such as `get,post`, or begin with the URL regexp",
        ),
        (
            "GET /a\nGET /b",
            "the question has several lines; ask about one line at a time",
        ),
        (
            "GET /rest/{USER}",
            "`{USER}` cannot be used in a question, which is about every token; write the name of the user",
        ),
    ] {
        let error = Question::parse(text, &base(), false).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    for text in [
        "GET /rest/(",
        "GET /a?b=c",
        "[gett]/rest/a",
        "GET /a\u{200b}",
        "/rest/a[QueryParm::a==b]",
    ] {
        let error = Question::parse(text, &base(), false).expect_err(text).to_string();
        assert!(
            error.starts_with("the question is not a limit line: "),
            "{text}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
    let program = compiled(POLICY);
    assert_eq!(
        token_named(&program, "raeder").unwrap_err().to_string(),
        "no token `raeder` in the policy; did you mean `reader`?"
    );
    assert_eq!(
        token_named(&program, "zzz").unwrap_err().to_string(),
        "no token `zzz` in the policy; `tokenward token list` shows the names"
    );
}

#[test]
fn a_question_about_no_request_has_no_answer() {
    let served = Served::of(["/rest/*".to_owned()], false);
    for (text, part) in [
        ("never [delete]rest/.*", "without a leading `/`"),
        ("never [delete]/login", "the proxy serves only `/rest/*`"),
        (
            "never [get]/rest/a[JsonData::a==b]",
            "GET and HEAD requests have no body",
        ),
    ] {
        let question = question(text);
        let checked = question
            .check(Universe::default(), &served, &Budget::new(BUDGET))
            .unwrap();
        let error = checked.expect_err(text).to_string();
        assert!(
            error.starts_with("no request matches the question: ") && error.contains(part),
            "{error}"
        );
    }
    let question = question("never [delete]/rest/.*");
    assert!(
        question
            .check(Universe::default(), &served, &Budget::new(BUDGET))
            .unwrap()
            .is_ok()
    );
}

#[test]
fn past_the_budget_nothing_is_claimed() {
    let program = compiled(&[("t", "/(a|b)*c(a|b){3}.*x\n/.*[ab]{9}c")]);
    let question = question("never /.*b[ab]{8}y.*");
    let verdicts = verdicts(
        (&question, question.demand().unwrap()),
        (&program, &ids(&program)),
        (Universe::default(), &Budget::new(0)),
        |_, _| {},
    )
    .unwrap();
    assert!(
        verdicts
            .iter()
            .all(|verdict| !verdict.holds() && verdict.inconclusive.is_some())
    );
    let tokens = ids(&program);
    let reaches = who(
        &question,
        (&program, &tokens),
        (Universe::default(), &Budget::new(0)),
        |_, _| {},
    )
    .unwrap();
    assert!(reaches.iter().all(|reach| !reach.is_settled()));
}

#[test]
fn hostile_text_is_shown_as_escapes() {
    let request = Request {
        method: Method::Post,
        path: "/a b\u{202e}\u{1b}[31m".to_owned(),
        query: vec![("n\n".to_owned(), "ü\u{200b}".to_owned())],
        body: RequestBody::Json(Json::String("\u{feff}".to_owned())),
    };
    assert_eq!(
        request.decoded(),
        "POST /a b\\u{202e}\\u{1b}[31m?n\\n=ü\\u{200b} with application/json: \"\\u{feff}\""
    );
}
