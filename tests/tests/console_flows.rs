//! The console's pages that answer questions about policies: what would let a request pass, what unsaved lines change, and whether the
//! invariants hold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::fs;
use std::path::Path;

use tokenward_tests::{Answer, Call, Client, Proxy, Setup, TestToken, Upstream, eventually};

const FORM: &str = "application/x-www-form-urlencoded";
const INVARIANTS: &str = r"
[[never]]
name = 'no-issue-deleted'
why = 'Issues are kept.'
lines = '''
[delete]/rest/api/2/issue/.*
'''

[[never]]
name = 'no-project-deleted'
lines = '''
[delete]/rest/api/2/project/.*
'''

[[only]]
name = 'nobody-s'
tokens = ['nightly-*']
lines = '''
[get]/rest/api/2/.*
'''
";

fn token() -> TestToken {
    TestToken::new("ci", &["[get]/rest/api/2/issue/KANBAN-\\d+"])
}

struct Scene {
    proxy: Proxy,
    _upstream: Upstream,
}

impl Scene {
    fn new() -> Self {
        Self::with(&[], |_| {})
    }

    /// A proxy that may compare its policy with these directories. `fill` writes further files below the directory of the proxy.
    fn with(review: &[&str], fill: impl FnOnce(&Path)) -> Self {
        let upstream = Upstream::start();
        let directory = tempfile::tempdir().unwrap();
        let policies = directory.path().join("policies");
        fs::create_dir(&policies).unwrap();
        let own = token();
        fs::write(policies.join("tokens.toml"), own.entry()).unwrap();
        fill(directory.path());
        let review = format!("review = {review:?}");
        let mut setup = Setup::new(upstream.port()).admin(&review);
        if directory.path().join("api.json").exists() {
            setup = setup.section("[api]\ndescriptions = ['api.json']");
        }
        Self {
            proxy: Proxy::start_in(&setup, directory),
            _upstream: upstream,
        }
    }

    fn send(&self, call: &Call) -> Answer {
        let secret = fs::read_to_string(self.proxy.directory().join(".tokenward/admin.secret")).unwrap();
        let call = call
            .clone()
            .header("Authorization", &format!("Bearer {}", secret.trim()));
        Client::connect(self.proxy.admin_port()).send(&call)
    }

    fn page(&self, target: &str) -> String {
        let answer = self.send(&Call::get(target));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        text_of(&answer)
    }

    fn form(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = fields.iter();
        let body = fields.map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = body.collect::<Vec<_>>().join("&");
        self.send(
            &Call::new("POST", target)
                .header("Content-Type", FORM)
                .body(body.as_bytes()),
        )
    }

    /// The page with unsaved lines, as while they are typed.
    fn limits(&self, lines: &str) -> String {
        let answer = self.form("/console/tokens/ci/limits", &[("check", "1"), ("lines", lines)]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        text_of(&answer)
    }

    fn tried(&self, question: &serde_json::Value) -> Answer {
        let answer = self.send(&Call::post_json("/v1/try", &question.to_string()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }
}

/// A value of a form or of an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The page without the places at which paths may break.
fn text_of(answer: &Answer) -> String {
    answer.text().replace("<wbr>", "")
}

#[test]
fn a_line_that_lets_a_request_pass_says_what_else_it_allows() {
    let scene = Scene::new();
    let exact = scene.tried(&serde_json::json!({ "token": "ci", "request": "GET /rest/api/2/issue/HR-1" }));
    let line = exact.json("new_line");
    assert_eq!(line["allows_also"], serde_json::json!([]), "{line}");
    assert_eq!(line["examples"], serde_json::json!([]), "{line}");
    assert!(line["open"].is_null(), "{line}");
    assert!(exact.json("no_new_line").is_null());
    let request = "POST /rest/api/2/issue\nContent-Type: text/plain\n\nhello";
    let open = scene.tried(&serde_json::json!({ "token": "ci", "request": request }));
    let line = open.json("new_line");
    assert_eq!(line["allows_also"][0], "any body", "{line}");
    assert_eq!(line["examples"][0]["method"], "POST", "{line}");
    assert_eq!(line["examples"][0]["url"], "/rest/api/2/issue", "{line}");
    // The same of lines that nobody has.
    let lines = "[get]/rest/a\n!/rest/b";
    let draft = scene.tried(&serde_json::json!({ "lines": lines, "request": "GET /rest/c" }));
    assert!(
        draft.json("new_line")["text"]
            .as_str()
            .unwrap()
            .starts_with("[get]/rest/c")
    );
    let forbidden = scene.tried(&serde_json::json!({ "lines": lines, "request": "GET /rest/b" }));
    assert!(forbidden.json("new_line").is_null());
    let why = forbidden.json("no_new_line").as_str().unwrap().to_owned();
    assert!(why.contains("forbid line in line 2"), "{why}");
    let page = scene.page("/console/try?token=ci&request=GET%20%2Frest%2Fapi%2F2%2Fissue%2FHR-1");
    assert!(page.contains("allows this request, and no other"), "{page}");
    let edit = "/console/tokens/ci/limits?add=%5Bget%5D%2Frest";
    assert!(page.contains(edit), "{page}");
    let page = scene.page("/console/tokens/ci/limits?add=%5Bget%5D%2Frest%2Fadded");
    assert!(
        page.contains("KANBAN-\\d+\n[get]/rest/added\n</textarea>"),
        "{page}"
    );
}

#[test]
fn no_line_is_proposed_that_breaks_an_invariant_or_does_not_help() {
    let scene = Scene::with(&[], |top| {
        fs::write(top.join("policies/invariants.toml"), INVARIANTS).unwrap();
    });
    let broken =
        scene.tried(&serde_json::json!({ "token": "ci", "request": "DELETE /rest/api/2/issue/A-1" }));
    assert!(broken.json("new_line").is_null(), "{}", broken.text());
    let why = broken.json("no_new_line").as_str().unwrap().to_owned();
    assert!(why.contains("no-issue-deleted"), "{why}");
    let page = scene.page("/console/try?token=ci&request=DELETE%20%2Frest%2Fapi%2F2%2Fissue%2FA-1");
    assert!(
        page.contains("no-issue-deleted") && !page.contains("Edit the limits with"),
        "{page}"
    );
}

#[test]
fn a_test_to_commit_is_one_that_the_command_runs() {
    let scene = Scene::new();
    for (request, expected) in [
        ("GET /rest/api/2/issue/HR-1", "deny"),
        ("GET /rest/api/2/issue/KANBAN-1?a=%22b%22", "allow"),
        (
            "POST /rest/api/2/issue\nContent-Type: application/json\n\n{\"a\": \"'''\\\\\"}",
            "deny",
        ),
    ] {
        let answer = scene.form("/console/try", &[("token", "ci"), ("request", request)]);
        let page = answer.text();
        let (_, test) = page.split_once("data-copy=\"the test\"><code>").expect("a test");
        let test = test.split("</code>").next().unwrap();
        let test = test
            .replace("&#34;", "\"")
            .replace("&quot;", "\"")
            .replace("&#39;", "'");
        let test = test
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        assert!(test.contains(&format!("expect = \"{expected}\"")), "{test}");
        let directory = scene.proxy.directory().join("policies/tests");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("console.toml"), &test).unwrap();
        let ran = scene.proxy.run(&["test"]);
        let (code, out, err) = ran.apart();
        assert_eq!(
            code, 0,
            "{test}
{out}{err}"
        );
    }
}

#[test]
fn unsaved_limits_are_compared_with_the_live_ones() {
    let scene = Scene::new();
    let same = scene.limits("[get]/rest/api/2/issue/KANBAN-[0-9]+");
    assert!(same.contains("allows and denies the same requests"), "{same}");
    let wider = scene.limits("[get]/rest/api/2/issue/KANBAN-\\d+.*");
    assert!(wider.contains("allows requests that are denied now"), "{wider}");
    assert!(wider.contains("GET /rest/api/2/issue/KANBAN-"), "{wider}");
    assert!(
        wider.contains("tokens.toml:") && wider.contains("is the nearest old line"),
        "{wider}"
    );
    assert!(wider.contains("to commit to tokens.toml."), "{wider}");
    let narrower = scene.limits("[get]/rest/api/2/issue/KANBAN-1");
    assert!(
        narrower.contains("denies requests that are allowed now, and allows no others"),
        "{narrower}"
    );
    let wrong = scene.limits("[get]/rest/(");
    assert!(!wrong.contains("class=\"verdict"), "{wrong}");
    // Nothing is recorded while it is typed, and nothing is written.
    let events = scene.proxy.run(&["audit", "events", "--json"]);
    let events = events.ok();
    assert!(!events.contains("draft limits"), "{events}");
    assert_eq!(
        fs::read_to_string(scene.proxy.directory().join("policies/tokens.toml")).unwrap(),
        token().entry()
    );
}

#[test]
fn a_new_token_shows_what_it_may_do_before_it_is_made() {
    let scene = Scene::new();
    let fields = [
        ("check", "1"),
        ("name", "drafted"),
        ("users", "carol"),
        ("expires", "30d"),
        ("lines", "[get]/rest/api/2/serverInfo\n[post]/rest/api/2/issue"),
    ];
    let answer = scene.form("/console/new-token", &fields);
    let page = text_of(&answer);
    assert!(page.contains("may make requests such as these"), "{page}");
    assert!(
        page.contains("GET /rest/api/2/serverInfo") && page.contains("POST /rest/api/2/issue"),
        "{page}"
    );
    assert!(
        !page.contains("twd_"),
        "a secret is shown that nobody asked for: {page}"
    );
}

#[test]
fn questions_that_take_long_end_and_are_said_to_be_open() {
    let scene = Scene::new();
    // Each of these lines takes its time, and all of them would take minutes.
    let hard: String = (0..5_000)
        .map(|at| format!("[get]/rest/.*a.{{{}}}b.{{30}}c{at}.*\n", 20 + at % 60))
        .collect();
    let page = scene.limits(&hard);
    assert!(
        page.contains("take too long to compile") && !page.contains("class=\"verdict"),
        "{page}"
    );
    let fewer: String = hard.lines().take(2_000).map(|line| format!("{line}\n")).collect();
    let tried = scene.tried(&serde_json::json!({ "lines": fewer, "request": "GET /rest/a" }));
    assert!(
        tried
            .json("problem")
            .as_str()
            .unwrap()
            .contains("too long to compile")
    );
    let forbids: String = ('a'..='h')
        .map(|c| format!("!/rest/.*{c}.{{9}}[0-9]\n"))
        .collect();
    let page = scene.limits(&format!("[get]/rest/.*\n{forbids}"));
    // A busy machine may not get to the proof.
    let is_answered = page.contains("class=\"verdict") || page.contains("take too long to compile");
    assert!(is_answered, "{page}");
    // The pages go on.
    scene.page("/console/");
}

#[test]
fn each_invariant_has_the_state_of_its_proof() {
    let scene = Scene::with(&["candidate"], |top| {
        fs::write(top.join("policies/invariants.toml"), INVARIANTS).unwrap();
        fs::create_dir(top.join("candidate")).unwrap();
        let changed = TestToken::new(
            "ci",
            &[
                "[get]/rest/api/2/issue/KANBAN-\\d+",
                "[delete]/rest/api/2/issue/A-1",
            ],
        );
        fs::write(top.join("candidate/tokens.toml"), changed.entry()).unwrap();
        fs::write(top.join("candidate/invariants.toml"), INVARIANTS).unwrap();
    });
    let page = scene.page("/console/review");
    assert!(
        page.contains("no-issue-deleted") && page.contains("proved"),
        "{page}"
    );
    assert!(
        page.contains("selects no token") && !page.contains("does not hold"),
        "{page}"
    );
    // A change of the files is proved again.
    let changed = TestToken::new("ci", &["[delete]/rest/api/2/issue/A-1"]);
    scene.proxy.replace_policy_text(&changed.entry());
    let page = scene.page("/console/review");
    assert!(
        page.contains("does not hold") && page.contains("may make <code>DELETE /rest/api/2/issue/A-1"),
        "{page}"
    );
    scene.proxy.replace_policy_text(&token().entry());
    let candidate = scene.proxy.directory().join("candidate");
    let candidate = encoded(candidate.to_str().unwrap());
    let page = scene.page(&format!("/console/review?after={candidate}"));
    assert!(
        page.contains("1 token may do what the policy before denies"),
        "{page}"
    );
    assert!(
        page.contains("does not hold") && page.contains("DELETE /rest/api/2/issue/A-1"),
        "{page}"
    );
    // A revision is said to be none of the choices, with the command that compares it.
    for revision in ["main", "HEAD~1", "--upload-pack=touch%20x", "$(id)"] {
        let page = scene.page(&format!("/console/review?after={revision}"));
        assert!(
            page.contains("is not a choice") && page.contains("tokenward diff"),
            "{page}"
        );
    }
    let page = scene.page("/console/review?after=..%2Fpolicies");
    assert!(page.contains("is not a choice"), "{page}");
}

#[test]
fn operations_that_lines_newly_reach_are_named() {
    let api = serde_json::json!({
        "openapi": "3.0.3",
        "info": { "title": "api", "version": "1" },
        "paths": {
            "/rest/api/2/issue/{key}": { "get": { "operationId": "getIssue", "responses": {} } },
            "/rest/api/2/issue/{key}/worklog": { "get": { "operationId": "getWorklog", "responses": {} } }
        }
    });
    let scene = Scene::with(&["candidate"], |top| {
        fs::write(top.join("api.json"), api.to_string()).unwrap();
        fs::create_dir(top.join("candidate")).unwrap();
        let changed = TestToken::new("ci", &["[get]/rest/api/2/issue/KANBAN-\\d+.*"]);
        fs::write(top.join("candidate/tokens.toml"), changed.entry()).unwrap();
    });
    let page = scene.limits("[get]/rest/api/2/issue/KANBAN-\\d+.*");
    assert!(
        page.contains("GET /rest/api/2/issue/{key}/worklog (getWorklog)"),
        "{page}"
    );
    let request = "GET /rest/api/2/issue/HR-1/worklog";
    let tried = scene.tried(&serde_json::json!({ "token": "ci", "request": request }));
    assert_eq!(
        tried.json("new_line")["operations"],
        serde_json::json!(["GET /rest/api/2/issue/{key}/worklog (getWorklog)"])
    );
    let candidate = encoded(scene.proxy.directory().join("candidate").to_str().unwrap());
    let page = scene.page(&format!("/console/review?after={candidate}"));
    assert!(
        page.contains("Operations newly reached") && page.contains("getWorklog"),
        "{page}"
    );
}

/// Names, lines and requests of somebody who wants to break a page.
#[test]
fn the_page_of_a_token_names_what_it_reaches_and_what_is_wrong_with_its_lines() {
    let operation = |name: &str| serde_json::json!({ "operationId": name, "responses": {} });
    let api = serde_json::json!({
        "openapi": "3.0.3",
        "info": { "title": "t", "version": "1" },
        "paths": {
            "/rest/api/2/issue/{key}": { "get": operation("getIssue"), "delete": operation("deleteIssue") },
            "/rest/api/2/issue/{key}/worklog": { "get": operation("getWorklog") },
        },
    });
    let lines = [
        "[get,delete]/rest/api/2/issue/[^/]+",
        "[delete]/rest/api/2/issue/KANBAN-1",
        "[get]/rest/api/2/issue/KANBAN-1.5/worklog",
        "![delete]/rest/api/2/issue/HR-.*",
    ];
    let scene = Scene::with(&[], |top| {
        fs::write(top.join("api.json"), api.to_string()).unwrap();
        let own = TestToken::new("ci", &lines);
        fs::write(top.join("policies/tokens.toml"), own.entry()).unwrap();
    });
    let page = eventually("the analysis", || {
        let page = scene.page("/console/tokens/ci");
        (!page.contains("being computed")).then_some(page)
    });
    let expected =
        "It reaches 3 of 3 operations that the API describes: 1 fully, 2 in part; 1 of them write.";
    assert!(page.contains(expected), "{page}");
    for text in [
        "deleteIssue",
        "DELETE /rest/api/2/issue/{key}",
        "reaches 1 operation, and 1 in part",
        "TW0108",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let details = scene.send(&Call::get("/v1/tokens/ci"));
    let analysis = details.json("analysis");
    assert_eq!(analysis["is_computed"], true);
    assert_eq!(analysis["reach"]["full"], 1);
    assert_eq!(analysis["reach"]["operations"][0]["name"], "deleteIssue");
    let findings = analysis["findings"].as_array().unwrap();
    let of_line = |text: &str| {
        let at = lines.iter().position(|line| line == &text).unwrap();
        let found = findings
            .iter()
            .filter(|found| found["number"].as_u64() == Some(first_line(&scene) + at as u64));
        found
            .map(|found| found["code"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_line(lines[1]), ["TW0108"]);
    assert_eq!(of_line(lines[0]), [] as [&str; 0]);
}

/// The number of the first line of the token in its policy file.
fn first_line(scene: &Scene) -> u64 {
    let text = fs::read_to_string(scene.proxy.directory().join("policies/tokens.toml")).unwrap();
    let before = text
        .lines()
        .position(|line| line.starts_with('[') && line.contains("/rest"));
    before.unwrap() as u64 + 1
}

#[test]
fn hostile_questions_are_answered_as_text() {
    let scene = Scene::new();
    let long = "a".repeat(64 << 10);
    let names = [
        "<script>alert(1)</script>",
        "\u{202e}evil",
        "\"'`&",
        "../../etc/passwd",
        "a\0b",
        long.as_str(),
    ];
    let is_harmless = |answer: &Answer| {
        let page = answer.text();
        assert!(
            !page.contains("<script>alert") && !page.contains('\u{202e}'),
            "{page}"
        );
        assert!(page.len() < 2 << 20, "{} bytes", page.len());
        answer.status
    };
    // A form of more than a megabyte is refused with a page.
    let answered = |answer: Answer| {
        let status = is_harmless(&answer);
        assert!([200, 413].contains(&status), "{status}");
    };
    for name in names {
        let fields = [
            ("name", name),
            ("users", name),
            ("owner", name),
            ("purpose", name),
            ("expires", name),
            ("allowed_from", name),
            ("lines", name),
        ];
        answered(scene.form("/console/new-token", &fields));
        let fields = [
            ("name", "ok"),
            ("users", name),
            ("owner", name),
            ("purpose", name),
            ("lines", "[get]/rest/a"),
        ];
        answered(scene.form("/console/new-token", &fields));
        answered(scene.form("/console/tokens/ci/limits", &[("lines", name)]));
        let line = format!("[get]/rest/{name}");
        answered(scene.form("/console/tokens/ci/limits", &[("lines", &line)]));
        let request = format!("GET /rest/{name}");
        let fields = [
            ("token", "ci"),
            ("request", request.as_str()),
            ("user", name),
            ("client", name),
        ];
        answered(scene.form("/console/try", &fields));
        answered(scene.form("/console/try", &[("token", "ci"), ("request", &request)]));
        answered(scene.form("/console/try", &[("token", name), ("request", &request)]));
        let fields = [("lines", line.as_str()), ("request", request.as_str())];
        answered(scene.form("/console/try", &fields));
    }
    for name in &names[..5] {
        let name = encoded(name);
        let target = format!("/console/review?before={name}&after={name}");
        assert_eq!(is_harmless(&scene.send(&Call::get(&target))), 200, "{target}");
        let answer = scene.send(&Call::get(&format!("/console/tokens/{name}/limits?add={name}")));
        assert!([400, 404].contains(&is_harmless(&answer)), "{}", answer.status);
        assert_eq!(
            is_harmless(&scene.send(&Call::get(&format!("/console/tokens/ci/limits?add={name}")))),
            200
        );
    }
    // A witness with markup in it is text too.
    let page = scene.limits("[get]/rest/<img src=x onerror=alert\\(1\\)>");
    assert!(!page.contains("<img"), "{page}");
    for body in [
        "",
        "{",
        "[]",
        "{\"token\": 1}",
        "{\"request\": \"GET /\"}",
        "\u{feff}{}",
    ] {
        let answer = scene.send(&Call::post_json("/v1/try", body));
        assert!([200, 400].contains(&answer.status), "{body}: {}", answer.status);
    }
    let deep = format!(
        "POST /rest/a\nContent-Type: application/json\n\n{}1{}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    scene.tried(&serde_json::json!({ "token": "ci", "request": deep }));
}

/// More people than there are slots: each gets an answer, and health does not wait.
#[test]
fn twenty_hard_questions_at_once_block_nobody() {
    let scene = Scene::new();
    let hard: String = (0..200)
        .map(|at| format!("[get]/rest/.*a.{{{}}}b{at}.*\n", 8 + at % 3))
        .collect();
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    scene
                        .form("/console/tokens/ci/limits", &[("check", "1"), ("lines", &hard)])
                        .status
                })
            })
            .collect();
        let health = Client::connect(scene.proxy.admin_port()).send(&Call::get("/healthz"));
        assert_eq!(health.status, 200);
        let mut client = Client::connect(scene.proxy.port());
        let call = Call::get("/rest/api/2/issue/KANBAN-1").bearer(&token());
        assert_eq!(client.send(&call).status, 200);
        for asked in asked {
            let status = asked.join().unwrap();
            // The queue is bounded in time: some are told to ask again.
            assert!([200, 503].contains(&status), "{status}");
        }
    });
    scene.page("/console/");
}
