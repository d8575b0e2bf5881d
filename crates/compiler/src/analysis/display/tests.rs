use super::*;
use crate::analysis::RequestBody;

#[test]
fn a_shell_reads_every_part_as_it_is() {
    let base = BaseUrl::parse("https://h/ctx").unwrap();
    let mut request = Request {
        method: Method::Get,
        path: "/a b/$x".to_owned(),
        query: vec![("f[]".to_owned(), "é&'".to_owned())],
        body: RequestBody::Absent,
    };
    assert_eq!(
        request.curl(&base, "u"),
        "curl -u u:\"$TOKEN\" 'https://h/ctx/a%20b/$x?f%5B%5D=%C3%A9%26%27'"
    );
    request.method = Method::Post;
    request.query.clear();
    request.path = "/a".to_owned();
    request.body = RequestBody::Json(Json::Object(vec![(
        "n".to_owned(),
        Json::String("it's\u{1b}".to_owned()),
    )]));
    assert_eq!(
        request.curl(&base, "o'b"),
        r#"curl -X POST -u 'o'\''b:'"$TOKEN" https://h/ctx/a -H 'Content-Type: application/json' --data-raw '{"n": "it'\''s\u001b"}'"#
    );
    assert_eq!(
        request.to_string(),
        r#"POST /a with application/json: {"n": "it's\u001b"}"#
    );
}

#[test]
fn the_decoded_form_shows_the_body_and_hidden_characters() {
    let mut request = Request {
        method: Method::Post,
        path: "/a".to_owned(),
        query: Vec::new(),
        body: RequestBody::Json(Json::String("b".to_owned())),
    };
    // Nothing is encoded, so there is nothing to show next to it.
    assert_eq!(request.decoded(), request.to_string());
    assert_eq!(request.decoded_if_different(), None);
    request.query = vec![("jql".to_owned(), "project = HR\n".to_owned())];
    let expected = r#"POST /a?jql=project = HR\n with application/json: "b""#;
    assert_eq!(request.decoded_if_different().as_deref(), Some(expected));
    request.query.clear();
    request.body = RequestBody::Json(Json::String("b\u{200b}".to_owned()));
    let expected = r#"POST /a with application/json: "b\u{200b}""#;
    assert_eq!(request.decoded_if_different().as_deref(), Some(expected));
}

/// Otherwise curl resolves the dots itself, and the request is another one.
#[test]
fn dots_are_sent_as_they_are() {
    let base = BaseUrl::parse("https://h").unwrap();
    let curl = |path: &str| {
        let request = Request {
            method: Method::Get,
            path: path.to_owned(),
            query: Vec::new(),
            body: RequestBody::Absent,
        };
        request.curl(&base, "u")
    };
    for path in ["/a/../b", "/a/.", "/..", "/./a"] {
        assert_eq!(
            curl(path),
            format!("curl --path-as-is -u u:\"$TOKEN\" https://h{path}")
        );
    }
    assert_eq!(curl("/a..b/..."), "curl -u u:\"$TOKEN\" https://h/a..b/...");
}
