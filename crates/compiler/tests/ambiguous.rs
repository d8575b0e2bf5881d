//! Bodies that a policy refuses as ambiguous: what the analysis says of two policies is held against the decision, on every list of
//! a few lines and every request of a few. The lists differ in lines, in their order, and in how often they have a line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Comparison, Universe},
    compile,
    decide::{Body, Decision, Media, Param, Request, decide},
    ir::Program,
    json::{self, ReadError},
    method::Method,
    source::SourceSet,
};

const LINES: &[&str] = &[
    "[post]/rest/a[JsonData::n==x]",
    "[post]/rest/a[JsonData::N?=y]",
    "[post]/rest/a",
    "[post,put]/rest/.*",
    "[put]/rest/a",
    "[post]/rest/b[JsonData::N==y]",
    "[post,put]/rest/a[JsonData::o.n?=x]",
    "[post]/rest/a[QueryParam::q==1]",
    "[post]/rest/a[QueryParam::q?=1][JsonData::m!=x]",
    "[post]/rest/a[JsonData::n?=.*][JsonData::only]",
    "/rest/a[QueryParam::only]",
    "![post]/rest/a[JsonData::n==x]",
    "!/rest/.*[JsonData::O:string==x]",
    "!/rest/a[QueryParam::q==2]",
    "!/rest/b",
];

const BODIES: &[&str] = &[
    "",
    "{}",
    r#"{"n":"x"}"#,
    r#"{"n":"z"}"#,
    r#"{"N":"y"}"#,
    r#"{"N":1}"#,
    r#"{"n":"x","N":"y"}"#,
    r#"{"M":1}"#,
    r#"{"m":"x"}"#,
    r#"{"n":"x","M":1}"#,
    r#"{"o":{"n":"x"}}"#,
    r#"{"o":{"N":1}}"#,
    r#"{"O":{"n":"x"}}"#,
    r#"{"O":"x"}"#,
    r#"{"z":{"N":1}}"#,
    r#"[{"N":1}]"#,
    r#"{"z":1,"z":1}"#,
    r#"{"z\n":1}"#,
    r#"{"N":"#,
    r#"{"z":1,"z":"#,
    "{",
];

/// Numbers that look random, and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % count
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of.get(self.below(of.len())).copied().unwrap()
    }
}

fn program(lines: &[&str], unrestricted: bool, merges: bool) -> Option<Program> {
    let file = format!(
        "[[token]]\nname = 't'\nuser = 'u'\nunrestricted = {unrestricted}\nsecret_hash = 'sha256:{}'\nlimit_to = '''\n{}\n'''\n",
        "11".repeat(32),
        lines.join("\n")
    );
    let program = compile(&SourceSet::from_files([("t.toml".to_owned(), file)])).program?;
    let bound = program.bind(&BaseUrl::parse("https://h").unwrap()).unwrap();
    Some(bound.merging_body(merges))
}

fn compare(old: &Program, new: &Program) -> Comparison {
    let first = |program: &Program| program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(old, new, Universe::default(), Analysis::BUDGET).unwrap();
    analysis.compare(first(old), first(new)).unwrap()
}

/// Whether the proxy would forward the request.
fn allows(program: &Program, (method, path, query, body): (Method, &str, Option<&str>, &str)) -> bool {
    let (token, _) = program.tokens().next().unwrap();
    let query: Vec<Param<'_>> = query
        .iter()
        .map(|value| Param {
            name: "q",
            value: Some(value),
        })
        .collect();
    let request = |body| Request {
        token,
        method,
        path,
        query: &query,
        body,
    };
    let unread = match body {
        "" => Body::Absent,
        _ => Body::Unread(Media::Json),
    };
    let decision = match decide(program, &request(unread)) {
        Decision::NeedsBody(wanted) => match json::read(body.as_bytes(), &wanted) {
            Ok(nodes) => return matches!(decide(program, &request(Body::Read(&nodes))), Decision::Allow(_)),
            Err(ReadError::NotJson { .. }) => decide(program, &request(Body::Unreadable)),
            Err(_) => return false,
        },
        decision => decision,
    };
    matches!(decision, Decision::Allow(_))
}

/// A request that the one allows and the other does not.
fn beyond(more: &Program, less: &Program) -> Option<String> {
    for method in [Method::Post, Method::Put] {
        for path in ["/rest/a", "/rest/b", "/rest/c"] {
            for query in [None, Some("1"), Some("2")] {
                for body in BODIES {
                    let request = (method, path, query, *body);
                    if allows(more, request) && !allows(less, request) {
                        return Some(format!("{request:?}"));
                    }
                }
            }
        }
    }
    None
}

fn holds((old, new): (&[&str], &[&str]), unrestricted: bool, merges: bool) -> bool {
    let (Some(before), Some(after)) = (
        program(old, unrestricted, merges),
        program(new, unrestricted, merges),
    ) else {
        return false;
    };
    let found = compare(&before, &after);
    for (difference, more, less) in [
        (&found.newly_allowed, &after, &before),
        (&found.newly_denied, &before, &after),
    ] {
        assert_eq!(difference.inconclusive, None, "{old:?}\n{new:?}");
        if difference.findings.is_empty()
            && let Some(request) = beyond(more, less)
        {
            panic!("missed {request}, merging: {merges}\n{old:?}\n{new:?}");
        }
    }
    true
}

#[test]
fn no_request_is_missed_however_lines_are_put() {
    let mut random = Random(29);
    let mut compared = 0;
    for at in 0..900 {
        let pool: Vec<&str> = (0..2 + random.below(4)).map(|_| random.pick(LINES)).collect();
        let lines = |random: &mut Random| {
            let picked = (0..1 + random.below(4)).map(|_| random.pick(&pool));
            picked.collect::<Vec<&str>>()
        };
        let (old, new) = (lines(&mut random), lines(&mut random));
        compared += usize::from(holds((&old, &new), at % 10 == 0, at % 4 == 0));
    }
    assert!(compared > 700, "{compared}");
}

/// The findings that the newer lines give, each as its request.
fn newly_allowed(old: &[&str], new: &[&str]) -> Vec<String> {
    let program = |lines| program(lines, false, false).unwrap();
    let found = compare(&program(old), &program(new)).newly_allowed;
    assert_eq!(found.inconclusive, None);
    found
        .findings
        .iter()
        .map(|finding| {
            let content = finding.witness.body.content();
            // The value of a name that is refused does not matter.
            let text = content.map(|(_, text)| text).unwrap_or_default();
            let text = text.replace("\"\"", "1").replace(' ', "");
            format!(
                "{} {} {text}",
                finding.witness.method.as_str(),
                finding.witness.path
            )
        })
        .collect()
}

#[test]
fn the_order_of_permit_lines_matters_if_one_reads_the_body() {
    let (reader, whole, other) = (
        "[post]/rest/a[JsonData::n==x]",
        "[post]/rest/a",
        "[post]/rest/b[JsonData::N==y]",
    );
    let unique = [r#"POST /rest/a {"N":1}"#];
    assert_eq!(
        newly_allowed(&[reader, whole, other], &[whole, reader, other]),
        unique
    );
    assert_eq!(newly_allowed(&[reader, whole], &[whole, reader]), unique);
    assert_eq!(newly_allowed(&[reader, whole], &[whole]), unique);
    assert_eq!(newly_allowed(&[whole, reader], &[reader, whole]), [""; 0]);
    // A copy behind changes nothing, a copy in front does.
    assert_eq!(newly_allowed(&[reader, whole], &[reader, whole, reader]), [""; 0]);
    assert_eq!(newly_allowed(&[reader, whole], &[whole, reader, whole]), unique);
    // A name without letters has no other spelling: a name that occurs twice is refused all the same.
    let digits = "[post]/rest/a[JsonData::1==x]";
    assert_eq!(
        newly_allowed(&[digits, whole], &[whole, digits]),
        [r#"POST /rest/a {"x":1,"x":1}"#]
    );
    // Lines of other calls can move.
    assert_eq!(newly_allowed(&[other, whole], &[whole, other]), [""; 0]);
    // A new line that decides earlier, and allows no more by itself.
    let narrower = "[post]/rest/[a]";
    assert_eq!(
        newly_allowed(&[reader, whole], &[narrower, reader, whole]),
        unique
    );
}

#[test]
fn a_removed_forbid_line_is_one_finding() {
    let (whole, forbid) = ("[post]/rest/a", "![post]/rest/a[JsonData::n==x]");
    assert_eq!(
        newly_allowed(&[whole, forbid], &[whole]),
        [r#"POST /rest/a {"n":"x"}"#]
    );
    // If another forbid line denies the values, the spelling is left.
    let other = "!/rest/a[JsonData::n?=.*]";
    assert_eq!(newly_allowed(&[whole, other, forbid], &[whole, other]), [""; 0]);
}
