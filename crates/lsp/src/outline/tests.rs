use super::{Outline, blocks, line_at, strings};
use tokenward_compiler::source::SourceKind;

fn keys(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let outline = Outline::of(text);
    let sections = outline.sections.iter();
    sections
        .map(|section| {
            let entries = section.entries.iter();
            let pairs = entries.map(|entry| {
                (
                    entry.key.clone(),
                    text.get(entry.value.clone()).unwrap().to_owned(),
                )
            });
            (section.name.clone(), pairs.collect())
        })
        .collect()
}

#[test]
fn sections_keys_and_values_have_their_places() {
    let text = "# c\n[[token]] # first\nname = \"a \\\" = b\" # why\nusers = [\"x\", # one\n  'y']\nlimit_to = '''\n[get]/a # = b\n[[token]]x\n'''\nrevoked = true # no\n[[token]]\nname=\"b\"";
    let found = keys(text);
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].0, "token");
    let pairs: Vec<(&str, &str)> = found[1]
        .1
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("name", "\"a \\\" = b\""),
            ("users", "[\"x\", # one\n  'y']"),
            ("limit_to", "'''\n[get]/a # = b\n[[token]]x\n'''"),
            ("revoked", "true"),
        ]
    );
    assert_eq!(found[2].1, [("name".to_owned(), "\"b\"".to_owned())]);
}

#[test]
fn unfinished_values_end_before_the_next_section() {
    for value in [
        "limit_to = '''\n[get]/a\n",
        "users = [\"a\",\n",
        "users = [\"a\n",
        "na",
        "name =",
        "name = \"x\n",
    ] {
        let text = format!("[[token]]\n{value}\n[[token]]\nname = \"b\"\nlimit_to = '''\n/x\n'''\n");
        let found = keys(&text);
        assert_eq!(found.len(), 3, "{text}");
        assert_eq!(found[2].1[0].1, "\"b\"", "{text}");
    }
}

#[test]
fn strings_of_a_list_are_found_without_its_comments() {
    let text = "[\"a\", 'b', # \"c\"\n\"d";
    let inner = strings(text, 0..text.len());
    let inner: Vec<&str> = inner
        .into_iter()
        .map(|quoted| text.get(quoted.inner).unwrap())
        .collect();
    assert_eq!(inner, ["a", "b", "d"]);
}

#[test]
fn blocks_are_the_texts_between_the_quotes() {
    let text = "[[token]]\nlimit_to = '''\n  [get]/a \n'''\nnote = '''x'''\n";
    let found = blocks(SourceKind::Tokens, text, &Outline::of(text));
    assert_eq!(found.len(), 1);
    assert_eq!(text.get(found[0].clone()), Some("\n  [get]/a \n"));
    let line = line_at(text, text.find("/a").unwrap());
    assert_eq!(text.get(line), Some("[get]/a"));
}

#[test]
fn odd_texts_have_an_outline() {
    let many = format!("[[token]]\n{}", "a = []\n".repeat(50_000));
    let open = "x = [".repeat(20_000);
    let quotes = "'''\n\"\"\"\n\\\"".repeat(10_000);
    for text in [
        &many,
        &open,
        &quotes,
        "=",
        "[",
        "]]",
        "a=",
        "\u{feff}[[token]]",
        "a = '\r\n",
        "é=é",
    ] {
        let outline = Outline::of(text);
        assert!(!outline.sections.is_empty());
        for section in &outline.sections {
            for entry in &section.entries {
                assert!(text.get(entry.value.clone()).is_some());
                assert!(text.get(entry.key_range.clone()).is_some());
            }
        }
    }
}
