//! Tests of whole heads: the result of all parts together, and the order of responses.

mod identity;
mod load;
mod properties;
mod secrets;

use super::*;
use crate::request::{Product, Settings, Version};
use tokenward_compiler::BaseUrl;

fn settings(product: Product) -> Settings {
    Settings {
        endpoints: vec!["/*".to_owned()],
        ..Settings::new(BaseUrl::parse("https://a.example/ctx").unwrap(), product)
    }
}

struct Given<'a> {
    settings: Settings,
    method: &'a str,
    target: &'a [u8],
    lines: Vec<(&'a str, &'a str)>,
    body: Framing,
}

fn get(target: &str) -> Given<'_> {
    Given {
        settings: settings(Product::Jira),
        method: "GET",
        target: target.as_bytes(),
        lines: vec![("Host", "elsewhere")],
        body: Framing::None,
    }
}

fn post<'a>(target: &'a str, content_type: &'a str) -> Given<'a> {
    let lines = vec![
        ("Host", "elsewhere"),
        ("Content-Length", "5"),
        ("Content-Type", content_type),
    ];
    Given {
        method: "POST",
        lines,
        body: Framing::Length(5),
        ..get(target)
    }
}

impl<'a> Given<'a> {
    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.lines.push((name, value));
        self
    }

    fn under(mut self, product: Product) -> Self {
        self.settings = settings(product);
        self
    }

    fn set(mut self, change: impl Fn(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn method(mut self, method: &'a str) -> Self {
        self.method = method;
        self
    }

    fn read(&self) -> Reading {
        self.read_by(&Rules::new(&self.settings).unwrap())
    }

    /// Reads with a policy that has a token of this secret.
    fn read_knowing(&self, secret: &str) -> Reading {
        self.read_asking(|text| text == secret.as_bytes())
    }

    fn read_asking(&self, is_token: impl Fn(&[u8]) -> bool) -> Reading {
        let rules = Rules::new(&self.settings).unwrap();
        self.with_raw(|raw| open_knowing(raw, &rules, is_token).read(raw, &rules))
    }

    fn read_by(&self, rules: &Rules) -> Reading {
        self.with_raw(|raw| read(raw, rules))
    }

    fn with_raw<R>(&self, read: impl FnOnce(&RawHead<'_>) -> R) -> R {
        let headers: Vec<(&[u8], &[u8])> = self
            .lines
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let raw = RawHead {
            method: self.method,
            target: self.target,
            version: Version::Http11,
            headers: &headers,
            authority: None,
            body: self.body,
        };
        read(&raw)
    }

    fn head(&self) -> Result<Canonical, Reason> {
        self.read().head.map_err(|refusal| refusal.reason)
    }

    fn refused(&self) -> Option<Reason> {
        self.head().err()
    }
}

#[test]
fn the_request_has_one_form() {
    let head = get("/ctx/rest/a%20b/%72?x=1+2&&y&z=")
        .with("Accept", "*/*")
        .head()
        .unwrap();
    assert_eq!((head.method, &*head.method_text), (Method::Get, "GET"));
    assert_eq!(head.path, "/rest/a b/r");
    assert_eq!(
        head.query,
        [
            ("x".into(), Some("1 2".into())),
            ("y".into(), None),
            ("z".into(), Some(String::new()))
        ]
    );
    assert_eq!(head.upstream_target(), "/ctx/rest/a%20b/r?x=1%202&y&z=");
    assert_eq!(head.url(), "https://a.example/ctx/rest/a%20b/r?x=1%202&y&z=");
    assert_eq!(
        head.headers.iter().collect::<Vec<_>>(),
        [("accept", b"*/*".as_slice())]
    );
    let reading = get("https://A.example:443/ctx/x?").read();
    assert_eq!(reading.shown_url, "https://a.example/ctx/x");
    assert_eq!(reading.head.unwrap().upstream_target(), "/ctx/x");
}

#[test]
fn the_upstream_may_have_another_context_path() {
    for (path, target) in [("", "/x?a"), ("/other/one", "/other/one/x?a")] {
        let head = get("/ctx/x?a")
            .set(|settings| settings.upstream_path = Some(path.to_owned()))
            .head()
            .unwrap();
        assert_eq!(head.upstream_target(), target);
        assert_eq!(head.url(), "https://a.example/ctx/x?a");
    }
}

#[test]
fn only_endpoints_below_the_base_are_served() {
    let only_rest = |settings: &mut Settings| settings.endpoints = vec!["/rest/*".into()];
    for (target, served) in [
        ("/ctx/rest/x", true),
        ("/ctx/%72est/x", true),
        ("/ctx/rest/", true),
        ("/ctx/.tokenward/self", true),
        ("/ctx/.tokenward/other", false),
        ("/ctx/rest", false),
        ("/ctx/other", false),
        ("/ctx", false),
        ("/ctx/", false),
        ("/ctxrest/x", false),
        ("/rest/x", false),
        ("/CTX/rest/x", false),
        ("/", false),
        ("/ctx/other?a=%zz", false),
        // An ambiguous path is reported only after authentication.
        ("/ctx/rest/../other", true),
        ("/ctx%2Frest/x", true),
        ("//rest/x", true),
        ("*", true),
        ("/other\u{0}", true),
    ] {
        let reading = get(target).set(only_rest).read();
        assert_eq!(reading.in_endpoints, served, "{target}");
        if !served {
            assert_eq!(
                reading.head.unwrap_err().reason,
                Reason::OutsideEndpoints,
                "{target}"
            );
        }
    }
}

#[test]
fn our_own_path_is_served_for_reading_alone() {
    let only_rest = |settings: &mut Settings| settings.endpoints = vec!["/rest/*".into()];
    for (method, served) in [("GET", true), ("HEAD", true), ("POST", false), ("get", false)] {
        let reading = get("/ctx/.tokenward/self").set(only_rest).method(method).read();
        assert_eq!(reading.in_endpoints, served, "{method}");
    }
}

#[test]
fn methods_and_their_bodies() {
    for method in ["TRACE", "TRACK", "CONNECT", "PRI", "trace", "Connect"] {
        assert_eq!(
            get("/ctx/x").method(method).refused(),
            Some(Reason::RefusedMethod),
            "{method}"
        );
    }
    for method in ["get", "Delete", "pOST"] {
        assert_eq!(
            get("/ctx/x").method(method).refused(),
            Some(Reason::MethodCase),
            "{method}"
        );
    }
    for method in ["GETX", "MOVE", "move"] {
        let head = get("/ctx/x").method(method).head().unwrap();
        assert_eq!((head.method, &*head.method_text), (Method::Other, method));
    }
    for method in ["GET", "HEAD"] {
        let with_body = post("/ctx/x", "text/plain").method(method);
        assert_eq!(with_body.refused(), Some(Reason::BodyOnGet), "{method}");
        assert!(
            with_body
                .set(|settings| settings.relax.get_body = true)
                .head()
                .is_ok(),
            "{method}"
        );
        assert!(
            get("/ctx/x")
                .method(method)
                .with("Content-Length", "0")
                .head()
                .is_ok(),
            "{method}"
        );
    }
    let chunked = Given {
        body: Framing::Chunked,
        ..get("/ctx/x").with("Transfer-Encoding", "chunked")
    };
    assert_eq!(chunked.refused(), Some(Reason::BodyOnGet));
    assert!(post("/ctx/x", "text/plain").method("DELETE").head().is_ok());
}

#[test]
fn framing_comes_first() {
    let reading = get("/ctx/x")
        .with("Host", "b")
        .with("Authorization", "Bearer abc")
        .read();
    assert_eq!(reading.framing.unwrap_err().reason, Reason::RepeatedHost);
    assert!(reading.head.is_err());
}

#[test]
fn bodies_have_a_class_and_queries_a_charset() {
    let json = post("/ctx/x", "application/json").head().unwrap();
    assert_eq!((json.media, json.body), (Media::Json, Framing::Length(5)));
    assert_eq!(
        post("/ctx/x", "application/json")
            .with("Content-Encoding", "gzip")
            .head()
            .unwrap()
            .media,
        Media::Other
    );
    assert_eq!(
        post("/ctx/x", "multipart/form-data; boundary=x")
            .head()
            .unwrap()
            .media,
        Media::Multipart
    );
    let untyped = Given {
        lines: vec![("Host", "a"), ("Content-Length", "5")],
        ..post("/ctx/x", "")
    };
    let untyped = untyped.head().unwrap();
    assert_eq!(untyped.media, Media::Other);
    let octets = ("content-type", b"application/octet-stream".as_slice());
    assert!(untyped.headers.iter().any(|field| field == octets), "{untyped:?}");
    let bodiless = get("/ctx/x").head().unwrap();
    assert!(bodiless.headers.iter().all(|(name, _)| name != "content-type"));
    assert_eq!(
        get("/ctx/x")
            .with("Content-Type", "application/json, text/x")
            .refused(),
        Some(Reason::MalformedContentType)
    );

    let latin = "text/plain; charset=iso-8859-1";
    assert_eq!(post("/ctx/x?a=1", latin).refused(), Some(Reason::QueryCharset));
    assert!(post("/ctx/x?&", latin).head().is_ok());
    assert!(post("/ctx/x?a=1", "text/plain; charset=\"UTF-8\"").head().is_ok());
}

#[test]
fn gitlab_keeps_the_encoded_slash() {
    let head = get("/ctx/api/v4/projects/group%2fproject?a=%2F")
        .under(Product::Gitlab)
        .head()
        .unwrap();
    assert_eq!(head.path, "/api/v4/projects/group%2Fproject");
    assert_eq!(
        head.upstream_target(),
        "/ctx/api/v4/projects/group%2Fproject?a=%2F"
    );
    assert_eq!(
        get("/ctx/a%2F..%2Fb").under(Product::Gitlab).refused(),
        Some(Reason::DotSegment)
    );
    assert_eq!(get("/ctx/a%2Fb").refused(), Some(Reason::EncodedSlash));
    assert_eq!(
        get("/ctx%2Fa").under(Product::Gitlab).refused(),
        Some(Reason::OutsideEndpoints)
    );
}

#[test]
fn calls_that_give_are_known_by_the_canonical_path() {
    let rules = Rules::new(&settings(Product::Jira)).unwrap();
    let mints = |target| rules.needs(&get(target).head().unwrap()).mint;
    assert!(mints("/ctx/rest/auth/1/session"));
    assert!(mints("/ctx/rest/%61uth/1/session"));
    assert!(!mints("/ctx/rest/api/2/issue"));
}

#[test]
fn refused_urls_are_shown_as_sent_and_debug_keeps_quiet() {
    let reading = get("/ctx/../x?os_password=hunter2&b=1")
        .with("X-Mine", "hunter3")
        .read();
    assert_eq!(
        reading.shown_url,
        "https://a.example/ctx/../x?os_password=***&b=1"
    );
    let debug = format!(
        "{:?}",
        get("/ctx/x")
            .with("X-Mine", "hunter3")
            .with("Authorization", "Bearer hunter2")
            .read()
    );
    assert!(debug.contains("x-mine") && !debug.contains("hunter"), "{debug}");
}

#[test]
fn forms_are_read_where_their_fields_become_parameters() {
    let reads = |given: Given<'_>| {
        Rules::new(&given.settings)
            .unwrap()
            .reads_form(&given.head().unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let untyped = || Given {
        lines: vec![("Host", "a"), ("Content-Length", "5")],
        ..post("/ctx/x", "")
    };
    assert!(reads(post("/ctx/x", form)));
    assert!(reads(post("/ctx/x", form).under(Product::Gitlab)));
    assert!(!reads(untyped().under(Product::Gitlab)));
    assert!(!reads(untyped()));
    assert!(!reads(post("/ctx/x", "application/json")));
    assert!(!reads(get("/ctx/x").with("Content-Type", form)));
}

#[test]
fn parameters_that_merging_upstreams_take_for_one_are_refused() {
    for (product, target, refused) in [
        (Product::Generic, "/ctx/x?a=1&a[]=2", true),
        (Product::Generic, "/ctx/x?a.b=1&a_b=2", true),
        (Product::Generic, "/ctx/x?a=1&A=2", true),
        (Product::Redmine, "/ctx/x?a=1&a%5Bx%5D=2", true),
        (Product::Redmine, "/ctx/x?a=1&A=2", false),
        (Product::Jira, "/ctx/x?a=1&a%5B%5D=2&A=3", false),
        (Product::Generic, "/ctx/x?a[x]=1&a[y]=2", false),
    ] {
        let given = get(target).under(product);
        let expected = refused.then_some(Reason::AmbiguousParameter);
        assert_eq!(given.refused(), expected, "{product:?} {target}");
        let lifted = get(target)
            .under(product)
            .set(|settings| settings.relax.ambiguous_parameter = true);
        assert_eq!(lifted.refused(), None, "{product:?} {target}");
    }
}
