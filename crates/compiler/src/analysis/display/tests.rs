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
