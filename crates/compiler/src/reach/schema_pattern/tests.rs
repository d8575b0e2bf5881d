use super::*;

/// Whether a pattern matches a text of a path.
fn matches(pattern: &str, text: &str) -> bool {
    Matcher::new(&read(pattern).unwrap()).unwrap().matches(text)
}

#[test]
fn patterns_are_read_as_json_schema_reads_them() {
    for (pattern, texts, others) in [
        // Anywhere in the value, unless anchored.
        ("a", ["a", "xay"], ["b", ""]),
        ("^a", ["a", "ab"], ["ba", ""]),
        ("a$", ["a", "ba"], ["ab", ""]),
        ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
        ("^(?:^[0-9]+$)$", ["1", "42"], ["", "a1"]),
        ("(?:^a$|^b$)", ["a", "b"], ["ab", ""]),
        // Digits and words are those of ASCII, white space that of Unicode.
        (r"^\d$", ["1", "9"], ["\u{663}", "a"]),
        (r"^\w$", ["a", "_"], ["\u{e4}", "-"]),
        (r"^\s$", ["\u{a0}", "\u{feff}"], ["a", ""]),
        (r"^\S$", ["a", "\u{e4}"], ["\u{a0}", " "]),
        (r"^[^\s]$", ["a", "\u{e4}"], ["\u{2003}", "\t"]),
        // Spellings of characters.
        (r"^\u0041\x42$", ["AB", "AB"], ["u0041", "A"]),
        (r"^a\.b\-c$", ["a.b-c", "a.b-c"], ["axb-c", ""]),
        ("^[-a]$", ["-", "a"], ["b", ""]),
        // The end is the end of the value.
        ("^a$", ["a", "a"], ["a\n", "A"]),
        // A slash is encoded in the path.
        (r"^a\/b$", ["a%2Fb", "a%2Fb"], ["a/b", "ab"]),
        ("^[a-z/]+$", ["ab", "a%2Fb"], ["a/b", "%"]),
        ("^.$", ["a", "%2F"], ["/", "ab"]),
    ] {
        for text in texts {
            assert!(matches(pattern, text), "{pattern} {text:?}");
        }
        for text in others {
            assert!(!matches(pattern, text), "{pattern} {text:?}");
        }
    }
}

#[test]
fn constructs_that_programs_read_differently_are_refused() {
    let refused = [
        "(?i)^abc$",
        "^(?i)abc$",
        "^(?i:abc)$",
        "(?x)^a b$",
        "^a(?-u)b$",
        r"^\p{L}+$",
        r"^\pL$",
        r"^\P{Lu}$",
        r"^[\p{L}]$",
        r"\Aabc\z",
        r"^\<a$",
        r"^a\b$",
        "^(a|$)b$",
        "^[[:alpha:]]+$",
        "^[a-z&&b]$",
        "^[[a]b]$",
        "^[]a]$",
        "^[^]a]$",
        "^[--/]$",
        "^[a--b]$",
        r"^\a$",
        r"^\x{41}$",
        r"^\u{41}$",
        r"^\U00000041$",
        "^(?=a)b$",
        "^(?!a)b$",
        "^(?<=a)b$",
        r"^(a)\1$",
        r"^\cA$",
        r"^\0$",
        r"^\ud83d\ude00$",
        "^a{,3}$",
        r"^[\w-.]$",
        "^(?>a)$",
        r"^\Qa\E$",
        r"^\h$",
        "a(",
        "[a",
        "^a{100}{100}{100}$",
        "^A{1 ,2}-1$",
        "^A++-1$",
        "^A{1,2}{3}-1$",
    ];
    for pattern in refused {
        assert!(read(pattern).is_err(), "{pattern}");
    }
}
