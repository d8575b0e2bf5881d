use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

/// Formats a path as text: `a.b`, with `*` for an element.
fn shown(path: &Path<'_>) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Name(name) => name.as_ref(),
        Step::Each => "*",
    });
    steps.collect::<Vec<_>>().join("\u{2192}")
}

fn by(parser: Parser, name: &str) -> Vec<String> {
    let mut paths = Paths::default();
    parser(name, &mut paths);
    paths.0.iter().map(shown).collect()
}

fn check(parser: Parser, cases: &[(&str, &[&str])]) {
    for (name, expected) in cases {
        assert_eq!(by(parser, name), *expected, "{name}");
    }
}

#[test]
fn rack_2_strips_brackets_before_a_key() {
    check(
        rack_2,
        &[
            ("issue[project_id]", &["issue→project_id"]),
            ("[issue][project_id]", &["issue→project_id"]),
            ("issue][x]", &["issue→x"]),
            ("]issue[x]", &["issue→x"]),
            ("[[issue[x]", &["issue→x"]),
            ("a[b]c[d]", &["a→b→c→d"]),
            ("a[[b]]", &["a→b"]),
            ("[]a", &["a"]),
            ("a[]b", &["a→*→b"]),
            ("a[][b][c]", &["a→*→b→c"]),
            ("a[][]", &["a→*→*"]),
            ("a[", &["a["]),
            ("a[b][", &["a→[b]["]),
            ("a[[]]", &["a"]),
            ("[]", &[]),
        ],
    );
}

#[test]
fn rack_3_takes_a_bracket_at_the_beginning_for_a_letter() {
    check(
        rack_3,
        &[
            ("issue[x]", &["issue→x"]),
            ("[issue][x]", &["[issue]→x"]),
            ("[[issue[x]", &["[→issue[x"]),
            ("]issue[x]", &["]issue→x"]),
            ("a[]b", &["a→*→b"]),
            ("a[][b]", &["a→*→b"]),
            ("a[b", &["a→[b"]),
            ("a[b]c[d]", &["a→b→c[d]"]),
            ("a[", &["a["]),
            ("é[é]", &["é→é"]),
        ],
    );
}

#[test]
fn php_makes_underscores_and_drops_what_follows_a_bracket() {
    check(
        php,
        &[
            (" a.b[c.d]", &["a_b→c.d"]),
            ("a b.c[d e", &["a_b_c_d_e"]),
            ("a[b]c[d]", &["a→b"]),
            ("a[b][c", &["a→b"]),
            ("a[ ]", &["a→*"]),
            ("a[b[c]", &["a→b[c"]),
            ("a]b", &["a]b"]),
            ("[a]", &[]),
            ("a\0b", &["a"]),
        ],
    );
}

#[test]
fn qs_drops_what_is_between_brackets_and_keeps_what_is_too_deep() {
    check(
        qs,
        &[
            ("a[b]c[d]", &["a→b→d"]),
            ("[a][b]", &["a→b"]),
            ("[[issue[x]", &["[[issue→x"]),
            ("a[[b]]", &["a[→b"]),
            ("a[b", &["a[b"]),
            ("a.b", &["a.b", "a→b"]),
            ("a[b].c", &["a→b", "a→b→c"]),
            (
                "a[b][c][d][e][f][g][h]",
                &["a→b→c→d→e→f→[g][h]", "a→b→c→d→e→f→g→h"],
            ),
        ],
    );
    check(
        qs_balanced,
        &[
            ("a[[b]]", &["a→[b]"]),
            ("a[b", &["a→[b"]),
            ("[[issue[x]", &["[[issue[x]"]),
            ("a[b.c]", &["a→b.c"]),
            ("a.b[c", &["a.b→[c", "a→b→[c"]),
            ("a[b]c[d]", &["a→b→d"]),
        ],
    );
}

#[test]
fn spring_has_markers_and_defaults() {
    check(
        spring,
        &[
            ("_a", &["_a", "a"]),
            ("!a.b", &["!a→b", "a→b"]),
            ("!_a[]", &["!_a", "_a", "a"]),
            ("a['b'].c[\"d\"][0]", &["a→b→c→d→*"]),
            ("a[b.c].d", &["a→b.c→d"]),
            ("a[b", &["a[b"]),
        ],
    );
}

#[test]
fn jquery_writes_brackets_as_dots() {
    check(
        jquery,
        &[
            ("a[b][c]", &["a→b→c"]),
            ("a[][b]", &["a→b"]),
            ("a[0].b", &["a→*→b"]),
            ("a[b]c", &["a→bc"]),
            ("a[b", &[]),
            ("a.b", &[]),
        ],
    );
}

#[test]
fn parts_of_attributes_stand_for_them() {
    let paths = |name| parameter_paths(name).iter().map(shown).collect::<Vec<_>>();
    assert!(paths("task[due(1i)]").contains(&"task→due".to_owned()));
    assert!(paths("due(2i)").contains(&"due".to_owned()));
    assert!(!paths("(1i)").contains(&String::new()));
}

#[test]
fn usual_names_have_few_paths() {
    for (name, expected) in [
        ("project_id", vec!["project_id"]),
        ("f[]", vec!["f→*", "f[]"]),
        ("v[status_id][]", vec!["v→status_id→*", "v[status_id][]"]),
    ] {
        let paths: Vec<_> = parameter_paths(name).iter().map(shown).collect();
        assert_eq!(paths, expected, "{name}");
    }
}

/// Names for which the shortcut exists: all parsers find the same path, or the beginning of it.
#[test]
fn the_short_way_leaves_out_no_path_but_cuts() {
    for name in ["a[b]", "a[]", "a[b][c][]", "a[0][b]", "a[_b]", "a[b][c][d][e][f]"] {
        let short = parameter_paths(name);
        let mut all = Paths::default();
        PARSERS.iter().for_each(|parser| parser(name, &mut all));
        for path in all.0 {
            let is_known = |short: &Path<'_>| *short == path || short.starts_with(&path);
            assert!(short.iter().any(is_known), "{name}: {}", shown(&path));
        }
    }
}

fn hostile_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("["),
        Just("]"),
        Just("[]"),
        Just("."),
        Just("_"),
        Just("!"),
        Just(" "),
        Just("'"),
        Just("("),
        Just("a"),
        Just("b"),
        Just("0"),
        Just("é"),
        Just("__proto__"),
    ];
    prop::collection::vec(part, 1..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_set_is_bounded_and_has_the_name_itself(name in hostile_name(), times in 1..200_usize) {
        let name = name.repeat(times);
        let paths = parameter_paths(&name);
        prop_assert!(paths.len() <= 64);
        prop_assert!(paths.iter().all(|path| (1..=MAX_STEPS).contains(&path.len())));
        let itself = vec![Step::Name(Cow::Borrowed(name.as_str()))];
        prop_assert!(paths.contains(&itself));
    }
}

/// Returns as many brackets as fit into a head.
#[test]
fn a_hostile_name_costs_its_length() {
    for unit in ["[", "]", "[]", "a[", "[a]", "a.", "].", "[['", "a(["] {
        let name = unit.repeat(64 * 1024 / unit.len());
        let paths = parameter_paths(&name);
        assert!(
            paths.iter().map(Vec::len).sum::<usize>() <= 64 * MAX_STEPS,
            "{unit}"
        );
    }
}
