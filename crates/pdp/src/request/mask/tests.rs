use std::sync::Arc;

use super::*;
use crate::request::KeyedHash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SECRET: &str = "twd_0123456789abcdefghijklmnopqrstuv";
const IMPORTED: &str = "k3v9x2m7q1z8b4n6c5l0j2h3g7f1d9s8";

fn none() -> Secrets {
    Secrets::default()
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(IMPORTED.as_bytes());
    secrets
}

fn mask() -> Mask {
    Mask::new(TOKEN_PREFIX, ["my_key", "key"].into_iter(), &Kept::default())
}

#[test]
fn credential_parameters_are_masked() {
    let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let pairs = [
        pair("a", "b c"),
        pair("Access_Token", "x"),
        pair("key[]", "x"),
        pair("my_key", "x"),
        ("token".into(), None),
    ];
    assert_eq!(
        mask().url("http://a/b", &pairs),
        "http://a/b?a=b%20c&Access_Token=***&key%5B%5D=***&my_key=***&token"
    );
}

#[test]
fn what_bears_the_prefix_is_masked_to_the_end_of_its_part() {
    let pairs = [
        (SECRET.to_owned(), Some(format!("see {SECRET}, or"))),
        ("a".to_owned(), Some("b".to_owned())),
    ];
    let shown = mask().url(format!("http://a/x{SECRET};y/b"), &pairs);
    assert_eq!(shown, "http://a/x***/b?***=see%20***&a=b");
    for (target, shown) in [
        ("/x%2574%2577d_abc/y%74wd_0?TWD_1%00", "/x***/y***?***"),
        ("/a?p=twd_0123%ct2254&q=1", "/a?p=***&q=1"),
        ("/a?p=twd_0123%/%zz+4;q#r", "/a?p=***;q#r"),
        ("/a?p=tw%d_0123", "/a?p=***"),
        ("/%7/%25/%2525/%", "/%7/%25/%2525/%"),
    ] {
        assert_eq!(mask().target("", target.as_bytes(), &none()), shown, "{target}");
    }
}

#[test]
fn parts_that_bear_a_presented_secret_are_masked() {
    let (begin, end) = IMPORTED.split_at(12);
    let basic = STANDARD.encode(format!("svc:{IMPORTED}"));
    for (target, shown) in [
        (format!("/a/x{IMPORTED}y/b?q=1"), "/a/***/b?q=1"),
        (format!("/a;m={IMPORTED}/b?q=1"), "/a;m=***/b?q=1"),
        (format!("/a?q={IMPORTED}&r=1"), "/a?q=***&r=1"),
        (format!("/a?{IMPORTED}=q&r=1"), "/a?***=q&r=1"),
        (format!("/a?q={basic}&r=1"), "/a?q=***&r=1"),
        (format!("/a#{IMPORTED}"), "/a#***"),
        (format!("/a?q={begin}%{end}"), "/a?q=***"),
        (format!("/a?q={begin}%25{end}"), "/a?q=***"),
        (format!("/a?q={begin}/{end}"), "/a?q=***"),
        // If no single part contains the secret, all parts that contain it together are masked.
        (format!("/a/{begin}/{end}?q=1"), "/***?q=1"),
        (format!("/a?{begin}={end}&q=1"), "?***"),
        (format!("/a/{begin}?{end}"), "/***"),
        (format!("/a/{begin}/{end}?{begin}%{end}&q=1"), "/***?***&q=1"),
        (format!("http://x:{IMPORTED}@a/b"), "http://***@a/b"),
        (format!("http://a/b/{IMPORTED}"), "http://a/b/***"),
    ] {
        let shown = match shown.strip_prefix('?') {
            Some(query) => format!("/a?{query}"),
            None => shown.to_owned(),
        };
        assert_eq!(
            mask().target("", target.as_bytes(), &secrets()),
            shown,
            "{target}"
        );
    }
    let mut ours = Secrets::default();
    ours.add(SECRET.as_bytes());
    let (begin, end) = SECRET.split_at(20);
    let target = format!("/a/{begin}/{end}?q={begin}%{end}");
    assert_eq!(mask().target("", target.as_bytes(), &ours), "/***?q=***");
    // The value of a credential parameter must not be shown in another parameter either.
    let target = format!("/a?token={IMPORTED}&b={IMPORTED}");
    assert_eq!(
        mask().target("", target.as_bytes(), &none()),
        "/a?token=***&b=***"
    );
}

/// A hash that shows what is hashed.
struct Reversed;

impl KeyedHash for Reversed {
    fn hash(&self, name: &str, value: &str) -> String {
        format!("{name}={value}").chars().rev().collect()
    }
}

#[test]
fn values_are_kept_hashed_or_dropped_by_name() {
    let names = [("jql".to_owned(), Keep::Hash), ("a.b".to_owned(), Keep::Hash)];
    let kept = Kept::new(Keep::Nothing, Keep::Text, names, Some(Arc::new(Reversed)));
    let mask = Mask::new(TOKEN_PREFIX, [].into_iter(), &kept);
    let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let pairs = [
        pair("jql", "x"),
        pair("password", "x"),
        pair("n", "*"),
        ("m".into(), None),
    ];
    let hash = kept.hash("jql", "x").unwrap();
    assert_eq!(
        &*mask.url("http://a/b", &pairs),
        format!("http://a/b?jql=*hmac:{hash}*&password=***&n=*dropped*&m")
    );
    assert_eq!(
        mask.target("", b"/a?jql=x&n=x#y", &none()),
        "/a?jql=*dropped*&n=*dropped*#y"
    );
    let node = |path: &str, value: &str| mask.node(path, value, &secrets(), str::to_owned);
    use tokenward_audit::Kept as Stored;
    assert_eq!(node("n", "x"), Stored::Text("x".into()));
    assert_eq!(
        node("n", &format!("see {SECRET}")),
        Stored::Text("see ***".into())
    );
    assert_eq!(node("n", &format!("see {IMPORTED}!")), Stored::Text("***".into()));
    let basic = STANDARD.encode(format!("svc:{IMPORTED}"));
    assert_eq!(node("n", &basic), Stored::Text("***".into()));
    for secret in [IMPORTED, SECRET, &basic] {
        assert_eq!(node("a.b", secret), Stored::Dropped);
    }
    assert_eq!(node("a.b", "x"), Stored::Hash(kept.hash("a.b", "x").unwrap()));
    assert_eq!(node("user.password", "x"), Stored::Dropped);
}

#[test]
fn refused_targets_are_shown_printable_masked_and_short() {
    for (target, shown) in [
        ("/a b\r\n?x=1", "http://a/a%20b%0D%0A?x=1"),
        ("/a?%6bey=s3cret&b=1", "http://a/a?%6bey=***&b=1"),
        ("/a?%256bey=s3cret", "http://a/a?%256bey=***"),
        (
            "/a;jsessionid=s3cret?os_password=s3cret;b=1",
            "http://a/a;jsessionid=***?os_password=***;b=1",
        ),
        ("http://u:p@evil.test/x", "http://***@evil.test/x"),
        ("*", "*"),
    ] {
        assert_eq!(
            mask().target("http://a", target.as_bytes(), &none()),
            shown,
            "{target}"
        );
    }
    assert_eq!(mask().target("", "/é".as_bytes(), &none()), "/%C3%A9");
    assert_eq!(mask().target("", &[b'a'; 9_000], &none()).len(), SHOWN_BYTES + 3);
}

#[test]
fn whole_secrets_are_found() {
    let bears = |text: &str| mask().bears_secret(text.as_bytes(), &secrets());
    assert!(bears(&format!("x twd_ {SECRET}")));
    assert!(bears(&format!("x {IMPORTED}")));
    assert!(!bears("twd_short about twd_"));
    assert!(!bears(""));
}
