//! Tests of paths, with one row for each sentence of the specification.

use super::*;
use proptest::prelude::*;

fn encode(text: &str, relax: &Relax) -> String {
    let mut out = String::new();
    push_encoded(&mut out, text, relax);
    out
}

fn read(raw: &str) -> Result<String, Reason> {
    let decoded = decode(raw, &Relax::NONE);
    decoded
        .map(|text| text.to_string())
        .map_err(|refusal| refusal.reason)
}

#[test]
fn what_has_one_reading_is_decoded_once() {
    for (raw, text) in [
        ("/", "/"),
        ("/rest/api/2/issue/JRA-1", "/rest/api/2/issue/JRA-1"),
        ("/%72est/api", "/rest/api"),
        ("/role/", "/role/"),
        ("/R%C3%A9sum%c3%a9", "/Résumé"),
        ("/A%EF%BC%8FB/C%E2%80%A6", "/A／B/C…"),
        ("/cafe%CC%81", "/cafe\u{301}"),
        ("/Release%20Notes+x", "/Release Notes+x"),
        ("/What%3F", "/What?"),
        ("/x%23y", "/x#y"),
        ("/100%25", "/100%"),
        ("/100%25+sure", "/100%+sure"),
        ("/%25zz", "/%zz"),
        ("/%25u12", "/%u12"),
        ("/%25%25", "/%%"),
        ("/v1..v2/..name.txt/.../.hidden", "/v1..v2/..name.txt/.../.hidden"),
        ("/a:b@c!$&'()*,=~", "/a:b@c!$&'()*,=~"),
        ("/{x}|\"<>^`[]", "/{x}|\"<>^`[]"),
    ] {
        assert_eq!(read(raw), Ok(text.to_owned()), "{raw}");
    }
}

#[test]
fn a_long_path_is_refused() {
    let path = format!("/{}", "x".repeat(PATH_BYTES - 1));
    assert_eq!(read(&path).map(|text| text.len()), Ok(PATH_BYTES));
    assert_eq!(read(&format!("{path}x")), Err(Reason::LongPath));
}

#[test]
fn what_has_several_readings_is_refused_by_name() {
    for (reason, raws) in [
        (
            Reason::MalformedEscape,
            &["/%", "/%2", "/%zz", "/%u002e", "/%2x", "/a%/b", "/%+2"][..],
        ),
        (
            Reason::PathNotUtf8,
            &[
                "/%ff",
                "/%c0%ae%c0%ae/x",
                "/..%e0%80%afx",
                "/%c1%9c",
                "/%ed%a0%80",
                "/%C3",
                "/%f4%90%80%80",
            ],
        ),
        (Reason::Nul, &["/a%00", "/%00/b"]),
        (
            Reason::ControlCharacter,
            &[
                "/a%0a",
                "/a%0d%0aX:y",
                "/a%09b",
                "/%7f",
                "/%C2%85",
                "/%c2%80",
                "/%1b",
            ],
        ),
        (Reason::Backslash, &["/a\\b", "/a%5Cb", "/..%5c..%5cb", "\\a"]),
        (Reason::EncodedSlash, &["/a%2Fb", "/a%2fb", "/..%2f..", "/%2F"]),
        (
            Reason::DoubleEncoding,
            &[
                "/%252e%252e/x",
                "/..%252fx",
                "/%25%32%65",
                "/%2500",
                "/%253B",
                "/%25u002e",
                "/%25U002E",
                "/x%25de",
            ],
        ),
        (
            Reason::Semicolon,
            &[
                "/a;b",
                "/a%3Bb",
                "/..;/x",
                "/%2e%2e;/x",
                "/;/x",
                "/a;jsessionid=1",
            ],
        ),
        (
            Reason::DotSegment,
            &[
                "/a/../b",
                "/a/./b",
                "/..",
                "/.",
                "/a/..",
                "/a/.",
                "/%2e%2e/x",
                "/.%2E/x",
                "/%2e",
                "/a/..%20/b",
                "/%20./b",
                "/%EF%BC%8E%EF%BC%8E/x",
                "/.%E2%80%A4",
                "/%E2%80%A5/x",
                "/..%EF%BC%8Fx",
                "/a%EF%BC%BC..%EF%BC%9Bx",
                "/%C2%A0..",
            ],
        ),
        (Reason::EmptySegment, &["//a", "/a//b", "/a//", "//", "///"]),
    ] {
        for raw in raws {
            assert_eq!(read(raw), Err(reason), "{raw}");
        }
    }
}

/// With each refusal lifted, the allowed text is matched and forwarded as that text; related texts are still refused.
#[test]
fn lifted_refusals_keep_matched_text_and_sent_text_the_same() {
    for (name, raw, text, sent, still) in [
        (
            "control_character",
            "/a%0Ab%C2%85",
            "/a\nb\u{85}",
            "/a%0Ab%C2%85",
            "/a%00",
        ),
        ("nul", "/a%00b", "/a\0b", "/a%00b", "/a%01"),
        ("backslash", "/a\\b%5cc", "/a\\b\\c", "/a%5Cb%5Cc", "/a/..\\b"),
        ("backslash", "/a%5Cb", "/a\\b", "/a%5Cb", "/a\\\\b"),
        (
            "encoded_slash",
            "/group%2fproject/x",
            "/group%2Fproject/x",
            "/group%2Fproject/x",
            "/a%2F..%2Fb",
        ),
        ("encoded_slash", "/a%2Fb%25", "/a%2Fb%", "/a%2Fb%25", "/a%252Fb"),
        ("encoded_slash", "/a%25%2Fb", "/a%%2Fb", "/a%25%2Fb", "/a%25%32fb"),
        ("encoded_slash", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a%2F%2Fb"),
        ("encoded_slash", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a%2F"),
        ("encoded_slash", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a%2F;b"),
        ("encoded_slash", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/%2Fa"),
        (
            "double_encoding",
            "/%252e%252e/x",
            "/%2e%2e/x",
            "/%252e%252e/x",
            "/%2e%2e/x",
        ),
        ("double_encoding", "/a%252Fb", "/a%2Fb", "/a%252Fb", "/a%2Fb"),
        ("semicolon", "/a;b%3Bc", "/a;b;c", "/a;b;c", "/..;x/b"),
        ("semicolon", "/a;b", "/a;b", "/a;b", "/;x/b"),
        ("semicolon", "/a;b/", "/a;b/", "/a;b/", "/a/;b"),
        ("dot_segment", "/a/%2e%2e/b", "/a/../b", "/a/../b", "/a//b"),
        ("empty_segment", "/a//b", "/a//b", "/a//b", "/a/../b"),
    ] {
        let mut relax = Relax::NONE;
        assert!(relax.set(name, true));
        assert_eq!(decode(raw, &relax).unwrap(), text, "{name} {raw}");
        assert_eq!(encode(text, &relax), sent, "{name} {raw}");
        assert!(read(raw).is_err(), "{name} {raw}");
        assert!(decode(still, &relax).is_err(), "{name} {still}");
    }
    let both = Relax {
        encoded_slash: true,
        double_encoding: true,
        ..Relax::NONE
    };
    for raw in ["/a%252fb", "/a%252Fb", "/a%25%32%46b"] {
        assert_eq!(
            decode(raw, &both).unwrap_err().reason,
            Reason::DoubleEncoding,
            "{raw}"
        );
    }
}

/// A second implementation of the specification's rule: split first, then decode each segment by the table.
fn naive(raw: &str) -> Option<String> {
    let mut out = String::new();
    let segments: Vec<&str> = raw.strip_prefix('/')?.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let mut pieces = segment.split('%');
        let mut bytes = pieces.next()?.as_bytes().to_vec();
        for piece in pieces {
            let digits = piece
                .get(..2)
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            bytes.extend_from_slice(piece.get(2..)?.as_bytes());
        }
        let text = String::from_utf8(bytes).ok()?;
        let last = index + 1 == segments.len();
        if text.contains(['/', '\\', ';', '\0'])
            || text.chars().any(char::is_control)
            || (text.is_empty() && !last)
        {
            return None;
        }
        let dots = text.matches('.').count();
        if matches!(dots, 1 | 2) && text.split('.').all(|between| between.trim().is_empty()) {
            return None;
        }
        let again = text.match_indices('%').any(|(at, _)| {
            let rest = &text.as_bytes()[at + 1..];
            let hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
            rest.len() >= 2 && hex(&rest[..2])
                || rest.len() >= 5 && rest[0].eq_ignore_ascii_case(&b'u') && hex(&rest[1..5])
        });
        if again {
            return None;
        }
        out.push('/');
        out.push_str(&text);
    }
    Some(out)
}

fn nasty() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", ".", "..", "%2e", "%2E", "%2F", "%2f", "%25", "%5c", "\\", ";", "%3b", "%00", "%0a",
        "%c3%a9", "%c0", "%", "2", "e", "F", "u", "0", "a", "+", "%20", "%C2%85", "?", "%3F", "#", "%23",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn agrees_with_the_naive_reading(raw in nasty()) {
        prop_assert_eq!(read(&raw).ok(), naive(&raw));
    }

    #[test]
    fn what_is_sent_reads_as_what_was_judged(raw in nasty(), bits in any::<[bool; 8]>()) {
        let [control_character, nul, backslash, encoded_slash, double_encoding, semicolon, dot_segment, empty_segment] = bits;
        let relax = Relax {
            control_character, nul, backslash, encoded_slash, double_encoding, semicolon, dot_segment, empty_segment,
            ..Relax::NONE
        };
        if let Ok(text) = decode(&raw, &relax) {
            let sent = encode(&text, &relax);
            prop_assert!(sent.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\".contains(&byte)));
            prop_assert_eq!(decode(&sent, &relax).ok(), Some(text.clone()));
            if !dot_segment {
                prop_assert!(!text.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")));
            }
            if !control_character && !nul {
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
