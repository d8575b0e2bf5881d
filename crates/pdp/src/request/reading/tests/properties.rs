//! Properties that hold for every head.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;
use crate::request::Relax;

static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    Product::ALL
        .iter()
        .map(|product| Rules::new(&settings(*product)).unwrap())
        .collect()
});

/// Rules with all refusals lifted, and with none.
static GENERIC: LazyLock<[Rules; 2]> = LazyLock::new(|| {
    [true, false].map(|on| {
        let mut settings = settings(Product::Generic);
        for name in Relax::NAMES {
            settings.relax.set(name, on);
        }
        Rules::new(&settings).unwrap()
    })
});

fn targets() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        20 => prop::sample::select(vec!["/a", "/b%20c", "/%72", "/x.y", "/..z", "/%C3%A9", "/+", "/:@", "/{", "/100%25"]),
        1 => prop::sample::select(vec!["/", "/..", "%2F", "%2e", "/%25", "41", ";", "\\"]),
    ];
    let pair = prop_oneof![
        20 => prop::sample::select(vec!["a=1", "a", "b=", "c+d=%2B", "%6b=%26%3D", "e[]=*", "f=%00%0A", "", "a=?=/", "%C3%A9"]),
        1 => prop::sample::select(vec!["=x", "a;b", "%zz", "%00", "key=1", "_method=x", "os_username=a"]),
    ];
    (
        prop::collection::vec(piece, 1..5),
        prop::option::of(prop::collection::vec(pair, 0..5)),
    )
        .prop_map(|(path, query)| {
            let query = query.map_or(String::new(), |pairs| format!("?{}", pairs.join("&")));
            format!("/ctx{}{query}", path.concat())
        })
}

fn header_lines() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let line = prop::sample::select(vec![
        ("Accept", " text/x "),
        ("accept", "*/*"),
        ("X-A", ""),
        ("X_A", "b"),
        ("X.Forwarded-For", "b"),
        ("Connection", "close, X-A"),
        ("Connection", "Upgrade"),
        ("Upgrade", "h2c"),
        ("Expect", "100-continue"),
        ("TE", "trailers"),
        ("Cookie", "a=b"),
        ("Authorization", "Basic c3ZjOnQ="),
        ("contextUser", "alice"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Request-ID", "abc"),
        ("Content-Encoding", "gzip"),
        ("Content-Type", "Application/JSON;charset=\"utf-8\""),
        ("Content-Type", "multipart/form-data; boundary=\"a b\""),
        ("Content-Type", "text/plain; charset=latin1"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("X-Api-Key", "x"),
        ("X-Original-URL", "/x"),
    ]);
    prop::collection::vec(line, 0..4)
}

fn framings() -> impl Strategy<Value = Framing> {
    prop::sample::select(vec![
        Framing::None,
        Framing::Length(0),
        Framing::Length(5),
        Framing::Chunked,
    ])
}

/// Returns the header line that describes the body.
fn told(body: Framing) -> Option<(&'static str, String)> {
    match body {
        Framing::None => None,
        Framing::Length(length) => Some(("content-length", length.to_string())),
        Framing::Chunked => Some(("transfer-encoding", "chunked".to_owned())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Reading the forwarded request returns the same request, so no other server can read it differently.
    #[test]
    fn reading_is_idempotent(
        target in targets(),
        lines in header_lines(),
        method in prop::sample::select(vec!["GET", "POST", "DELETE", "get"]),
        body in framings(),
        rules in 0..Product::ALL.len(),
    ) {
        let rules = &RULES[rules];
        let length = told(body);
        let mut given = Given { body, ..get(&target).method(method) };
        given.lines.extend(lines);
        given.lines.extend(length.iter().map(|(name, value)| (*name, value.as_str())));
        if let Ok(first) = given.read_by(rules).head {
            let values: Vec<(&str, &str)> = first
                .headers
                .iter()
                .map(|(name, value)| (name, std::str::from_utf8(value).unwrap()))
                .collect();
            let mut again = Given { body: first.body, ..get(first.upstream_target()).method(method) };
            again.lines.extend(values);
            let length = told(first.body);
            again.lines.extend(length.iter().map(|(name, value)| (*name, value.as_str())));
            let second = again.read_by(rules).head.map_err(|refusal| TestCaseError::fail(refusal.detail))?;
            prop_assert_eq!(&second.path, &first.path);
            prop_assert_eq!(&second.query, &first.query);
            prop_assert_eq!(&second.headers, &first.headers);
            prop_assert_eq!(second.media, first.media);
            prop_assert_eq!(second.body, first.body);
            prop_assert_eq!(second.upstream_target(), first.upstream_target());
            prop_assert_eq!(second.url(), first.url());
            prop_assert!(!first.path.split('/').any(|segment| matches!(segment, "." | "..")));
            prop_assert!(!first.path.chars().any(char::is_control));
        }
    }

    /// Any head is either read or refused, and the shown text is printable.
    #[test]
    fn nothing_panics(
        method in "\\PC{0,6}",
        target in prop::collection::vec(any::<u8>(), 0..64),
        lines in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..12), prop::collection::vec(any::<u8>(), 0..24)),
            0..6,
        ),
        host in any::<bool>(),
        rules in 0..2_usize,
    ) {
        let mut headers: Vec<(&[u8], &[u8])> = lines.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        if host {
            headers.push((b"host", b"a"));
        }
        let raw = RawHead {
            method: &method,
            target: &target,
            version: Version::Http11,
            headers: &headers,
            authority: None,
            body: Framing::None,
        };
        let reading = read(&raw, &GENERIC[rules]);
        prop_assert!(reading.shown_url.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

/// The generator above is useful only if many of its heads are read.
#[test]
fn generated_heads_are_read_often_enough() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let heads = (targets(), header_lines());
    let read = (0..500).filter(|_| {
        let (target, lines) = heads.new_tree(&mut runner).unwrap().current();
        let mut given = get(&target);
        given.lines.extend(lines);
        given.read_by(&RULES[0]).head.is_ok()
    });
    assert!(read.count() > 150);
}
