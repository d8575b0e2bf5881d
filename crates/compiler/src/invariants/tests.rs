use super::*;

#[test]
fn globs() {
    for (glob, text, is) in [
        ("*", "", true),
        ("ci-*", "ci-comments", true),
        ("ci-*", "aci-", false),
        ("*-bot", "release-bot", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "acb", false),
        ("ab*ba", "aba", false),
        ("exact", "exact", true),
        ("exact", "exactly", false),
    ] {
        assert_eq!(matches(glob, text), is, "{glob} {text}");
    }
}
