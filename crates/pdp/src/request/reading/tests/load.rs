//! Tests that no head costs much more than a look at each of its bytes, whoever sends it.

use super::*;
use crate::request::work;

/// A head that someone sends to keep the proxy busy.
struct Hostile {
    what: &'static str,
    method: String,
    target: String,
    lines: Vec<(String, String)>,
}

/// Repeats the text up to a size.
fn filled(text: &str, size: usize) -> String {
    text.repeat(size / text.len())
}

/// Heads of about this size.
fn hostile(size: usize) -> Vec<Hostile> {
    let base = |what, target: String, lines: Vec<(String, String)>| Hostile {
        what,
        method: "GET".to_owned(),
        target,
        lines,
    };
    let targets = [
        ("segments", filled("/a", size)),
        ("segments that begin with a dot", filled("/.a", size)),
        ("segments of blanks", filled("/%20", size)),
        ("segments with other letters", filled("/%c3%a9", size)),
        ("escapes", format!("/{}", filled("%41", size))),
        ("percent signs", format!("/{}", filled("%25g", size))),
        ("layers of escapes", format!("/{}", filled("%2525", size))),
        ("pairs", format!("/x?{}", filled("a=b&", size))),
        ("a long value", format!("/x?a={}", filled("t%25", size))),
        ("a long name", format!("/x?{}", filled("a[b]", size))),
        ("a path with prefixes", format!("/{}", filled("twd_", size))),
    ];
    let values = [
        ("Authorization", "parts", filled("a ", size)),
        ("Authorization", "long parts", filled("abcdefghijklmnopq ", size)),
        (
            "Authorization",
            "a long part",
            format!("Basic {}", filled("YWFh", size)),
        ),
        (
            "Authorization",
            "a long token",
            format!("Bearer {}", filled("a", size)),
        ),
        (
            "Proxy-Authorization",
            "parts",
            filled("YTphYWFhYWFhYWFhYWFhYWFhYQ,", size),
        ),
        ("Connection", "names", filled("a,", size)),
        (
            "Content-Type",
            "parameters",
            format!("a/b{}", filled(";a=b", size)),
        ),
        ("X-Note", "beginnings of prefixes", filled("t", size)),
        ("X-Note", "encoded prefixes", filled("dHdkX", size)),
        ("X-Note", "layers of escapes", filled("%2525", size)),
        ("Tracestate", "members", filled("a=1,", size)),
        ("X-Request-ID", "a long id", filled("a", size)),
        ("Cookie", "cookies", filled("a=b; ", size)),
        ("Host", "a long host", filled("a.", size)),
        ("X-Api-Key", "a long key", filled("abcdefghijklmnopq", size)),
        ("contextUser", "a long user", filled("a", size)),
    ];
    let many = |name: &dyn Fn(usize) -> String, value: &str| -> Vec<(String, String)> {
        let lines = (0..90).map(|n| (name(n), value.to_owned())).collect::<Vec<_>>();
        let used: usize = lines.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(used <= size + 8 * 90, "{used}");
        lines
    };
    let each = (size / 90).min(250);
    let mut heads: Vec<Hostile> = targets
        .into_iter()
        .map(|(what, target)| base(what, format!("/ctx{target}"), Vec::new()))
        .collect();
    heads.extend(
        values
            .into_iter()
            .map(|(name, what, value)| base(what, "/ctx/x".to_owned(), vec![(name.to_owned(), value)])),
    );
    heads.extend([
        base(
            "words",
            "/ctx/x".to_owned(),
            many(&|_| filled("a-", each - 1) + "b", "x"),
        ),
        base(
            "long names",
            "/ctx/x".to_owned(),
            vec![(filled("a-", size), "x".to_owned())],
        ),
        base(
            "keys",
            "/ctx/x".to_owned(),
            many(&|n| format!("x-{n}-api-key"), &filled("k", size / 90 - 12)),
        ),
        Hostile {
            method: filled("A", size),
            ..base("a long method", "/ctx/x".to_owned(), Vec::new())
        },
    ]);
    // With many secrets, each text is searched for all of them.
    let secrets: Vec<String> = (0..16)
        .map(|n| format!("secret-number-{n:02}-abcdefgh"))
        .collect();
    heads.push(base(
        "a target like the secrets",
        format!("/ctx/{}", filled("secretnu", size)),
        vec![("Authorization".to_owned(), format!("Token {}", secrets.join(" ")))],
    ));
    heads
}

impl Hostile {
    fn with<T>(&self, read: impl FnOnce(&RawHead<'_>) -> T) -> T {
        let host = ("Host".to_owned(), "elsewhere".to_owned());
        let named = self.lines.iter().any(|(name, _)| name == "Host");
        let lines = self.lines.iter().chain((!named).then_some(&host));
        let headers: Vec<(&[u8], &[u8])> = lines
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        read(&RawHead {
            method: &self.method,
            target: self.target.as_bytes(),
            version: Version::Http11,
            headers: &headers,
            authority: None,
            body: Framing::None,
        })
    }

    fn size(&self) -> usize {
        self.with(|raw| raw.size() + raw.method.len())
    }
}

#[test]
fn a_head_without_a_valid_token_costs_a_few_looks_at_each_byte() {
    let rules = Rules::new(&settings(Product::Generic)).unwrap();
    for head in hostile(56_000) {
        let (work, _) = work::tests::of(|| head.with(|raw| open(raw, &rules).shown_url(raw, &rules)));
        assert!(
            work <= 8 * head.size(),
            "{}: {work} for {}",
            head.what,
            head.size()
        );
    }
}

#[test]
fn the_work_grows_as_the_head_does() {
    let rules = Rules::new(&Settings {
        relax: crate::request::Relax {
            cookies: true,
            ..crate::request::Relax::NONE
        },
        ..settings(Product::Generic)
    })
    .unwrap();
    let work = |head: &Hostile| work::tests::of(|| head.with(|raw| read(raw, &rules))).0;
    for (small, large) in hostile(14_000).into_iter().zip(hostile(56_000)) {
        let (few, many) = (work(&small), work(&large));
        assert!(many <= 5 * few + 20_000, "{}: {few}, then {many}", small.what);
        assert!(many <= 40 * large.size(), "{}: {many}", large.what);
    }
}

#[test]
fn what_is_not_read_is_shown_as_if_it_were() {
    let rules = Rules::new(&settings(Product::Jira)).unwrap();
    let secret = "k3v9x2m7q1z8b4n6c5l0j2h3g7f1d9s8";
    for target in [
        "/ctx/a%20b?x=1+2",
        "/elsewhere",
        "/ctx/a/../b",
        "/ctx/a;b?c",
        "/ctx/a?os_password=x&y=2",
        "/ctx/a?note=twd_0123456789",
        &format!("/ctx/a?note={secret}"),
        &format!("/ctx/{secret}?a"),
        "/ctx/a?%zz",
    ] {
        for (name, value) in [
            ("Authorization", format!("Bearer {secret}")),
            ("X-Api-Key", secret.to_owned()),
        ] {
            let lines: Vec<(&[u8], &[u8])> = vec![(b"Host", b"a"), (name.as_bytes(), value.as_bytes())];
            let raw = RawHead {
                method: "GET",
                target: target.as_bytes(),
                version: Version::Http11,
                headers: &lines,
                authority: None,
                body: Framing::None,
            };
            let shown = open(&raw, &rules).shown_url(&raw, &rules);
            assert!(!shown.contains(secret), "{shown}");
            let reading = read(&raw, &rules);
            if name == "Authorization" {
                assert_eq!(shown, reading.shown_url, "{target}");
            }
        }
    }
}

#[test]
fn a_long_target_is_shown_without_its_query() {
    let rules = Rules::new(&settings(Product::Jira)).unwrap();
    let secret = "k3v9x2m7q1z8b4n6c5l0j2h3g7f1d9s8";
    let shown = |target: &str| {
        let value = format!("Bearer {secret}");
        let lines: Vec<(&[u8], &[u8])> = vec![(b"Host", b"a"), (b"Authorization", value.as_bytes())];
        let raw = RawHead {
            method: "GET",
            target: target.as_bytes(),
            version: Version::Http11,
            headers: &lines,
            authority: None,
            body: Framing::None,
        };
        open(&raw, &rules).shown_url(&raw, &rules)
    };
    let long = "x".repeat(5000);
    let (begin, end) = secret.split_at(10);
    for (target, expected) in [
        (format!("/ctx/a?b={long}"), "https://a.example/ctx/a?*dropped*"),
        (
            format!("/ctx/{secret}?b={long}"),
            "https://a.example/ctx/***?*dropped*",
        ),
        (
            format!("/ctx/a?{}", "b=c&".repeat(101)),
            "https://a.example/ctx/a?*dropped*",
        ),
        (format!("/ctx/{long}"), "https://a.example/***"),
        (format!("/ctx/{long}?a"), "https://a.example/***?*dropped*"),
        // The secret begins in the path and ends in the query.
        (
            format!("/ctx/{begin}?{end}{long}"),
            "https://a.example/***?*dropped*",
        ),
    ] {
        assert_eq!(shown(&target), expected);
    }
}
