//! Tests of framing, with one row for each way to make two servers cut a connection at different places.

use super::*;

fn read(version: Version, method: &str, lines: &[(&str, &str)], wire: Framing) -> Result<Framing, Reason> {
    let mut headers: Vec<(&[u8], &[u8])> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    headers.push((b"host", b"a"));
    let raw = RawHead {
        method,
        target: b"/",
        version,
        headers: &headers,
        authority: None,
        body: wire,
    };
    check(&raw, 20, 4_000).map_err(|refusal| refusal.reason)
}

fn http11(lines: &[(&str, &str)], wire: Framing) -> Result<Framing, Reason> {
    read(Version::Http11, "POST", lines, wire)
}

#[test]
fn one_length_or_one_coding() {
    use Framing::{Chunked, Length, None};
    assert_eq!(http11(&[], None), Ok(None));
    assert_eq!(http11(&[("Content-Length", "0")], None), Ok(Length(0)));
    assert_eq!(http11(&[("content-length", " 30 ")], Length(30)), Ok(Length(30)));
    assert_eq!(http11(&[("Transfer-Encoding", "CHUNKED")], Chunked), Ok(Chunked));
    for (lines, reason) in [
        (
            &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")][..],
            Reason::LengthAndCoding,
        ),
        (
            &[("Content-Length", "5"), ("Transfer-Encoding", "identity")],
            Reason::LengthAndCoding,
        ),
        (
            &[("Content-Length", "5"), ("content-length", "5")],
            Reason::RepeatedLength,
        ),
        (&[("Content-Length", "5, 5")], Reason::MalformedLength),
        (&[("Content-Length", "+5")], Reason::MalformedLength),
        (&[("Content-Length", "-5")], Reason::MalformedLength),
        (&[("Content-Length", "0x5")], Reason::MalformedLength),
        (&[("Content-Length", "5 ;")], Reason::MalformedLength),
        (&[("Content-Length", "")], Reason::MalformedLength),
        (&[("Content-Length", "5 5")], Reason::MalformedLength),
        (
            &[("Content-Length", "18446744073709551616")],
            Reason::MalformedLength,
        ),
        (&[("Content-Length", "٥")], Reason::MalformedLength),
        (&[("Transfer-Encoding", "gzip, chunked")], Reason::TransferCoding),
        (
            &[("Transfer-Encoding", "chunked, identity")],
            Reason::TransferCoding,
        ),
        (&[("Transfer-Encoding", "xchunked")], Reason::TransferCoding),
        (&[("Transfer-Encoding", "\"chunked\"")], Reason::TransferCoding),
        (&[("Transfer-Encoding", "chunked;q=1")], Reason::TransferCoding),
        (&[("Transfer-Encoding", "")], Reason::TransferCoding),
        (
            &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
            Reason::TransferCoding,
        ),
        (
            &[("Transfer-Encoding", "chunked\u{b}")],
            Reason::MalformedHeaderValue,
        ),
    ] {
        assert_eq!(http11(lines, Length(5)), Err(reason), "{lines:?}");
    }
}

#[test]
fn the_wire_must_agree_with_the_headers() {
    use Framing::{Chunked, Length, None};
    assert_eq!(http11(&[], Length(5)), Err(Reason::LengthMismatch));
    assert_eq!(http11(&[], Chunked), Err(Reason::LengthMismatch));
    assert_eq!(
        http11(&[("Content-Length", "5")], None),
        Err(Reason::LengthMismatch)
    );
    assert_eq!(
        http11(&[("Content-Length", "5")], Length(6)),
        Err(Reason::LengthMismatch)
    );
    assert_eq!(
        http11(&[("Transfer-Encoding", "chunked")], Length(5)),
        Err(Reason::LengthMismatch)
    );
}

#[test]
fn http10_bodies_need_a_length() {
    use Framing::{Chunked, Length, None};
    let http10 = |method, lines: &[_], wire| read(Version::Http10, method, lines, wire);
    assert_eq!(http10("GET", &[], None), Ok(None));
    assert_eq!(
        http10("POST", &[("Content-Length", "5")], Length(5)),
        Ok(Length(5))
    );
    assert_eq!(http10("POST", &[], None), Err(Reason::Http10Body));
    assert_eq!(http10("PUT", &[], None), Err(Reason::Http10Body));
    assert_eq!(
        http10("GET", &[("Transfer-Encoding", "chunked")], Chunked),
        Err(Reason::Http10Body)
    );
}

#[test]
fn http2_frames_end_themselves() {
    use Framing::{Chunked, Length, None};
    let http2 = |lines: &[_], wire| read(Version::Http2, "POST", lines, wire);
    assert_eq!(http2(&[], None), Ok(None));
    assert_eq!(http2(&[], Chunked), Ok(Chunked));
    assert_eq!(http2(&[("content-length", "5")], Chunked), Ok(Length(5)));
    assert_eq!(http2(&[("content-length", "5")], Length(5)), Ok(Length(5)));
    assert_eq!(
        http2(&[("content-length", "5")], None),
        Err(Reason::LengthMismatch)
    );
    assert_eq!(http2(&[("te", "trailers")], None), Ok(None));
    for line in [
        ("te", "gzip"),
        ("connection", "close"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
    ] {
        assert_eq!(http2(&[line], None), Err(Reason::ConnectionSpecific), "{line:?}");
    }
    assert_eq!(http2(&[("Accept", "x")], None), Err(Reason::MalformedHeaderName));
}

#[test]
fn lexis_and_size() {
    for (lines, reason) in [
        (&[("", "x")][..], Reason::MalformedHeaderName),
        (&[("X-A ", "1")], Reason::MalformedHeaderName),
        (&[("X(A)", "1")], Reason::MalformedHeaderName),
        (&[("X\u{85}", "1")], Reason::MalformedHeaderName),
        (&[(":path", "1")], Reason::MalformedHeaderName),
        (&[("X-A", "1\r\n folded")], Reason::MalformedHeaderValue),
        (&[("X-A", "1\0")], Reason::MalformedHeaderValue),
        (&[("X-A", "1\u{7f}")], Reason::MalformedHeaderValue),
        (&[("X-A", "1"); 20], Reason::TooManyHeaders),
    ] {
        assert_eq!(http11(lines, Framing::None), Err(reason), "{lines:?}");
    }
    assert_eq!(
        http11(&[("X-A", &"x".repeat(4_000))], Framing::None),
        Err(Reason::HeadTooLarge)
    );
    assert_eq!(
        http11(&[("X-!#$%&'*+.^_`|~9", "a\tb\u{e9}")], Framing::None),
        Ok(Framing::None)
    );
    for method in ["", "GE T", "GET\0", "{GET}"] {
        assert_eq!(
            read(Version::Http11, method, &[], Framing::None),
            Err(Reason::MalformedMethod),
            "{method}"
        );
    }
}
