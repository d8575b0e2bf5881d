//! `tokenward import` as its users meet it.

use std::collections::HashMap;
use std::fs;
use std::sync::{LazyLock, Mutex};

use proptest::test_runner::{RngAlgorithm, TestRng};
use regex::Regex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::compile;
use tokenward_compiler::decide::{self, Body, Decision, Media, Param, decide};
use tokenward_compiler::ir::Program;
use tokenward_compiler::json as body;
use tokenward_compiler::method::Method;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::secret::hash;

use crate::tokenward::run;

const BASE: &str = "https://jira.example.com/ctx";

/// A directory with a configuration, an empty policy directory and the export.
fn place(export: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        format!(
            "policies = \"policies\"\n[upstream]\nurl = \"http://127.0.0.1:1\"\npublic_url = \"{BASE}\"\nproduct = \"jira\"\n"
        ),
    )
    .unwrap();
    fs::write(directory.path().join("tokens.json"), export).unwrap();
    directory
}

/// Runs `tokenward`: exit code, standard output and standard error.
fn tokenward(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(directory.path(), arguments).apart()
}

fn imported(directory: &TempDir) -> Option<String> {
    fs::read_to_string(directory.path().join("policies/imported.toml")).ok()
}

fn secret() -> String {
    // As the ancestor made them: 32 characters.
    tokenward_runtime::new_secret::generate()
        .unwrap()
        .expose()
        .get(4..36)
        .unwrap()
        .to_owned()
}

#[test]
fn tokens_move_over_without_their_secrets() {
    let secrets = [secret(), secret()];
    let export = json!({ "status": "ok", "tokens": [
        { "label": "comments", "user": "svc-ci", "token": secrets[0], "ip": "10.0.0.0/8", "validUntil": 4_000_000_000_000_i64,
          "limitTo": "[post].*/rest/api/2/issue/KANBAN-100/comment.*\\n/rest/api/2/myself", "counter": 12, "id": 1 },
        { "label": "old", "user": "x", "token": secret(), "limitTo": ".*", "validUntil": 1_000_000_000_000_i64 },
        { "label": "any", "token": secrets[1], "limitTo": "[get].*/rest/api/2/issue/JRA.*<br>![delete].*", "validUntil": 0 },
    ]});
    let directory = place(&export.to_string());
    let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert_eq!(code, 0, "{out}{err}");
    let file = imported(&directory).unwrap();
    for (secret, everything) in secrets.iter().map(|secret| (secret, [&file, &out, &err])) {
        assert!(
            !everything.iter().any(|text| text.contains(secret.as_str())),
            "a secret was written"
        );
        assert!(file.contains(&hex(&hash(secret))));
    }
    let stable = out.replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(stable);
    let hidden = file
        .replace(&hex(&hash(&secrets[0])), "HASH1")
        .replace(&hex(&hash(&secrets[1])), "HASH2");
    insta::assert_snapshot!(hidden);
    let (code, out, err) = tokenward(&directory, &["compile", "--check"]);
    assert_eq!(code, 0, "{out}{err}");
    // Again, everything has its name already.
    let (code, out, _) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert!(
        code == 1 && out.contains("the name `comments` already exists in `imported.toml`"),
        "{code} {out}"
    );
    assert_eq!(imported(&directory).unwrap(), file);
}

#[test]
fn one_broken_token_stops_all_unless_told_otherwise() {
    let good = json!({ "label": "good", "user": "u", "token": secret(), "limitTo": ".*/rest/x" });
    let same = secret();
    let broken = [
        json!({ "label": "look", "user": "u", "token": secret(), "limitTo": ".*/(?!admin).*" }),
        json!({ "label": "class", "user": "u", "token": secret(), "limitTo": ".*/[a-z" }),
        json!({ "label": "weak", "user": "u", "token": "password", "limitTo": ".*" }),
        json!({ "label": "none", "user": "u", "limitTo": ".*" }),
        json!({ "label": "all", "user": "u", "token": secret() }),
        json!({ "label": "net", "user": "u", "token": secret(), "limitTo": ".*", "ip": "10.0.0.x" }),
        json!({ "label": "key", "userKey": "u", "token": secret(), "limitTo": ".*" }),
    ];
    let twins = [
        json!({ "label": "twin", "user": "u", "token": same, "limitTo": ".*" }),
        json!({ "label": "twin", "user": "u", "token": same, "limitTo": ".*" }),
    ];
    let tokens: Vec<&Value> = std::iter::once(&good).chain(&broken).chain(&twins).collect();
    let directory = place(&json!({ "tokens": tokens }).to_string());
    let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("8 tokens cannot be imported") && err.contains("--keep-going"),
        "{err}"
    );
    assert_eq!(imported(&directory), None);
    for name in ["look", "class", "weak", "none", "all", "net", "key", "twin"] {
        assert!(out.contains(&format!("\n  {name}: ")), "{name}: {out}");
    }
    let (code, out, _) = tokenward(
        &directory,
        &["import", "extender", "tokens.json", "--keep-going", "--dry-run"],
    );
    assert!(
        code == 0 && imported(&directory).is_none() && out.contains("2 tokens can be imported"),
        "{out}"
    );
    let all = [
        "import",
        "extender",
        "tokens.json",
        "--keep-going",
        "--new-secrets",
        "--allow-unrestricted",
        "--json",
    ];
    let (code, out, err) = tokenward(&directory, &all);
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let names: Vec<&str> = report["imported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["good", "none", "all", "twin"]);
    let made = report["imported"][1]["new_secret"].as_str().unwrap();
    let file = imported(&directory).unwrap();
    assert!(!file.contains(made) && file.contains(&hex(&hash(made))));
}

/// The export of today's Extender, which pages, and whose tokens name more of their users.
#[test]
fn the_present_export_moves_over_and_one_page_of_it_does_not() {
    let token = |more: Value| {
        let mut token = json!({
            "label": "a", "user": "bot", "token": secret(), "limitTo": "[get].*/rest/api/2/issue/DEMO-1", "ip": "",
            "validUntil": 4_000_000_000_000_i64, "dateCreated": 1_622_700_718_964_i64, "counter": 1,
            "authorKey": "JIRAUSER1", "userKey": "JIRAUSER1", "userDisplayName": "Bot", "id": "AX==",
        });
        token
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        token
    };
    let export = |total: u32, tokens: &[Value]| {
        json!({ "total": total, "pages": total, "maxResults": 1, "startAt": 0, "tokens": tokens, "status": "ok" })
            .to_string()
    };
    let plain = token(json!({}));
    let directory = place(&format!("\u{feff}{}", export(1, std::slice::from_ref(&plain))));
    let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert_eq!(code, 0, "{out}{err}");
    let file = imported(&directory).unwrap();
    assert!(
        file.contains("made 2021-06-03, by JIRAUSER1, for Bot, used 1 times before"),
        "{file}"
    );

    // The other two tokens would be lost silently.
    for keep_going in [&[][..], &["--keep-going"]] {
        let directory = place(&export(3, std::slice::from_ref(&plain)));
        let arguments = [&["import", "extender", "tokens.json"], keep_going].concat();
        let (code, out, err) = tokenward(&directory, &arguments);
        assert!(
            code == 2
                && out.is_empty()
                && err.contains("1 of 3 tokens")
                && err.contains("export all tokens to one file"),
            "{code} {out}{err}"
        );
        assert_eq!(imported(&directory), None);
    }

    // All unknown keys are named at once, and --keep-going passes over them, but never over one that may be a switch.
    let unknown = token(json!({ "newKey": 1, "otherKey": {} }));
    let switched = token(json!({ "label": "b", "enabled": false, "newKey": 1 }));
    let directory = place(&export(2, &[unknown, switched]));
    let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert!(
        code == 1 && out.contains("`newKey`, `otherKey`") && out.contains("`enabled`"),
        "{out}{err}"
    );
    assert_eq!(imported(&directory), None);
    let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json", "--keep-going"]);
    assert!(
        code == 0 && out.contains("check whether they restrict the token"),
        "{out}{err}"
    );
    let file = imported(&directory).unwrap();
    assert!(
        file.contains("name = \"a\"") && !file.contains("name = \"b\""),
        "{file}"
    );

    let directory = place("");
    fs::write(directory.path().join("tokens.json"), b"\xff\xfe{\0}\0").unwrap();
    let (code, _, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert!(code == 2 && err.contains("UTF-16"), "{err}");
}

#[test]
fn in_secure_mode_what_is_imported_is_sealed() {
    let tokens = [json!({ "label": "a", "user": "u", "token": secret(), "limitTo": ".*/rest/x" })];
    let directory = place(&json!({ "tokens": tokens }).to_string());
    let (code, settings, err) = tokenward(&directory, &["keys", "new", "signing"]);
    assert_eq!(code, 0, "{err}");
    let configuration = directory.path().join("tokenward.toml");
    let rest = fs::read_to_string(&configuration).unwrap();
    // `mode` stands before all sections, `[keys]` behind them.
    let (mode, keys) = settings.split_at(settings.find("[keys]").unwrap());
    fs::write(&configuration, format!("{mode}{rest}{keys}")).unwrap();
    let (code, _, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert_eq!(code, 0, "{err}");
    let file = imported(&directory).unwrap();
    assert!(file.contains("\nseal = \"v2:"), "{file}");
    assert_eq!(tokenward(&directory, &["compile", "--check"]).0, 0);
    fs::write(
        directory.path().join("policies/imported.toml"),
        file.replace("/rest/x", "/rest/.*"),
    )
    .unwrap();
    let (code, _, err) = tokenward(&directory, &["compile", "--check"]);
    assert!(code == 1 && err.contains("TW0401"), "{err}");
}

#[test]
fn what_is_no_export_is_said() {
    for (export, expected) in [
        ("", "a list `tokens`"),
        ("[]", "a list `tokens`"),
        ("{\"tokens\": [", "line 1"),
        ("\u{0}", "line 1"),
    ] {
        let directory = place(export);
        let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
        assert!(
            code == 2 && out.is_empty() && err.contains(expected),
            "{export:?} {code} {err}"
        );
    }
    for (source, whose) in [("jira-pat", "Jira's"), ("gitlab", "GitLab's")] {
        let (code, out, err) = tokenward(&place("{}"), &["import", source, "list.json", "--json"]);
        assert!(
            code == 2 && out.is_empty() && err.contains(whose) && err.contains("token new"),
            "{err}"
        );
    }
    let directory = place("{}");
    let (code, _, err) = tokenward(&directory, &["import", "extender", "absent.json"]);
    assert!(code == 3 && err.contains("absent.json"), "{err}");
    fs::remove_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("tokens.json"), "{\"tokens\": []}").unwrap();
    let (code, _, err) = tokenward(&directory, &["import", "extender", "tokens.json"]);
    assert!(code == 2 && err.contains("no policy directory"), "{code} {err}");
}

/// 500 tokens of the ancestor's shape: each request is decided as its documentation says, which a few lines over the
/// `regex` crate state once more.
#[test]
fn five_hundred_tokens_decide_as_documented() {
    let mut random = Random(TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let tokens: Vec<Value> = (0..500)
        .map(|at| {
            let lines: Vec<String> = (0..=random.below(3)).map(|_| line(&mut random)).collect();
            let separator = ["\n", "\\n", "<br>", "\r\n", "<br />"][random.below(5)];
            json!({ "id": at, "label": format!("token {at}"), "user": "u", "token": secret(),
                    "limitTo": lines.join(separator), "lines": lines })
        })
        .collect();
    let mut export = tokens.clone();
    for token in &mut export {
        token.as_object_mut().unwrap().remove("lines");
    }
    let directory = place(&json!({ "tokens": export, "status": "ok" }).to_string());
    let (code, out, err) = tokenward(&directory, &["import", "extender", "tokens.json", "--json"]);
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let names = |token: &Value| token["name"].as_str().unwrap().to_owned();
    let changed: Vec<String> = report["imported"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|token| !token["changes"].as_array().unwrap().is_empty())
        .map(names)
        .collect();
    assert!(
        changed.is_empty(),
        "no line of these changes its meaning: {changed:?}"
    );

    let sources = SourceSet::read_dir(&directory.path().join("policies"), Links::Refuse).unwrap();
    let program = compile(&sources)
        .program
        .unwrap()
        .bind(&BaseUrl::parse(BASE).unwrap())
        .unwrap();
    let (mut allowed, mut denied) = (0, 0);
    for token in &tokens {
        let lines: Vec<&str> = token["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect();
        for _ in 0..20 {
            let request = request(&mut random);
            let expected = lines.iter().any(|line| documented(line, &request));
            let found = decided(&program, &hash(token["token"].as_str().unwrap()), &request);
            assert_eq!(found, expected, "{lines:?} {request:?}");
            *(if found { &mut allowed } else { &mut denied }) += 1;
        }
    }
    assert!(
        allowed > 500 && denied > 500,
        "{allowed} allowed, {denied} denied"
    );
}

#[derive(Debug)]
struct Request {
    method: Method,
    path: String,
    query: Vec<(&'static str, &'static str)>,
    body: Value,
}

struct Random(TestRng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        use proptest::prelude::Rng as _;
        usize::try_from(self.0.next_u64()).unwrap() % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

fn line(random: &mut Random) -> String {
    let methods = random.of(&["", "[post]", "[GET]", "[get,put]", "[get|delete]"]);
    let url = random.of(&[
        ".*/rest/api/2/issue/JRA.*",
        ".*/rest/api/2/issue/KANBAN-100/comment.*",
        ".*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*",
        "https?://[^/]+/ctx/rest/api/2/filter",
        ".*/rest/api/2/filter(/search)?",
        ".*/(issue|filter)/.*",
    ]);
    let constraints = random.of(&[
        "",
        "[QueryParam::accountId==.*]",
        r"[QueryParam::dateFrom==2018-(0[1-9]|1[0-2])-[0-3]\d]",
        "[JsonData::editable==false]",
        "[JsonData::editable==false][JsonData::favourite==(true|false)]",
        "[QueryParam::accountId==[a-z\\]]+][JsonData::name==K.*]",
    ]);
    format!("{methods}{url}{constraints}")
}

fn request(random: &mut Random) -> Request {
    let values = ["2018-11-30", "2018-13-30", "abc", "a]", "", "A1"];
    let query = (0..random.below(3))
        .map(|_| (random.of(&["accountId", "dateFrom"]), random.of(&values)))
        .collect();
    let mut members = serde_json::Map::new();
    for name in ["editable", "favourite", "name"] {
        let value = random.of(&["false", "true", "\"K1\"", "\"x\"", "7", "-"]);
        if value != "-" {
            members.insert(name.to_owned(), serde_json::from_str(value).unwrap());
        }
    }
    Request {
        method: random.of(&[Method::Get, Method::Post, Method::Put, Method::Delete]),
        path: random
            .of(&[
                "/rest/api/2/issue/JRA-5",
                "/rest/api/2/issue/KANBAN-100/comment/7",
                "/rest/api/2/issue/KANBAN-1/comment",
                "/rest/api/2/issue/SCRUM-2/comment",
                "/rest/api/2/issue/SCRUM-3/comment",
                "/rest/api/2/filter",
                "/rest/api/2/filter/search",
            ])
            .to_owned(),
        query,
        body: members.into(),
    }
}

/// The documentation: methods in brackets, or all; the regexp for the whole URL; each parameter and each node present,
/// its values matching as a whole.
fn documented(line: &str, request: &Request) -> bool {
    let (methods, rest) = line
        .strip_prefix('[')
        .map_or(("", line), |rest| rest.split_once(']').unwrap());
    let methods = methods.to_ascii_uppercase();
    let named = methods.is_empty()
        || methods
            .split([',', '|'])
            .any(|method| method == request.method.as_str());
    let first = rest
        .find("[QueryParam::")
        .into_iter()
        .chain(rest.find("[JsonData::"))
        .min()
        .unwrap_or(rest.len());
    let (url, constraints) = rest.split_at(first);
    let holds = |constraint: &str| {
        let (subject, pattern) = constraint.strip_suffix(']').unwrap().split_once("==").unwrap();
        let values: Vec<String> = match subject.split_once("::").unwrap() {
            ("QueryParam", name) => request
                .query
                .iter()
                .filter(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
                .collect(),
            (_, name) => request.body.get(name).into_iter().map(plain).collect(),
        };
        !values.is_empty() && values.iter().all(|value| whole(pattern, value))
    };
    let separate = constraints
        .replace("[QueryParam::", "\0QueryParam::")
        .replace("[JsonData::", "\0JsonData::");
    named && whole(url, &format!("{BASE}{}", request.path)) && separate.split('\0').skip(1).all(holds)
}

/// Whether all of `text` matches. Few patterns, many texts: each is compiled once.
fn whole(pattern: &str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap();
    let regexp = compiled
        .entry(pattern.to_owned())
        .or_insert_with(|| Regex::new(&format!("^(?s:{pattern})$")).unwrap());
    regexp.is_match(text)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn decided(program: &Program, secret: &[u8; 32], request: &Request) -> bool {
    let query: Vec<Param<'_>> = request
        .query
        .iter()
        .map(|(name, value)| Param {
            name,
            value: Some(value),
        })
        .collect();
    let text = request.body.to_string();
    let mut asked = decide::Request {
        token: program.token_by_secret_hash(secret).unwrap(),
        method: request.method,
        path: &request.path,
        query: &query,
        body: Body::Unread(Media::Json),
    };
    let nodes;
    if let Decision::NeedsBody(wanted) = decide(program, &asked) {
        nodes = body::read(text.as_bytes(), &wanted).unwrap();
        asked.body = Body::Read(&nodes);
    }
    matches!(decide(program, &asked), Decision::Allow(_))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
