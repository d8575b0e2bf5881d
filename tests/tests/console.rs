//! The console on the admin listener: who is admitted, what pages of other sites cannot do, and that acts take effect and are
//! recorded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use tokenward_tests::{Answer, Call, Client, Proxy, Setup, TestToken, Upstream, eventually};

const FORM: &str = "application/x-www-form-urlencoded";

fn token() -> TestToken {
    TestToken::new("ci", &["[get]/rest/api/2/issue/KANBAN-\\d+"])
}

/// A proxy with some recorded calls.
struct Scene {
    proxy: Proxy,
    _upstream: Upstream,
}

impl Scene {
    fn new() -> Self {
        let upstream = Upstream::start();
        let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token()));
        let scene = Self {
            proxy,
            _upstream: upstream,
        };
        for (target, status) in [
            ("/rest/api/2/issue/KANBAN-1", 200),
            ("/rest/api/2/issue/HR-1", 403),
        ] {
            assert_eq!(scene.call(target), status, "{target}");
        }
        scene
    }

    fn call(&self, target: &str) -> u16 {
        let mut client = Client::connect(self.proxy.port());
        client.send(&Call::get(target).bearer(&token())).status
    }

    fn secret(&self) -> String {
        let secret = std::fs::read_to_string(self.proxy.directory().join(".tokenward/admin.secret"));
        secret.unwrap().trim().to_owned()
    }

    fn admin(&self, call: &Call) -> Answer {
        Client::connect(self.proxy.admin_port()).send(call)
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.proxy.admin_port())
    }

    /// The answer to the login form with this secret.
    fn login(&self, secret: &str) -> Answer {
        let call = Call::new("POST", "/console/login")
            .header("Origin", &self.origin())
            .header("Content-Type", FORM)
            .body(format!("secret={secret}&next=%2Fconsole%2F").as_bytes());
        self.admin(&call)
    }

    /// A visitor who has logged in.
    fn visitor(&self) -> Visitor<'_> {
        let answer = self.login(&self.secret());
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.header("location"), Some("/console/"));
        let cookie = answer.header("set-cookie").unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        Visitor {
            scene: self,
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    /// The acts that the audit has.
    fn acts(&self) -> Vec<String> {
        let events = self.proxy.run(&["audit", "events", "--json"]).json();
        let events = events.into_iter().flat_map(|events| match events {
            serde_json::Value::Array(events) => events,
            event => vec![event],
        });
        let acts = events.filter(|event| event["kind"] == "admin");
        acts.map(|event| event["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

struct Visitor<'s> {
    scene: &'s Scene,
    cookie: String,
}

impl Visitor<'_> {
    fn get(&self, target: &str) -> Answer {
        self.scene
            .admin(&Call::get(target).header("Cookie", &self.cookie))
    }

    fn page(&self, target: &str) -> String {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.text()
    }

    /// The token of the forms of a page.
    fn form_token(&self, target: &str) -> String {
        let page = self.page(target);
        let (_, rest) = page
            .split_once("name=\"csrf\" value=\"")
            .expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    fn post(&self, target: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let call = Call::new("POST", target)
            .header("Cookie", &self.cookie)
            .header("Content-Type", FORM);
        let call = headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value));
        self.scene.admin(&call.body(body.as_bytes()))
    }
}

#[test]
fn nobody_sees_a_page_without_the_secret() {
    let scene = Scene::new();
    for page in [
        "/console/",
        "/console/tokens",
        "/console/tokens/ci",
        "/console/audit",
        "/console/calls/1",
        "/console/try",
    ] {
        let answer = scene.admin(&Call::get(page));
        assert_eq!(answer.status, 303, "{page}");
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("/console/login"), "{location}");
        assert!(!answer.text().contains("KANBAN"));
    }
    for api in ["/v1/overview", "/v1/tokens", "/v1/tokens/ci", "/v1/calls/2"] {
        assert_eq!(scene.admin(&Call::get(api)).status, 401, "{api}");
    }
    let wrong = scene.login("wrong-secret-wrong-secret");
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("set-cookie"), None);
    for cookie in [
        "tokenward-1=00",
        &format!("tokenward-{}=00", scene.proxy.admin_port()),
    ] {
        let answer = scene.admin(&Call::get("/v1/overview").header("Cookie", cookie));
        assert_eq!(answer.status, 401, "{cookie}");
    }
    assert!(
        scene.acts().iter().any(|act| act.contains("failed login")),
        "{:?}",
        scene.acts()
    );
}

#[test]
fn a_session_shows_the_pages_and_ends_at_logout() {
    let scene = Scene::new();
    let visitor = scene.visitor();
    assert!(visitor.page("/console/").contains("ci"));
    assert!(visitor.page("/console/tokens").contains("ci"));
    assert!(visitor.page("/console/tokens/ci").contains("KANBAN"));
    let audit = visitor.page("/console/audit?decision=deny");
    assert!(audit.contains("HR-1") && !audit.contains("KANBAN-1"), "{audit}");
    assert_eq!(visitor.get("/console/tokens/nobody").status, 404);
    assert_eq!(visitor.get("/console/nothing").status, 404);
    let csrf = visitor.form_token("/console/");
    let out = visitor.post(
        "/console/logout",
        &format!("csrf={csrf}"),
        &[("Origin", &scene.origin())],
    );
    assert_eq!(out.status, 200, "{}", out.text());
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(visitor.get("/console/").status, 303);
    let acts = scene.acts();
    assert!(
        acts.iter().any(|act| act.contains("login")) && acts.iter().any(|act| act.contains("logout")),
        "{acts:?}"
    );
}

#[test]
fn a_live_list_ends_with_its_session() {
    let scene = Scene::new();
    let visitor = scene.visitor();
    let csrf = visitor.form_token("/console/");
    let mut client = Client::connect(scene.proxy.admin_port());
    let call = Call::get("/console/audit/tail").header("Cookie", &visitor.cookie);
    client.write(&call.bytes("localhost")).unwrap();
    assert_eq!(client.head().unwrap().status, 200);
    let out = visitor.post("/console/logout", &format!("csrf={csrf}"), &[]);
    assert_eq!(out.status, 200, "{}", out.text());
    scene.call("/rest/api/2/issue/HR-2");
    let (mut list, mut buffer) = (Vec::new(), [0; 1024]);
    while !list.ends_with(b"0\r\n\r\n") {
        let count = client.read(&mut buffer).unwrap();
        assert!(count > 0, "the list is ended, not cut off");
        list.extend_from_slice(&buffer[..count]);
    }
    let list = String::from_utf8(list).unwrap();
    assert!(!list.contains("HR-2"), "{list}");
}

#[test]
fn a_revocation_takes_effect_at_once_and_is_recorded_with_its_reason() {
    let scene = Scene::new();
    let visitor = scene.visitor();
    let csrf = visitor.form_token("/console/tokens/ci/revoke");
    let origin = scene.origin();
    let own = [("Origin", origin.as_str())];
    // Without the token of the form, with another one, and from another site, nothing is done.
    for (body, headers) in [
        ("reason=x".to_owned(), &own[..]),
        (format!("csrf={}&reason=x", "0".repeat(64)), &own),
        (
            format!("csrf={csrf}&reason=x"),
            &[("Origin", "http://evil.example")],
        ),
        (format!("csrf={csrf}&reason=x"), &[("Origin", "null")]),
        (
            format!("csrf={csrf}&reason=x"),
            &[("Sec-Fetch-Site", "cross-site")],
        ),
    ] {
        let answer = visitor.post("/console/tokens/ci/revoke", &body, headers);
        assert_eq!(answer.status, 403, "{body} {headers:?}");
    }
    let unexplained = visitor.post("/console/tokens/ci/revoke", &format!("csrf={csrf}&reason="), &own);
    assert_eq!(unexplained.status, 200, "a reason is asked for");
    assert_eq!(scene.call("/rest/api/2/issue/KANBAN-1"), 200);
    let done = visitor.post(
        "/console/tokens/ci/revoke",
        &format!("csrf={csrf}&reason=it+leaked"),
        &own,
    );
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(scene.call("/rest/api/2/issue/KANBAN-1"), 401);
    let page = visitor.page(done.header("location").unwrap());
    assert!(page.contains("revoked"), "{page}");
    let acts = scene.acts();
    assert!(
        acts.iter()
            .any(|act| act.contains("revoke") && act.contains("token ci (it leaked)")),
        "{acts:?}"
    );
}

#[test]
fn other_hosts_and_sites_are_refused_and_no_page_can_be_framed() {
    let scene = Scene::new();
    let visitor = scene.visitor();
    let mut client = Client::connect(scene.proxy.admin_port());
    for (host, status) in [("evil.example", 421), ("localhost", 200)] {
        let call = format!(
            "GET /console/ HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\n\r\n",
            visitor.cookie
        );
        client.write(call.as_bytes()).unwrap();
        assert_eq!(client.answer(false).unwrap().status, status, "{host}");
    }
    let api = Call::get("/v1/overview").header("Authorization", &format!("Bearer {}", scene.secret()));
    assert_eq!(scene.admin(&api).status, 200);
    for answer in [
        visitor.get("/console/"),
        scene.admin(&Call::get("/console/login")),
        scene.admin(&api),
        scene.admin(&Call::get("/nothing")),
        scene.admin(&Call::get("/healthz")),
    ] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(
            policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
    }
}

#[test]
fn hostile_data_is_shown_as_text() {
    let scene = Scene::new();
    let hostile = "/rest/api/2/issue/%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE\"'";
    let hostile = hostile.replace('"', "%22").replace('\'', "%27");
    scene.call(&hostile);
    let visitor = scene.visitor();
    for page in [
        "/console/",
        "/console/audit",
        "/console/tokens/ci",
        "/console/audit?token=%3Cscript%3E%22&url=%3Cimg%3E",
    ] {
        let page = visitor.page(page);
        assert!(
            !page.contains("<script>alert") && !page.contains("<img") && !page.contains('\u{202e}'),
            "{page}"
        );
    }
    let missing = visitor.get("/console/tokens/%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert_eq!(missing.status, 404);
    assert!(!missing.text().contains("<script>alert"));
}

#[test]
fn a_request_is_tried_without_a_call() {
    let scene = Scene::new();
    let secret = format!("Bearer {}", scene.secret());
    let before = scene.proxy.audit().len();
    let ask = |body: serde_json::Value| {
        let call = Call::post_json("/v1/try", &body.to_string()).header("Authorization", &secret);
        scene.admin(&call)
    };
    let denied = ask(serde_json::json!({ "token": "ci", "request": "GET /rest/api/2/issue/HR-1" }));
    assert_eq!(denied.status, 200, "{}", denied.text());
    assert_eq!(denied.json("report")["decision"], "deny");
    let line = denied.json("new_line")["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(line.starts_with("[get]/rest/api/2/issue/HR-1"), "{line}");
    let lines = "[get]/rest/api/2/issue/HR-\\d+";
    let allowed =
        ask(serde_json::json!({ "lines": lines, "request": "curl https://x/rest/api/2/issue/HR-1" }));
    assert_eq!(allowed.json("report")["decision"], "allow", "{}", allowed.text());
    let wrong = ask(serde_json::json!({ "lines": "[get]/rest/(", "request": "GET /rest/a" }));
    assert!(wrong.json("report").is_null());
    assert_eq!(wrong.json("errors")[0]["number"], 1, "{}", wrong.text());
    let unread = ask(serde_json::json!({ "token": "ci", "request": "curl --frobnicate x" }));
    assert!(
        unread.json("problem").as_str().unwrap().contains("frobnicate"),
        "{}",
        unread.text()
    );
    assert_eq!(ask(serde_json::json!({ "tokn": "ci" })).status, 400);
    // A session needs the token of its forms for this too.
    let visitor = scene.visitor();
    let call = Call::post_json("/v1/try", "{}").header("Cookie", &visitor.cookie);
    assert_eq!(scene.admin(&call).status, 403);
    assert_eq!(scene.proxy.audit().len(), before);
}

#[test]
fn numbers_are_those_of_the_audit() {
    let scene = Scene::new();
    let secret = format!("Bearer {}", scene.secret());
    let get = |target: &str| scene.admin(&Call::get(target).header("Authorization", &secret));
    eventually("the calls are counted", || {
        let overview = get("/v1/overview");
        (overview.json("total")["calls"] == 2).then_some(())
    });
    for range in ["1h", "24h", "30d"] {
        let overview = get(&format!("/v1/overview?range={range}"));
        assert_eq!(overview.json("total")["allowed"], 1, "{}", overview.text());
        assert_eq!(overview.json("total")["denied"], 1);
        let points = overview.json("plot")["points"].as_array().unwrap().clone();
        let sum = |name: &str| {
            points
                .iter()
                .filter_map(|point| point[name].as_u64())
                .sum::<u64>()
        };
        assert_eq!((sum("allowed"), sum("denied")), (1, 1), "{range}");
        assert_eq!(overview.json("reasons")[0]["name"], "no-line");
    }
    assert_eq!(get("/v1/overview?range=1y").status, 400);
    let token = get("/v1/tokens/ci");
    assert_eq!(token.json("used")["calls"], 2);
    assert_eq!(token.json("line")[0]["used"]["calls"], 1, "{}", token.text());
    assert!(
        !token
            .text()
            .contains(tokenward_tests::TestToken::new("ci", &[]).secret())
    );
    let rows = scene.proxy.audit();
    let denied = rows
        .iter()
        .find(|row| row.text("verdict") == "deny")
        .unwrap()
        .text("sequence");
    let call = get(&format!("/v1/calls/{denied}"));
    assert_eq!(call.json("now")["decision"], "deny", "{}", call.text());
    assert!(call.json("story").as_array().unwrap().len() > 3);
    assert_eq!(get("/v1/calls/999999").status, 404);
    assert_eq!(get("/v1/calls/x").status, 404);
}

/// A denied contextUser is not recorded, so that no page may judge the call as one for nobody else.
#[test]
fn a_call_for_a_denied_user_is_not_judged_as_another_one() {
    let scene = Scene::new();
    let call = Call::get("/rest/api/2/issue/KANBAN-1")
        .bearer(&token())
        .header("contextUser", "mallory");
    let mut client = Client::connect(scene.proxy.port());
    assert_eq!(client.send(&call).status, 403);
    let rows = scene.proxy.audit();
    let denied = rows
        .iter()
        .find(|row| row.text("reason") == "context-user")
        .unwrap()
        .text("sequence");
    let page = scene.visitor().page(&format!("/console/calls/{denied}"));
    assert!(page.contains("another user (not recorded)"), "{page}");
    for wrong in ["nobody else", "permits it", "the same request now"] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }
}

#[test]
fn commands_and_tests_to_copy_have_no_command_and_no_secret_of_others() {
    let scene = Scene::new();
    let visitor = scene.visitor();
    let page = visitor.page("/console/audit?request_id=x%3Btouch%20/tmp/p");
    assert!(!page.contains("audit show x;touch"), "{page}");
    let page = visitor.page("/console/try?token=ci&request=curl%20http%3A%2F%2Fx%2Frest%2Fa%20%7C%20sh");
    assert!(!page.contains("--admin -- curl"), "{page}");
    let kept = "Keep it as a policy test";
    let plain = "/console/try?token=ci&request=GET%20%2Frest%2Fapi%2F2%2Fissue%2FHR-1";
    assert!(visitor.page(plain).contains(kept));
    let cookie = "/console/try?token=ci&request=curl%20-H%20%27Cookie%3A%20JSESSIONID%3D1%27%20http%3A%2F%2Fx%2Frest%2Fa";
    assert!(!visitor.page(cookie).contains(kept));
}
