//! The parser against what smuggles, and against itself: bytes one at a time, in any pieces, and all at once.

use bytes::BytesMut;
use proptest::prelude::*;

use super::Violation;
use super::parse::{Event, HeadLimits, Parser};
use super::raw::{Framing, Version};

const LIMITS: HeadLimits = HeadLimits {
    bytes: 512,
    fields: 8,
};

/// Method, target, version, fields and framing of a head.
type Head = (String, Vec<u8>, Version, Vec<(Vec<u8>, Vec<u8>)>, Framing);

/// What a stream of bytes comes to, bodies joined.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    heads: Vec<Head>,
    bodies: Vec<(Vec<u8>, bool)>,
    broken: Option<Violation>,
}

impl Read {
    fn drain(&mut self, parser: &mut Parser) {
        loop {
            match parser.next() {
                Ok(None) => return,
                Err(violation) => {
                    self.broken = Some(violation);
                    return;
                }
                Ok(Some(Event::Head(head))) => {
                    let fields = head.fields();
                    let raw = head.raw(&fields);
                    self.heads.push((
                        raw.method.to_owned(),
                        raw.target.to_vec(),
                        raw.version,
                        fields
                            .iter()
                            .map(|(name, value)| (name.to_vec(), value.to_vec()))
                            .collect(),
                        raw.body,
                    ));
                    if raw.body.has_body() {
                        self.bodies.push((Vec::new(), false));
                    }
                }
                Ok(Some(Event::Data(data))) => self.bodies.last_mut().unwrap().0.extend_from_slice(&data),
                Ok(Some(Event::End)) => self.bodies.last_mut().unwrap().1 = true,
            }
        }
    }
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut parser = Parser::new(LIMITS);
    let mut read = Read::default();
    for piece in pieces {
        parser.input().extend_from_slice(piece);
        read.drain(&mut parser);
    }
    read
}

fn whole(text: &str) -> Read {
    read([text.as_bytes()])
}

#[track_caller]
fn broken(text: &str, violation: Violation) {
    let at_once = whole(text);
    assert_eq!(at_once.broken, Some(violation), "{text:?}");
    assert_eq!(read(text.as_bytes().chunks(1)), at_once, "byte by byte: {text:?}");
}

#[test]
fn a_head_is_read_as_sent() {
    let read = whole(
        "\r\nPOST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-A:\t 1 \t\r\nx-empty:\r\naccept: \u{e9}\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
    );
    assert_eq!(read.broken, None);
    let (method, target, version, fields, body) = &read.heads[0];
    assert_eq!(
        (method.as_str(), target.as_slice()),
        ("POST", b"/a%20b?c=d".as_slice())
    );
    assert_eq!((*version, *body), (Version::Http11, Framing::Length(3)));
    let expected: Vec<(Vec<u8>, Vec<u8>)> = [
        ("Host", "x"),
        ("X-A", "1"),
        ("x-empty", ""),
        ("accept", "\u{e9}"),
        ("Content-Length", "3"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    assert_eq!(*fields, expected);
    assert_eq!(read.bodies, [(b"abc".to_vec(), true)]);
    assert_eq!(
        (read.heads[1].2, read.heads[1].4),
        (Version::Http10, Framing::None)
    );
}

#[test]
fn what_breaks_the_request_line_is_refused() {
    for (line, violation) in [
        ("GET  / HTTP/1.1", Violation::RequestLine),
        (" GET / HTTP/1.1", Violation::RequestLine),
        ("GET / HTTP/1.1 ", Violation::RequestLine),
        ("GET / HTTP/1.1 x", Violation::RequestLine),
        ("GET /", Violation::RequestLine),
        ("G(T / HTTP/1.1", Violation::RequestLine),
        ("\r\n\r\nGET / HTTP/1.1", Violation::RequestLine),
        ("GET / HTTP/2.0", Violation::HttpVersion),
        ("GET / http/1.1", Violation::HttpVersion),
        ("GET / HTTP/1.10", Violation::HttpVersion),
        ("PRI * HTTP/2.0", Violation::Http2Preface),
        ("GET /\t HTTP/1.1", Violation::Target),
        ("GET /\0 HTTP/1.1", Violation::Control),
        ("\u{16}\u{3}\u{1}", Violation::Control),
        ("GET / HTTP/1.1\n", Violation::BareLf),
        ("GET /\r HTTP/1.1", Violation::BareCr),
    ] {
        broken(&format!("{line}\r\nHost: x\r\n\r\n"), violation);
    }
}

#[test]
fn what_breaks_a_field_is_refused() {
    for (field, violation) in [
        ("X-A : 1", Violation::FieldName),
        ("X\u{85}-A: 1", Violation::FieldName),
        ("X(A): 1", Violation::FieldName),
        (": 1", Violation::FieldName),
        ("X-A", Violation::FieldName),
        ("X-A: 1\r\n folded", Violation::Folding),
        ("X-A: 1\r\n\tfolded", Violation::Folding),
        ("X-A: 1\0", Violation::Control),
        ("X-A: 1\u{7f}", Violation::Control),
        ("X-A: 1\n", Violation::BareLf),
        ("X-A: 1\rX-B: 2", Violation::BareCr),
        (
            "Content-Length: 1\r\nContent-Length: 1",
            Violation::RepeatedLength,
        ),
        (
            "Content-Length: 1\r\ncontent-length: 1",
            Violation::RepeatedLength,
        ),
        ("Content-Length: +1", Violation::Length),
        ("Content-Length: -1", Violation::Length),
        ("Content-Length: 0x1e", Violation::Length),
        ("Content-Length: 1, 1", Violation::Length),
        ("Content-Length: 30 ;", Violation::Length),
        ("Content-Length:", Violation::Length),
        ("Content-Length: 18446744073709551616", Violation::Length),
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            Violation::CodingAndLength,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            Violation::CodingAndLength,
        ),
        ("Transfer-Encoding: xchunked", Violation::Coding),
        ("Transfer-Encoding: identity", Violation::Coding),
        ("Transfer-Encoding: \"chunked\"", Violation::Coding),
        ("Transfer-Encoding: gzip, chunked", Violation::Coding),
        ("Transfer-Encoding: chunked, chunked", Violation::Coding),
        ("Transfer-Encoding: chunked;", Violation::Coding),
        ("Transfer-Encoding:\tchunked\u{b}", Violation::Control),
        ("Transfer-Encoding:", Violation::Coding),
        (
            "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked",
            Violation::Coding,
        ),
    ] {
        broken(
            &format!("POST / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"),
            violation,
        );
    }
    broken(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        Violation::CodingInHttp10,
    );
}

#[test]
fn lookalikes_of_the_framing_fields_are_ordinary_fields() {
    let read = whole("POST / HTTP/1.1\r\nTransfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(read.heads[0].4, Framing::Length(2));
    assert_eq!(read.bodies, [(b"hi".to_vec(), true)]);
}

#[test]
fn heads_have_limits() {
    let line = "GET / HTTP/1.1\r\n";
    let fits = LIMITS.bytes - line.len() - "x: \r\n\r\n".len();
    let head = |length: usize| format!("{line}x: {}\r\n\r\n", "a".repeat(length));
    assert_eq!(whole(&head(fits)).broken, None);
    broken(&head(fits + 1), Violation::HeadTooLarge);
    broken(
        &format!("GET /{}", "a".repeat(LIMITS.bytes)),
        Violation::HeadTooLarge,
    );
    assert_eq!(
        whole(&format!("{line}{}\r\n", "a:b\r\n".repeat(LIMITS.fields))).broken,
        None
    );
    broken(
        &format!("{line}{}", "a:b\r\n".repeat(LIMITS.fields + 1)),
        Violation::TooManyFields,
    );
}

fn chunked(body: &str) -> String {
    format!("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n{body}")
}

#[test]
fn chunks_are_decoded() {
    for (body, decoded) in [
        ("0\r\n\r\n", ""),
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        (
            "6\r\n{\"edit\r\n0A\r\n0123456789\r\n000\r\nX-T: a\r\nY:\r\n\r\n",
            "{\"edit0123456789",
        ),
    ] {
        let read = whole(&(chunked(body) + "GET / HTTP/1.1\r\n\r\n"));
        assert_eq!(read.broken, None, "{body:?}");
        assert_eq!(read.bodies, [(decoded.as_bytes().to_vec(), true)], "{body:?}");
        assert_eq!(read.heads.len(), 2, "{body:?}");
    }
}

#[test]
fn what_breaks_the_chunked_coding_is_refused() {
    for (body, violation) in [
        ("1e;\r\r\nx", Violation::ChunkExtension),
        ("1;a=b\r\nx\r\n0\r\n\r\n", Violation::ChunkExtension),
        ("1 \r\nx\r\n0\r\n\r\n", Violation::ChunkExtension),
        ("+1\r\nx", Violation::ChunkSize),
        ("-1\r\nx", Violation::ChunkSize),
        (" 1\r\nx", Violation::ChunkSize),
        ("0x1\r\nx", Violation::ChunkSize),
        ("1_\r\nx", Violation::ChunkSize),
        ("1\nx", Violation::ChunkSize),
        ("\r\n", Violation::ChunkSize),
        ("1\rx", Violation::ChunkSize),
        ("00000000000000001\r\nx", Violation::ChunkSize),
        ("1\r\nxy\r\n", Violation::ChunkEnd),
        ("1\r\nx\n", Violation::ChunkEnd),
        ("1\r\nx\rx", Violation::ChunkEnd),
        ("0\r\nno trailer\r\n\r\n", Violation::Trailer),
        ("0\r\n a: b\r\n\r\n", Violation::Trailer),
        ("0\r\na: b\n\r\n", Violation::BareLf),
        ("0\r\na: b\rc\r\n", Violation::BareCr),
        ("0\r\na: \0\r\n", Violation::Control),
    ] {
        broken(&chunked(body), violation);
    }
    broken(
        &chunked(&format!("0\r\n{}", "a: b\r\n".repeat(2000))),
        Violation::Trailer,
    );
}

#[test]
fn a_body_without_its_end_is_not_complete() {
    for text in [
        chunked("1e\r\n{}"),
        chunked("2\r\n{}\r\n"),
        chunked("2\r\n{}\r\n0\r\n"),
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}".to_owned(),
    ] {
        let read = whole(&text);
        assert_eq!((read.broken, read.bodies[0].1), (None, false), "{text:?}");
    }
}

#[test]
fn bodies_pass_in_constant_memory() {
    let mut parser = Parser::new(LIMITS);
    parser
        .input()
        .extend_from_slice(b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n");
    assert!(matches!(parser.next(), Ok(Some(Event::Head(_)))));
    for _ in 0..1000 {
        parser.input().extend_from_slice(&[7; 1000]);
        assert!(matches!(parser.next(), Ok(Some(Event::Data(data))) if data.len() == 1000));
        assert_eq!(parser.buffered(), 0);
    }
    assert_eq!(parser.body_left(), Some(99_000_000));
}

fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b=c HTTP/1.1\r\n",
        "HEAD / HTTP/1.0\r\n",
        "Host: x\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "\r\n",
        "hello",
        "5\r\nhello\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "0\r\n\r\n",
        "0\r\nA: b\r\n\r\n",
        "\n",
        "\r",
        ";x",
        " ",
    ]);
    prop_oneof![9 => fixed.prop_map(str::to_owned), 1 => "[ -~\\r\\n]{0,6}"]
}

proptest! {
    #[test]
    fn pieces_read_as_the_whole(fragments in prop::collection::vec(fragment(), 0..14), cuts in prop::collection::vec(1_usize..9, 0..40)) {
        let bytes = fragments.concat().into_bytes();
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(read(pieces), read([bytes.as_slice()]));
        prop_assert_eq!(read(bytes.chunks(1)), read([bytes.as_slice()]));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut parser = Parser::new(LIMITS);
        *parser.input() = BytesMut::from(bytes.as_slice());
        Read::default().drain(&mut parser);
    }
}
