use super::*;

/// Status, body, whether the connection persists, and the number of bytes behind the response.
type Response<T> = (u16, T, bool, usize);

/// Reads a response of which `size` bytes arrive at a time, up to the end of the connection; `None` if it breaks off.
fn read(text: &str, to_head: bool, size: usize) -> Result<Option<Response<String>>, BadResponse> {
    let mut input = BytesMut::new();
    let mut heads = HeadReader::default();
    let mut pieces = text.as_bytes().chunks(size);
    let mut head = loop {
        if let Some(head) = heads.next(&mut input, to_head, 1000)? {
            break head;
        }
        match pieces.next() {
            Some(piece) => input.extend_from_slice(piece),
            None => return Ok(None),
        }
    };
    let mut data = Vec::new();
    loop {
        while let Some(part) = head.body.next(&mut input)? {
            data.extend_from_slice(&part);
        }
        match pieces.next() {
            Some(piece) => input.extend_from_slice(piece),
            None => break,
        }
    }
    let data = String::from_utf8(data).unwrap();
    let complete = head.body.is_complete() || head.body.is_until_close();
    Ok(complete.then(|| (head.status.as_u16(), data, head.persists, input.len())))
}

#[track_caller]
fn check(text: &str, to_head: bool, expected: Result<Option<Response<&str>>, BadResponse>) {
    let owned = |(status, data, persists, rest): Response<&str>| (status, data.to_owned(), persists, rest);
    let expected = expected.map(|found| found.map(owned));
    for size in [1, 2, 7, 4096] {
        assert_eq!(
            read(text, to_head, size),
            expected,
            "{text:?} in pieces of {size}"
        );
    }
}

#[test]
fn the_end_of_a_response_is_found() {
    for (text, to_head, expected) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP",
            false,
            (200, "ok", true, 4),
        ),
        (
            "HTTP/1.1 200\r\nContent-Length: 2, 2\r\ncontent-length: 2\r\n\r\nok",
            false,
            (200, "ok", true, 0),
        ),
        (
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            false,
            (200, "", true, 0),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
            true,
            (200, "", true, 0),
        ),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\nrest",
            false,
            (204, "", true, 4),
        ),
        (
            "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\nrest",
            false,
            (304, "", true, 4),
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP", false, (100, "", true, 4)),
        (
            "HTTP/1.1 200 OK\r\n\r\nto the end",
            false,
            (200, "to the end", true, 0),
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            false,
            (200, "ok", false, 0),
        ),
        (
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
            false,
            (200, "ok", true, 0),
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n",
            false,
            (200, "", false, 0),
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            false,
            (200, "", false, 0),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5  \r\nhello\r\n1;a=b\r\n!\r\n0\r\nX: y\r\n\r\nHTTP",
            false,
            (200, "hello!", true, 4),
        ),
    ] {
        check(text, to_head, Ok(Some(expected)));
    }
}

#[test]
fn a_connection_ends_after_a_response_of_which_the_upstream_may_mean_another_end() {
    for (text, expected) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            (200, "ok", false, 0),
        ),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\nrest",
            (204, "", false, 4),
        ),
        (
            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\nrest",
            (204, "", false, 4),
        ),
    ] {
        check(text, false, Ok(Some(expected)));
    }
}

#[test]
fn what_has_two_ends_or_none_is_an_error() {
    use httparse::Error;
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
    for (text, expected) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
            BadResponse::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1,2\r\n\r\nok",
            BadResponse::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
            BadResponse::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok",
            BadResponse::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
            BadResponse::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            BadResponse::Coding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            BadResponse::Coding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            BadResponse::Coding,
        ),
        (
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            BadResponse::Coding,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            BadResponse::Chunks,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok0\r\n\r\n",
            BadResponse::Chunks,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\n\r\nok\r\n",
            BadResponse::Chunks,
        ),
        (
            "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
            BadResponse::Head(Error::HeaderName),
        ),
        (
            "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
            BadResponse::Head(Error::HeaderName),
        ),
        ("HTTP/1.1 99 OK\r\n\r\n", BadResponse::Head(Error::Status)),
        ("HTTP/2.0 200 OK\r\n\r\n", BadResponse::Head(Error::Version)),
        ("<html>\r\n\r\n", BadResponse::Head(Error::Version)),
        (
            "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            BadResponse::Head(Error::NewLine),
        ),
        (&long, BadResponse::TooLarge),
        (&many, BadResponse::Head(Error::TooManyHeaders)),
    ] {
        check(text, false, Err(expected));
    }
}

#[test]
fn what_breaks_off_is_not_complete() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
    ] {
        check(text, false, Ok(None));
    }
}

#[test]
fn values_keep_their_bytes() {
    let mut input = BytesMut::from(&b"HTTP/1.1 200 OK\r\nX-A:\r\nX-B: \xc3\xa9 \t\r\nx-a: 2\r\n\r\n"[..]);
    let head = HeadReader::default()
        .next(&mut input, false, 1000)
        .unwrap()
        .unwrap();
    let fields: Vec<_> = head
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let expected: [(&str, &[u8]); 3] = [("x-a", b""), ("x-b", b"\xc3\xa9"), ("x-a", b"2")];
    assert_eq!(fields, expected);
}
