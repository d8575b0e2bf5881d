use super::*;
use crate::json;

#[test]
fn numbers_are_those_of_the_reader() {
    let (number, plain) = (number().unwrap(), plain().unwrap());
    let path = json::Path(vec![json::Step::Name("n".to_owned())]);
    let mut wanted = json::Wanted::new();
    let slot = wanted.node(&path);
    let alphabet = [
        "", "-", "0", "1", "9", "10", ".", ".5", ".0", "e", "E+1", "00", "1234567", "+",
    ];
    for (a, b, c, d) in itertools(&alphabet) {
        let text = format!("{a}{b}{c}{d}");
        let body = format!("{{\"n\":{text}}}");
        let read = json::read(body.as_bytes(), &wanted);
        let value = read
            .as_ref()
            .ok()
            .and_then(|nodes| nodes.node(slot).values.first());
        assert_eq!(number.matches(text.as_bytes()), value.is_some(), "{text}");
        assert_eq!(
            plain.matches(text.as_bytes()),
            value.is_some_and(|value| value.plain),
            "{text}"
        );
    }
    assert!(plain.matches(b"12345678901234.5") && !plain.matches(b"123456789012345.5"));
}

fn itertools<'a>(words: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str, &'a str, &'a str)> {
    let pairs = move || {
        words
            .iter()
            .flat_map(move |a| words.iter().map(move |b| (*a, *b)))
    };
    pairs().flat_map(move |(a, b)| pairs().map(move |(c, d)| (a, b, c, d)))
}

#[test]
fn paths_are_those_that_the_proxy_lets_through() {
    let (rooted, no_path) = (rooted().unwrap(), no_path().unwrap());
    let is_path = |text: &str| rooted.matches(text.as_bytes()) && !no_path.matches(text.as_bytes());
    for good in [
        "/",
        "/a",
        "/a/",
        "/...",
        "/a..b",
        "/.a",
        "/a b",
        "/ ",
        "/é",
        "/%",
        "/100%",
        "/%zz",
        "/a#",
        "/A\u{ff0f}B",
        "/%u12",
    ] {
        assert!(is_path(good), "{good}");
    }
    for bad in [
        "",
        "a",
        "//",
        "/a//b",
        "/rest/. .",
        "/rest/. ./",
        "/rest/.\u{200b}.",
        "/rest/\u{2060}.\u{fe0f}/x",
        "/.",
        "/..",
        "/a/../b",
        "/./a",
        "/ . ",
        "/a/..",
        "/a;b",
        "/a\\b",
        "/\0",
        "/\u{85}",
        "/%41",
        "/%u0041",
        "/\u{ff0e}",
        "/a\u{ff0f}..",
        "/\u{2025}",
        "/\u{a0}.",
        "/x\u{37e}\u{2024}.",
    ] {
        assert!(!is_path(bad), "{bad}");
    }
}
