//! Tests of headers, with one row for each sentence of the specification's paragraph on them.

use super::*;
use crate::request::{Product, Relax, Settings};
use tokenward_compiler::BaseUrl;

const SENT: &str = "c3ZjOnR3ZF8wMTIzNDU2";
const SECRET: &str = "twd_0123456789abcdefghijklmnopqrstuv";

fn with(relax: Relax, version: Version, body: Framing, lines: &[(&str, &str)]) -> Result<Headers, Reason> {
    let base = BaseUrl::parse("http://a").unwrap();
    let settings = Settings {
        relax,
        identity_headers: vec!["X-My-User".to_owned()],
        refused_headers: vec!["X-My-Key".to_owned()],
        ..Settings::new(base, Product::Jira)
    };
    let headers: Vec<(&[u8], &[u8])> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let raw = RawHead {
        method: "POST",
        target: b"/",
        version,
        headers: &headers,
        authority: None,
        body,
    };
    let mut secrets = Secrets::default();
    secrets.add(SENT.as_bytes());
    read(&raw, body, &Rules::new(&settings).unwrap(), &secrets).map_err(|refusal| refusal.reason)
}

fn head(lines: &[(&str, &str)]) -> Result<Headers, Reason> {
    with(Relax::NONE, Version::Http11, Framing::None, lines)
}

fn upstream(lines: &[(&str, &str)]) -> Vec<String> {
    let line = |(name, value): (&str, &[u8])| format!("{name}: {}", std::str::from_utf8(value).unwrap());
    head(lines)
        .unwrap_or_else(|reason| panic!("{reason:?}"))
        .upstream
        .iter()
        .map(line)
        .collect()
}

#[test]
fn ordinary_headers_pass_in_order() {
    let lines = [
        ("Accept", "  application/json\t"),
        ("X-Empty", ""),
        ("accept-LANGUAGE", "de"),
        ("Accept", "*/*"),
        ("If-Match", "\"x\""),
        ("Range", "bytes=0-1"),
        ("X-Atlassian-Token", "no-check"),
        ("Accept-Encoding", "gzip, br"),
        ("traceparent", "00-1-2-01"),
        ("Content-Type", "Application/JSON;charset=UTF-8"),
    ];
    assert_eq!(
        upstream(&lines),
        [
            "accept: application/json",
            "x-empty: ",
            "accept-language: de",
            "accept: */*",
            "if-match: \"x\"",
            "range: bytes=0-1",
            "x-atlassian-token: no-check",
            "accept-encoding: gzip, br",
            "traceparent: 00-1-2-01",
            "content-type: application/json; charset=UTF-8",
        ]
    );
}

#[test]
fn what_ends_here_or_is_claimed_is_dropped() {
    for name in [
        "Authorization",
        "Host",
        "Content-Length",
        "contextUser",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Proxy-Authorization",
        "HTTP2-Settings",
        "Max-Forwards",
        "Cookie",
        "Cookie2",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Uri",
        "X-Forwarded-Prefix",
        "X-Forwarded-User",
        "Forwarded",
        "X-Real-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Via",
        "Remote-User",
        "X-Remote-User",
        "X-Auth-Request-Email",
        "X-My-User",
        "REMOTE_USER",
        "X_A",
        "Content_Type",
        "Transfer_Encoding",
        "X_Http_Method_Override",
        "X.Forwarded.For",
        "X-Ssl-Client-Cert",
        "X-Ausername",
    ] {
        assert_eq!(upstream(&[(name, "x")]), [""; 0], "{name}");
    }
}

#[test]
fn what_shows_another_request_or_identity_is_refused() {
    for (name, reason) in [
        ("X-HTTP-Method-Override", Reason::MethodOverride),
        ("X-HTTP-Method", Reason::MethodOverride),
        ("x-method-override", Reason::MethodOverride),
        ("X-Original-URL", Reason::UrlOverride),
        ("X-Rewrite-Url", Reason::UrlOverride),
        ("X-Original-URI", Reason::UrlOverride),
        ("Destination", Reason::UrlOverride),
        ("X-Api-Key", Reason::CredentialHeader),
        ("X-Redmine-Switch-User", Reason::CredentialHeader),
        ("X-Auth-Token", Reason::CredentialHeader),
        ("X-My-Key", Reason::CredentialHeader),
        ("Expect", Reason::UnknownExpectation),
        ("Content-Type", Reason::MalformedContentType),
    ] {
        assert_eq!(head(&[(name, "x")]).err(), Some(reason), "{name}");
    }
    for name in ["Authorization", "CONTEXTUSER", "Content-Type", "Expect"] {
        let lines = [
            (name, "100-continue"),
            ("accept", "x"),
            (&*name.to_lowercase(), "100-continue"),
        ];
        assert_eq!(head(&lines).err(), Some(Reason::RepeatedHeader), "{name}");
    }
}

#[test]
fn connection_drops_what_it_names_but_not_what_we_rely_on() {
    let hops = [
        ("Connection", "close, X-Hop"),
        ("X-Hop", "1"),
        ("Connection", ",x-hop2 ,"),
        ("X-Hop2", "1"),
        ("X-A", "1"),
    ];
    assert_eq!(upstream(&hops), ["x-a: 1"]);
    assert!(head(&hops).unwrap().close);
    for name in [
        "Authorization",
        "contextUser",
        "Host",
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
        "X-Forwarded-For",
        "X-My-User",
        "Content_Type",
        "Content-Encoding",
        "Cookie",
        "Expect",
    ] {
        assert_eq!(
            head(&[("Connection", &format!("close, {name}"))]).err(),
            Some(Reason::ConnectionNames),
            "{name}"
        );
    }
    for value in ["a b", "a;b", "\"a\"", "a, (b)"] {
        assert_eq!(
            head(&[("Connection", value)]).err(),
            Some(Reason::MalformedConnection),
            "{value}"
        );
    }
}

#[test]
fn upgrades_are_dropped_and_the_connection_closed() {
    let offer = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAM"),
    ];
    let read = head(&offer).unwrap();
    assert!(read.upstream.is_empty() && read.close);
    assert!(!head(&[("Upgrade-Insecure-Requests", "1")]).unwrap().close);
    for body in [Framing::Length(0), Framing::Length(1), Framing::Chunked] {
        let read = with(Relax::NONE, Version::Http11, body, &offer).unwrap();
        assert!(read.upstream.is_empty() && read.close, "{body:?}");
    }
}

#[test]
fn expectations_wait_for_a_body() {
    let expect = [("Expect", "100-Continue")];
    let read = |version, body| with(Relax::NONE, version, body, &expect).unwrap();
    assert!(read(Version::Http11, Framing::Length(5)).expect_continue);
    assert!(read(Version::Http2, Framing::Chunked).expect_continue);
    assert!(!read(Version::Http11, Framing::None).expect_continue);
    assert!(!read(Version::Http10, Framing::Length(5)).expect_continue);
    assert!(read(Version::Http11, Framing::Length(5)).upstream.is_empty());
}

#[test]
fn http10_closes_unless_told() {
    let closes = |version, lines: &[_]| with(Relax::NONE, version, Framing::None, lines).unwrap().close;
    assert!(closes(Version::Http10, &[]));
    assert!(!closes(Version::Http10, &[("Connection", "Keep-Alive")]));
    assert!(!closes(Version::Http11, &[]));
    assert!(closes(Version::Http11, &[("connection", "CLOSE")]));
}

#[test]
fn cookies_pass_where_switched_on() {
    let relax = Relax {
        cookies: true,
        ..Relax::NONE
    };
    let lines = [
        ("Cookie", "a=1"),
        ("X-A", "1"),
        ("cookie", "b=2"),
        ("COOKIE", ""),
        ("Cookie2", "x"),
    ];
    let read = with(relax, Version::Http2, Framing::None, &lines).unwrap();
    let sent: Vec<_> = read.upstream.iter().collect();
    assert_eq!(sent, [("cookie", b"a=1; b=2".as_slice()), ("x-a", b"1")]);
}

#[test]
fn headers_that_carry_the_secret_are_dropped() {
    let referer = format!("http://a/?t={SECRET}");
    let copy = format!("Basic {SENT}");
    assert_eq!(
        upstream(&[
            ("Referer", &referer),
            ("X-Copy", &copy),
            ("X-Note", "about twd_ prefixes")
        ]),
        ["x-note: about twd_ prefixes"]
    );
}

#[test]
fn any_content_encoding_counts() {
    assert!(head(&[("Content-Encoding", "identity")]).unwrap().encoded);
    assert!(!head(&[]).unwrap().encoded);
}
