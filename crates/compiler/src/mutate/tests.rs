use super::*;

/// The changed lines of one kind.
fn of(line: &str, kind: Kind) -> Vec<String> {
    let found = mutants(line).into_iter();
    found
        .filter(|mutant| mutant.kind == kind)
        .map(|mutant| mutant.line)
        .collect()
}

#[test]
fn each_mistake_changes_its_part() {
    for (kind, line, expected) in [
        (Kind::LostLine, "[get]/a", vec![""]),
        (Kind::LostSign, "!/a", vec!["/a"]),
        (Kind::LostMethods, "![get]/a", vec!["!/a"]),
        (Kind::LostMethod, "[get,post]/a", vec!["[post]/a", "[get]/a"]),
        (Kind::MoreMethods, "[get]/a", vec!["[get,delete]/a"]),
        (Kind::MoreMethods, "[get,delete]/a", vec!["[get,delete,put]/a"]),
        (
            Kind::LostCondition,
            "/a[QueryParam::a==b][QueryParam::only]",
            vec!["/a[QueryParam::only]", "/a[QueryParam::a==b]"],
        ),
        (
            Kind::LostType,
            "/a[JsonData::a:boolean==true]",
            vec!["/a[JsonData::a==true]"],
        ),
        (
            Kind::LostType,
            "/a[JsonData::a:string|null==b]",
            vec!["/a[JsonData::a==b]"],
        ),
        (
            Kind::MayBeAbsent,
            "/a[JsonData::a==b=c]",
            vec!["/a[JsonData::a?=b=c]"],
        ),
        (
            Kind::MovedBound,
            "/a[QueryParam::n<=50]",
            vec!["/a[QueryParam::n<50]"],
        ),
        (Kind::Unanchored, "[get]/rest/a", vec!["[get].*/rest/a"]),
        (Kind::LostBoundary, "/a/KANBAN-1(/.*)?", vec!["/a/KANBAN-1.*"]),
        (Kind::LostBoundary, "/a/.*", vec!["/a.*"]),
        (Kind::OpenEnd, r"/a/\d+", vec![r"/a/\d+.*"]),
        (Kind::OpenEnd, "/a/.*", vec![]),
        (Kind::UnescapedDot, r"/a\.pdf", vec!["/a.pdf"]),
        (Kind::WidenedClass, "/a[0-9]b", vec!["/a.b"]),
        (
            Kind::AnyText,
            r"/a/\d+/[a-z]*/b",
            vec![r"/a/.*/[a-z]*/b", r"/a/\d+/.*/b"],
        ),
        (Kind::LostCount, r"/a/\d{1,3}", vec![r"/a/\d+"]),
        (Kind::LostOption, "/a(/b)?", vec!["/a(/b)"]),
        (
            Kind::LostAlternative,
            "/a/(b|c|d)",
            vec!["/a/(c|d)", "/a/(b|d)", "/a/(b|c)"],
        ),
        (Kind::LostAlternative, "/a|/b", vec!["/b", "/a"]),
        (Kind::LostGroup, "/a/(b|c)/d", vec!["/a/b|c/d"]),
    ] {
        assert_eq!(of(line, kind), expected, "{kind:?} of {line}");
    }
}

#[test]
fn mistakes_in_values_are_tried() {
    let line = r"[get]/s[QueryParam::jql==project = KANBAN( AND status = \w+)?]";
    let all: Vec<String> = mutants(line).into_iter().map(|mutant| mutant.line).collect();
    for expected in [
        r"[get]/s[QueryParam::jql==project = KANBAN( AND status = .*)?]",
        r"[get]/s[QueryParam::jql==project = KANBAN( AND status = \w+)?.*]",
        r"[get]/s[QueryParam::jql==project = KANBAN( AND status = \w+)]",
        r"[get]/s[QueryParam::jql?=project = KANBAN( AND status = \w+)?]",
    ] {
        assert!(all.iter().any(|line| line == expected), "{expected} in {all:#?}");
    }
}

#[test]
fn every_changed_line_parses_and_is_another_one() {
    let lines = [
        r"![get,post]/rest/(a|b(c|d)?)/[^/]+\.json(/.*)?[QueryParam::n<=50][JsonData::a.b:string?=x|y][JsonData::only]",
        "/a/[[:alpha:]]{2}(?i)x",
        "{BASE_URL}/u/{USER}/(?:x|y)",
        "",
        "[get]",
    ];
    for line in lines {
        let found = mutants(line);
        let mut texts: Vec<&str> = found.iter().map(|mutant| mutant.line.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), found.len(), "{line}");
        for mutant in &found {
            assert_ne!(mutant.line, line);
            assert!(
                mutant.kind == Kind::LostLine || parses(&mutant.line),
                "{mutant:?}"
            );
            assert!(line.get(mutant.place.clone()).is_some(), "{mutant:?}");
        }
    }
    let many = format!("/a/({})", vec!["b"; 5_000].join("|"));
    assert!(mutants(&many).len() <= MOST_OF_LINE);
}

#[test]
fn a_scope_keeps_places() {
    use crate::source::SourceSet;
    let entry = |name: &str| format!("[[token]]\nname = \"{name}\"\nlimit_to = '/ä'\n");
    let text = [entry("one"), entry("two"), entry("three")].concat();
    let sources = SourceSet::from_files([
        ("a.toml".to_owned(), text.clone()),
        ("b.toml".to_owned(), entry("four")),
        ("c.limits".to_owned(), "/x\n".to_owned()),
        ("invariants.toml".to_owned(), "[[never]]".to_owned()),
    ]);
    let at = text.find("two").unwrap();
    let (id, _) = sources.iter().next().unwrap();
    let name = Span {
        source: id,
        start: at,
        end: at + 3,
    };
    let scope = Scope::of(&sources, &[name]);
    let texts: Vec<&str> = scope.sources().iter().map(|(_, source)| &*source.text).collect();
    assert!(texts[0].trim() == entry("two").trim(), "{}", texts[0]);
    assert_eq!(texts[0].find("two"), Some(at));
    assert_eq!(&texts[1..], ["", "/x\n", ""]);
    let line = text.get(at..).unwrap().find("/ä").unwrap() + at;
    let line = Span {
        source: id,
        start: line,
        end: line + "/ä".len(),
    };
    let changed = scope.with(line, "/b");
    assert!(changed.iter().next().unwrap().1.text.contains("limit_to = '/b'"));
}
