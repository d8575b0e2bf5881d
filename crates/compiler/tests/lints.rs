//! Lints: what they find, with a request that the token allows, and what they leave alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::{fmt::Write as _, fs, path::Path};

use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Budget, Served, Universe},
    compile,
    decide::{Body, Decision, Request, decide},
    diagnostic::{Code, Diagnostic},
    findings::{self, Reserved},
    ir::{Program, Token},
    lint::{self, DirectoryException, Exceptions, Judged, LintSet, Settings},
    method::Method,
    source::{Links, SourceSet},
};

/// The beginning of 2026.
const NOW: i64 = 1_767_225_600_000;
const DAY: i64 = 86_400_000;

fn head() -> String {
    format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc-ci\"\nsecret_hash = \"sha256:{}\"\nexpires = 2030-01-01T00:00:00Z\n",
        "11".repeat(32)
    )
}

fn policy(lines: &str) -> SourceSet {
    file(&format!("{}limit_to = '''\n{lines}\n'''\n", head()))
}

fn file(text: &str) -> SourceSet {
    SourceSet::from_files([("ci.toml".to_owned(), text.to_owned())])
}

fn bound(compilation: &Compilation) -> Program {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let program = compilation.program.as_ref();
    let program = program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    program.bind(&base).unwrap()
}

fn served() -> Served {
    Served::of(["/rest/*".to_owned()], false)
}

/// Everything that is found in a policy, with the warnings that tokens allow apart, and the program.
fn all(
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

fn codes(lines: &str, set: LintSet) -> Vec<&'static str> {
    let found = all(&policy(lines), set, None).0;
    found.iter().map(|found| found.code.as_str()).collect()
}

/// Whether a request as a note shows it is allowed: method, path and query; a body is only named.
fn is_allowed(program: &Program, shown: &str) -> bool {
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

#[test]
fn each_lint_of_a_line_shows_a_request_that_the_token_allows() {
    for (line, code, request) in [
        (
            "[get].*/rest/api/2/search",
            "TW0504",
            "GET /rest/x/rest/api/2/search",
        ),
        ("[get].*/rest/a|.*/rest/b", "TW0504", "GET /rest/x/rest/a"),
        ("[get](?i).*/rest/a", "TW0504", "GET /rest/x/rest/a"),
        (
            "[get]/rest/issue/KANBAN-1.*/comment",
            "TW0505",
            "GET /rest/issue/KANBAN-10/comment",
        ),
        (
            "[get]/rest/api/2/issue/KANBAN-1.*",
            "TW0505",
            "GET /rest/api/2/issue/KANBAN-10",
        ),
        (
            "[get]/rest/api/2/issue/KANBAN.*",
            "TW0505",
            "GET /rest/api/2/issue/KANBANX-1",
        ),
        ("[get]/rest/api/2/issue.*", "TW0505", "GET /rest/api/2/issues"),
        (
            "[get]/rest/api/2/(user|group).*",
            "TW0505",
            "GET /rest/api/2/users",
        ),
        (
            "[get]/rest/files/report.pdf",
            "TW0506",
            "GET /rest/files/reportxpdf",
        ),
        (
            "[get]/rest/x[QueryParam::file==a.pdf]",
            "TW0506",
            "GET /rest/x?file=axpdf",
        ),
        (
            "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN.*]",
            "TW0507",
            "GET /rest/api/2/search?jql=project = KANBAN OR project = OTHER",
        ),
        (
            "[get]/rest/api/content/search[QueryParam::cql==space = DOC.*type = page]",
            "TW0507",
            "GET /rest/api/content/search?cql=space = DOC OR space = OTHERtype = page",
        ),
        (
            r"/rest/api/2/issue/KANBAN-\d+",
            "TW0508",
            "DELETE /rest/api/2/issue/KANBAN-0",
        ),
        ("[get].*", "TW0509", "GET /rest/a"),
        ("[get,post]/rest/.*", "TW0509", "GET /rest/a"),
    ] {
        let (found, _, program) = all(&policy(line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        let shown = &one.witness.as_ref().unwrap().request;
        assert_eq!((one.code.as_str(), shown.as_str()), (code, request), "{line}");
        assert!(is_allowed(&program, shown), "{line}: {shown}");
    }
}

#[test]
fn parts_without_effect_are_proved_to_have_none() {
    for (line, code, headline) in [
        (
            r"[get]/rest/api/2/issue/KANBAN-\d+|HR-\d+",
            "TW0510",
            r"no request can match the alternative `HR-\d+`",
        ),
        (
            "[get]/rest/a|/login",
            "TW0510",
            "no request can match the alternative `/login`",
        ),
        (
            "[post]/rest/a[JsonData::b:number==1|high]",
            "TW0510",
            "no value of this type matches the alternative `high`",
        ),
        (
            "[get,post]/rest/a[JsonData::b==c]",
            "TW0512",
            "this line permits no GET request: it tests the body, and GET has none",
        ),
    ] {
        let (found, ..) = all(&policy(line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        assert_eq!((one.code.as_str(), one.headline.as_str()), (code, headline));
    }
    let forbid = "[get,post]/rest/a\n![get,post]/rest/a[JsonData::b==c]";
    assert_eq!(codes(forbid, LintSet::Regular), ["TW0512"]);
}

#[test]
fn typographic_quotes_in_a_value_are_part_of_it() {
    for (value, instead) in [
        ("project = “KANBAN”", "write `project = \"KANBAN\"`"),
        ("project = „KANBAN“", "write `project = \"KANBAN\"`"),
    ] {
        let sources = policy(&format!("[get]/rest/a[QueryParam::jql=={value}]"));
        let (found, ..) = all(&sources, LintSet::Regular, None);
        let quotes = found.iter().find(|one| one.code == Code::DoubtfulValue).unwrap();
        assert!(quotes.help.as_ref().unwrap().starts_with(instead), "{quotes:?}");
    }
    let accented = r"[get]/rest/a[QueryParam::name==l’été «x»]";
    assert!(!codes(accented, LintSet::Regular).contains(&"TW0123"));
}

#[test]
fn the_pedantic_set_has_more() {
    for (lines, code) in [
        (r"[get]/rest/api/2/issue/KANBAN-\d+|/rest/api/2/search", "TW0511"),
        ("[get,post,delete]/rest/x/[^/]+\n![delete]/rest/x/.*", "TW0514"),
        ("[post]/rest/api/2/issue[JsonData::fields.labels==bot]", "TW0515"),
    ] {
        assert_eq!(codes(lines, LintSet::Regular), [""; 0], "{lines}");
        assert_eq!(codes(lines, LintSet::None), [""; 0], "{lines}");
        let (found, ..) = all(&policy(lines), LintSet::Pedantic, None);
        let found: Vec<_> = found.iter().filter(|one| one.code != Code::ForbidAlias).collect();
        assert_eq!(found.len(), 1, "{lines}: {found:#?}");
        assert_eq!(found[0].code.as_str(), code);
        assert!(found[0].witness.is_some(), "{lines}");
    }
    let any = file(&format!(
        "{}limit_to = '[get]/rest/a'\n",
        head().replace("user = \"svc-ci\"", "any_user = true")
    ));
    let (found, ..) = all(&any, LintSet::Pedantic, None);
    assert_eq!(
        found.iter().map(|one| one.code).collect::<Vec<_>>(),
        [Code::AnyUser]
    );
}

#[test]
fn what_is_meant_is_left_alone() {
    for line in [
        "[get]/rest/api/2/(serverInfo|myself)",
        r"[get]/rest/api/2/issue/KANBAN-\d+(/comment)?",
        r"[get]/rest/agile/1\.0/board/\d+",
        "[get]/rest/api/2/issue/KANBAN-.*",
        "[get]/rest/api/2/issue/KANBAN-1(/.*)?",
        "[get]/rest/api/2/project/.*",
        r"[get]/rest/api/2/search[QueryParam::jql==project = KANBAN( AND status = \w+)?]",
        "[get]/rest/api/2/filter/search[QueryParam::accountId==.*]",
        "[get]/rest/api/2/x[QueryParam::expand?=names.*]",
        "/rest/api/2/myself",
        "[get]/rest/a|/rest/b",
        "[get,post]/rest/a[JsonData::b?=c]",
        // Whatever goes beyond is forbidden.
        "/rest/api/2/x/.*\n![delete]/rest/api/2/x/.*",
        "[get]/rest/api/2/user.*\n!/rest/api/2/user[^/].*",
        // All that the `.*` adds is there in any case.
        "[get]/rest/api/.*\n!/rest/api/2/user/.*",
    ] {
        let found = codes(line, LintSet::Regular);
        let others: Vec<_> = found.iter().filter(|code| **code != "TW0104").collect();
        assert!(others.is_empty(), "{line}: {others:?}");
    }
}

#[test]
fn tokens_end_by_the_clock_that_is_given() {
    let until = |time: &str, set| {
        let head = head().replace("2030-01-01T00:00:00Z", time);
        let sources = file(&format!("{head}limit_to = '[get]/rest/a'\n"));
        let (found, ..) = all(&sources, set, None);
        found.iter().map(|one| one.headline.clone()).collect::<Vec<_>>()
    };
    let past = until("2025-12-31T23:59:59Z", LintSet::Regular);
    assert_eq!(past, ["`ci` expired on 2025-12-31T23:59:59Z"]);
    assert_eq!(until("2026-01-01T00:00:00Z", LintSet::Regular).len(), 1);
    assert_eq!(until("2026-01-20T00:00:00Z", LintSet::Regular), [""; 0]);
    let soon = until("2026-01-20T00:00:00Z", LintSet::Pedantic);
    assert_eq!(soon, ["`ci` expires in 19 days, on 2026-01-20T00:00:00Z"]);
    assert_eq!(until("2026-02-01T00:00:00Z", LintSet::Pedantic), [""; 0]);
}

#[test]
fn an_alias_of_a_forbidden_name_is_shown_if_the_token_allows_it() {
    let shown = |lines: &str| {
        let (found, _, program) = all(&policy(lines), LintSet::Regular, None);
        let alias = found.iter().find(|one| one.code == Code::ForbidAlias).unwrap();
        let request = alias.witness.as_ref().map(|witness| witness.request.clone());
        assert!(request.iter().all(|request| is_allowed(&program, request)));
        request
    };
    let wide = "[get]/rest/api/2/issue/.*\n!/rest/api/2/issue/SECRET-\\d+";
    assert_eq!(shown(wide).unwrap(), "GET /rest/api/2/issue/10001");
    let narrow = "[get]/rest/api/2/issue/[A-Z]+-\\d+\n!/rest/api/2/issue/SECRET-\\d+";
    assert_eq!(shown(narrow), None);
}

#[test]
fn an_auditor_sees_what_reaches_credentials_and_rights() {
    let keys = "[[token]]\nname = \"escalate\"\nuser = \"u\"\nsecret_hash = \"sha256:2222222222222222222222222222222222222222222222222222222222222222\"\nexpires = 2030-01-01\nlimit_to = '[put](?i)/rest/api/2/user'\n";
    let reserving = bound(&compile(&file(keys)));
    let reserved = Reserved {
        program: &reserving,
        lacks: &|token: &Token, _: &str| !token.escalate,
        refuses: &|_| false,
    };
    let of = |key: &str, line: &str, set| {
        let sources = file(&format!("{}{key}\nlimit_to = '{line}'\n", head()));
        let (found, ..) = all(&sources, set, Some(&reserved));
        found
            .into_iter()
            .filter(|one| one.code == Code::ReachesReserved)
            .map(|one| one.witness.unwrap().request)
            .collect::<Vec<_>>()
    };
    let line = "[get,put]/rest/api/2/[a-z]+";
    assert_eq!(of("escalate = true", line, LintSet::Auditor).len(), 1);
    assert_eq!(of("escalate = true", line, LintSet::Pedantic), [""; 0]);
    assert_eq!(of("", line, LintSet::Auditor), [""; 0]);
    let other = "[get,put]/rest/api/2/issue/[A-Z]+";
    assert_eq!(of("escalate = true", other, LintSet::Auditor), [""; 0]);
}

/// What is left after the exceptions: codes, and those of the exceptions that are not needed.
fn excepted(sources: &SourceSet, directories: &[(Code, &str)], set: LintSet) -> Vec<String> {
    let directories = directories.iter().map(|(code, directory)| DirectoryException {
        code: *code,
        directory: (*directory).to_owned(),
        place: None,
    });
    let mut errors = Vec::new();
    let exceptions = Exceptions::read(sources, directories.collect(), &mut errors);
    let (mut found, allowed, _) = all(sources, set, None);
    found.extend(errors);
    let judged = Judged {
        set,
        lints_settled: true,
        findings_settled: true,
        without: &[],
    };
    exceptions.apply(sources, &mut found, &allowed, judged);
    found
        .iter()
        .map(|one| format!("{} {}", one.code, one.headline))
        .collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_comment_excepts_the_line_below_it() {
    let wide = "[get]/rest/api/2/issue.*";
    let of = |lines: &str| excepted(&policy(lines), &[], LintSet::Regular);
    assert_eq!(
        of(&format!("# allow TW0505: the client reads all\n{wide}")),
        NOTHING
    );
    assert_eq!(of(&format!("# allow TW0505: x\n# more of it\n{wide}")), NOTHING);
    // Of another line, or from another code, it is not needed, and excepts nothing.
    for lines in [
        format!("# allow TW0505: x\n[get]/rest/a\n{wide}"),
        format!("# allow TW0508: x\n{wide}"),
    ] {
        let found = of(&lines);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("TW0505")), "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("TW0521")), "{found:?}");
    }
    // Without a reason, or above nothing, it is an error, and excepts nothing.
    for lines in [
        format!("# allow TW0505\n{wide}"),
        format!("# allow TW0505: \n{wide}"),
        format!("# allow TW0505: x\n\n{wide}"),
        format!("# allow TW0011: x\n{wide}"),
        format!("{wide}\n# allow TW0505: x"),
    ] {
        let found = of(&lines);
        assert_eq!(found.len(), 2, "{lines}: {found:?}");
        assert!(found.iter().any(|one| one.starts_with("TW0520")), "{found:?}");
    }
    // Warnings that are no lints are excepted too.
    let untyped = "[post]/rest/a[JsonData::b==true]";
    assert_eq!(
        of(&format!("# allow TW0103: a string will do\n{untyped}")),
        NOTHING
    );
    // Whether a lint that did not run would find something is not known.
    let lines = format!("# allow TW0511: x\n{untyped}");
    assert!(!of(&lines).iter().any(|one| one.starts_with("TW0521")));
}

#[test]
fn comments_in_sets_count_and_elsewhere_they_are_errors() {
    let token = (
        "ci.toml".to_owned(),
        format!("# allow TW0101: x\n{}include = [\"a\"]\n", head()),
    );
    let set = (
        "a.limits".to_owned(),
        "# allow TW0505: x\n[get]/rest/api/2/issue.*\n".to_owned(),
    );
    let sources = SourceSet::from_files([token, set]);
    let found = excepted(&sources, &[], LintSet::Regular);
    assert_eq!(
        found,
        ["TW0520 this exception is not above a limit line, and has no effect"]
    );
}

/// A block begins behind its quote, and a file behind its byte-order mark.
#[test]
fn comments_on_first_lines_count() {
    let wide = "[get]/rest/api/2/issue.*";
    let block = format!("{}limit_to = '''# allow TW0505: x\n{wide}'''\n", head());
    assert_eq!(excepted(&file(&block), &[], LintSet::Regular), NOTHING);
    let token = format!("{}include = [\"a\"]\n", head());
    let set = format!("\u{feff}# allow TW0505: x\n{wide}\n");
    let sources = SourceSet::from_files([("ci.toml".to_owned(), token), ("a.limits".to_owned(), set)]);
    assert_eq!(excepted(&sources, &[], LintSet::Regular), NOTHING);
    // On the last line it is above nothing.
    let block = format!("{}limit_to = '''[get]/rest/a\n# allow TW0505: x'''\n", head());
    assert_eq!(
        excepted(&file(&block), &[], LintSet::Regular),
        ["TW0520 this exception is not above a limit line, and has no effect"]
    );
}

#[test]
fn a_token_excepts_with_a_reason() {
    let of = |entry: &str, expires: &str| {
        let head = head().replace("expires = 2030-01-01T00:00:00Z\n", expires);
        let text = format!("{head}lint_allow = [{entry}]\nlimit_to = '[get]/rest/a'\n");
        excepted(&file(&text), &[], LintSet::Regular)
    };
    assert_eq!(of("\"TW0101: renewed by hand\"", ""), NOTHING);
    assert_eq!(
        of("\"TW0101\"", ""),
        ["TW0520 the exception from TW0101 has no reason"]
    );
    let found = of("\"TW0101: x\"", "expires = 2030-01-01\n");
    assert_eq!(
        found,
        ["TW0521 this exception from TW0101 is not needed: there is no such finding"]
    );
    assert_eq!(
        of("\"TW0501: kept for the audit\"", "expires = 2020-01-01\n"),
        NOTHING
    );
}

#[test]
fn a_directory_is_excepted_by_the_configuration() {
    let text = format!("{}limit_to = '[get].*/rest/a'\n", head());
    let of = |directory: &str| {
        let sources = SourceSet::from_files([("legacy/ci.toml".to_owned(), text.clone())]);
        excepted(&sources, &[(Code::Unanchored, directory)], LintSet::Regular)
    };
    assert_eq!(of("legacy"), NOTHING);
    assert_eq!(of(""), NOTHING);
    for other in ["leg", "legacy/ci", "other"] {
        let found = of(other);
        assert!(found.len() == 2 && found[1].starts_with("TW0521"), "{found:?}");
    }
}

#[test]
fn an_exception_never_hides_an_error_or_a_warning_of_the_gate() {
    for code in Code::ALL {
        let is_gate = code.as_str().starts_with("TW03") || code.as_str().starts_with("TW02");
        if is_gate || code.severity() == tokenward_compiler::diagnostic::Severity::Error {
            assert!(!lint::can_be_excepted(*code), "{code}");
        }
    }
}

#[test]
fn a_budget_that_is_spent_leaves_questions_open_and_claims_nothing() {
    let sources = policy("[get].*/rest/api/2/search\n[get]/rest/api/2/issue.*");
    let compilation = compile(&sources);
    let program = bound(&compilation);
    let policy = lint::Policy {
        sources: &sources,
        program: &program,
        source_map: &compilation.source_map,
        reserved: None,
    };
    let settings = Settings {
        set: LintSet::Regular,
        expires_within_ms: DAY,
        now_ms: NOW,
    };
    let budget = Budget::new(0);
    let asked = (Universe::default(), &served(), &budget);
    let lints = lint::find(policy, settings, &mut [], asked).unwrap();
    assert!(lints.diagnostics.is_empty());
    assert!(lints.open >= 2, "{}", lints.open);
}

#[test]
fn the_example_policies_have_no_lints() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let sources = SourceSet::read_dir(&policies, Links::Refuse).unwrap();
    let (found, ..) = all(&sources, LintSet::Regular, None);
    let lints: Vec<_> = found
        .iter()
        .filter(|one| one.code.as_str().starts_with("TW05"))
        .collect();
    assert!(lints.is_empty(), "{lints:#?}");
}

/// Lines as a careful author derives them from descriptions of APIs, which are not part of this repository: set
/// `TOKENWARD_OPENAPI` to a directory of them (`*.json`), or put them beside the repository as `shared/openapi`.
#[test]
fn lines_that_are_derived_from_descriptions_of_apis_have_no_lints() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/openapi");
    let named = std::env::var_os("TOKENWARD_OPENAPI").map(std::path::PathBuf::from);
    let directory = named.unwrap_or(beside);
    // A description of the test's own, so that the derivation is always run.
    let own = r#"{"paths": {"/api/2/issue/{key}/comment/{id}": {"get": {"parameters": [
        {"in": "path", "name": "id", "schema": {"type": "integer"}},
        {"in": "query", "name": "expand", "schema": {"type": "string", "enum": ["names", "all"]}}]}},
        "/agile/1.0/board": {"post": {"requestBody": {"content": {"application/json": {"schema":
        {"properties": {"shared": {"type": "boolean"}}}}}}}}}}"#;
    let mut lines = derived(&serde_json::from_str(own).unwrap());
    assert_eq!(lines.len(), 2);
    let mut files: Vec<_> = fs::read_dir(directory).into_iter().flatten().flatten().collect();
    files.sort_by_key(|file| file.file_name());
    for file in files
        .iter()
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "json"))
    {
        let text = fs::read_to_string(file.path()).unwrap();
        let all = derived(&serde_json::from_str(&text).unwrap());
        let step = (all.len() / 100).max(1);
        lines.extend(all.into_iter().step_by(step));
    }
    assert!(files.is_empty() || lines.len() >= 200, "{}", lines.len());
    let (found, ..) = all(&policy(&lines.join("\n")), LintSet::Regular, None);
    let lints: Vec<_> = found
        .iter()
        .filter(|one| one.code.as_str().starts_with("TW05"))
        .map(|one| {
            format!(
                "{} {} {:?}",
                one.code,
                one.help.as_deref().unwrap_or_default(),
                one.witness
            )
        })
        .collect();
    assert!(lints.is_empty(), "{} of {}: {lints:#?}", lints.len(), lines.len());
}

/// A line for each operation: its method, its path with its parameters by type, its query parameters of few values, and its
/// booleans.
fn derived(description: &serde_json::Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, operations) in description["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if Method::from_name(method).is_none() {
                continue;
            }
            let parameters: Vec<&serde_json::Value> =
                operation["parameters"].as_array().into_iter().flatten().collect();
            let mut line = format!("[{method}]/rest");
            for segment in path.split('/').skip(usize::from(path.starts_with('/'))) {
                line.push('/');
                match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        let named = |one: &&&serde_json::Value| one["name"] == name;
                        let kind = parameters.iter().find(named).map(|one| &one["schema"]["type"]);
                        line.push_str(match kind.and_then(|kind| kind.as_str()) {
                            Some("integer") => r"\d+",
                            _ => "[^/]+",
                        });
                    }
                    None => line.push_str(&segment.replace('.', r"\.")),
                }
            }
            for parameter in parameters.iter().filter(|one| one["in"] == "query") {
                let values: Vec<&str> = parameter["schema"]["enum"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|value| value.as_str())
                    .collect();
                let name = parameter["name"].as_str().unwrap();
                if !values.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    write!(line, "[QueryParam::{name}?={}]", values.join("|")).unwrap();
                }
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"];
            for (name, schema) in body.as_object().into_iter().flatten() {
                if schema["type"] == "boolean" && method != "get" {
                    write!(line, "[JsonData::{name}:boolean?=false]").unwrap();
                }
            }
            let is_plain = |one: char| one.is_ascii_graphic() || one == ' ';
            if !line.contains('{') && line.chars().all(is_plain) {
                lines.push(line);
            }
        }
    }
    lines
}

#[test]
fn a_path_with_another_context_is_written_without_it() {
    for context in ["jira", "jira/context"] {
        let sources = policy(&format!("[get]/{context}/rest/api/2/myself"));
        let (found, ..) = all(&sources, LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{found:#?}");
        };
        let help = one.help.as_deref().unwrap_or_default();
        assert_eq!(one.code, Code::EmptyLine);
        let is_one = help.ends_with("write `[get]/rest/api/2/myself`");
        assert_eq!(is_one, context == "jira", "{help}");
    }
}

#[test]
fn the_table_of_lints_is_complete() {
    let page = include_str!("../../../docs/lints.md");
    let row = |line: &&str| line.starts_with("| TW05");
    let listed: Vec<(&str, &str)> = page
        .lines()
        .filter(row)
        .map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    let known: Vec<(&str, &str)> = Code::ALL
        .iter()
        .filter_map(|code| Some((code.as_str(), LintSet::of(*code)?.as_str())))
        .collect();
    assert_eq!(listed, known);
}

/// The finding of a code in the pedantic set.
fn found_as(lines: &str, code: Code) -> Diagnostic {
    let (found, ..) = all(&policy(lines), LintSet::Pedantic, None);
    let one = found.iter().find(|one| one.code == code);
    one.unwrap_or_else(|| panic!("{lines}: {found:#?}")).clone()
}

#[test]
fn the_path_of_a_list_is_spelt_anew_however_it_is_quoted() {
    for (path, starred) in [
        ("\"labels\"", "labels[*]"),
        ("fields.\"labels\"", "fields.labels[*]"),
        ("\"a.b\".labels", "\"a.b\".labels[*]"),
        ("\"x:=labels\".labels", "\"x:=labels\".labels[*]"),
    ] {
        let found = found_as(
            &format!("[put]/rest/api/2/issue/A[JsonData::{path}==bot]"),
            Code::SingleForList,
        );
        let help = format!("write `[put]/rest/api/2/issue/A[JsonData::{starred}==bot]`");
        assert_eq!(found.help, Some(help), "{path}");
    }
}

#[test]
fn a_forbid_line_is_avoidable_with_all_its_permit_lines() {
    let permits = |names: &[&str]| {
        let lines = names.iter().map(|name| format!("/rest/api/2/issue/{name}\n"));
        format!(
            "{}![delete]/rest/api/2/issue/.*",
            lines.collect::<Vec<_>>().concat()
        )
    };
    let methods = "[get,head,post,put,patch,options]/rest/api/2/issue";
    let two = found_as(&permits(&["A", "B"]), Code::AvoidableForbid);
    let help = two.help.unwrap();
    assert!(
        help.ends_with(&format!("methods: `{methods}/A`, `{methods}/B`")),
        "{help}"
    );
    assert_eq!(
        two.primary.text,
        "the request that is shown is denied by this line alone"
    );
    assert_eq!(two.witness.unwrap().request, "DELETE /rest/api/2/issue/A");
    let five = found_as(&permits(&["A", "B", "C", "D", "E"]), Code::AvoidableForbid);
    let help = five.help.unwrap();
    assert!(help.ends_with("/C` and 2 more lines"), "{help}");
    // What another line denies too is not shown.
    let other = format!("{}\n!/rest/api/2/issue/A", permits(&["A", "B"]));
    let found = found_as(&other, Code::AvoidableForbid);
    assert_eq!(found.witness.unwrap().request, "DELETE /rest/api/2/issue/B");
}

#[test]
fn a_line_that_is_too_long_to_look_at_is_counted() {
    let open = |lines: &str| {
        let sources = policy(lines);
        let compilation = compile(&sources);
        let program = bound(&compilation);
        let policy = lint::Policy {
            sources: &sources,
            program: &program,
            source_map: &compilation.source_map,
            reserved: None,
        };
        let settings = Settings {
            set: LintSet::Regular,
            expires_within_ms: DAY,
            now_ms: NOW,
        };
        let budget = Budget::new(Analysis::BUDGET);
        let asked = (Universe::default(), &served(), &budget);
        lint::find(policy, settings, &mut [], asked).unwrap().open
    };
    let padding = "a".repeat(4_096);
    assert_eq!(
        open(&format!("[get].*/rest/{padding}\n[get]/rest/.*/{padding}")),
        2
    );
    assert_eq!(open("[get].*/rest/a"), 0);
    // Nothing in this line concerns any lint.
    assert_eq!(open(&format!("[get]/rest/{padding}")), 0);
}

#[test]
fn other_spellings_of_any_text_hide_nothing() {
    let issue = "[get]/rest/api/2/issue/KANBAN-1";
    let below = format!("write `{issue}(/.*)?`");
    let search = "write `[get]/rest/api/2/search`".to_owned();
    for (line, code, help) in [
        (format!("{issue}.*$"), "TW0505", format!("write `{issue}(/.*)?$`")),
        (format!("{issue}.*?"), "TW0505", below.clone()),
        (format!("{issue}(.*)"), "TW0505", below.clone()),
        (format!("{issue}(?:.*)?"), "TW0505", below),
        (format!("{issue}.+"), "TW0505", format!("write `{issue}/.*`")),
        ("[get]^.*/rest/api/2/search".to_owned(), "TW0504", search.clone()),
        ("[get].*?/rest/api/2/search".to_owned(), "TW0504", search.clone()),
        ("[get](.*)/rest/api/2/search".to_owned(), "TW0504", search),
    ] {
        let (found, _, program) = all(&policy(&line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        assert_eq!(
            (one.code.as_str(), one.help.as_ref()),
            (code, Some(&help)),
            "{line}"
        );
        let shown = &one.witness.as_ref().unwrap().request;
        assert!(is_allowed(&program, shown), "{line}: {shown}");
    }
    for (line, headline) in [
        (
            "[get].+",
            "this line allows every GET request that the proxy serves",
        ),
        (
            "[get]/rest/.+",
            "this line allows every GET request below the paths that the proxy serves",
        ),
    ] {
        let (found, ..) = all(&policy(line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        assert_eq!((one.code.as_str(), one.headline.as_str()), ("TW0509", headline));
    }
}
