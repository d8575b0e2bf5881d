use super::*;

#[test]
fn a_match_in_a_text_is_seen_in_whatever_it_stands_in() {
    for (pattern, text) in [
        (r"^https://x/\d+$", "https://x/12"),
        (r"\bissue\b", "/issue/"),
        ("(?i)ISSUE|^$", "/issue"),
        ("é.", "/éa"),
        ("^(a|b){2,3}?$", "ab"),
        ("(?-u:[a-c])x", "cx"),
    ] {
        let pattern = UrlPattern::new(pattern).unwrap();
        assert!(pattern.is_in(text), "{pattern:?}");
        let content = [b"\xff\x00w".as_slice(), text.as_bytes(), b"w\xfe"].concat();
        assert!(pattern.may_be_in(&content), "{pattern:?}");
    }
    assert!(!UrlPattern::new("^nowhere$").unwrap().may_be_in(b"\x07somewhere"));
}

#[test]
fn patterns_are_bounded_and_errors_say_what_is_wrong() {
    let digits = UrlPattern::new(r"/issue/[A-Z]+-\d+$").unwrap();
    assert!(digits.is_in("https://x/issue/AB-12") && !digits.is_in("https://x/issue/AB-12/comment"));
    let error = UrlPattern::new("a(b").unwrap_err().to_string();
    assert_eq!(error, "`a(b` is not a regular expression: unclosed group");
    assert!(matches!(
        UrlPattern::new(r"(\w{1000}){1000}"),
        Err(PatternError::TooLarge {
            limit: SIZE_LIMIT,
            ..
        })
    ));
}
