//! Nasty requests over HTTP/2, frame by frame; the upstream's own bytes are the oracle, read by a naive reader.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::frames::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Fate, Frames, HEADERS, block};
use super::harness::{Behind, SECRET, Scene, field, token};
use super::tls::{Authority, scene_with};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CASES: usize = 600;

#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: String,
    more: Vec<(&'static str, &'static str)>,
    body: Option<&'static str>,
    /// Where the head is cut into HEADERS and CONTINUATION.
    cut: usize,
}

fn sent() -> impl Strategy<Value = Sent> {
    let segments = &[
        "a",
        "b",
        "a",
        "x y",
        "%41",
        "..",
        ".",
        "%2e%2e",
        "a%2Fb",
        "a\\b",
        "a;b",
        "%3b",
        "%00",
        "%",
        "%zz",
        "%C3%A9",
        "\u{e9}",
        "",
        "a#b",
        "%23",
        "%252e",
        "+",
        "a%20",
        "?",
        "\u{7f}",
        "a\r\nx: y",
        "~",
    ][..];
    let pairs = &[
        "q=a",
        "q=a",
        "q=b",
        "q",
        "%71=a",
        "q=%61",
        "q=a&q=b",
        "q=a;q=b",
        "q=a#",
        "x=1",
        "=",
        "q=a%00",
        "q=+a",
        "_method=DELETE",
        "os_username=admin",
    ][..];
    let methods = &[
        "GET", "GET", "POST", "POST", "DELETE", "delete", "get", "HEAD", "TRACE", "G T", "PUT",
    ][..];
    let fields = &[
        ("cookie", "a=b"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/rest/admin"),
        ("x-forwarded-user", "admin"),
        ("remote-user", "admin"),
        ("x_forwarded_user", "admin"),
        ("te", "trailers"),
        ("te", "gzip"),
        ("connection", "x"),
        ("transfer-encoding", "chunked"),
        ("host", "localhost"),
        ("host", "elsewhere.test"),
        ("accept", "*/*"),
        ("x-a", "b\r\nx-c: d"),
        ("x-a", " b"),
        ("expect", "100-continue"),
        ("content-length", "2"),
        ("content-length", "7"),
        ("content-type", "application/json"),
        ("content-type", "a/b, c/d"),
        ("authorization", "Basic dTpw"),
        (":path", "/rest/api/a"),
        ("forwarded", "for=1.2.3.4"),
    ][..];
    // Most of what is chosen is plain, so that enough passes to be looked at.
    let plain = select(&["a", "b%20c", "%41%C3%A9", "x+y", "~"][..]);
    let path = prop::collection::vec(prop_oneof![3 => plain, 1 => select(segments)], 1..4);
    let query = prop::option::weighted(
        0.5,
        prop::collection::vec(prop_oneof![1 => Just("q=a"), 1 => select(pairs)], 1..3),
    );
    let more = prop_oneof![3 => Just(Vec::new()), 2 => prop::collection::vec(select(fields), 1..3)];
    let body = prop::option::weighted(0.3, select(&["{}", "q=b", ""][..]));
    (
        prop_oneof![2 => select(&["GET", "POST"][..]), 1 => select(methods)],
        path,
        query,
        more,
        body,
        0..120_usize,
    )
        .prop_map(|(method, path, query, more, body, cut)| {
            let query = query
                .map(|pairs| format!("?{}", pairs.join("&")))
                .unwrap_or_default();
            Sent {
                method,
                path: format!("/rest/api/{}{query}", path.join("/")),
                more,
                body,
                cut,
            }
        })
}

/// Percent-decoded once; `None` if that is no UTF-8, or an escape is none.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// What is wrong with a head that went upstream, given what was sent.
fn fault(sent: &Sent, head: &str) -> Option<&'static str> {
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    if words.next() != Some("HTTP/1.1")
        || words.next().is_some()
        || !target.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
    {
        return Some("the request line");
    }
    if method != sent.method || !matches!(method, "GET" | "POST") {
        return Some("the method");
    }
    let halves = |target: &str| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (path.to_owned(), query.to_owned())
    };
    let ((path, query), (asked, asked_query)) = (halves(target), halves(&sent.path));
    let Some(path) = decoded(&path) else {
        return Some("the path's escapes");
    };
    let odd = path.contains(['\\', ';', '#']) && !asked.contains("%23")
        || path.contains("//")
        || path.contains(char::is_control);
    let dots = path
        .split('/')
        .any(|segment| matches!(segment.trim(), "." | ".."));
    if Some(&path) != decoded(&asked).as_ref() || odd || dots || !path.starts_with("/rest/api/") {
        return Some("the path");
    }
    let pairs = |query: &str| -> Option<Vec<String>> {
        let kept = query.split('&').filter(|pair| !pair.is_empty());
        kept.map(|pair| decoded(&pair.replace('+', " "))).collect()
    };
    let Some(pairs_sent_on) = pairs(&query) else {
        return Some("the query's escapes");
    };
    if Some(&pairs_sent_on) != pairs(&asked_query).as_ref() {
        return Some("the query");
    }
    if pairs_sent_on
        .iter()
        .any(|pair| pair == "q" || pair.starts_with("q=") && pair != "q=a")
    {
        return Some("a value that the line does not permit");
    }
    if field(head, "x-forwarded-user") != Some("u") || field(head, "x-forwarded-for") != Some("127.0.0.1") {
        return Some("the user or the client");
    }
    let foreign = [
        "cookie",
        "te",
        "expect",
        "authorization",
        "x-http-method-override",
        "x-original-url",
        "remote-user",
        "x_forwarded_user",
        "connection",
        "forwarded",
        "x-c",
    ];
    let names = || {
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name.to_ascii_lowercase())
    };
    if names().any(|name| foreign.contains(&name.as_str()))
        || names().filter(|name| name == "host").count() != 1
    {
        return Some("a field");
    }
    None
}

#[tokio::test]
async fn nasty_requests_are_refused_or_arrive_as_they_were_judged() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let policy = token(
        "t",
        SECRET,
        "user = \"u\"",
        "[get,post]/rest/api/.*[QueryParam::q?=a]",
    );
    let (scene, _folder) = scene_with(&authority, &upstream, &policy);
    let bearer = format!("Bearer {SECRET}");
    let (strategy, mut runner) = (sent(), TestRunner::deterministic());
    let mut open: Option<(Frames, u32)> = None;
    let mut forwarded = 0;
    for _ in 0..CASES {
        let sent = strategy.new_tree(&mut runner).unwrap().current();
        let (mut frames, stream) = match open.take() {
            Some(open) => open,
            None => (Frames::new(&scene, &authority).await, 1),
        };
        let fate = exchange(&mut frames, stream, &sent, &bearer).await;
        let heads = upstream.heads();
        let arrived = &heads[forwarded..];
        match (fate == Fate::Ok, arrived) {
            (true, [head]) => assert_eq!(fault(&sent, head), None, "{sent:?}\n{head}"),
            (false, []) => {}
            _ => panic!("{fate:?}, {} arrived: {sent:?}", arrived.len()),
        }
        forwarded = heads.len();
        if matches!(fate, Fate::Ok | Fate::BadRequest | Fate::Other) {
            open = Some((frames, stream + 2));
        }
    }
    assert!(
        forwarded > CASES / 20 && forwarded < CASES / 2,
        "{forwarded} of {CASES}"
    );
    assert!(scene_is_well(&scene).await);
}

async fn exchange(frames: &mut Frames, stream: u32, sent: &Sent, bearer: &str) -> Fate {
    let mut fields = vec![
        (":method", sent.method),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", sent.path.as_str()),
        ("authorization", bearer),
    ];
    fields.extend(&sent.more);
    let block = block(&fields);
    let (first, rest) = block.split_at(sent.cut.min(block.len()));
    let end = if sent.body.is_none() { END_STREAM } else { 0 };
    frames.write(HEADERS, end, stream, first).await;
    frames.write(CONTINUATION, END_HEADERS, stream, rest).await;
    if let Some(body) = sent.body {
        frames.write(DATA, END_STREAM, stream, body.as_bytes()).await;
    }
    frames.fate(stream).await
}

/// No worker panicked.
async fn scene_is_well(scene: &Scene) -> bool {
    scene
        .admin("/metrics")
        .await
        .body
        .contains("tokenward_panics_total 0")
}
