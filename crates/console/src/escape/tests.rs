use super::*;

#[test]
fn hidden_characters_are_shown_and_markup_is_text() {
    assert_eq!(visible("a\u{202e}b\n\u{7f}"), "a\\u{202e}b\\n\\u{7f}");
    assert_eq!(visible_lines("a\nb\u{200b}"), "a\nb\\u{200b}");
    assert_eq!(html("<b x='\"'>&"), "&lt;b x=&#39;&quot;&#39;&gt;&amp;");
    assert_eq!(page("<p>a\u{2066}</p>\n".to_owned()), "<p>a\\u{2066}</p>\n");
}

#[test]
fn fields_keep_their_text() {
    assert_eq!(field("a\nb\t\"<\u{202e}\0"), "a\nb\t&quot;&lt;&#8238;\u{fffd}");
}

#[test]
fn long_texts_are_cut_at_characters_and_tell_their_length() {
    assert_eq!(cut("äöü", 3), "äöü");
    assert_eq!(cut("äöüß", 3), "äöü… (4 characters)");
    assert_eq!(cut(&"x".repeat(65_536), 2), "xx… (65,536 characters)");
}

#[test]
fn the_compiler_hides_the_same_characters() {
    let all = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
    for character in all {
        assert_eq!(
            is_hidden(character),
            tokenward_compiler::is_hidden(character),
            "{character:?}"
        );
    }
}
