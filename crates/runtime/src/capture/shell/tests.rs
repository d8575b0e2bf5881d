use super::*;

fn failed(text: &str) -> String {
    let (line, message) = parse(text, 1, 0).unwrap_err();
    format!("{line}: {message}")
}

#[test]
fn scripts_that_bash_refuses_are_refused_with_their_line() {
    for (text, expected) in [
        ("a\nif b; then c", "2: `fi` is missing"),
        ("a 'b", "1: a ' is not closed"),
        ("a \"b", "1: a \" is not closed"),
        ("a\nfi", "2: `fi` is not expected here"),
        ("a )", "1: `)` is not expected here"),
        ("( a", "1: `)` is missing"),
        ("cat <<E\nx", "here-document is not closed"),
        ("for x in a b; do c", "1: `done` is missing"),
        ("a $(b", "is not closed"),
        ("a `b", "is not closed"),
        ("a ${b", "is not closed"),
    ] {
        let found = failed(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn nesting_has_a_bound() {
    for (open, close) in [
        ("( ", ")"),
        ("$(", ")"),
        ("{ ", "; }"),
        ("\"$(", ")\""),
        ("${a:-", "}"),
        ("if a; then ", "; fi"),
    ] {
        let text = format!("{}a{}", open.repeat(20_000), close.repeat(20_000));
        assert!(failed(&text).contains("nested too deeply"), "{open}");
    }
}

#[test]
fn each_text_is_read_or_refused() {
    let pieces = [
        "a",
        " ",
        "\n",
        ";",
        "&&",
        "||",
        "|",
        "&",
        "(",
        ")",
        "{",
        "}",
        "'",
        "\"",
        "`",
        "$",
        "$(",
        "${",
        "\\",
        "<<E\n",
        "E\n",
        "<",
        ">",
        "if ",
        "then ",
        "fi",
        "case x in ",
        "esac",
        ";;",
        "for x in ",
        "do ",
        "done",
        "[[ ",
        " ]]",
        "((",
        "))",
        "x=",
        "x=(",
        "#",
    ];
    // A small generator, so that a failure can be repeated.
    let mut state = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % pieces.len();
            text.push_str(pieces.get(at).unwrap());
        }
        let _ = parse(&text, 1, 0);
    }
}
