//! Mistakes in files of tests, each with its place and its cure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use tokenward_compiler::{
    diagnostic::render_text,
    source::{SourceKind, SourceSet},
    test_cases::read,
    tokens::{Expect, RequestDef},
};

fn file(text: &str) -> SourceSet {
    SourceSet::single("tests/ci.toml".to_owned(), text, SourceKind::Tests)
}

/// A test with other lines than the usual ones: `+` adds one, `-` removes one.
fn told(change: &[&str]) -> String {
    let mut lines = vec![
        "name = \"comments\"",
        "token = \"ci\"",
        "request = \"GET /rest/api/2/myself\"",
        "expect = \"allow\"",
    ];
    for change in change {
        match change.strip_prefix('-') {
            Some(key) => lines.retain(|line| !line.starts_with(key)),
            None => lines.push(change.strip_prefix('+').unwrap()),
        }
    }
    let sources = file(&format!("[[test]]\n{}\n", lines.join("\n")));
    let (tests, found) = read(&sources);
    assert_eq!(tests.is_empty(), !found.is_empty(), "{change:?}");
    render_text(&sources, &found, false)
}

#[test]
fn mistakes_have_a_place_and_a_cure() {
    for (change, code, cure) in [
        (
            vec!["+tokn = \"ci\"", "-token"],
            "TW0002",
            "did you mean `token`?",
        ),
        (vec!["-name"], "TW0004", "name the test by what it shows"),
        (vec!["-expect"], "TW0004", "expect = \"allow\""),
        (
            vec!["-expect", "+expect = \"alow\""],
            "TW0003",
            "did you mean `\"allow\"`?",
        ),
        (
            vec!["-expect", "+expect = true"],
            "TW0003",
            "`expect` must be a string",
        ),
        (vec!["-request"], "TW0602", "add `request = \"GET /rest/…\"`"),
        (
            vec!["-request", "+requst = \"GET /a\""],
            "TW0002",
            "did you mean `request`?",
        ),
        (
            vec!["-request", "+request = \"/rest/api/2/myself\""],
            "TW0602",
            "write the method and the path",
        ),
        (
            vec!["-request", "+request = 1"],
            "TW0003",
            "`request` must be a string",
        ),
        (
            vec!["+curl = 'curl https://x/a'"],
            "TW0602",
            "the test has both `request` and `curl`",
        ),
        (
            vec!["-request", "+curl = 'curl https://x/a'", "+body = 'x'"],
            "TW0602",
            "`body` cannot be used with `curl`",
        ),
        (
            vec!["-request", "+curl = ['curl']"],
            "TW0003",
            "`curl` must be a string",
        ),
        (
            vec!["+body = 'x'", "+json = '{}'"],
            "TW0602",
            "the test has both `body` and `json`",
        ),
        (
            vec!["+json = '{\"a\": nul}'"],
            "TW0602",
            "the text of `json` is not JSON",
        ),
        (
            vec!["+json = { when = 2030-01-01 }"],
            "TW0602",
            "JSON has no value for this",
        ),
        (
            vec!["+headers = \"Accept: a\""],
            "TW0003",
            "`headers` must be a list of strings",
        ),
        (
            vec!["+headers = [\"Accept\"]"],
            "TW0602",
            "`Accept` is not a header",
        ),
        (vec!["+headers = [\"@file: x\"]"], "TW0602", "is not a header"),
        (vec!["+headers = [1]"], "TW0003", "must be a string"),
        (vec!["+client = \"10.0.0.0/8\""], "TW0003", "write `10.0.0.7`"),
        (vec!["+at = \"tomorrow\""], "TW0003", "offset"),
        (vec!["+status = 42"], "TW0003", "is not a status of HTTP"),
        (
            vec!["+status = \"403\""],
            "TW0003",
            "`status` must be a whole number",
        ),
    ] {
        let told = told(&change);
        assert!(told.contains(code) && told.contains(cure), "{change:?}: {told}");
        assert!(told.contains("tests/ci.toml:"), "{change:?}: {told}");
    }
}

#[test]
fn other_files_are_refused() {
    for text in [
        "[test]\nname = \"a\"\n",
        "test = [1]\n",
        "[[tests]]\nname = \"a\"\n",
        "[[token]]\nname = \"a\"\n",
        "[[test]]\nname = \"a\u{202e}\"\n",
        "name = \n",
        "# twd_0123456789abcdefghijABCDEFGHIJ0123456789\n[[test]]\n",
    ] {
        let (tests, found) = read(&file(text));
        assert!(tests.is_empty() && !found.is_empty(), "{text}");
    }
    let twice = "[[test]]\nname = \"a\"\ntoken = \"t\"\nrequest = \"GET /\"\nexpect = \"deny\"\n".repeat(2);
    let (tests, found) = read(&file(&twice));
    assert_eq!((tests.len(), found.len()), (2, 1), "{found:?}");
}

#[test]
fn every_key_is_read() {
    let text = r#"
[[test]]
name = "first"
token = "ci"
user = "alice"
client = "::ffff:10.0.0.7"
at = 2027-06-30T12:00:00Z
request = "post  /rest/api/2/issue?a=b c"
headers = ["X-A: b"]
json = { a = [1, 2.5, true, "x"], b = { c = 0x10 } }
expect = "deny"
line = "  !/rest/.*  "
reason = "forbid-line"
status = 403

[[test]]
name = "second"
token = "ci"
curl = '''
curl -d a=1 \
  https://x/a
'''
expect = "allow"
"#;
    let (tests, found) = read(&file(text));
    assert!(found.is_empty(), "{found:?}");
    let [first, second] = tests.as_slice() else {
        panic!("{tests:?}")
    };
    let RequestDef::Keys(keys) = &first.request else {
        panic!("{first:?}")
    };
    assert_eq!(
        (keys.method.as_str(), keys.url.value.as_str()),
        ("post", "/rest/api/2/issue?a=b c")
    );
    assert_eq!(
        keys.body.as_ref().unwrap().value,
        r#"{"a":[1,2.5,true,"x"],"b":{"c":16}}"#
    );
    assert!(keys.is_json);
    assert_eq!(first.client.as_ref().unwrap().value.to_string(), "10.0.0.7");
    assert_eq!(first.line.as_ref().unwrap().value, "!/rest/.*");
    assert_eq!(first.expect.value, Expect::Deny);
    assert_eq!(first.status.as_ref().unwrap().value, 403);
    assert!(matches!(&second.request, RequestDef::Curl(text) if text.value.contains("-d a=1")));
}
