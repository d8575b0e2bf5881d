use proptest::prelude::*;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::analysis::{Json, Request, RequestBody, are_refused};
use tokenward_compiler::source::SourceSet;

use super::refusals::Refusals;
use crate::inspect::{check_body, check_query};
use crate::problem::Problem;
use crate::request::{self, Framing, Product, RawHead, Reason, Rules, Settings, Version};

const EX: &str = r#"{"issue":{"project_id":"ex"}}"#;

/// Whether a POST is refused as ambiguous, by the query or by the body.
fn is_refused(product: Product, lines: &str, call: (&str, &str), relaxed: bool) -> bool {
    refusal(product, lines, call, relaxed) == Some(Reason::AmbiguousParameter)
}

/// Why a POST is refused, by the query or by the body.
fn refusal(product: Product, lines: &str, call: (&str, &str), relaxed: bool) -> Option<Reason> {
    match checked(product, lines, call, relaxed) {
        Err(Problem::Reading(refusal)) => Some(refusal.reason),
        Ok(()) | Err(_) => None,
    }
}

/// Checks the query and the body of a POST.
fn checked(
    product: Product,
    lines: &str,
    (target, body): (&str, &str),
    relaxed: bool,
) -> Result<(), Problem> {
    let text = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{lines}\n'''\n",
        "0".repeat(64)
    );
    let sources = SourceSet::from_files([("p.toml".into(), text)]);
    let base = BaseUrl::parse("http://a").unwrap();
    let compiled = tokenward_compiler::compile(&sources);
    let program = compiled.program.unwrap().bind(&base).unwrap();
    let (token, _) = program.tokens().next().unwrap();

    let mut settings = Settings::new(base, product);
    settings.endpoints = vec!["/*".to_owned()];
    settings.relax.ambiguous_parameter = relaxed;
    let rules = Rules::new(&settings).unwrap();
    let length = body.len().to_string();
    let headers: [(&[u8], &[u8]); 3] = [
        (b"Host", b"a"),
        (b"Content-Type", b"application/json"),
        (b"Content-Length", length.as_bytes()),
    ];
    let raw = RawHead {
        method: "POST",
        target: target.as_bytes(),
        version: Version::Http11,
        headers: &headers,
        authority: None,
        body: Framing::Length(body.len() as u64),
    };
    let canonical = request::read(&raw, &rules).head.map_err(Problem::Reading)?;
    check_query(&program, token, &canonical, &rules)
        .and_then(|()| check_body(&program, token, &canonical, &rules, body.as_bytes()))
}

#[test]
fn bodies_with_more_names_than_are_compared_are_refused() {
    let line = "[post]/x[JsonData::issue.project_id==ex]";
    let with = |root: usize, inner: usize| {
        let members = |number: usize, named: &str| -> String {
            (0..number).map(|n| format!(",\"{named}{n}\":1")).collect()
        };
        format!(
            "{{\"issue\":{{\"project_id\":\"ex\"{}}}{}}}",
            members(inner, "i"),
            members(root, "r")
        )
    };
    let refused = |body: &str, relaxed| refusal(Product::Redmine, line, ("/x", body), relaxed);
    assert_eq!(refused(&with(4095, 4095), false), None);
    assert_eq!(refused(&with(4096, 0), false), Some(Reason::TooManyMembers));
    assert_eq!(refused(&with(0, 4096), false), Some(Reason::TooManyMembers));
    assert_eq!(refused(&with(4096, 4096), true), None);
    // Objects of the root that no line names, with different names in each.
    let others: Vec<String> = (0..5)
        .map(|object| {
            let members: Vec<String> = (0..1000).map(|n| format!("\"m{object}_{n}\":1")).collect();
            format!("\"o{object}\":{{{}}}", members.join(","))
        })
        .collect();
    let others = format!("{{\"issue\":{{\"project_id\":\"ex\"}},{}}}", others.join(","));
    assert_eq!(refused(&others, false), Some(Reason::TooManyMembers));
    let free = refusal(
        Product::Redmine,
        "/y[JsonData::a==b]",
        ("/x", &with(9000, 9000)),
        false,
    );
    assert_eq!(free, None);
}

#[test]
fn ambiguous_names_are_refused_by_name() {
    for line in [
        "[post]/x[JsonData::issue.project_id==ex]",
        "[post]/x[JsonData::issue.project_id!=secret]",
        "[post]/x[JsonData::issue.project_id?=ex]",
        "[post]/x[JsonData::issue.only]",
        "!/x[JsonData::issue.project_id==secret]\n/x",
        // Another line permits the call.
        "/x\n[post]/x[JsonData::issue.project_id==ex]",
    ] {
        for name in [
            "issue[project_id]",
            "[issue][project_id]",
            "issue][project_id]",
            "]issue[project_id]",
            "[[issue[project_id]",
            "_issue.project_id",
            "issue",
            "[issue][subject]",
        ] {
            let target = format!("/x?{name}=secret");
            for product in [Product::Redmine, Product::Gitlab, Product::Generic] {
                assert!(
                    is_refused(product, line, (&target, EX), false),
                    "{line} {target} {product:?}"
                );
                assert!(
                    !is_refused(product, line, (&target, EX), true),
                    "relaxed: {line} {target}"
                );
            }
            assert!(!is_refused(Product::Jira, line, (&target, EX), false), "{target}");
        }
        let usual = "/x?project_id=1&f[]=a&op[issues]=b";
        assert!(!is_refused(Product::Generic, line, (usual, EX), false), "{line}");
    }
}

#[test]
fn members_that_stand_for_parameters_are_refused_by_name() {
    for line in [
        "[post]/x[QueryParam::\"issue[project_id]\"?=ex]",
        "[post]/x[QueryParam::\"issue[project_id]\"!=secret][QueryParam::only]",
        "!/x[QueryParam::\"issue[project_id]\"==secret]\n/x",
    ] {
        for (body, expected) in [
            (r#"{"issue":{"project_id":"secret"}}"#, true),
            (r#"{"issue":null}"#, true),
            (r#"{"ISSUE":1}"#, true),
            (r#"{"[issue][project_id]":1}"#, true),
            (r#"{"issue.project_id":1}"#, true),
            (r#"{"a":{"issue":1}}"#, false),
            ("[1]", false),
            ("{}", false),
        ] {
            assert_eq!(
                is_refused(Product::Gitlab, line, ("/x", body), false),
                expected,
                "{line} {body}"
            );
        }
    }
    let root = "[post]/x[QueryParam::_json?=a]";
    assert!(is_refused(Product::Gitlab, root, ("/x", "[1]"), false));
}

#[test]
fn members_that_are_paths_in_another_spelling_are_refused_by_name() {
    let line = "[post]/x[JsonData::a.b.c?=1][JsonData::\"a.b\".d?=1]";
    for (body, expected) in [
        (r#"{"a":{"b":{"c":1}},"a.b":{"d":1}}"#, false),
        (r#"{"a":{"b.c":2}}"#, true),
        (r#"{"a":{"b[c]":2}}"#, true),
        (r#"{"a[b][c]":2}"#, true),
        (r#"{"a.b.c":2}"#, true),
        (r#"{"a":{"b":{"c.x":2}}}"#, true),
        (r#"{"a":{"x.c":2}}"#, false),
        (r#"{"x.a":2}"#, false),
    ] {
        assert_eq!(
            is_refused(Product::Gitlab, line, ("/x", body), false),
            expected,
            "{body}"
        );
    }
}

#[test]
fn members_that_rails_would_wrap_are_refused_by_name() {
    let value = "[post]/x[JsonData::issue.project_id?=ex]";
    let only = "[post]/x[JsonData::issue.subject?=.*][JsonData::issue.only]";
    let query = "[post]/x[QueryParam::\"issue[project_id]\"?=ex]";
    for (line, body, expected) in [
        (value, r#"{"project_id":"secret"}"#, true),
        (value, r#"{"issue":{"project_id":"ex"},"project_id":1}"#, true),
        (value, r#"{"notes":1}"#, false),
        (value, r#"{"issue":{"project_id":"ex"},"notes":1}"#, false),
        (only, r#"{"project_id":"secret"}"#, true),
        (only, r#"{"notes":1}"#, true),
        (only, r#"{"issue":null,"notes":1}"#, true),
        (only, r#"{"issue":false,"notes":1}"#, true),
        (only, r#"{"issue":{},"notes":1}"#, false),
        (only, r#"{"issue":{},"subject":1}"#, true),
        (only, "{}", false),
        (query, r#"{"project_id":"secret"}"#, true),
        (query, r#"{"notes":1}"#, false),
    ] {
        for product in [Product::Redmine, Product::Generic] {
            assert_eq!(
                is_refused(product, line, ("/x", body), false),
                expected,
                "{line} {body}"
            );
        }
        assert!(
            !is_refused(Product::Gitlab, line, ("/x", body), false),
            "{line} {body}"
        );
    }
}

#[test]
fn members_that_keep_rails_from_wrapping_are_refused_by_name() {
    let value = "[post]/x[JsonData::project_id==1]";
    let except = "[post]/x[JsonData::project_id!=2]";
    let forbid = "/x\n!/x[JsonData::project_id==2]";
    let deep = "[post]/x[JsonData::range.end?=1]";
    for (line, target, body, expected) in [
        (
            value,
            "/x",
            r#"{"project_id":"1","issue":{"project_id":"2"}}"#,
            true,
        ),
        (
            value,
            "/x",
            r#"{"project_id":"1","issue":{"PROJECT_ID":"2"}}"#,
            true,
        ),
        (value, "/x", r#"{"project_id":"1","issue.project_id":"2"}"#, true),
        (value, "/x?issue[project_id]=2", r#"{"project_id":"1"}"#, true),
        (value, "/x?[issue]project_id]=2", r#"{"project_id":"1"}"#, true),
        (value, "/x?issue[subject]=2", r#"{"project_id":"1"}"#, false),
        (value, "/x", r#"{"project_id":"1"}"#, false),
        (
            value,
            "/x",
            r#"{"project_id":"1","issue":{"subject":"s"}}"#,
            false,
        ),
        (
            value,
            "/x",
            r#"{"project_id":"1","issue":{"a":{"project_id":"2"}}}"#,
            false,
        ),
        (value, "/x", "[]", false),
        (except, "/x", r#"{"issue":{"project_id":"2"}}"#, true),
        (except, "/x?issue[project_id]=2", "{}", true),
        (forbid, "/x", r#"{"issue":{"project_id":"2"}}"#, true),
        (forbid, "/x?issue[project_id]=2", "{}", true),
        (deep, "/x", r#"{"issue":{"range":{"end":"2"}}}"#, true),
        (deep, "/x?issue[range][end]=2", "{}", true),
        (deep, "/x", r#"{"issue":{"range_end":"2"}}"#, false),
    ] {
        for product in [Product::Redmine, Product::Generic] {
            assert_eq!(
                is_refused(product, line, (target, body), false),
                expected,
                "{line} {target} {body} {product:?}"
            );
            assert!(
                !is_refused(product, line, (target, body), true),
                "relaxed: {line} {target} {body}"
            );
        }
    }
    let nested = r#"{"project_id":"1","issue":{"project_id":"2"}}"#;
    assert!(!is_refused(Product::Gitlab, value, ("/x", nested), false));
}

#[test]
fn names_that_stand_for_the_root_or_its_elements_are_refused_by_name() {
    let body = r#"[{"name":"release"}]"#;
    let of_elements = "[post]/x[JsonData::$[*].name==release]";
    for product in [Product::Redmine, Product::Generic] {
        for target in [
            "/x?_json=a",
            "/x?_json[][name]=a",
            "/x?_json[0][name]=a",
            "/x?0[name]=a",
        ] {
            assert!(
                is_refused(product, of_elements, (target, body), false),
                "{target}"
            );
        }
        for target in ["/x", "/x?page=1", "/x?name=a"] {
            assert!(
                !is_refused(product, of_elements, (target, body), false),
                "{target}"
            );
        }
        let of_root = "[post]/x[JsonData::$==svc]";
        assert!(is_refused(product, of_root, ("/x?_json=a", r#""svc""#), false));
        assert!(!is_refused(product, of_root, ("/x?page=1", r#""svc""#), false));
        // Names of elements in another spelling.
        assert!(is_refused(
            product,
            of_elements,
            ("/x", r#"[{"name[a]":"release"}]"#),
            false
        ));
        // Another line permits objects, whose members are not in any element.
        let of_both = format!("{of_elements}\n[post]/x[QueryParam::page?=1]");
        assert!(!is_refused(product, &of_both, ("/x", r#"{"name":"a"}"#), false));
    }
}

/// Lines with names of all kinds.
const LINES: [&str; 12] = [
    "/x[QueryParam::role==a]",
    "/x[QueryParam::ROLE?=a][QueryParam::role?=a]",
    "/x[QueryParam::\"a[b]\"==a]",
    "/x[QueryParam::\"a.b\"==a][QueryParam::\"a[]\"?=a]",
    "/x[JsonData::role==a]",
    "/x[JsonData::a.b?=a]",
    "/x[JsonData::a.only][JsonData::a.c?=a]",
    "/x[JsonData::l[*].b?=a]",
    "/x[JsonData::\"_json\"?=a]",
    "/x[JsonData::json?=a]",
    "/x[JsonData::$[*].b?=a]",
    "/x[JsonData::only][QueryParam::only]",
];

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&["role", "ROLE", "a", "b", "B", "c", "l", "x", "json", "_json", "utf8"][..])
            .prop_map(str::to_owned),
        2 => "[aABbx.\\[\\]_! ]{1,6}",
        1 => "(a|role|x|l)(\\[(b|role|0|)\\]){1,2}",
    ]
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Literal("null".to_owned())),
        Just(Json::Literal("false".to_owned())),
        Just(Json::String("a".to_owned())),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let object = prop::collection::vec((any_name(), inner.clone()), 0..3).prop_map(|mut members| {
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            members.dedup_by(|(one, _), (other, _)| one == other);
            Json::Object(members)
        });
        prop_oneof![
            3 => object,
            1 => prop::collection::vec(inner, 0..3).prop_map(Json::Array),
        ]
    })
}

/// What the checks of query and body say of one request, and what the proofs say of its names.
fn both(product: Product, line: &str, names: &[String], body: &Json) -> (Result<(), Problem>, bool) {
    let pairs: Vec<(String, String)> = names.iter().map(|name| (name.clone(), "a".to_owned())).collect();
    let asked = Request {
        method: tokenward_compiler::method::Method::Post,
        path: "/x".to_owned(),
        query: pairs,
        body: RequestBody::Json(body.clone()),
    };
    let judged = checked(product, line, (&asked.target(), &body.to_string()), false);
    let text = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{line}\n'''\n",
        "0".repeat(64)
    );
    let base = BaseUrl::parse("http://a").unwrap();
    let compiled = tokenward_compiler::compile(&SourceSet::from_files([("p.toml".into(), text)]));
    let program = compiled.program.unwrap().bind(&base).unwrap();
    let (token, _) = program.tokens().next().unwrap();
    let mut settings = Settings::new(base, product);
    settings.endpoints = vec!["/*".to_owned()];
    let refusals = Refusals::new(&Rules::new(&settings).unwrap()).unwrap();
    (judged, are_refused(&refusals, (&program, token), &asked))
}

proptest! {
    /// A request is refused by its names exactly if one of the names is.
    #[test]
    fn requests_are_refused_as_their_names_are(
        product in prop::sample::select(vec![Product::Gitlab, Product::Redmine, Product::Generic]),
        line in prop::sample::select(LINES.to_vec()),
        names in prop::collection::vec(any_name(), 0..2),
        body in any_json(),
    ) {
        let (judged, by_names) = both(product, line, &names, &body);
        let is_ambiguous = match judged {
            // A name in another letter case than a line's, or a credential, is refused before names are compared.
            Err(Problem::Json(_) | Problem::BodyCredentials(_)) => return Ok(()),
            Err(Problem::Reading(refusal)) => refusal.reason == Reason::AmbiguousParameter,
            Ok(()) | Err(_) => false,
        };
        prop_assert_eq!(is_ambiguous, by_names, "{} {:?} {}", line, names, body);
    }
}
