//! Tests of media types: which values are one type, and how policies classify the body.

use super::*;
use crate::request::{Product, Relax, Settings};
use tokenward_compiler::BaseUrl;

fn rules(product: Product, relax: Relax) -> Rules {
    let base = BaseUrl::parse("http://a").unwrap();
    Rules::new(&Settings {
        relax,
        ..Settings::new(base, product)
    })
    .unwrap()
}

fn class(product: Product, value: &str, encoded: bool) -> Result<Media, Reason> {
    let given = (!value.is_empty()).then(|| MediaType::read(value.as_bytes()).unwrap());
    classify(given.as_ref(), encoded, &rules(product, product.relax())).map_err(|refusal| refusal.reason)
}

#[test]
fn one_media_type_is_written_anew() {
    for (given, written) in [
        ("application/json", "application/json"),
        (
            "Application/JSON ;Charset=\"UTF-8\"",
            "application/json; charset=UTF-8",
        ),
        ("application/json;", "application/json"),
        (
            "application/json; ;charset=utf-8 ; x=y",
            "application/json; charset=utf-8; x=y",
        ),
        (
            "multipart/form-data; boundary=\"a b\\\"c\"",
            "multipart/form-data; boundary=\"a b\\\"c\"",
        ),
        (
            "multipart/form-data; boundary=----WebKit7MA4",
            "multipart/form-data; boundary=----WebKit7MA4",
        ),
        ("application/vnd.api+json", "application/vnd.api+json"),
        ("text/x; a=\"\"", "text/x; a=\"\""),
        ("text/x; a=\"1;2,3\"", "text/x; a=\"1;2,3\""),
    ] {
        let read = MediaType::read(given.as_bytes()).unwrap();
        assert_eq!(read.to_string(), written, "{given}");
        assert_eq!(MediaType::read(written.as_bytes()).unwrap(), read, "{given}");
    }
}

#[test]
fn what_is_not_one_media_type_is_refused() {
    for given in [
        "",
        "json",
        "application/",
        "/json",
        "application/json, text/plain",
        "application/json,",
        "application/json; charset=utf-8, text/plain",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=utf-8; CHARSET=utf-8",
        "application/json; charset",
        "application/json; charset=",
        "application/json; charset =utf-8",
        "application/json; charset= utf-8",
        "application/json; charset=\"utf-8",
        "application/json; charset=\"utf-8\"x",
        "application/json; charset='utf-8\"",
        "application/json charset=utf-8",
        "application/json/x",
        " /json",
        "application /json",
        "application/json\u{e9}",
        "application/json; a=\u{e9}",
    ] {
        let read = MediaType::read(given.as_bytes()).map_err(|refusal| refusal.reason);
        assert_eq!(read, Err(Reason::MalformedContentType), "{given}");
    }
}

#[test]
fn only_json_in_utf8_is_json() {
    for (given, encoded, media) in [
        ("application/json", false, Media::Json),
        ("application/json; charset=UTF-8", false, Media::Json),
        ("application/json; charset=\"utf8\"", false, Media::Json),
        ("application/json; profile=x", false, Media::Json),
        ("application/vnd.api+json", false, Media::Json),
        ("application/json", true, Media::Other),
        ("application/json; charset=utf-16", false, Media::Other),
        ("application/json; charset=us-ascii", false, Media::Other),
        ("text/json", false, Media::Other),
        ("text/plain", false, Media::Other),
        ("application/xml", false, Media::Other),
        ("application/x-ndjson", false, Media::Other),
        ("application/x-www-form-urlencoded", false, Media::Form),
        (
            "application/x-www-form-urlencoded; charset=latin1",
            true,
            Media::Form,
        ),
        ("application/x-www-form-urlencoded-x", false, Media::Form),
        ("text/x-www-form-urlencoded", false, Media::Form),
        ("", false, Media::Other),
        ("", true, Media::Other),
        ("multipart/form-data; boundary=x", false, Media::Multipart),
        ("multipart/mixed", true, Media::Multipart),
    ] {
        assert_eq!(
            class(Product::Jira, given, encoded),
            Ok(media),
            "{given} {encoded}"
        );
    }
}

#[test]
fn merging_servers_get_no_body_that_we_cannot_read() {
    for product in [Product::Gitlab, Product::Redmine, Product::Generic] {
        for (given, encoded, reason) in [
            ("application/json", true, Reason::EncodedBody),
            ("application/json; charset=utf-16", false, Reason::EncodedBody),
            ("application/x-www-form-urlencoded", true, Reason::EncodedBody),
            ("text/json", false, Reason::UnclearJson),
            ("application/jsonrequest", false, Reason::UnclearJson),
            ("application/x-json", false, Reason::UnclearJson),
            ("application/json-seq", false, Reason::UnclearJson),
            ("application/jsonx", false, Reason::UnclearJson),
            ("application/geo+json-seq", false, Reason::UnclearJson),
            ("text/plain; x=\"a/json\"", false, Reason::UnclearJson),
            ("text/plain; x=\"+JSON\"", false, Reason::UnclearJson),
            ("application/x-www-form-urlencodedx", true, Reason::EncodedBody),
            ("multipart/form-data; boundary=x", false, Reason::MergedMultipart),
        ] {
            assert_eq!(class(product, given, encoded), Err(reason), "{given} {encoded}");
        }
        assert_eq!(class(product, "application/json", false), Ok(Media::Json));
        assert_eq!(
            class(product, "application/json; x=\"/json\"", false),
            Ok(Media::Json)
        );
        assert_eq!(class(product, "application/x-ndjson", false), Ok(Media::Other));
        assert_eq!(class(product, "application/octet-stream", true), Ok(Media::Other));
        // It is sent on as octets, which no framework takes for a form or for JSON.
        assert_eq!(class(product, "", true), Ok(Media::Other));
    }
    assert_eq!(
        class(Product::Redmine, "application/xml", false),
        Err(Reason::XmlBody)
    );
    assert_eq!(
        class(Product::Redmine, "application/atom+xml", false),
        Err(Reason::XmlBody)
    );
    assert_eq!(class(Product::Gitlab, "application/xml", false), Ok(Media::Other));
}

#[test]
fn lifted_refusals_let_the_body_pass() {
    let lifted = rules(
        Product::Redmine,
        Relax {
            merged_multipart: true,
            xml_body: true,
            ..Relax::NONE
        },
    );
    for (given, media) in [
        ("multipart/form-data; boundary=x", Media::Multipart),
        ("text/xml", Media::Other),
    ] {
        let given = MediaType::read(given.as_bytes()).unwrap();
        assert_eq!(classify(Some(&given), false, &lifted), Ok(media));
    }
}
