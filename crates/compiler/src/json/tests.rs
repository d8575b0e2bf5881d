mod grammar;
mod names;
mod properties;

use super::{Kind, Node, Nodes, Path, ReadError, Step, Wanted, read};

/// Reads `a.b[*]`; names without quotes.
fn path(text: &str) -> Path {
    let mut steps = Vec::new();
    for part in text.split('.').filter(|part| !part.is_empty()) {
        let name = part.trim_end_matches("[*]");
        if !name.is_empty() {
            steps.push(Step::Name(name.to_owned()));
        }
        steps.extend(std::iter::repeat_n(Step::Each, part.matches("[*]").count()));
    }
    Path(steps)
}

/// The flags by their initials (misfit: X), then the values by the initials of their kinds, then the members.
fn show(node: &Node<'_>) -> String {
    let mut shown = String::new();
    for (flag, letter) in [
        (node.found, 'F'),
        (node.missing, 'M'),
        (node.lacking, 'L'),
        (node.object, 'O'),
        (node.misfit, 'X'),
    ] {
        if flag {
            shown.push(letter);
        }
    }
    for value in &node.values {
        let kind = match value.kind {
            Kind::String => 's',
            Kind::Number => 'n',
            Kind::Boolean => 'b',
            Kind::Null => 'z',
        };
        let plain = if value.plain { "" } else { "~" };
        shown.push_str(&format!(" {kind}{plain}:{}", value.text));
    }
    for member in &node.members {
        shown.push_str(&format!(" {member}"));
    }
    shown.trim().to_owned()
}

fn check(wanted_path: &str, body: &str, expect: &str) {
    let path = path(wanted_path);
    let mut wanted = Wanted::new();
    let slot = wanted.node(&path);
    let nodes = read(body.as_bytes(), &wanted).unwrap_or_else(|error| panic!("{body}: {error}"));
    assert_eq!(show(nodes.node(slot)), expect, "`{wanted_path}` in {body}");
}

fn check_members(wanted_path: &str, body: &str, expect: &str) {
    let path = path(wanted_path);
    let mut wanted = Wanted::new();
    let slot = wanted.members(&path);
    let nodes = read(body.as_bytes(), &wanted).unwrap_or_else(|error| panic!("{body}: {error}"));
    assert_eq!(
        show(nodes.node(slot)),
        expect,
        "members of `{wanted_path}` in {body}"
    );
}

fn error_of(body: &[u8], wanted_path: &str) -> Option<ReadError> {
    let path = path(wanted_path);
    let mut wanted = Wanted::new();
    wanted.node(&path);
    read(body, &wanted).err()
}

#[test]
fn scalars_keep_their_kind_and_text() {
    check("a", r#"{"a":"x"}"#, "F s:x");
    check("a", r#"{"a":""}"#, "F s:");
    check(
        "a",
        r#"{"a":"\u00e9\n\/\"\\\b\f\r\t\ud83d\ude00"}"#,
        "F s:é\n/\"\\\u{8}\u{c}\r\t😀",
    );
    check("a", r#"{"a":true,"b":2}"#, "F b:true");
    check("a", r#"{"b":2,"a":false}"#, "F b:false");
    check("a", " {\t\"a\"\r\n: null } ", "F z:null");
    check("a", r#"{"a":-12.50e+3}"#, "F n~:-12.50e+3");
    check("\u{e9}", r#"{"\u00e9":1}"#, "F n:1");
    check("", r#""x""#, "F s:x");
    check("", "[1,[2]]", "F n:1 n:2");
}

#[test]
fn unescaped_text_is_borrowed() {
    let path = path("a");
    let mut wanted = Wanted::new();
    let slot = wanted.node(&path);
    let nodes = read(br#"{"a":["plain","esc\u0061ped"]}"#, &wanted).unwrap();
    let borrowed = |text| matches!(text, &std::borrow::Cow::Borrowed(_));
    let borrowed: Vec<_> = nodes
        .node(slot)
        .values
        .iter()
        .map(|value| borrowed(&value.text))
        .collect();
    assert_eq!(borrowed, [true, false]);
}

#[test]
fn paths_lead_through_objects() {
    check("a.b.c", r#"{"a":{"b":{"c":1},"c":2},"c":3}"#, "F n:1");
    check("a.b.c", r#"{"x":{"a":{"b":{"c":1}}}}"#, "M");
    check("a.b.c", r#"{"a":{}}"#, "M");
    check("a.b", r#"{"a":null}"#, "X");
    check("a.b", r#"{"a":[]}"#, "X");
    check("a.b", r#"{"a":[{"b":1}]}"#, "X");
    check("a.b.c", r#"{"a":"b"}"#, "X");
    check("a", "{}", "M");
    check("a", r#"{"a":{}}"#, "FO");
    check("", r#"{"a":1}"#, "FO");
}

#[test]
fn arrays_stand_for_their_elements() {
    check("a", r#"{"a":[]}"#, "F");
    check("a", r#"{"a":[1,[2,[[]],3],"4"]}"#, "F n:1 n:2 n:3 s:4");
    check("a", r#"{"a":[1,[{"a":2,"b":[3,{"a":4}]}],5]}"#, "FO n:1 n:5");
    check("a", r#"{"a":[{}],"b":[1]}"#, "FO");
}

#[test]
fn each_leads_to_every_element() {
    check("a[*]", r#"{"a":[1,"2",[3,[4]]]}"#, "F n:1 s:2 n:3 n:4");
    check("a[*]", r#"{"a":[]}"#, "");
    check("a[*]", r#"{"a":[[]]}"#, "F");
    check("a[*]", r#"{"a":[1,{"b":2}]}"#, "FO n:1");
    check("a[*]", r#"{"a":1}"#, "X");
    check("a[*]", r#"{"a":{"b":1}}"#, "X");
    check("a[*]", "{}", "M");
    check("a[*].b", r#"{"a":[{"b":1},{"b":[2,3]}]}"#, "F n:1 n:2 n:3");
    check("a[*].b", r#"{"a":[{"b":1},{"c":2}]}"#, "FML n:1");
    check("a[*].b.c", r#"{"a":[{"b":{}},{}]}"#, "ML");
    check("a.b[*].c", r#"{"a":{}}"#, "M");
    check("a[*].b[*]", r#"{"a":[{"b":[1]},{}]}"#, "FML n:1");
    check("a[*].b", r#"{"a":[{"b":1},2,{"b":{}}]}"#, "FOX n:1");
    check("a[*].b", r#"{"a":[]}"#, "");
    check("a[*].b", r#"{"a":[[{"b":1}]]}"#, "X");
    check("a[*][*].b", r#"{"a":[[{"b":1}],[],[{"b":2}]]}"#, "F n:1 n:2");
    check("a[*][*].b", r#"{"a":[[{"b":1}],{"b":2}]}"#, "FX n:1");
}

#[test]
fn a_root_of_the_wrong_kind_is_a_misfit_below_it() {
    for body in ["[]", "1", r#""a""#, "null"] {
        check("a", body, "X");
        check("a[*].b", body, "X");
        check("[*]", body, if body == "[]" { "" } else { "X" });
        check_members("", body, "X");
        check_members("a", body, "X");
    }
    check("", "null", "F z:null");
    check("", "{}", "FO");
    // A root that is an array has elements as any array.
    check("", r#"["a",[1,{}]]"#, "FO s:a n:1");
    check("[*]", r#"["a",[1]]"#, "F s:a n:1");
    check("[*].a", r#"[{"a":1},{"a":null}]"#, "F n:1 z:null");
    check("[*].a", r#"[{"a":1},{}]"#, "FML n:1");
    check_members("[*]", r#"[{"a":1},{"b":2}]"#, "FO a b");
    check_members("[*]", r#"[{"a":1},2]"#, "FOX a");
    // Forbid lines look at values even where something does not fit.
    check("[*].a", r#"[{"a":1},[]]"#, "FX n:1");
    check("[*]", "{}", "X");
}

#[test]
fn members_are_the_names_of_objects() {
    check_members("", r#"{"b":{"x":1},"\u0061":2}"#, "FO b a");
    check_members("", "{}", "FO");
    check_members("a", r#"{"b":1}"#, "M");
    check_members("a", r#"{"a":{"b":[{"c":1}]}}"#, "FO b");
    check_members("a", r#"{"a":[{"b":1}]}"#, "X");
    check_members("a", r#"{"a":null}"#, "X");
    check_members("a[*]", r#"{"a":[{"b":1},{"c":1,"b":2},3]}"#, "FOX b c b");
    check_members("a[*].b", r#"{"a":[{"b":{"d":1}},{}]}"#, "FMLO d");
}

#[test]
fn wanted_paths_do_not_disturb_each_other() {
    let paths = ["a", "a[*]", "a[*].b", "a[*].b.c", "a[*]", "z", ""].map(path);
    let mut wanted = Wanted::new();
    assert!(wanted.is_empty());
    let slots: Vec<_> = paths.iter().map(|path| wanted.node(path)).collect();
    let members = wanted.members(&paths[1]);
    assert!(!wanted.is_empty());
    let nodes = read(br#"{"a":[1,[2],{"b":{"c":3}},{"b":4}]}"#, &wanted).unwrap();
    let shown: Vec<_> = slots.iter().map(|slot| show(nodes.node(*slot))).collect();
    assert_eq!(
        shown,
        [
            "FO n:1 n:2",
            "FO n:1 n:2",
            "FOX n:4",
            "FX n:3",
            "FO n:1 n:2",
            "M",
            "FO"
        ]
    );
    assert_eq!(show(nodes.node(members)), "FOX b b");
}

#[test]
fn an_empty_object_is_read_as_if_sent() {
    let paths = ["", "a", "a.b[*].c", "[*]", "[*].a"].map(path);
    let mut wanted = Wanted::new();
    let mut slots: Vec<_> = paths.iter().map(|path| wanted.node(path)).collect();
    slots.extend(paths.iter().map(|path| wanted.members(path)));
    let nodes = Nodes::empty_object(&wanted);
    assert_eq!(nodes, read(b"{}", &wanted).unwrap());
    let shown: Vec<_> = slots.iter().map(|slot| show(nodes.node(*slot))).collect();
    assert_eq!(shown, ["FO", "M", "M", "X", "X", "FO", "M", "M", "X", "X"]);
}

#[test]
fn a_foreign_slot_fits_nothing() {
    let path = path("a");
    let mut other = Wanted::new();
    let slot = other.node(&path);
    let nodes = read(br#"{"a":1}"#, &Wanted::new()).unwrap();
    assert_eq!(show(nodes.node(slot)), "OX");
}

#[test]
fn numbers_in_shortest_plain_decimals_are_plain() {
    let plain = [
        "0",
        "1",
        "-1",
        "100",
        "0.5",
        "-0.05",
        "12345678901234567890",
        "0.12345678901234",
        "10.01",
    ];
    let other = [
        "-0",
        "0.0",
        "1.0",
        "1.50",
        "1e2",
        "1E0",
        "0e0",
        "1.5e1",
        "100.0000000000000001",
        "-0.0",
    ];
    for number in plain {
        check("a", &format!(r#"{{"a":{number}}}"#), &format!("F n:{number}"));
    }
    for number in other {
        check("a", &format!(r#"{{"a":{number}}}"#), &format!("F n~:{number}"));
    }
}

#[test]
fn paths_show_as_policies_write_them() {
    let shown = |steps: &[&str]| {
        let step = |step: &&str| {
            if *step == "[*]" {
                Step::Each
            } else {
                Step::Name((*step).to_owned())
            }
        };
        Path(steps.iter().map(step).collect()).to_string()
    };
    assert_eq!(shown(&["fields", "labels", "[*]"]), "fields.labels[*]");
    assert_eq!(shown(&["a", "[*]", "[*]", "b"]), "a[*][*].b");
    assert_eq!(
        shown(&["a.b", "x y", "f[]", "", "only", "a:b"]),
        r#""a.b"."x y"."f[]".""."only"."a:b""#
    );
    assert_eq!(shown(&[r#"q"\"#, "é-_$"]), r#""q\"\\".é-_$"#);
    // The root, and a member of its name.
    assert_eq!(shown(&[]), "$");
    assert_eq!(shown(&["[*]", "name"]), "$[*].name");
    assert_eq!(shown(&["$", "$"]), r#""$".$"#);
    assert_eq!(shown(&["$ref", "a<b", "*"]), r#"$ref."a<b"."*""#);
}
