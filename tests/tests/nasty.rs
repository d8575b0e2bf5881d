//! Requests glued from pieces that servers are known to read in more than one way, with the recording upstream as the oracle: each
//! is refused, or reaches the upstream as exactly one clean request with the one reading that its bytes have.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::cell::Cell;

use proptest::prelude::{Just, Strategy, any};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tokenward_tests::{Client, Proxy, Seen, Setup, TestToken, Upstream};

/// A body that never comes whole is given up on soon: its request is refused like the others.
const SECTIONS: &str =
    "[relax]\nget_body = true\n[limits]\nbody_timeout = \"300ms\"\nhead_timeout = \"300ms\"";

const SEGMENTS: &[&str] = &[
    "issue",
    "KANBAN-1",
    "user",
    "..",
    ".",
    "%2e%2e",
    "%2E",
    ".%2e",
    "",
    ";x=y",
    "..;",
    "a;b",
    "%3b",
    "%2f",
    "%5c",
    "\\",
    "%00",
    "%0a",
    "%0d%0a",
    "%20",
    "+",
    "%2B",
    "%252e",
    "%25",
    "%25zz",
    "%zz",
    "%c0%ae",
    "%ff",
    "%C3%A9",
    "\u{e9}",
    "%EF%BC%8F",
    "%E2%80%AE",
    "~",
    "%7e",
    "|",
    "{x}",
    "%3F",
    "%23",
    "#",
    "a:b",
    "a@b",
    "*",
    "\"",
    "<",
    "^",
    "`",
    "!$&'()*,=",
    "...",
    "%u002e",
    "\t",
    "\u{7f}",
];
const PAIRS: &[&str] = &[
    "jql=a",
    "jql",
    "jql=",
    "=v",
    "",
    "jql=a+b",
    "jql=a%20b",
    "jql=%2B",
    "jql=%26",
    "jql=%3D",
    "j%71l=q",
    "a[]=1",
    "a%5B%5D=1",
    "jql=%zz",
    "jql=%ff",
    "jql=%00",
    "x=1;jql=q",
    "jql=q%3Bx",
    "jql=%C3%A9",
    "jql=\u{e9}",
    "jql=q=r",
    "x?jql=q",
    "jql=%0a",
    "jql=%25",
    "jql=%",
    "jql=%2",
    "a=b/../c",
    "_method=DELETE",
    "os_username=a",
    "jql=<>",
    "jql=%F0%9F%98%80",
    "jql=%ED%A0%80",
    "jql=#x",
];
const FIELDS: &[&str] = &[
    "X-A: 1",
    "Accept: */*",
    "X-A : 1",
    "X A: 1",
    "X-A: 1\r\n folded",
    "X-A: a\0b",
    "X-A: a\rb",
    "X-A: a\nX-B: 2",
    "X_Forwarded_User: admin",
    "X-Forwarded-User: admin",
    "X-Forwarded-For: 192.0.2.1",
    "Forwarded: for=192.0.2.1",
    "X-HTTP-Method-Override: DELETE",
    "X-Original-URL: /admin",
    "X-Rewrite-URL: /admin",
    "Cookie: s=1",
    "Connection: X-Forwarded-User",
    "Connection: close, X-A",
    "Connection: Authorization",
    "Connection: upgrade\r\nUpgrade: h2c",
    "TE: trailers",
    "Trailer: X-T",
    "Keep-Alive: timeout=1",
    "Proxy-Authorization: Basic YTpi",
    "Authorization: Basic YTpi",
    "Host: other.example",
    "Content-Type: application/json",
    "Content-Length: 0",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Expect: 100-continue",
    "Expect: else",
    "contextUser: admin",
    "X-Request-Id: a\tb",
    "Destination: /x",
    "X-Atlassian-Token: no-check",
    ": empty",
    "no colon",
];
/// Header lines and body bytes, and the body that they stand for if they stand for one.
const BODIES: &[(&str, Option<&str>)] = &[
    ("\r\n", Some("")),
    (
        "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        Some("{\"a\":1}"),
    ),
    (
        "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        Some("abcde"),
    ),
    (
        "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: v\r\n\r\n",
        Some("abc"),
    ),
    (
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        None,
    ),
    ("Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", None),
    ("Content-Length: +3\r\n\r\nabc", None),
    (
        "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc",
        None,
    ),
    ("Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", None),
    ("Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", None),
    ("\r\nGET /rest/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", Some("")),
];

#[derive(Clone, Debug)]
struct Nasty {
    method: &'static str,
    path: String,
    query: Option<Vec<&'static str>>,
    fields: Vec<&'static str>,
    body: (&'static str, Option<&'static str>),
}

impl Nasty {
    fn bytes(&self, token: &TestToken) -> Vec<u8> {
        let query = self
            .query
            .as_ref()
            .map(|pairs| format!("?{}", pairs.join("&")))
            .unwrap_or_default();
        let fields: String = self.fields.iter().map(|field| format!("{field}\r\n")).collect();
        let (method, path, body) = (self.method, &self.path, self.body.0);
        let text = format!(
            "{method} {path}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\n{fields}{body}",
            token.bearer()
        );
        // One character a byte, so that the odd letters are no UTF-8 on the wire.
        text.chars().map(|c| u8::try_from(c).unwrap()).collect()
    }
}

fn nasty() -> impl Strategy<Value = Nasty> {
    let plain = select(&["issue", "KANBAN-1", "user", "%41", "a%20b"][..]);
    let odd = (select(SEGMENTS), select(SEGMENTS), any::<bool>())
        .prop_map(|(a, b, both)| if both { format!("{a}{b}") } else { a.to_owned() });
    let segment = proptest::strategy::Union::new_weighted(vec![
        (3, plain.prop_map(str::to_owned).boxed()),
        (1, odd.boxed()),
    ]);
    let path =
        proptest::collection::vec(segment, 1..4).prop_map(|segments| format!("/rest/{}", segments.join("/")));
    let query = proptest::option::of(proptest::collection::vec(select(PAIRS), 1..3));
    let fields = proptest::collection::vec(select(FIELDS), 0..2);
    let method = select(
        &[
            "GET", "GET", "POST", "POST", "PUT", "DELETE", "get", "TRACE", "FOO",
        ][..],
    );
    let body =
        proptest::strategy::Union::new_weighted(vec![(2, Just(0).boxed()), (2, (0..BODIES.len()).boxed())]);
    (method, path, query, fields, body).prop_map(|(method, path, query, fields, body)| Nasty {
        method,
        path,
        query,
        fields,
        body: *BODIES.get(body).unwrap(),
    })
}

/// Percent-decoded once, as bytes; `None` for a broken escape.
fn decoded(text: &str, plus: bool) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' if plus => b' ',
            other => other,
        });
    }
    Some(out)
}

type Pairs = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn pairs(query: &str) -> Option<Pairs> {
    let pair = |text: &str| match text.split_once('=') {
        Some((name, value)) => Some((decoded(name, true)?, Some(decoded(value, true)?))),
        None => Some((decoded(text, true)?, None)),
    };
    query
        .split('&')
        .filter(|text| !text.is_empty())
        .map(pair)
        .collect()
}

/// What is wrong with what the upstream saw of this request.
fn fault(sent: &Nasty, seen: &Seen, token: &TestToken) -> Option<String> {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    if !seen.target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("the target has bytes that no target may have".to_owned());
    }
    if seen.method != sent.method {
        return Some(format!("method {}", seen.method));
    }
    let reading = decoded(path, false)?;
    let text = String::from_utf8(reading.clone()).ok();
    if Some(reading) != decoded(&sent.path, false) {
        return Some("another path".to_owned());
    }
    let Some(text) = text else {
        return Some("the path is no UTF-8".to_owned());
    };
    let inner = text.trim_end_matches('/').split('/').skip(1);
    if inner
        .clone()
        .any(|segment| segment.is_empty() || segment == "." || segment == "..")
        || text.ends_with("//")
    {
        return Some("a segment that servers resolve or merge".to_owned());
    }
    if text.chars().any(|c| c.is_control() || c == ';' || c == '\\')
        || path.to_ascii_lowercase().contains("%2f")
    {
        return Some("a character that servers read in more than one way".to_owned());
    }
    let asked = sent
        .query
        .as_ref()
        .map(|pairs| pairs.join("&"))
        .unwrap_or_default();
    if pairs(query).is_none() || pairs(query) != pairs(&asked) {
        return Some(format!("another query: {query}"));
    }
    for name in [
        "authorization",
        "cookie",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "proxy-authorization",
        "x-http-method-override",
        "x-original-url",
        "x-rewrite-url",
        "destination",
        "contextuser",
    ] {
        if !seen.values(name).is_empty() {
            return Some(format!("the field {name} was passed on"));
        }
    }
    if seen
        .headers
        .iter()
        .any(|(name, value)| name.contains('_') || value.contains(token.secret()))
    {
        return Some("a field with an underscore, or the token".to_owned());
    }
    if seen.values("x-forwarded-user") != ["svc"] {
        return Some("another user".to_owned());
    }
    let count = |name: &str| seen.values(name).len();
    if count("host") != 1
        || count("content-type") > 1
        || count("content-length") + count("transfer-encoding") > 1
    {
        return Some("the framing is ambiguous".to_owned());
    }
    (sent.body.1.map(str::as_bytes) != Some(seen.body.as_slice())).then(|| "another body".to_owned())
}

#[test]
fn what_reaches_the_upstream_has_one_reading() {
    let upstream = Upstream::start();
    let token = TestToken::new("all", &[".*"]);
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token).section(SECTIONS));
    let forwarded = Cell::new(0);
    let refused = Cell::new(0);
    let cases = std::env::var("TOKENWARD_NASTY_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1500);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&nasty(), |sent| {
        let before = upstream.count();
        let mut client = Client::connect(proxy.port());
        // A refusal may close the connection before all is written.
        let _ = client.write(&sent.bytes(&token));
        let answer = client.answer(false);
        if sent.body.0.contains("smuggled") {
            client.drain(std::time::Duration::from_millis(30));
        }
        let seen = upstream.seen().split_off(before);
        let status = answer.as_ref().map(|answer| answer.status).ok();
        let fail = |what: String| Err(proptest::test_runner::TestCaseError::fail(what));
        match seen.as_slice() {
            [] => {
                refused.set(refused.get() + 1);
                match status {
                    Some(400..500) => Ok(()),
                    _ => fail(format!("refused with {status:?}")),
                }
            }
            [one] => {
                forwarded.set(forwarded.get() + 1);
                match fault(&sent, one, &token) {
                    None if status == Some(200) => Ok(()),
                    None => fail(format!("forwarded, yet {status:?}")),
                    Some(what) => fail(format!("{what}: {one:?}")),
                }
            }
            more => fail(format!("{} requests at the upstream: {more:?}", more.len())),
        }
    });
    if let Err(error) = outcome {
        std::panic::panic_any(error.to_string());
    }
    assert!(
        forwarded.get() > 50 && refused.get() > 50,
        "{} forwarded, {} refused",
        forwarded.get(),
        refused.get()
    );
}
