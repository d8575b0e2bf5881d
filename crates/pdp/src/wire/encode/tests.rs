//! Each framing as it is written, and whatever is written as a strict client reads it.

use proptest::prelude::*;

use super::*;

static DATE: HeaderValue = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");

fn head<'a>(status: u16, size: BodySize, headers: &'a [(HeaderName, HeaderValue)]) -> AnswerHead<'a> {
    AnswerHead {
        version: Version::Http11,
        to_head: false,
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        size,
        close: false,
        date: Some(&DATE),
    }
}

fn fields(list: &[(&'static str, &'static str)]) -> Vec<(HeaderName, HeaderValue)> {
    let fields = list.iter();
    fields
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

/// The answer with this body, in these parts.
fn written(head: &AnswerHead<'_>, parts: &[Bytes]) -> Result<Vec<u8>, Short> {
    let mut bytes = BytesMut::new();
    let mut encoder = head.encode(&mut bytes);
    for part in parts {
        let framed = encoder.frame(part.clone(), &mut bytes);
        bytes.extend_from_slice(&framed.data);
        bytes.extend_from_slice(framed.after);
    }
    encoder.end(&mut bytes)?;
    Ok(bytes.to_vec())
}

#[track_caller]
fn check(head: &AnswerHead<'_>, parts: &[&'static str], expected: &str) {
    let parts: Vec<Bytes> = parts
        .iter()
        .map(|part| Bytes::from_static(part.as_bytes()))
        .collect();
    let bytes = written(head, &parts).unwrap();
    let expected = expected.replace("DATE", "date: Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn a_known_length_is_announced() {
    let fields = fields(&[("content-type", "a/b"), ("link", "</a>"), ("link", "</b>")]);
    check(
        &head(200, BodySize::Known(6), &fields),
        &["abc", "", "def"],
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\ncontent-type: a/b\r\nlink: </a>\r\nlink: </b>\r\nDATE\r\n\r\nabcdef",
    );
    check(
        &head(404, BodySize::Known(0), &[]),
        &[],
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nDATE\r\n\r\n",
    );
}

#[test]
fn an_unknown_length_is_chunked_and_no_part_ends_it_early() {
    check(
        &head(200, BodySize::Unknown, &[]),
        &["0123456789abcdef", "", "x"],
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nDATE\r\n\r\n10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n",
    );
    check(
        &head(200, BodySize::Unknown, &[]),
        &[],
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nDATE\r\n\r\n0\r\n\r\n",
    );
}

#[test]
fn http_1_0_has_no_chunks_and_tells_what_is_not_its_default() {
    let mut old = AnswerHead {
        version: Version::Http10,
        ..head(200, BodySize::Unknown, &[])
    };
    check(&old, &["abc"], "HTTP/1.0 200 OK\r\nDATE\r\n\r\nabc");
    assert!(old.encode(&mut BytesMut::new()).is_until_close());
    old.size = BodySize::Known(3);
    check(
        &old,
        &["abc"],
        "HTTP/1.0 200 OK\r\ncontent-length: 3\r\nconnection: keep-alive\r\nDATE\r\n\r\nabc",
    );
    old.close = true;
    check(
        &old,
        &["abc"],
        "HTTP/1.0 200 OK\r\ncontent-length: 3\r\nDATE\r\n\r\nabc",
    );
    let new = AnswerHead {
        close: true,
        ..head(200, BodySize::Known(3), &[])
    };
    check(
        &new,
        &["abc"],
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\nDATE\r\n\r\nabc",
    );
}

#[test]
fn an_answer_to_head_announces_a_body_and_has_none() {
    for (size, announced) in [
        (BodySize::Known(7), "content-length: 7\r\n"),
        (BodySize::Unknown, "transfer-encoding: chunked\r\n"),
        (BodySize::None, ""),
    ] {
        let head = AnswerHead {
            to_head: true,
            ..head(200, size, &[])
        };
        let mut bytes = BytesMut::new();
        let mut encoder = head.encode(&mut bytes);
        assert_eq!(
            encoder.frame(Bytes::from_static(b"body"), &mut bytes).data,
            Bytes::new()
        );
        assert_eq!(encoder.end(&mut bytes), Ok(()));
        let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        assert_eq!(bytes, format!("HTTP/1.1 200 OK\r\n{announced}{date}\r\n"));
    }
}

#[test]
fn a_status_without_a_body_has_none_and_a_304_keeps_one_length() {
    let fields = fields(&[
        ("content-length", "+4"),
        ("content-length", "5"),
        ("content-length", "6"),
        ("etag", "\"a\""),
    ]);
    for (status, size, kept) in [
        (204, BodySize::None, ""),
        (204, BodySize::Known(3), ""),
        (304, BodySize::None, "content-length: 5\r\n"),
        (304, BodySize::Unknown, "content-length: 5\r\n"),
    ] {
        let head = head(status, size, &fields);
        let reason = head.status.canonical_reason().unwrap();
        check(
            &head,
            &["abc"],
            &format!("HTTP/1.1 {status} {reason}\r\n{kept}etag: \"a\"\r\nDATE\r\n\r\n"),
        );
    }
}

#[test]
fn no_other_answer_leaves_its_client_waiting_for_the_end_of_the_connection() {
    check(
        &head(200, BodySize::None, &[]),
        &[],
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nDATE\r\n\r\n",
    );
}

#[test]
fn fields_of_the_connection_and_of_the_framing_are_the_encoder_s_alone() {
    let fields = fields(&[
        ("connection", "keep-alive, x"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("transfer-encoding", "gzip, chunked"),
        ("upgrade", "h2c"),
        ("content-length", "99"),
        ("date", "yesterday"),
        ("x", "1"),
    ]);
    check(
        &head(200, BodySize::Known(1), &fields),
        &["a"],
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ndate: yesterday\r\nx: 1\r\n\r\na",
    );
}

#[test]
fn a_status_that_nobody_named_is_written_all_the_same() {
    check(
        &head(299, BodySize::Known(0), &[]),
        &[],
        "HTTP/1.1 299 <unknown status code>\r\ncontent-length: 0\r\nDATE\r\n\r\n",
    );
}

#[test]
fn more_than_announced_is_dropped_and_less_is_an_error() {
    check(
        &head(200, BodySize::Known(4), &[]),
        &["abc", "def", "ghi"],
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nDATE\r\n\r\nabcd",
    );
    let short = head(200, BodySize::Known(4), &[]);
    assert_eq!(written(&short, &[Bytes::from_static(b"abc")]), Err(Short));
}

/// An answer as a client reads it that takes nothing but what RFC 9112 has senders write.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    persists: bool,
    /// What follows the answer.
    rest: Vec<u8>,
}

fn line<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let end = bytes.windows(2).position(|two| two == b"\r\n").expect("a line");
    let (line, rest) = bytes.split_at(end);
    *bytes = &rest[2..];
    assert!(
        !line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)),
        "{line:?}"
    );
    line
}

fn read(mut bytes: &[u8], to_head: bool) -> Read {
    let first = String::from_utf8(line(&mut bytes).to_vec()).unwrap();
    let (version, rest) = first.split_once(' ').unwrap();
    let (status, _) = rest.split_once(' ').unwrap();
    assert!(
        ["HTTP/1.0", "HTTP/1.1"].contains(&version) && status.len() == 3,
        "{first}"
    );
    let (http10, status) = (version == "HTTP/1.0", status.parse().unwrap());
    let mut fields = Vec::new();
    loop {
        let line = line(&mut bytes);
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
        let name = String::from_utf8(line[..colon].to_vec()).unwrap();
        assert!(!name.is_empty() && !name.contains([' ', '\t']), "{name:?}");
        assert_eq!(line[colon + 1], b' ');
        fields.push((name, line[colon + 2..].to_vec()));
    }
    let all = |name: &str| -> Vec<String> {
        let fields = fields.iter().filter(|(found, _)| found == name);
        fields
            .map(|(_, value)| String::from_utf8(value.clone()).unwrap())
            .collect()
    };
    let (lengths, codings, options) = (all("content-length"), all("transfer-encoding"), all("connection"));
    assert!(
        lengths.len() + codings.len() <= 1,
        "one framing: {first} {lengths:?} {codings:?}"
    );
    let mut persists = match options.as_slice() {
        [] => !http10,
        [option] => option == "keep-alive",
        more => panic!("{more:?}"),
    };
    let body = if to_head || status == 204 || status == 304 {
        Vec::new()
    } else if let [coding] = codings.as_slice() {
        assert!(coding == "chunked" && !http10);
        chunks(&mut bytes)
    } else if let [length] = lengths.as_slice() {
        let (body, rest) = bytes.split_at(length.parse().unwrap());
        bytes = rest;
        body.to_vec()
    } else {
        assert!(http10, "only HTTP/1.0 learns the end from the connection");
        persists = false;
        std::mem::take(&mut bytes).to_vec()
    };
    Read {
        status,
        fields,
        body,
        persists,
        rest: bytes.to_vec(),
    }
}

fn chunks(bytes: &mut &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let size = String::from_utf8(line(bytes).to_vec()).unwrap();
        let size = usize::from_str_radix(&size, 16).unwrap();
        let (chunk, rest) = bytes.split_at(size);
        body.extend_from_slice(chunk);
        *bytes = rest;
        assert_eq!(line(bytes), b"");
        if size == 0 {
            return body;
        }
    }
}

const NOT_PASSED: [&str; 8] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn a_field() -> impl Strategy<Value = (HeaderName, HeaderValue)> {
    let known = prop::sample::select(NOT_PASSED.to_vec()).prop_map(str::to_owned);
    let name = prop_oneof![1 => known, 1 => Just("date".to_owned()), 8 => "[a-z0-9!#$%&'*+.^_`|~-]{1,12}"];
    let byte = prop_oneof![8 => 32_u8..127, 1 => 128_u8..=255, 1 => Just(b'\t')];
    (name, prop::collection::vec(byte, 0..20)).prop_map(|(name, value)| {
        (
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(&value).unwrap(),
        )
    })
}

proptest! {
    #[test]
    fn a_strict_client_reads_back_what_was_written(
        http10: bool,
        to_head: bool,
        close: bool,
        announced: bool,
        status in prop::sample::select(vec![200_u16, 201, 204, 206, 304, 403, 404, 503, 299, 999]),
        headers in prop::collection::vec(a_field(), 0..6),
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
    ) {
        let parts: Vec<Bytes> = parts.into_iter().map(Bytes::from).collect();
        let body = parts.concat();
        let answer = AnswerHead {
            version: if http10 { Version::Http10 } else { Version::Http11 },
            to_head,
            close,
            ..head(status, if announced { BodySize::Known(body.len() as u64) } else { BodySize::Unknown }, &headers)
        };
        let mut bytes = written(&answer, &parts).unwrap();
        let until_close = answer.encode(&mut BytesMut::new()).is_until_close();
        if !until_close {
            bytes.extend_from_slice(b"HTTP/1.1 next");
        }
        let read = read(&bytes, to_head);
        prop_assert_eq!(read.status, status);
        let bare = to_head || status == 204 || status == 304;
        prop_assert_eq!(read.body, if bare { Vec::new() } else { body });
        prop_assert_eq!(read.persists, !close && !until_close);
        prop_assert_eq!(read.rest, if until_close { Vec::new() } else { b"HTTP/1.1 next".to_vec() });
        // The fields are there, in their order, as they were; and exactly one date, unless more were given.
        let passed = |name: &str| !NOT_PASSED.contains(&name);
        let mut expected: Vec<(String, Vec<u8>)> = headers
            .iter()
            .filter(|(name, _)| passed(name.as_str()))
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        if !expected.iter().any(|(name, _)| name == "date") {
            expected.push(("date".to_owned(), DATE.as_bytes().to_vec()));
        }
        let found: Vec<(String, Vec<u8>)> = read.fields.into_iter().filter(|(name, _)| passed(name)).collect();
        prop_assert_eq!(found, expected);
    }
}
