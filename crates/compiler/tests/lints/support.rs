//! Policies, and everything that is found in them.

use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Budget, Served, Universe},
    compile,
    decide::{Body, Decision, Request, decide},
    diagnostic::{Code, Diagnostic},
    findings::{self, Reserved},
    ir::Program,
    lint::{self, LintSet, Settings},
    method::Method,
    source::SourceSet,
};

/// The beginning of 2026.
pub(crate) const NOW: i64 = 1_767_225_600_000;

pub(crate) const DAY: i64 = 86_400_000;

pub(crate) fn head() -> String {
    format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc-ci\"\nsecret_hash = \"sha256:{}\"\nexpires = 2030-01-01T00:00:00Z\n",
        "11".repeat(32)
    )
}

pub(crate) fn policy(lines: &str) -> SourceSet {
    file(&format!("{}limit_to = '''\n{lines}\n'''\n", head()))
}

pub(crate) fn file(text: &str) -> SourceSet {
    SourceSet::from_files([("ci.toml".to_owned(), text.to_owned())])
}

pub(crate) fn bound(compilation: &Compilation) -> Program {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let program = compilation.program.as_ref();
    let program = program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    program.bind(&base).unwrap()
}

pub(crate) fn served() -> Served {
    Served::of(["/rest/*".to_owned()], false)
}

/// Everything that is found in a policy, with the warnings that tokens allow apart, and the program.
pub(crate) fn all(
    sources: &SourceSet,
    set: LintSet,
    reserved: Option<&Reserved<'_>>,
) -> (Vec<Diagnostic>, Vec<Diagnostic>, Program) {
    let compilation = compile(sources);
    let program = bound(&compilation);
    let (served, budget) = (served(), Budget::new(Analysis::BUDGET));
    let source_map = &compilation.source_map;
    let asked = (Universe::default(), &served, &budget);
    let found = findings::find(&program, source_map, &compilation.diagnostics, asked, |_, _| {});
    let found = found.unwrap();
    let (mut diagnostics, mut allowed) = (compilation.diagnostics.clone(), compilation.allowed.clone());
    diagnostics.extend(found.diagnostics);
    allowed.extend(found.allowed);
    let policy = lint::Policy {
        sources,
        program: &program,
        source_map,
        reserved,
    };
    let settings = Settings {
        set,
        expires_within_ms: 30 * DAY,
        now_ms: NOW,
    };
    let lints = lint::find(policy, settings, &mut diagnostics, asked).unwrap();
    assert_eq!(lints.open, 0);
    diagnostics.extend(lints.diagnostics);
    allowed.extend(lints.allowed);
    (diagnostics, allowed, program)
}

pub(crate) fn codes(lines: &str, set: LintSet) -> Vec<&'static str> {
    let found = all(&policy(lines), set, None).0;
    found.iter().map(|found| found.code.as_str()).collect()
}

/// Whether a request as a note shows it is allowed: method, path and query; a body is only named.
pub(crate) fn is_allowed(program: &Program, shown: &str) -> bool {
    let (method, target) = shown.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let query: Vec<_> = pairs
        .iter()
        .map(|(name, value)| tokenward_compiler::decide::Param {
            name,
            value: Some(value),
        })
        .collect();
    let (token, _) = program.tokens().next().unwrap();
    let asked = Request {
        token,
        method: Method::from_token(method),
        path,
        query: &query,
        body: Body::Absent,
    };
    matches!(decide(program, &asked), Decision::Allow(_))
}

/// The finding of a code in the pedantic set.
pub(crate) fn found_as(lines: &str, code: Code) -> Diagnostic {
    let (found, ..) = all(&policy(lines), LintSet::Pedantic, None);
    let one = found.iter().find(|one| one.code == code);
    one.unwrap_or_else(|| panic!("{lines}: {found:#?}")).clone()
}
