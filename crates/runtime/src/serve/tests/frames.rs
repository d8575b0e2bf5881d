//! HTTP/2 written by hand: what no client library would send, and what becomes of it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::harness::{Behind, PATIENCE, SECRET, Scene, until};
use super::tls::{Authority, connect, scene};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// A connection whose frames a test writes.
pub(super) struct Frames(TlsStream<TcpStream>);

/// What becomes of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Ok,
    BadRequest,
    /// An answer with another status.
    Other,
    Reset(u32),
    /// The connection ends.
    GoAway(u32),
    Closed,
}

impl Fate {
    fn is_refusal(&self) -> bool {
        !matches!(self, Self::Ok | Self::Other)
    }
}

impl Frames {
    pub(super) async fn new(scene: &Scene, authority: &Authority) -> Self {
        let mut stream = connect(scene, authority.client(&[b"h2"]), "localhost")
            .await
            .unwrap();
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        let mut frames = Self(stream);
        frames.write(4, 0, 0, &[]).await;
        frames
    }

    pub(super) async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        // The other side may have closed the connection already; what it said before is still to be read.
        let _ = self.0.write_all(&frame).await;
    }

    /// Waits for what ends this stream, as far as a client cares.
    pub(super) async fn fate(&mut self, wanted: u32) -> Fate {
        timeout(PATIENCE, async {
            loop {
                let mut head = [0; 9];
                if self.0.read_exact(&mut head).await.is_err() {
                    return Fate::Closed;
                }
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
                let mut payload = vec![0; usize::try_from(length).unwrap()];
                if self.0.read_exact(&mut payload).await.is_err() {
                    return Fate::Closed;
                }
                let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
                match head[3] {
                    GOAWAY if number(4) != 0 => return Fate::GoAway(number(4)),
                    RST_STREAM if stream == wanted => return Fate::Reset(number(0)),
                    // The status comes first, and these have an index of their own (RFC 7541, appendix A).
                    HEADERS if stream == wanted => {
                        let at = payload.iter().position(|byte| byte & 0xe0 != 0x20).unwrap();
                        // `100 Continue` has no other field and does not end the stream: it is not the answer.
                        if head[4] & END_STREAM == 0 && payload.len() <= at + "x:100".len() {
                            continue;
                        }
                        return match payload[at] {
                            0x88 => Fate::Ok,
                            0x8c => Fate::BadRequest,
                            _ => Fate::Other,
                        };
                    }
                    _ => {}
                }
            }
        })
        .await
        .expect("an end in time")
    }
}

/// Fields as literals without an index (RFC 7541 section 6.2.2).
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            match u8::try_from(text.len()).unwrap() {
                length @ ..127 => block.push(length),
                length => block.extend([127, length - 127]),
            }
            block.extend(text.as_bytes());
        }
    }
    block
}

/// A good request's fields for this method, and these.
fn fields<'a>(method: &'a str, bearer: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        (":method", method),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/rest/a"),
        ("authorization", bearer),
    ];
    fields.extend(more);
    fields
}

fn replaced<'a>(fields: &[(&'a str, &'a str)], name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let replace = |&(given, old): &(&'a str, &'a str)| (given, if given == name { value } else { old });
    fields.iter().map(replace).collect()
}

fn without<'a>(fields: &[(&'a str, &'a str)], name: &str) -> Vec<(&'a str, &'a str)> {
    fields
        .iter()
        .copied()
        .filter(|(given, _)| *given != name)
        .collect()
}

#[tokio::test]
async fn what_is_no_http2_request_never_goes_upstream() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let bearer = format!("Bearer {SECRET}");
    let good = fields("GET", &bearer, &[]);
    let with = |name, value| fields("GET", &bearer, &[(name, value)]);
    let path = |path| replaced(&good, ":path", path);
    let mut late = without(&good, ":path");
    late.push((":path", "/rest/a"));
    let cases = [
        with("connection", "close"),
        with("connection", "authorization"),
        with("keep-alive", "timeout=5"),
        with("proxy-connection", "keep-alive"),
        with("transfer-encoding", "chunked"),
        with("upgrade", "h2c"),
        with("te", "gzip"),
        with("te", "trailers, chunked"),
        with("X-Upper", "a"),
        with("x y", "a"),
        with("", "a"),
        with("x", "a\r\nx-forwarded-user: admin"),
        with("x", "a\0b"),
        with("x", " a"),
        with("x", "a\t"),
        with("host", "elsewhere.test"),
        with(":path", "/rest/b"),
        with(":method", "GET"),
        with(":status", "200"),
        with(":unknown", "a"),
        with(":protocol", "websocket"),
        with("content-length", "1"),
        with("content-length", "x"),
        with("content-length", "+0"),
        fields(
            "GET",
            &bearer,
            &[("content-length", "0"), ("content-length", "0")],
        ),
        with("authorization", "Basic dTpw"),
        late,
        without(&good, ":method"),
        without(&good, ":scheme"),
        without(&good, ":path"),
        without(&good, ":authority"),
        path(""),
        path("rest/a"),
        path("*"),
        path("https://localhost/rest/a"),
        path("/rest/a b"),
        path("/rest/a\r\nx: y"),
        path("/rest/\u{e9}"),
        path("/rest/a#b"),
        path("/rest/a?b#c"),
        path("/rest/a\\b"),
        path("/rest/../rest/a"),
        path("//rest/a"),
        replaced(&good, ":authority", "u@localhost"),
        replaced(&good, ":authority", "a b"),
        replaced(&good, ":method", "G T"),
        replaced(&good, ":method", ""),
        replaced(&good, ":method", "CONNECT"),
        replaced(&good, ":method", "TRACE"),
    ];
    for fields in cases {
        let mut frames = Frames::new(&scene, &authority).await;
        frames
            .write(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields))
            .await;
        let fate = frames.fate(1).await;
        assert!(fate.is_refusal() || fate == Fate::Other, "{fields:?}: {fate:?}");
    }
    assert_eq!(upstream.connections(), 0, "{:?}", upstream.heads());
    let mut frames = Frames::new(&scene, &authority).await;
    frames
        .write(HEADERS, END_HEADERS | END_STREAM, 1, &block(&good))
        .await;
    assert_eq!(frames.fate(1).await, Fate::Ok);
    frames
        .write(
            HEADERS,
            END_HEADERS | END_STREAM,
            3,
            &block(&with("te", "trailers")),
        )
        .await;
    assert_eq!(frames.fate(3).await, Fate::Ok);
    assert!(upstream.heads().iter().all(|head| !head.contains("trailers")));
}

#[tokio::test]
async fn a_body_is_as_long_as_its_head_says() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let bearer = format!("Bearer {SECRET}");
    for (length, body, good) in [
        ("5", "hello", true),
        ("5", "hell", false),
        ("5", "hello!", false),
        ("0", "x", false),
        ("", "hello", false),
        ("5, 5", "hello", false),
        ("99999999999999999999", "hello", false),
    ] {
        let mut frames = Frames::new(&scene, &authority).await;
        let fields = fields("POST", &bearer, &[("content-length", length)]);
        frames.write(HEADERS, END_HEADERS, 1, &block(&fields)).await;
        frames.write(DATA, END_STREAM, 1, body.as_bytes()).await;
        let fate = frames.fate(1).await;
        assert_eq!(fate == Fate::Ok, good, "{length} {body}: {fate:?}");
        assert!(good || fate.is_refusal(), "{length} {body}: {fate:?}");
    }
    assert_eq!(upstream.heads().len(), 1);
    // Trailers end a body, and go no further.
    let mut frames = Frames::new(&scene, &authority).await;
    frames
        .write(HEADERS, END_HEADERS, 1, &block(&fields("POST", &bearer, &[])))
        .await;
    frames.write(DATA, 0, 1, b"hello").await;
    frames
        .write(
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            &block(&[("x-trailer", "admin")]),
        )
        .await;
    assert_eq!(frames.fate(1).await, Fate::Ok);
    assert!(!upstream.heads()[1].contains("x-trailer"));
}

#[tokio::test]
async fn heads_without_end_end_the_connection() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |config| config.limits.head_bytes = 4096);
    let bearer = format!("Bearer {SECRET}");
    let mut frames = Frames::new(&scene, &authority).await;
    frames
        .write(HEADERS, END_STREAM, 1, &block(&fields("GET", &bearer, &[])))
        .await;
    for _ in 0..10_000 {
        frames.write(CONTINUATION, 0, 1, &block(&[("x", "y")])).await;
    }
    assert!(matches!(frames.fate(1).await, Fate::GoAway(_) | Fate::Closed));
    // A head that is merely too large is answered, and the connection goes on.
    let long = "x".repeat(250);
    let many: Vec<_> = (0..20).map(|_| ("x", long.as_str())).collect();
    let mut frames = Frames::new(&scene, &authority).await;
    frames
        .write(
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            &block(&fields("GET", &bearer, &many)),
        )
        .await;
    assert_eq!(frames.fate(1).await, Fate::Other);
    frames
        .write(
            HEADERS,
            END_HEADERS | END_STREAM,
            3,
            &block(&fields("GET", &bearer, &[])),
        )
        .await;
    assert_eq!(frames.fate(3).await, Fate::Ok);
}

#[tokio::test]
async fn a_client_that_takes_every_request_back_is_cut_off() {
    let upstream = Behind::new(|_, stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |config| config.limits.http2_resets = 10);
    let bearer = format!("Bearer {SECRET}");
    let mut frames = Frames::new(&scene, &authority).await;
    for stream in (0..200).map(|number| 2 * number + 1) {
        frames
            .write(
                HEADERS,
                END_HEADERS | END_STREAM,
                stream,
                &block(&fields("GET", &bearer, &[])),
            )
            .await;
        frames.write(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await;
    }
    // 11 is ENHANCE_YOUR_CALM.
    assert!(matches!(frames.fate(0).await, Fate::GoAway(11) | Fate::Closed));
    until(|| upstream.connections() <= 200).await;
    scene
        .counted(&[
            "tokenward_bad_framing_total{reason=\"http2-resets\"} 1",
            "tokenward_bad_framing_total{reason=\"http2\"} 1",
        ])
        .await;
}
