use super::*;
use crate::{BaseUrl, compile, source::SourceSet};

const HASH: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn program(lines: &str) -> Program {
    let file = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nsecret_hash = \"{HASH}\"\nexpires = 2030-01-01T00:00:00Z\nlimit_to = '''\n{lines}\n'''\n"
    );
    let compiled = compile(&SourceSet::from_files([("t.toml".to_owned(), file)]));
    let program = compiled
        .program
        .unwrap_or_else(|| panic!("{lines}: {:?}", compiled.diagnostics));
    program
        .bind(&BaseUrl::parse("https://jira.example.com").unwrap())
        .unwrap()
}

/// `METHOD /path?a=b&c`, then ` {` of a JSON body or ` form`.
fn asked(text: &str) -> Asked {
    let (method, rest) = text.split_once(' ').unwrap();
    let (target, body) = match (rest.strip_suffix(" form"), rest.split_once(" {")) {
        (Some(target), _) => (target, AskedBody::Form),
        (None, Some((target, members))) => (
            target,
            AskedBody::Json(json(format!("{{{members}").as_bytes()).unwrap()),
        ),
        (None, None) => (rest, AskedBody::Absent),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (pair.to_owned(), None),
    };
    Asked {
        method: Method::from_token(method),
        path: path.to_owned(),
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(pair)
            .collect(),
        body,
    }
}

fn first(lines: &str, text: &str) -> Option<Closest> {
    let program = program(lines);
    let (token, _) = program.tokens().next().unwrap();
    closest(&program, token, &asked(text)).closest.into_iter().next()
}

fn shown(lines: &str, text: &str) -> Vec<String> {
    let found = first(lines, text).unwrap_or_else(|| panic!("{lines} {text}"));
    found.changes.iter().map(ToString::to_string).collect()
}

#[test]
fn the_part_that_differs_is_changed_and_no_other() {
    for (lines, text, expected) in [
        (
            "[get]/rest/api/2/issue/KANBAN-\\d+",
            "DELETE /rest/api/2/issue/KANBAN-7",
            vec!["use the method GET instead of DELETE"],
        ),
        (
            "[get]/rest/api/2/issue/KANBAN-\\d+",
            "GET /rest/api/2/issue/HR-17",
            vec!["write `KANBAN-17` instead of `HR-17` in the path"],
        ),
        (
            "[get]/rest/api/2/issue/.*/comment",
            "GET /rest/api/2/issue/comment",
            vec!["use the path `/rest/api/2/issue/c/comment`"],
        ),
        (
            "[get]/rest/search[QueryParam::max==\\d+]",
            "GET /rest/search",
            vec!["add the parameter `max` with the value `1`"],
        ),
        (
            "[get]/rest/search[QueryParam::max?=50]",
            "GET /rest/search?max=100",
            vec!["set the parameter `max` to `50` instead of `100`"],
        ),
        (
            "[get]/rest/search[QueryParam::role!=admin]",
            "GET /rest/search?role=admin",
            vec!["leave out the parameter `role`"],
        ),
        (
            "[get]/rest/search[QueryParam::a?=.*][QueryParam::only]",
            "GET /rest/search?a=1&b=2",
            vec!["leave out the parameter `b`"],
        ),
        (
            "[post]/rest/issue[JsonData::project.key==KANBAN]",
            "POST /rest/issue {\"project\":{\"key\":\"HR\"}}",
            vec!["set the body member `project.key` to `\"KANBAN\"` instead of `\"HR\"`"],
        ),
        (
            "[post]/rest/issue[JsonData::a:boolean==false]",
            "POST /rest/issue {\"a\":\"false\"}",
            vec!["set the body member `a` to `false` instead of `\"false\"`"],
        ),
        (
            "[post]/rest/issue[JsonData::a:number<=500]",
            "POST /rest/issue",
            vec!["add the body member `a` with the value `1`"],
        ),
        (
            "[post]/rest/issue[JsonData::l[*]==a|b][JsonData::only]",
            "POST /rest/issue {\"l\":[\"a\",\"c\"],\"x\":1}",
            vec![
                "set the body member `l[*]` to `\"a\"` instead of `\"c\"`",
                "leave out the body member `x`",
            ],
        ),
    ] {
        assert_eq!(shown(lines, text), expected, "{lines} {text}");
    }
}

#[test]
fn the_smallest_change_of_all_lines_comes_first() {
    let lines = "[get]/rest/api/2/project/A\n[get]/rest/api/2/issue/A-1[QueryParam::x==1]\n[put]/rest/api/2/issue/B-1";
    let program = program(lines);
    let (token, _) = program.tokens().next().unwrap();
    let found = closest(&program, token, &asked("GET /rest/api/2/issue/A-1"));
    assert_eq!(found.closest.len(), 3);
    assert!(!found.is_cut);
    let best = found.closest.first().unwrap();
    assert_eq!(program.line(best.line).number, 8);
    assert_eq!(best.size(), (1, 1));
}

#[test]
fn a_line_for_the_same_kind_of_path_comes_before_a_longer_one() {
    let lines = "[get]/rest/issue/KANBAN-[0-9]+/comment\n[get]/rest/issue/KANBAN-[0-9]+";
    assert_eq!(
        shown(lines, "GET /rest/issue/HR-1"),
        ["write `KANBAN-1` instead of `HR-1` in the path"]
    );
}

#[test]
fn forbid_lines_are_led_around() {
    for (lines, text, expected) in [
        (
            "[get,put]/rest/issue/.*\n![put]/rest/issue/.*",
            "PUT /rest/issue/A",
            "use the method GET instead of PUT",
        ),
        (
            "[get]/rest/issue/A-[0-9]\n!/rest/issue/A-[12]",
            "GET /rest/issue/A-1",
            "write `A-0` instead of `A-1` in the path",
        ),
        (
            "[post]/rest/user\n![post]/rest/user[JsonData::admin==true]",
            "POST /rest/user {\"admin\":true}",
            "leave out the body member `admin`",
        ),
        (
            "[get]/rest/user\n!/rest/user[QueryParam::expand==groups]",
            "GET /rest/user?expand=groups",
            "leave out the parameter `expand`",
        ),
    ] {
        assert_eq!(shown(lines, text), [expected], "{lines} {text}");
    }
    assert_eq!(first("/rest/a\n!.*", "GET /rest/b"), None);
}

#[test]
fn lines_that_no_change_reaches_have_no_change() {
    assert_eq!(first("[post]/rest/a[JsonData::x==1]", "POST /rest/a form"), None);
    assert_eq!(
        first("[get]/rest/a[QueryParam::x==a][QueryParam::x==b]", "GET /rest/a"),
        None
    );
}

/// Whatever is proposed is allowed, and a line for one request allows it.
#[test]
fn a_proposed_line_allows_the_request_and_no_other() {
    for (text, line, open) in [
        (
            "GET /rest/api/2/issue/A.B-1",
            r"[get]/rest/api/2/issue/A\.B-1[QueryParam::only]",
            0,
        ),
        (
            "GET /rest/search?jql=project = A&f[]=1&f[]=2",
            r#"[get]/rest/search[QueryParam::jql==project = A][QueryParam::"f[]"==1|2][QueryParam::only]"#,
            1,
        ),
        (
            "DELETE /rest/a b:c%41/x",
            r"[delete]/rest/a\x20b\:c[%]41/x[QueryParam::only][JsonData::only]",
            0,
        ),
        (
            "POST /rest/issue {\"f\":{\"n\":1.5,\"z\":null,\"l\":[\"a\",\"b\"],\"e\":[],\"o\":{}},\"s\":\"=a|b]\"}",
            "[post]/rest/issue[QueryParam::only][JsonData::f.n:number==1\\.5][JsonData::f.z:null==null][JsonData::f.l[*]:string==a|b][JsonData::s:string==[=]a\\|b\\]][JsonData::f.e!=.*][JsonData::only][JsonData::f.only][JsonData::f.o.only]",
            3,
        ),
        ("POST /rest/upload form", "[post]/rest/upload", 2),
    ] {
        let asked = asked(text);
        let new = narrowest_line(&asked).unwrap();
        assert_eq!(new.text, line);
        assert_eq!(new.open.len(), open, "{:?}", new.open);
        let program = program(&new.text);
        let (token, _) = program.tokens().next().unwrap();
        let found = closest(&program, token, &asked);
        assert_eq!(
            found.closest.first().map(Closest::size),
            Some((0, 0)),
            "{}",
            new.text
        );
    }
}
