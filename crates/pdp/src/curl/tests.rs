use proptest::prelude::*;

use super::*;

fn base() -> BaseUrl {
    BaseUrl::parse("https://jira.example.com/ctx").unwrap()
}

fn command(text: &str) -> Result<Sent, String> {
    read(&shell::split(text).unwrap().words, &base(), Origin::COMMAND)
}

/// The request in text, without the headers that every request has.
fn sent(text: &str) -> String {
    let sent = command(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut shown = format!("{} {}", sent.method, sent.target);
    for (name, value) in &sent.headers {
        let usual = matches!(name.as_str(), "Host" | "User-Agent") || name == "Accept" && value == "*/*";
        if !usual {
            shown.push_str(&format!(" | {name}: {value}"));
        }
    }
    if !sent.body.is_empty() {
        shown.push_str(&format!(" || {}", String::from_utf8_lossy(&sent.body)));
    }
    shown
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[test]
fn commands_are_the_requests_that_curl_sends() {
    for (text, expected) in [
        ("curl https://x/ctx/rest/a", "GET /ctx/rest/a".to_owned()),
        ("curl -sSfL --url https://x/a?b=c#d -o /dev/null -m 5", "GET /a?b=c".to_owned()),
        ("/usr/bin/curl -I https://x/a", "HEAD /a".to_owned()),
        ("curl -XDELETE https://x/a", "DELETE /a".to_owned()),
        ("curl --request PUT https://x/a", "PUT /a".to_owned()),
        ("curl -d a=1 -d b=2 https://x/a", format!("POST /a | {FORM} | Content-Length: 7 || a=1&b=2")),
        ("curl -d '' https://x/a", format!("POST /a | {FORM} | Content-Length: 0")),
        ("curl -X PATCH --data-raw @x https://x/a", format!("PATCH /a | {FORM} | Content-Length: 2 || @x")),
        ("curl -G -d a=1 --data-urlencode 'b=x y' https://x/a?c=2", "GET /a?c=2&a=1&b=x%20y".to_owned()),
        ("curl -GI -d a=1 https://x/a", "HEAD /a?a=1".to_owned()),
        ("curl --url-query 'jql=a = b' https://x/a", "GET /a?jql=a%20%3D%20b".to_owned()),
        (
            "curl -d '{}' -H 'content-type: application/json' https://x/a",
            "POST /a | Content-Length: 2 | content-type: application/json || {}".to_owned(),
        ),
        (
            "curl --json '{\"a\":' --json '1}' https://x/a",
            "POST /a | Accept: application/json | Content-Type: application/json | Content-Length: 7 || {\"a\":1}".to_owned(),
        ),
        (
            "curl -u svc:secret https://x/a",
            "GET /a | Authorization: Basic c3ZjOnNlY3JldA==".to_owned(),
        ),
        (
            "curl https://svc:secret@x/a",
            "GET /a | Authorization: Basic c3ZjOnNlY3JldA==".to_owned(),
        ),
        (
            "curl --oauth2-bearer abc -A me -b a=b -b c=d --compressed -H Accept: https://x/a",
            "GET /a | Authorization: Bearer abc | Accept-Encoding: deflate, gzip, br, zstd | Cookie: a=b; c=d".to_owned(),
        ),
        (
            "curl -H 'Authorization: Bearer x' -u a:b https://x/a",
            "GET /a | Authorization: Bearer x".to_owned(),
        ),
        ("curl -H 'X-Empty;' https://x/a", "GET /a | X-Empty: ".to_owned()),
        ("curl https://x/a/../b", "GET /b".to_owned()),
        ("curl --path-as-is https://x/a/../b", "GET /a/../b".to_owned()),
        ("curl -g 'https://x/a[1]'", "GET /a[1]".to_owned()),
        (
            "curl -H 'Transfer-Encoding: chunked' -d a https://x/a",
            format!("POST /a | {FORM} | Transfer-Encoding: chunked || a"),
        ),
        ("curl -- https://x/-a", "GET /-a".to_owned()),
        ("curl --request-target '*' -X OPTIONS https://x", "OPTIONS *".to_owned()),
    ] {
        assert_eq!(sent(text), expected, "{text}");
    }
}

#[test]
fn files_that_the_command_names_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a file");
    std::fs::write(&file, "a=1\r\n&b=2\n").unwrap();
    let file = file.display();
    let body = |text: &str| command(text).unwrap();
    assert_eq!(body(&format!("curl -d '@{file}' https://x/")).body, b"a=1&b=2");
    assert_eq!(
        body(&format!("curl --data-binary '@{file}' https://x/")).body,
        b"a=1\r\n&b=2\n"
    );
    assert_eq!(
        body(&format!("curl --data-urlencode 'q@{file}' https://x/")).body,
        b"q=a%3D1%0D%0A%26b%3D2%0A"
    );
    let upload = body(&format!("curl -T '{file}' https://x/up/"));
    assert_eq!(
        (upload.method.as_str(), upload.target.as_str()),
        ("PUT", "/up/a%20file")
    );
    assert!(upload.headers.iter().all(|(name, _)| name != "Content-Type"));
    let form = body(&format!("curl -F 'f=@{file};type=text/plain' -F n=1 https://x/"));
    assert_eq!(form.method, "POST");
    let text = String::from_utf8(form.body).unwrap();
    assert!(
        text.contains("name=\"f\"; filename=") && text.contains("name=\"n\"\r\n\r\n1\r\n"),
        "{text}"
    );
    let missing = command("curl -d @/no/such/file https://x/").unwrap_err();
    assert!(
        missing.contains("cannot read the file `/no/such/file`"),
        "{missing}"
    );
}

#[test]
fn what_cannot_be_known_is_named() {
    for (text, expected) in [
        ("wget https://x/", "must begin with `curl`"),
        ("curl", "no URL"),
        ("curl https://x/ https://y/", "several URLs"),
        ("curl --digest -u a:b https://x/", "`--digest` is not supported"),
        ("curl -K file https://x/", "`-K` is not supported"),
        ("curl -n https://x/", "`-n` is not supported"),
        ("curl --dta x https://x/", "did you mean `--data`"),
        ("curl -sSW https://x/", "`-W` is unknown"),
        ("curl -d", "`-d` needs a value"),
        (
            "curl -d a -F b=c https://x/",
            "does not accept these options together",
        ),
        (
            "curl -I -d a https://x/",
            "does not accept these options together",
        ),
        ("curl 'https://x/{a,b}'", "several URLs"),
        ("curl 'https://x/a b'", "`%20`"),
        ("curl /rest/a", "complete URL"),
        ("curl -b cookies.txt https://x/", "cookies from a file"),
        ("curl -H @file https://x/", "headers from a file"),
        ("curl -d @- https://x/", "standard input"),
        ("curl \"https://x/$ID\"", "`$ID` is a shell variable"),
        (
            "curl -u \"$USER:$TOKEN\" https://x/",
            "`$USER` is a shell variable",
        ),
        ("curl -H nothing https://x/", "is not a header"),
        ("curl ftp://x/", "not a scheme"),
        ("curl https://x/ --next https://y/", "several requests"),
    ] {
        let error = command(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_secret_in_a_variable_is_left_open() {
    for (text, user) in [
        ("curl -u \"svc:$TOKEN\" https://x/", Some("svc")),
        ("curl -u 'svc':\"$TOKEN\" https://x/", Some("svc")),
        ("curl -u svc https://x/", Some("svc")),
        ("curl --oauth2-bearer ${TOKEN} https://x/", None),
        ("curl -H \"Authorization: Bearer $TOKEN\" https://x/", None),
    ] {
        let sent = command(text).unwrap();
        assert_eq!(sent.user.as_deref(), user, "{text}");
        assert!(sent.headers.iter().all(|(name, _)| name != "Authorization"));
        assert_eq!(sent.notes.len(), 1, "{text}");
    }
}

#[test]
fn own_arguments_take_a_path_or_a_url_as_it_is() {
    let words = |url: &str| -> Vec<Word> { ["curl", "-X", "GET", url].map(Word::from).to_vec() };
    let native = |url: &str| read(&words(url), &base(), Origin::ARGUMENTS).unwrap();
    assert_eq!(native("/rest/../a").target, "/ctx/rest/../a");
    assert!(native("/rest/a").notes.is_empty());
    let below = native("/ctx/rest/a");
    assert!(
        below.notes.first().unwrap().contains("remove `/ctx`"),
        "{below:?}"
    );
    let encoded = native("https://x/ctx/rest/s?jql=a = ü");
    assert_eq!(encoded.target, "/ctx/rest/s?jql=a%20=%20%C3%BC");
    assert_eq!(encoded.notes.len(), 1);
    assert_eq!(native("/rest/a").headers.first().unwrap().1, "jira.example.com");
}

proptest! {
    /// Any text is a request or an error, and a text in single quotes arrives as it is.
    #[test]
    fn no_text_is_misread(
        text in "[ -~\n]{0,40}",
        rest in r#"[-a-zX:/.@=$'"\\ |&^{}]{0,40}"#,
    ) {
        if let Ok(found) = shell::split(&format!("curl {rest}")) {
            let _ = read(&found.words, &base(), Origin::COMMAND);
        }
        let quoted = format!("curl --data-raw '{}' https://x/", text.replace('\'', "'\\''"));
        let sent = command(&quoted).unwrap();
        prop_assert_eq!(String::from_utf8(sent.body).unwrap(), text);
    }
}

#[test]
fn a_command_of_a_test_reads_no_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    for option in [
        format!("-d @{path}"),
        format!("--data-binary @{path}"),
        format!("--json @{path}"),
        format!("--data-urlencode a@{path}"),
        format!("--url-query a@{path}"),
        format!("-F a=@{path}"),
        format!("-F 'a=<{path}'"),
        format!("-T {path}"),
    ] {
        let command = format!("curl {option} https://x/a");
        let words = split(&command).unwrap().words;
        assert!(read(&words, &base(), Origin::COMMAND).is_ok(), "{command}");
        let refused = read(&words, &base(), Origin::COMMAND.without_files()).unwrap_err();
        assert!(refused.contains("reads the file"), "{refused}");
    }
}
