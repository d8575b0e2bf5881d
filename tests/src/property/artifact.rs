use tokenward_compiler::{
    BaseUrl, artifact,
    decide::{Body, Decision, Media, Request, decide},
    json,
    method::Method,
};

/// Bytes after a header, which is left out, end in a program or an error. A program that comes of them stands all
/// use, and is the same once stored and loaded again.
pub fn artifact(bytes: &[u8]) {
    let _ = artifact::decode(bytes);
    let Ok(program) = artifact::decode_sections(bytes) else {
        return;
    };
    let stored = artifact::encode(&program);
    let again = artifact::decode(&stored).expect("what was encoded decodes");
    assert_eq!(stored, artifact::encode(&again));
    let base = BaseUrl::parse("https://h/ctx").expect("a base URL");
    let Ok(bound) = program.bind(&base) else { return };
    let listing = again.bind(&base).map(|bound| bound.to_string()).ok();
    assert_eq!(Some(bound.to_string()), listing);
    for (token, _) in bound.tokens() {
        for path in ["", "/", "/rest/api/2/issue/K-1", "/é", "/a/b.json/"] {
            let mut request = Request {
                token,
                method: Method::Post,
                path,
                query: &[],
                body: Body::Unread(Media::Json),
            };
            if let Decision::NeedsBody(wanted) = decide(&bound, &request)
                && let Ok(nodes) = json::read(b"{\"a\": {\"l\": [1]}, \"n\": \"x\"}", &wanted)
            {
                request.body = Body::Read(&nodes);
                let _ = decide(&bound, &request);
            }
        }
    }
}
