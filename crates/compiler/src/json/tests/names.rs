use super::super::{ReadError, Wanted, read};
use super::{check, error_of, path};

#[test]
fn a_name_stands_once_in_an_object() {
    let twice = |offset| Some(ReadError::DuplicateName { offset });
    assert_eq!(error_of(br#"{"x":1,"x":1}"#, "a"), twice(7));
    assert_eq!(error_of(br#"{"x":1, "\u0078":1}"#, "a"), twice(8));
    assert_eq!(error_of(br#"{"a":{"":1,"y":[],"":1}}"#, "a"), twice(18));
    assert_eq!(error_of(br#"[[{"x":{"x":1},"x":1}]]"#, "a"), twice(15));
    assert_eq!(
        error_of(br#"{"x":{"x":{"x":1}},"y":{"x":1},"X":[{"x":1},{"x":1}]}"#, "a"),
        None
    );
    // As the body need not be read further.
    assert_eq!(error_of(br#"{"x":1,"x" garbage"#, "a"), twice(7));
}

#[test]
fn large_objects_are_known_to_their_last_name() {
    let object = |names: usize, inner: &str| {
        let members: Vec<_> = (0..names).map(|name| format!(r#""n{name}":{inner}"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    for names in [15, 16, 17, 18, 100_000] {
        let body = object(names, "1");
        assert_eq!(error_of(body.as_bytes(), "a"), None);
        for again in [0, 14, names - 1] {
            let twice = body.replace('}', &format!(r#","n{again}":1}}"#));
            assert_eq!(
                error_of(twice.as_bytes(), "a"),
                Some(ReadError::DuplicateName { offset: body.len() })
            );
        }
    }
    // Large objects within large ones, each followed by more names of the outer one.
    let nested = object(20, &object(20, &object(3, &object(18, "{}"))));
    assert_eq!(error_of(nested.as_bytes(), "a"), None);
    check("n19.n19.n2.n17", &nested, "FO");
    check("n19.n19.n2.n18", &nested, "M");
    let twice = nested.replacen("}}}}}", r#"}}}},"n3":1}"#, 1);
    assert!(
        matches!(
            error_of(twice.as_bytes(), "a"),
            Some(ReadError::DuplicateName { .. })
        ),
        "{twice}"
    );
}

#[test]
fn control_characters_stand_in_no_name() {
    for name in [
        r"\u0000", r"x\n", r"\u007f", "\u{7f}", "\u{85}", r"\u009f", "é\u{80}",
    ] {
        let body = format!(r#"[{{"{name}":1}}]"#);
        let expect = Some(ReadError::ControlInName { offset: 2 });
        assert_eq!(error_of(body.as_bytes(), "a"), expect, "{}", body.escape_debug());
    }
    assert_eq!(
        error_of("{\"\u{a0}\u{200b}\\u2028\":\"\\u0000\"}".as_bytes(), "a"),
        None
    );
}

#[test]
fn a_wanted_name_stands_in_one_case() {
    let variant = |offset| Some(ReadError::CaseVariant { offset });
    assert_eq!(error_of(br#"{"Key":1}"#, "key"), variant(1));
    assert_eq!(error_of(br#"{"key":1, "\u004bEY":1}"#, "key"), variant(10));
    assert_eq!(error_of(br#"{"a":[{"b":{"C":1}}]}"#, "a[*].b.c"), variant(12));
    assert_eq!(error_of(br#"{"FIELDS":1}"#, "fields.key"), variant(1));
    // Another place.
    for body in [
        r#"{"x":{"Key":1}}"#,
        r#"{"key":{"Key":1}}"#,
        r#"[{"Key":1}]"#,
        r#"{"keys":1,"KE":1}"#,
    ] {
        assert_eq!(error_of(body.as_bytes(), "key"), None, "{body}");
    }
    let pairs = [
        ("k", "\u{212a}"),
        ("s", "ſ"),
        ("straße", "STRASSE"),
        ("straße", "straẞe"),
        ("id", "İd"),
    ];
    for (one, other) in pairs
        .into_iter()
        .chain([("σας", "ΣΑΣ"), ("é", "É"), ("ǆ", "ǅ"), ("ω", "\u{2126}")])
    {
        assert_eq!(
            error_of(format!(r#"{{"{one}":1}}"#).as_bytes(), other),
            variant(1),
            "{one}"
        );
        assert_eq!(
            error_of(format!(r#"{{"{other}":1}}"#).as_bytes(), one),
            variant(1),
            "{other}"
        );
    }
    // Where a policy wants a name in both cases, a server may still not tell them apart.
    let paths = [path("id"), path("Id")];
    let mut wanted = Wanted::new();
    for path in &paths {
        wanted.node(path);
    }
    assert_eq!(
        read(br#"{"id":1}"#, &wanted),
        Err(ReadError::CaseVariant { offset: 1 })
    );
    assert_eq!(
        read(br#"{"Id":1}"#, &wanted),
        Err(ReadError::CaseVariant { offset: 1 })
    );
}
