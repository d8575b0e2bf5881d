use super::super::ReadError;
use super::super::text::plain_run;
use super::error_of;

#[test]
fn only_rfc_8259_is_json() {
    let not_json: &[(&[u8], usize)] = &[
        (b"", 0),
        (b" \n", 2),
        (b"\xEF\xBB\xBF{}", 0),
        (b"{}\x00", 2),
        (b"{} {}", 3),
        (b"{\"a\":1,}", 7),
        (b"{,}", 1),
        (b"{a:1}", 1),
        (b"{'a':1}", 1),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":}", 5),
        (b"{\"a\":1", 6),
        (b"{\"a\"", 4),
        (b"{\"a\":1]", 6),
        (b"{\"a\":1 \"b\":2}", 7),
        (b"{1:2}", 1),
        (b"[1,]", 3),
        (b"[,1]", 1),
        (b"[1 2]", 3),
        (b"[1", 2),
        (b"[", 1),
        (b"]", 0),
        (b"[1}", 2),
        (b"{}//", 2),
        (b"[/**/]", 1),
        (b"\x0b1", 0),
        (b"\xC2\xA01", 0),
        (b"tru", 0),
        (b"truE", 0),
        (b"True", 0),
        (b"nulll", 4),
        (b"NaN", 0),
        (b"-Infinity", 1),
        (b"01", 1),
        (b"-01", 2),
        (b"+1", 0),
        (b"-", 1),
        (b".5", 0),
        (b"1.", 2),
        (b"1.e1", 2),
        (b"1e", 2),
        (b"1e+", 3),
        (b"0x10", 1),
        (b"1_000", 1),
        (b"\"a", 2),
        (b"\"\n\"", 1),
        (b"\"12345678\x1f\"", 9),
        (b"\"\x00\"", 1),
        (b"\"\x1f2345678\"", 1),
        (b"\"\\x41\"", 1),
        (b"\"\\'\"", 1),
        (b"\"\\u00e\"", 1),
        (b"\"\\u+0e9\"", 1),
        (b"\"\\U0041\"", 1),
        (b"\"\\", 1),
        (b"\"\\ud800\"", 1),
        (b"\"\\udc00\\ud800\"", 1),
        (b"\"\\ud800\\u0041\"", 1),
        (b"\"\\udc00\\udc00\"", 1),
        (b"\"\\ud800\\n\"", 1),
        (b"\"\\ud800\\ud800\"", 1),
        (b"\"\\ud800\\ue000\"", 1),
        (b"{\"\\udfff\":1}", 2),
        (b"\"\xFF\"", 1),
        (b"\"\xC0\xAF\"", 1),
        (b"\"\xED\xA0\x80\"", 1),
        (b"\"\xF4\x90\x80\x80\"", 1),
        (b"{\"a\":1,\"a\":2}\xFF", 13),
    ];
    for (body, at) in not_json {
        match error_of(body, "a") {
            Some(ReadError::NotJson { offset, .. }) => assert_eq!(offset, *at, "{}", body.escape_ascii()),
            other => panic!("{}: {other:?}", body.escape_ascii()),
        }
    }
    let json = [
        "0",
        "-0",
        "[ ]",
        "{ }",
        "1E+2",
        "-0.0e-0",
        "\"\\u0000\u{7f}\u{2028}\"",
        "\"\u{feff}\"",
        "\t[1 , 2]\r\n",
    ];
    for body in json {
        assert_eq!(error_of(body.as_bytes(), "a"), None, "{body}");
    }
}

#[test]
fn nesting_goes_to_128_levels() {
    let arrays = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    for body in [
        arrays(128),
        objects(128),
        format!("[{},{}]", arrays(127), objects(127)),
    ] {
        assert_eq!(error_of(body.as_bytes(), "a.a"), None);
    }
    for (body, at) in [
        (arrays(129), 128),
        (objects(129), 128 * 5),
        ("[".repeat(1_000_000), 128),
    ] {
        let what = "nesting deeper than 128 levels";
        assert_eq!(
            error_of(body.as_bytes(), "a.a"),
            Some(ReadError::NotJson { offset: at, what })
        );
    }
}

#[test]
fn runs_of_plain_text_end_at_the_first_special_byte() {
    for byte in 0..=u8::MAX {
        for at in 0..20 {
            let mut bytes = [b'x'; 20];
            bytes[at] = byte;
            let special = byte < 0x20 || byte == b'"' || byte == b'\\';
            assert_eq!(
                plain_run(&bytes),
                if special { at } else { 20 },
                "{byte:#x} at {at}"
            );
            // Bytes behind it do not matter.
            bytes[19] = b'"';
            assert_eq!(
                plain_run(&bytes),
                if special { at } else { 19 },
                "{byte:#x} at {at}"
            );
        }
    }
}
