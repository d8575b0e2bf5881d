use regex_syntax::ParserBuilder;

use super::*;

fn through(hir: &Hir) -> Hir {
    let mut out = Writer::default();
    encode(&mut out, hir);
    let mut reader = Reader(&out.0);
    let decoded = decode(&mut reader).unwrap();
    reader.end().unwrap();
    decoded
}

#[test]
fn a_tree_stays_what_it_is() {
    for text in [
        "",
        "abc",
        "é",
        "(?-u:\\xff)",
        "[a-cx]",
        "(?i)straße",
        "(?s-u:.)",
        "\\b",
        "^a$",
        "[a&&b]",
        ".*((?:a){2})?",
        "(?:a+)?",
        "(?:a*)+",
        "(?:(?:a?){2}){3}",
        "a{2,}?",
        "(?:ab|cd|)e*",
        "x(?:|y)",
    ] {
        let hir = ParserBuilder::new().utf8(false).build().parse(text).unwrap();
        // What captures is not kept, so the comparison is of what was read back once.
        let once = through(&hir);
        assert_eq!(once, through(&once), "{text}");
        if hir.properties().explicit_captures_len() == 0 {
            assert_eq!(hir, once, "{text}");
        }
    }
}

#[test]
fn a_nesting_past_the_bound_is_refused() {
    let mut bytes = [REPETITION, 0, 0, 0, 0, 0, 1].repeat(MAX_DEPTH as usize);
    bytes.push(EMPTY);
    assert!(decode(&mut Reader(&bytes)).is_ok());
    bytes.splice(..0, [REPETITION, 0, 0, 0, 0, 0, 1]);
    assert_eq!(
        decode(&mut Reader(&bytes)),
        Err(DecodeError::Damaged("a regexp that is nested too deep"))
    );
}
