//! `tokenward explain` as its users meet it, and beside a proxy that answers the same requests.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokenward_pdp::secret::{Secret, hash_text};
use tokenward_testbed::{Ran, eventually};

use crate::policy::EXPIRES;
use crate::proxy::{listening, serve};
use crate::tokenward::{BINARY, run};

const LINES: &str = r"[get]/rest/api/2/issue/KANBAN-\d+
/rest/api/2/search[QueryParam::jql==project = KANBAN][QueryParam::only]
[post]/rest/api/2/issue[JsonData::fields.project.key==KANBAN][JsonData::fields.priority:number==1]
[post]/rest/api/2/user.*
![delete].*";

/// Policies with a token for one user and one for several, the secret of the first, and a configuration.
struct Place {
    directory: TempDir,
    secret: Secret,
    address: SocketAddr,
}

impl Place {
    fn new(more: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let secret = tokenward_runtime::new_secret::generate().unwrap();
        let entry = |name: &str, keys: &str, secret: &Secret, lines: &str| {
            let hash = hash_text(secret.expose());
            format!(
                "[[token]]\nname = \"{name}\"\nsecret_hash = \"{hash}\"\n{keys}\nlimit_to = '''\n{lines}\n'''\n"
            )
        };
        let other = tokenward_runtime::new_secret::generate().unwrap();
        let late = tokenward_runtime::new_secret::generate().unwrap();
        let policy = entry(
            "ci",
            &format!("user = \"svc\"\non_behalf_of = [\"alice\"]\n{EXPIRES}"),
            &secret,
            LINES,
        ) + &entry(
            "team",
            &format!("users = [\"a\", \"b\"]\nallowed_ips = [\"10.0.0.0/8\"]\n{EXPIRES}"),
            &other,
            "/rest/x",
        ) + &entry(
            "late",
            "user = \"svc\"\nexpires = 2020-01-01T00:00:00Z",
            &late,
            "/rest/x",
        );
        fs::create_dir(directory.path().join("policies")).unwrap();
        fs::write(directory.path().join("policies/ci.toml"), policy).unwrap();
        let (address, tables) = listening();
        fs::write(
            directory.path().join("tokenward.toml"),
            format!(
                "policies = 'policies'\n[upstream]\nurl = 'http://127.0.0.1:9'\npublic_url = 'https://jira.example.com'\nproduct = 'jira'\n[upstream.identity]\nmode = 'trusted-header'\n{tables}{more}"
            ),
        )
        .unwrap();
        Self {
            directory,
            secret,
            address,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    #[track_caller]
    fn explain(&self, arguments: &[&str]) -> Ran {
        run(self.path(), &[&["explain"], arguments].concat())
    }

    /// Explains with this exit code, as JSON.
    #[track_caller]
    fn report(&self, code: i32, arguments: &[&str]) -> Value {
        let (name, rest) = arguments.split_first().unwrap();
        let ran = self.explain(&[&[*name, "--json"], rest].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).expect("one JSON object")
    }
}

#[test]
fn a_denial_names_the_first_part_of_each_line_that_failed() {
    let place = Place::new("");
    let body = r#"{"fields": {"project": {"key": "HR"}, "priority": "1"}}"#;
    let json = "Content-Type: application/json";
    let ran = place.explain(&["ci", "post", "/rest/api/2/issue", "-H", json, "-d", body]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{}", ran.out);
    insta::assert_snapshot!(ran.out, @r#"
    denied: no-line (403)
      POST https://jira.example.com/rest/api/2/issue
      token `ci` as `svc`
      No line of the token allows POST https://jira.example.com/rest/api/2/issue.
      ci.toml:8: [get]/rest/api/2/issue/KANBAN-\d+
          the line is for GET, the request is POST
      ci.toml:9: /rest/api/2/search[QueryParam::jql==project = KANBAN][QueryParam::only]
          the URL of the line does not match `/rest/api/2/issue`
      ci.toml:10: [post]/rest/api/2/issue[JsonData::fields.project.key==KANBAN][JsonData::fields.priority:number==1]
          [JsonData::fields.project.key==…] does not hold: the body has `HR` (string)
      ci.toml:11: [post]/rest/api/2/user.*
          the URL of the line does not match `/rest/api/2/issue`

    smallest change of the request that the proxy would forward:
      set the body member `fields.project.key` to `"KANBAN"` instead of `"HR"`
      set the body member `fields.priority` to `1` instead of `"1"`
      allowed by ci.toml:10: [post]/rest/api/2/issue[JsonData::fields.project.key==KANBAN][JsonData::fields.priority:number==1]
      curl -X POST -u svc:"$TOKEN" https://jira.example.com/rest/api/2/issue -H 'Content-Type: application/json' --data-raw '{"fields": {"project": {"key": "KANBAN"}, "priority": 1}}'
    smallest line that would allow this request, and no other:
      [post]/rest/api/2/issue[QueryParam::only][JsonData::fields.project.key:string==HR][JsonData::fields.priority:string==1][JsonData::only][JsonData::fields.only][JsonData::fields.project.only]
    as a patch, for `tokenward explain --patch … | git apply`:
      --- a/policies/ci.toml
      +++ b/policies/ci.toml
      @@ -10,6 +10,7 @@
       [post]/rest/api/2/issue[JsonData::fields.project.key==KANBAN][JsonData::fields.priority:number==1]
       [post]/rest/api/2/user.*
       ![delete].*
      +[post]/rest/api/2/issue[QueryParam::only][JsonData::fields.project.key:string==HR][JsonData::fields.priority:string==1][JsonData::only][JsonData::fields.only][JsonData::fields.project.only]
       '''
       [[token]]
       name = "team"
    "#);
    let why = |arguments: &[&str]| {
        let report = place.report(1, arguments);
        let lines = report["lines"].as_array().unwrap();
        let of = |number: u64| {
            let line = lines.iter().find(|line| line["number"] == number).unwrap();
            line["failed"]["why"].as_str().unwrap().to_owned()
        };
        (of(9), of(10))
    };
    let (search, _) = why(&["ci", "GET", "/rest/api/2/search?jql=project = HR&fields=a"]);
    assert_eq!(
        search,
        "[QueryParam::jql==…] does not hold: the query has `project = HR`"
    );
    let (search, _) = why(&["ci", "GET", "/rest/api/2/search?fields=a"]);
    assert_eq!(
        search,
        "[QueryParam::jql==…] does not hold: the query has no value there"
    );
    let (search, _) = why(&["ci", "GET", "/rest/api/2/search?jql=project = KANBAN&fields=a"]);
    assert_eq!(
        search,
        "[QueryParam::only] does not hold: the query also has `fields`"
    );
    let post = |body: &str| why(&["ci", "POST", "/rest/api/2/issue", "-H", json, "-d", body]).1;
    assert_eq!(
        post(r#"{"fields": {"project": {"key": ["KANBAN"]}, "priority": "1"}}"#),
        "[JsonData::fields.priority:number==…] does not hold: the body has `1` (string)"
    );
    assert_eq!(
        post(r#"{"fields": {"project": {"key": {}}}}"#),
        "[JsonData::fields.project.key==…] does not hold: the body has an object"
    );
    assert_eq!(
        post(r#"{"fields": 5}"#),
        "[JsonData::fields.project.key==…] does not hold: a step on the way has the wrong type"
    );
    assert!(post("{").starts_with("the line has constraints on the body, which cannot be read: not JSON"));
    // As with curl, -d alone sends a form.
    let form = place.report(1, &["ci", "POST", "/rest/api/2/issue", "-d", body]);
    assert_eq!(
        form["lines"][2]["failed"]["why"],
        "the line has constraints, and the body is a form"
    );
    assert!(
        form["notes"][0]
            .as_str()
            .unwrap()
            .contains("-H 'Content-Type: application/json'"),
        "{form}"
    );
    // A forbid line is named alone.
    let forbidden = place.report(1, &["ci", "DELETE", "/rest/api/2/issue/KANBAN-1"]);
    assert_eq!(
        (
            &forbidden["reason"],
            &forbidden["line"]["number"],
            &forbidden["lines"]
        ),
        (&json!("forbid-line"), &json!(12), &json!([]))
    );
}

#[test]
fn all_forms_of_a_request_are_one_request() {
    let place = Place::new("");
    let report = place.report(0, &["ci", "GET", "/rest/api/2/issue/KANBAN-7"]);
    assert_eq!(
        (&report["decision"], &report["status"], &report["line"]["text"]),
        (
            &json!("allow"),
            &Value::Null,
            &json!(r"[get]/rest/api/2/issue/KANBAN-\d+")
        )
    );
    let url = "https://jira.example.com/rest/api/2/issue/KANBAN-7";
    let user = format!("svc:{}", place.secret.expose());
    let quoted = format!("curl -sS -u '{user}' \\\n  -H 'Accept: application/json' \\\n  '{url}'\n");
    assert_eq!(place.report(0, &["ci", "get", url]), report);
    assert_eq!(place.report(0, &["ci", "--", "curl", "-u", &user, url]), report);
    assert_eq!(place.report(0, &["ci", "--curl", &quoted]), report);
    assert_eq!(place.report(0, &["ci", "--", &quoted]), report);
    fs::write(place.path().join("command.txt"), &quoted).unwrap();
    let piped = Command::new(BINARY)
        .args(["explain", "ci", "--json", "--curl", "-"])
        .current_dir(place.path())
        .stdin(fs::File::open(place.path().join("command.txt")).unwrap())
        .output()
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&piped.stdout).unwrap(), report);
    // A secret that the command leaves to the shell is taken as the right one, and a note says so.
    let open = place.report(
        0,
        &["ci", "--curl", &format!("curl -u \"svc:$TOKEN\" {url} | jq .")],
    );
    assert_eq!(open["notes"].as_array().unwrap().len(), 2, "{open}");
    // A compiled policy is judged like its directory.
    assert_eq!(
        run(place.path(), &["compile", "-o", "policy.twp", "policies"]).code,
        0
    );
    for option in ["--policies", "--artifact"] {
        assert_eq!(place.report(0, &["ci", option, "policy.twp", "GET", url]), report);
    }
}

#[test]
fn each_refusal_has_the_reason_of_the_proxy() {
    let place = Place::new("[auth]\nnever_act_as = ['alice']\n");
    let reason = |arguments: &[&str]| {
        let report = place.report(1, arguments);
        (
            report["status"].as_u64().unwrap(),
            report["reason"].as_str().unwrap().to_owned(),
        )
    };
    for (arguments, status, expected) in [
        (&["ci", "GET", "/secret"][..], 404, "outside-endpoints"),
        (&["ci", "GET", "/rest/../x"], 400, "dot-segment"),
        (&["ci", "GET", "/rest/a;b"], 400, "semicolon"),
        (&["ci", "GET", "/rest/a", "-d", "x"], 400, "body-on-get"),
        (
            &["ci", "GET", "/rest/a", "-H", "X-HTTP-Method-Override: PUT"],
            400,
            "method-override",
        ),
        (&["ci", "TRACE", "/rest/a"], 400, "refused-method"),
        (&["ci", "GET", "/rest/a", "-H", "A B: c"], 400, "field-name"),
        (
            &["ci", "GET", "/rest/a", "-H", "A: b\nC: d"],
            400,
            "control-character-in-head",
        ),
        (&["ci", "POST", "/rest/api/2/user"], 403, "minting"),
        (
            &[
                "ci",
                "GET",
                "/rest/api/2/issue/KANBAN-7",
                "-H",
                "contextUser: alice",
            ],
            403,
            "context-user",
        ),
        (
            &[
                "ci",
                "GET",
                "/rest/api/2/issue/KANBAN-7",
                "-H",
                "contextUser: bob",
            ],
            403,
            "context-user",
        ),
        (
            &["ci", "--user", "alice", "GET", "/rest/api/2/myself"],
            401,
            "wrong-user",
        ),
        (
            &[
                "ci",
                "--",
                "curl",
                "-u",
                "svc:wrong",
                "https://jira.example.com/rest/x",
            ],
            401,
            "unknown-token",
        ),
        (
            &["ci", "GET", "/rest/x", "-H", "Authorization: nonsense"],
            401,
            "malformed-credentials",
        ),
        (&["late", "GET", "/rest/x"], 401, "expired"),
        (
            &["ci", "--at", "2091-01-01", "GET", "/rest/api/2/issue/KANBAN-7"],
            401,
            "expired",
        ),
        (
            &["team", "--user", "a", "--client", "192.0.2.1", "GET", "/rest/x"],
            403,
            "address",
        ),
    ] {
        assert_eq!(reason(arguments), (status, expected.to_owned()), "{arguments:?}");
    }
    for arguments in [
        &["late", "--at", "2019-12-31T23:59:59Z", "GET", "/rest/x"][..],
        &[
            "team",
            "--user",
            "a",
            "--client",
            "::ffff:10.1.2.3",
            "GET",
            "/rest/x",
        ],
    ] {
        assert_eq!(place.report(0, arguments)["decision"], "allow", "{arguments:?}");
    }
    assert_eq!(run(place.path(), &["token", "revoke", "ci"]).code, 0);
    assert_eq!(
        reason(&["ci", "GET", "/rest/api/2/issue/KANBAN-7"]),
        (401, "revoked".to_owned())
    );
}

#[test]
fn a_question_that_lacks_something_says_what() {
    let place = Place::new("");
    let secret = place.secret.expose().to_owned();
    let same = format!("svc:{secret}");
    for (arguments, code, expected) in [
        (&["ci"][..], 2, "explain ci METHOD URL"),
        (
            &["ci", "https://jira.example.com/rest/x"],
            2,
            "explain ci GET https://",
        ),
        (&["ci", "GET", "rest/x"], 2, "write `/rest/x`"),
        (&["tean", "GET", "/rest/x"], 2, "did you mean `team`?"),
        (&[&secret, "GET", "/rest/x"], 2, "not its secret"),
        (&["team", "GET", "/rest/x"], 2, "--client"),
        (&["team", "--client", "10.0.0.1", "GET", "/rest/x"], 2, "--user"),
        (
            &[
                "late",
                "--",
                "curl",
                "-u",
                &same,
                "https://jira.example.com/rest/x",
            ],
            2,
            "another token, `ci`",
        ),
        (
            &[
                "ci",
                "--user",
                "svc",
                "--",
                "curl",
                "-u",
                &same,
                "https://jira.example.com/rest/x",
            ],
            2,
            "remove --user",
        ),
        (
            &[
                "ci",
                "--user",
                "x",
                "--",
                "curl",
                "-u",
                "svc",
                "https://jira.example.com/rest/x",
            ],
            2,
            "remove --user",
        ),
        (&["ci", "--at", "tomorrow", "GET", "/rest/x"], 2, "--at"),
        (&["ci", "--", "wget", "https://x/"], 2, "must begin with `curl`"),
        (
            &["ci", "--curl", "curl -K f https://x/"],
            2,
            "`-K` is not supported",
        ),
        (&["ci", "--curl", "curl \"https://x\" ^\n -v"], 2, "Windows"),
        (&["ci", "--admin", "GET", "/rest/x"], 3, "no proxy is running"),
        (&["ci", "--policies", "nowhere", "GET", "/rest/x"], 3, "nowhere"),
        (&["TW9999"], 2, "METHOD URL"),
    ] {
        let ran = place.explain(arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ran.err
        );
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains(&secret), "{arguments:?}");
    }
    fs::write(place.path().join("policies/broken.toml"), "[[token]]\n").unwrap();
    let ran = place.explain(&["ci", "GET", "/rest/api/2/issue/KANBAN-7"]);
    assert!(
        ran.code == 3 && ran.err.contains("does not compile"),
        "{}",
        ran.err
    );
}

#[test]
fn the_page_of_a_code_is_explained_too() {
    let place = Place::new("");
    let page = place.explain(&["tw0107"]);
    assert!(
        page.code == 0 && page.out.starts_with("# TW0107: "),
        "{}{}",
        page.out,
        page.err
    );
    assert_eq!(page.out, run(place.path(), &["explain-code", "TW0107"]).out);
    // Options of a request would be ignored.
    let ran = place.explain(&["TW0107", "--json"]);
    assert!(ran.code == 2 && ran.err.contains("METHOD URL"), "{}", ran.err);
    let ran = place.explain(&["ci", "GET", "--curl", "curl https://x/"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
}

#[test]
fn no_secret_is_shown() {
    let place = Place::new("");
    let secret = place.secret.expose();
    let user = format!("svc:{secret}");
    for url in [
        format!("https://jira.example.com/rest/api/2/search?jql={secret}"),
        format!("https://jira.example.com/rest/{secret}"),
    ] {
        let ran = place.explain(&["ci", "--", "curl", "-u", &user, &url]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains(secret), "{}", ran.out);
    }
    let body = format!(r#"{{"fields": {{"project": {{"key": "{secret}"}}}}}}"#);
    let json = "Content-Type: application/json";
    for extra in [&["--json"][..], &[]] {
        let arguments = [
            &["ci", "POST", "/rest/api/2/issue", "-H", json, "-d", &body],
            extra,
        ]
        .concat();
        let ran = place.explain(&arguments);
        assert_eq!(ran.code, 1);
        assert!(
            !ran.out.contains(secret) && ran.out.contains("***"),
            "{}",
            ran.out
        );
    }
}

/// Runs the command itself against the proxy: the status and the reason of the answer.
fn sent(arguments: &[&str]) -> (u64, Option<String>) {
    let ran = Command::new("curl")
        .args(["-s", "-w", "\n%{http_code}"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    let body: Option<Value> = serde_json::from_str(body).ok();
    let reason = body.and_then(|body| Some(body.get("reason")?.as_str()?.to_owned()));
    (status.parse().unwrap(), reason)
}

/// What `explain` says of a curl command is what the proxy answers to it, and what the proxy itself explains.
#[test]
fn explanations_are_what_the_proxy_answers() {
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let place = Place::new("[answers]\nshow_policy = true\ncors_origins = ['https://pages.example.com']\n");
    let _proxy = serve(place.path());
    eventually("the proxy listens", || TcpStream::connect(place.address).ok());
    let at = |path: &str| format!("http://{}{path}", place.address);
    let user = format!("svc:{}", place.secret.expose());
    let bearer = format!("Authorization: Bearer {}", place.secret.expose());
    let (issue, key) = (at("/rest/api/2/issue"), at("/rest/api/2/issue/KANBAN-7"));
    let json = "Content-Type: application/json";
    let good = r#"{"fields": {"project": {"key": "KANBAN"}, "priority": 1}}"#;
    let preflight = "Access-Control-Request-Method: PUT";
    let commands: [&[&str]; 29] = [
        &["-u", &user, &key],
        &["-u", &user, &at("/rest/api/2/issue/KANBAN-7/../KANBAN-8")],
        &[
            "-u",
            &user,
            "--path-as-is",
            &at("/rest/api/2/issue/KANBAN-7/../KANBAN-8"),
        ],
        &["-u", &user, &at("/rest/api/2/issue/KANBAN-x")],
        &["-u", &user, &at("/other")],
        &["-u", &user, "-I", &key],
        &["-u", &user, "-X", "DELETE", &key],
        &["-u", &user, "-X", "get", &key],
        &["-u", &user, "-d", good, &issue],
        &["-u", &user, "-H", json, "-d", good, &issue],
        &["-u", &user, "--json", good, &issue],
        &[
            "-u",
            &user,
            "--json",
            r#"{"fields": {"project": {"key": "KANBAN"}, "priority": "1"}}"#,
            &issue,
        ],
        &["-u", &user, "--json", "{", &issue],
        &["-u", &user, "--json", r#"{"fields": 1, "fields": 2}"#, &issue],
        &["-u", &user, "--json", "", &issue],
        &["-u", &user, "-F", "fields=1", &issue],
        &[
            "-u",
            &user,
            "-G",
            "--data-urlencode",
            "jql=project = KANBAN",
            &at("/rest/api/2/search"),
        ],
        &[
            "-u",
            &user,
            &at("/rest/api/2/search?jql=project%20=%20KANBAN&x=1"),
        ],
        &["-u", &user, &at("/rest/api/2/search?jql=%zz")],
        &["-u", &user, "-H", "contextUser: alice", &key],
        &["-u", &user, "-H", "contextUser: carol", &key],
        &["-u", &user, "-X", "POST", &at("/rest/api/2/user")],
        &["-u", &user, "-b", "a=b", &key],
        &["-u", "svc:wrong", &key],
        &[
            "-X",
            "OPTIONS",
            "-H",
            "Origin: https://pages.example.com",
            "-H",
            preflight,
            &key,
        ],
        &[
            "-X",
            "OPTIONS",
            "-H",
            "Origin: https://other.example.com",
            "-u",
            &user,
            "-H",
            preflight,
            &key,
        ],
        &["-u", &user, &at("/.tokenward/self")],
        &["-H", &bearer, &key],
        &["-u", &user, "-H", "X-HTTP-Method-Override: PUT", &key],
    ];
    for command in commands {
        let (status, reason) = sent(command);
        // No upstream listens, so what is allowed fails there.
        let expected = match (status, reason.as_deref()) {
            (502, Some("upstream-unreachable")) => (Value::Null, "allowed".to_owned()),
            (204, None) => (json!(204), "cors-preflight".to_owned()),
            (200, None) => (json!(200), "self".to_owned()),
            (status, reason) => (json!(status), reason.unwrap_or_default().to_owned()),
        };
        let code = i32::from(expected.0.as_u64().is_some_and(|status| status >= 400));
        for admin in [&[][..], &["--admin"]] {
            let arguments = [&["ci"], admin, &["--", "curl"], command].concat();
            let report = place.report(code, &arguments);
            let reason = match report["status"].as_u64() {
                // An answer to HEAD has no body.
                _ if command.contains(&"-I") => expected.1.clone(),
                // The client is not told why, unless its scheme is not accepted.
                Some(401) if report["reason"] != "auth-method" => "unauthenticated".to_owned(),
                _ => report["reason"].as_str().unwrap().to_owned(),
            };
            assert_eq!(
                (report["status"].clone(), reason),
                expected,
                "{command:?} {admin:?}"
            );
        }
    }
    // The proxy's own listener gets no secret.
    let twice = at(&format!("/rest/x?a={}", place.secret.expose()));
    let ran = place.explain(&["ci", "--admin", "--", "curl", "-u", &user, &twice]);
    assert!(
        ran.code == 2 && ran.err.contains("remove --admin"),
        "{}{}",
        ran.out,
        ran.err
    );
    let ran = place.explain(&["nobody", "--admin", "GET", "/rest/x"]);
    assert!(
        ran.code == 2 && ran.err.contains("no token `nobody`"),
        "{}",
        ran.err
    );
}
