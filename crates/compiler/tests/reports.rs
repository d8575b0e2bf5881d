//! Findings in the formats of other programs, and baselines of accepted findings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use serde_json::Value;
use tokenward_compiler::{
    baseline::Baseline,
    compile,
    diagnostic::{
        Code, Diagnostic, Elsewhere, GitHub, Report, render_github, render_gitlab, render_junit, render_sarif,
    },
    source::{SourceSet, Span},
};

const HASH: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

/// A token that never expires, with these lines.
fn policy(before: &str, lines: &str) -> SourceSet {
    let text = format!(
        "{before}[[token]]\nname = \"a\"\nuser = \"u\"\nsecret_hash = \"{HASH}\"\nlimit_to = '''\n{lines}'''\n"
    );
    SourceSet::from_files([("a.toml".to_owned(), text)])
}

fn report(sources: &SourceSet, diagnostics: &[Diagnostic]) -> Report {
    let mut report = Report::default();
    report.add(sources, diagnostics, &|path| format!("policies/{path}"));
    report
}

fn found(sources: &SourceSet) -> Report {
    report(sources, &compile(sources).diagnostics)
}

/// Texts that try to leave their place in each format.
const HOSTILE: &str = "x\n::set-env name=A::b%0A\r\u{1b}[31m</failure>]]>&\"'<script>|`";

fn hostile(count: usize) -> (SourceSet, Vec<Diagnostic>) {
    let one = |at| {
        let place = Elsewhere {
            file: format!("d,i:r/{HOSTILE}"),
            line: at + 1,
        };
        Diagnostic::new(Code::NearFile, Span::nowhere(), HOSTILE)
            .help(HOSTILE)
            .elsewhere(Some(place))
    };
    (SourceSet::default(), (0..count).map(one).collect())
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let lines = "[post]/rest/x[JsonData::a==false]\n[post]/rest/y[JsonData::a==false]\n";
    let prints = |sources: &SourceSet| -> Vec<String> {
        let report = found(sources);
        let mut prints: Vec<String> = report
            .findings()
            .iter()
            .map(|found| found.fingerprint.clone())
            .collect();
        prints.sort();
        prints
    };
    let before = prints(&policy("", lines));
    assert_eq!(before.len(), 3, "two literals, and no expiry");
    let moved = policy("# a comment\n\n", &format!("# more\n  {}", lines));
    assert_eq!(prints(&moved), before);
    let changed = policy("", &lines.replace("/rest/y", "/rest/z"));
    assert_ne!(prints(&changed), before);
    // Two findings of one line are two.
    let twice = prints(&policy(
        "",
        "[post]/rest/x[JsonData::a==false][JsonData::b==true]\n",
    ));
    assert_eq!(twice.len(), 3);
    assert_ne!(twice[0], twice[1]);
    assert_ne!(twice[1], twice[2]);
}

#[test]
fn sarif_has_places_fingerprints_and_fixes() {
    let sources = policy("", "[post]/rest/ü[JsonData::a==false]\n");
    let mut report = found(&sources);
    let sarif: Value = serde_json::from_str(&render_sarif(&report, "1.2.3")).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let results = run["results"].as_array().unwrap();
    let literal = results
        .iter()
        .find(|result| result["ruleId"] == "TW0103")
        .unwrap();
    let place = &literal["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "policies/a.toml");
    assert_eq!(place["region"]["startLine"], 6);
    assert_eq!(place["region"]["startColumn"], 14);
    assert_eq!(
        literal["partialFingerprints"]["tokenwardFinding/v1"]
            .as_str()
            .unwrap()
            .len(),
        32
    );
    let change = &literal["fixes"][0]["artifactChanges"][0];
    let replacement = &change["replacements"][0];
    assert_eq!(
        replacement["insertedContent"]["text"],
        "[JsonData::a:boolean==false]"
    );
    assert_eq!(replacement["deletedRegion"], place["region"]);
    let rule = usize::try_from(literal["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], "TW0103");
    report.fail("no such file");
    let sarif: Value = serde_json::from_str(&render_sarif(&report, "1")).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn a_fix_is_the_text_that_the_advice_names() {
    let sources = policy("", "[gett]/rest/x\n[get]!/rest/y\n");
    let compilation = compile(&sources);
    let fixes: Vec<(&str, &str)> = compilation
        .diagnostics
        .iter()
        .filter_map(|found| found.fixes.first()?.edits.first())
        .map(|edit| (sources.text(edit.span), edit.text.as_str()))
        .collect();
    assert_eq!(
        fixes,
        [
            ("[gett]/rest/x", "[get]/rest/x"),
            ("[get]!/rest/y", "![get]/rest/y")
        ]
    );
}

#[test]
fn junit_fails_for_what_fails_the_run() {
    let sources = SourceSet::from_files([
        (
            "a.toml".to_owned(),
            format!(
                "[[token]]\nname = \"a\"\nuser = \"u\"\nsecret_hash = \"{HASH}\"\nlimit_to = '/rest/x'\n"
            ),
        ),
        ("b.toml".to_owned(), String::new()),
    ]);
    let mut report = found(&sources);
    let passed = render_junit(&report);
    assert!(
        passed.contains("tests=\"2\" failures=\"0\" errors=\"0\""),
        "{passed}"
    );
    assert!(
        passed.contains("<testcase classname=\"policies/a.toml\" name=\"TW0101: "),
        "{passed}"
    );
    assert!(
        passed.contains("file=\"policies/a.toml\" line=\"2\"><system-out>"),
        "{passed}"
    );
    assert!(
        passed.contains("<testcase classname=\"policies/b.toml\" name=\"no findings\""),
        "{passed}"
    );
    report.deny_warnings();
    report.fail("stopped");
    let failed = render_junit(&report);
    assert!(
        failed.contains("tests=\"3\" failures=\"1\" errors=\"1\""),
        "{failed}"
    );
    assert!(failed.contains("type=\"TW0101\">"), "{failed}");
    assert!(failed.contains("<error message=\"stopped\""), "{failed}");
}

#[test]
fn gitlab_has_severities_paths_and_different_fingerprints() {
    let sources = policy(
        "",
        "[post]/rest/x[JsonData::a==false][JsonData::b==true]\n(?=x)\n",
    );
    let mut report = found(&sources);
    let rows = |report: &Report| -> Vec<Value> {
        let rows: Value = serde_json::from_str(&render_gitlab(report, "policies/first.toml")).unwrap();
        rows.as_array().unwrap().clone()
    };
    let all = rows(&report);
    let severities: Vec<&str> = all.iter().map(|row| row["severity"].as_str().unwrap()).collect();
    assert_eq!(severities, ["critical", "minor", "minor", "minor"]);
    for row in &all {
        assert_eq!(row["location"]["path"], "policies/a.toml");
        assert!(row["location"]["lines"]["begin"].as_u64().unwrap() > 0);
    }
    let mut prints: Vec<&str> = all
        .iter()
        .map(|row| row["fingerprint"].as_str().unwrap())
        .collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), all.len());
    report.deny_warnings();
    report.fail("stopped");
    let all = rows(&report);
    assert_eq!(
        (&all[0]["severity"], &all[2]["severity"]),
        (&"blocker".into(), &"major".into())
    );
    assert_eq!(all[0]["location"]["path"], "policies/first.toml");
}

#[test]
fn github_gets_ten_annotations_of_a_type_errors_first() {
    let lines: String = (0..15)
        .map(|at| format!("/rest/{at}[JsonData::a==true]\n"))
        .collect();
    let errors: String = (0..12).map(|at| format!("/rest/{at}(?=x)\n")).collect();
    let GitHub { commands, summary } = render_github(&found(&policy("", &(lines + &errors))));
    let of = |kind: &str| commands.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!((of("::error "), of("::warning ")), (10, 10), "{commands}");
    let first_warning = commands.find("::warning ").unwrap();
    assert!(commands.rfind("::error ").unwrap() < first_warning);
    assert!(
        commands.contains("::error title=tokenward::3 more errors are not shown here"),
        "{commands}"
    );
    assert!(
        commands.contains("::warning title=tokenward::7 more warnings are not shown here"),
        "{commands}"
    );
    assert!(
        commands.contains("::error file=policies/a.toml,line=21,endLine=21,col="),
        "{commands}"
    );
    assert!(
        commands.ends_with("tokenward: 12 errors, 16 warnings\n"),
        "{commands}"
    );
    assert_eq!(
        summary.lines().filter(|line| line.starts_with("| error")).count(),
        12
    );
    assert_eq!(
        summary
            .lines()
            .filter(|line| line.starts_with("| warning"))
            .count(),
        16
    );
    // The run's failure takes the place of an error.
    let mut report = found(&policy("", &errors));
    report.fail("stopped");
    let commands = render_github(&report).commands;
    assert_eq!(
        commands
            .lines()
            .filter(|line| line.starts_with("::error "))
            .count(),
        10
    );
}

#[test]
fn hostile_text_stays_text_in_every_format() {
    let (sources, diagnostics) = hostile(1);
    let mut report = report(&sources, &diagnostics);
    report.fail(HOSTILE);
    let GitHub { commands, summary } = render_github(&report);
    // The failure, the finding and the counts: no line is begun by the text, and a property ends where it should.
    assert_eq!(commands.lines().count(), 3, "{commands}");
    assert!(
        commands
            .lines()
            .all(|line| line.starts_with("::") || line.starts_with("tokenward: "))
    );
    assert!(
        commands.contains("file=policies/d%2Ci%3Ar/x\\n%3A%3Aset-env name=A%3A%3Ab%250A"),
        "{commands}"
    );
    assert!(!commands.contains('\u{1b}') && !summary.contains('\u{1b}'));
    let row = summary
        .lines()
        .find(|line| line.starts_with("| warning"))
        .unwrap();
    assert!(row.contains("``") && row.contains("\\|"), "{row}");
    let junit = render_junit(&report);
    assert!(
        !junit.contains("<script>") && !junit.contains("]]>") && !junit.contains('\u{1b}'),
        "{junit}"
    );
    assert_eq!(
        junit.matches("</failure>").count(),
        0,
        "a warning that is not denied: {junit}"
    );
    let rows: Value = serde_json::from_str(&render_gitlab(&report, "a")).unwrap();
    assert!(!rows[1]["description"].as_str().unwrap().contains('\n'));
    let sarif: Value = serde_json::from_str(&render_sarif(&report, "1")).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert!(
        uri.starts_with("policies/d,i%3Ar/x%5Cn%3A%3Aset-env%20name=A"),
        "{uri}"
    );
}

/// Applies a baseline to a policy; the codes that remain, how many it hides, its faults and its stale entries.
fn applied(text: &str, sources: &SourceSet) -> (Vec<Code>, usize, Vec<Code>, Vec<Code>) {
    let mut baseline = Baseline::read("accepted.toml", text, 1_800_000_000_000);
    let mut diagnostics = compile(sources).diagnostics;
    let hidden = baseline.hide(sources, &mut diagnostics);
    let codes = |found: &[Diagnostic]| found.iter().map(|found| found.code).collect();
    (
        codes(&diagnostics),
        hidden,
        codes(baseline.faults()),
        codes(&baseline.stale(&|_| true)),
    )
}

const LINE: &str = "[post]/rest/x[JsonData::a==false]";

fn entry(code: &str, token: &str, line: &str, more: &str) -> String {
    format!("[[accepted]]\ncode = \"{code}\"\ntoken = \"{token}\"\nline = '{line}'\n{more}\n")
}

#[test]
fn a_baseline_hides_what_it_lists() {
    let sources = policy("# moved\n", &format!("  {LINE}\n"));
    let why = "why = \"known\"";
    let (left, hidden, faults, stale) = applied(&entry("TW0103", "a", LINE, why), &sources);
    assert_eq!(
        (left, hidden, faults, stale),
        (vec![Code::NoExpiry], 1, vec![], vec![])
    );
    // Another code, token or text is another finding.
    for (code, token, line) in [
        ("TW0105", "a", LINE),
        ("TW0103", "b", LINE),
        ("TW0103", "a", "[post]/rest/x[JsonData::a==true]"),
    ] {
        let (left, hidden, _, stale) = applied(&entry(code, token, line, why), &sources);
        assert_eq!((left.len(), hidden, stale), (2, 0, vec![Code::StaleBaseline]));
    }
}

#[test]
fn an_entry_ends() {
    let sources = policy("", &format!("{LINE}\n"));
    let entry = |until: &str| entry("TW0103", "a", LINE, &format!("why = \"known\"\nuntil = {until}"));
    let (left, hidden, _, stale) = applied(&entry("2030-01-01"), &sources);
    assert_eq!((left.len(), hidden, stale.len()), (1, 1, 0));
    let (left, hidden, _, stale) = applied(&entry("2027-01-01"), &sources);
    assert_eq!((left.len(), hidden, stale), (2, 0, vec![Code::StaleBaseline]));
    // A time that cannot be read makes no endless entry.
    let (left, hidden, faults, _) = applied(&entry("\"soon\""), &sources);
    assert_eq!((left.len(), hidden, faults), (2, 0, vec![Code::WrongValue]));
}

#[test]
fn errors_and_new_access_are_never_hidden() {
    let sources = policy("", "/rest/x(?=y)\n");
    let why = "why = \"known\"";
    let (left, hidden, faults, _) = applied(&entry("TW0014", "a", "/rest/x(?=y)", why), &sources);
    assert!(left.contains(&Code::RegexpFeature));
    assert_eq!((hidden, faults), (0, vec![Code::Unacceptable]));
    let new_access = Code::ALL.iter().filter(|code| code.as_str().starts_with("TW03"));
    for code in new_access {
        let (_, _, faults, _) = applied(&entry(code.as_str(), "a", LINE, why), &sources);
        assert_eq!(faults, [Code::Unacceptable], "{code}");
    }
    // A warning that this run takes for an error is shown, and its entry is not stale.
    let mut baseline = Baseline::read("b.toml", &entry("TW0103", "a", LINE, why), 0);
    let sources = policy("", &format!("{LINE}\n"));
    let mut diagnostics = compile(&sources).diagnostics;
    for found in &mut diagnostics {
        found.severity = tokenward_compiler::diagnostic::Severity::Error;
    }
    assert_eq!(baseline.hide(&sources, &mut diagnostics), 0);
    assert!(baseline.stale(&|_| true).is_empty());
}

#[test]
fn mistakes_in_a_baseline_are_named() {
    let sources = policy("", "");
    for (text, code) in [
        (
            "[[accepted]]\ncode = \"TW0101\"\ntoken = \"a\"\nline = 'x'\n",
            Code::MissingKey,
        ),
        (
            "[[accepted]]\ncode = \"TW0101\"\nline = 'x'\nwhy = \"y\"\n",
            Code::MissingKey,
        ),
        (
            "[[accepted]]\ncode = \"TW0101\"\ntoken = \"a\"\nset = \"b\"\nline = 'x'\nwhy = \"y\"\n",
            Code::WrongValue,
        ),
        (
            "[[accepted]]\ncode = \"TW9999\"\ntoken = \"a\"\nline = 'x'\nwhy = \"y\"\n",
            Code::WrongValue,
        ),
        (
            "[[accepted]]\ncode = \"TW0101\"\ntoken = \"a\"\nline = 'x'\nwhy = \"y\"\nuntill = 2030-01-01\n",
            Code::UnknownKey,
        ),
        ("[[acepted]]\n", Code::UnknownKey),
        ("[accepted]\n", Code::WrongValue),
        ("[[accepted\n", Code::TomlSyntax),
    ] {
        let (_, _, faults, _) = applied(text, &sources);
        assert_eq!(faults, [code], "{text}");
    }
    let twice = entry("TW0101", "a", "x", "why = \"y\"").repeat(2);
    let (_, _, faults, _) = applied(&twice, &sources);
    assert_eq!(faults, [Code::WrongValue]);
}

#[test]
fn a_written_baseline_hides_all_warnings_and_keeps_reasons() {
    let sources = policy("", &format!("{LINE}\n[post]/rest/it's[JsonData::a==null]\n"));
    let diagnostics = compile(&sources).diagnostics;
    let empty = Baseline::read("b.toml", "", 0);
    let (text, unexplained) = empty.written(&sources, &diagnostics, &|_| true);
    assert_eq!(unexplained, 3, "{text}");
    let unexplained = Baseline::read("b.toml", &text, 0).unexplained();
    assert_eq!(unexplained.len(), 3, "an empty reason is an error");
    let filled = text.replacen("why = \"\"", "why = \"known\"\nuntil = 2031-05-06T07:08:09Z", 1);
    let (again, left) = Baseline::read("b.toml", &filled, 0).written(&sources, &diagnostics, &|_| true);
    assert_eq!((again, left), (filled.clone(), 2));
    let (remaining, hidden, faults, stale) = applied(&text.replace("\"\"", "\"known\""), &sources);
    assert_eq!((remaining, hidden, faults, stale), (vec![], 3, vec![], vec![]));
}

#[test]
fn an_entry_whose_code_was_not_judged_is_kept_and_not_stale() {
    let sources = policy("", "[get]/rest/x\n");
    let kept = entry("TW0502", "a", "[get].*/rest/y", "why = \"known\"");
    let dropped = entry("TW0103", "a", LINE, "why = \"known too\"");
    let expired = entry(
        "TW0502",
        "a",
        "[get].*/rest/z",
        "why = \"once\"\nuntil = 2020-01-01",
    );
    let text = format!("{kept}{dropped}{expired}");
    let mut baseline = Baseline::read("b.toml", &text, 1_800_000_000_000);
    assert_eq!(baseline.faults().len(), 0, "{:?}", baseline.faults());
    assert_eq!(baseline.hide(&sources, &mut Vec::new()), 0);
    let judged = |code: Code| code.as_str() != "TW0502";
    let stale = baseline.stale(&judged);
    let headlines: Vec<&str> = stale.iter().map(|found| found.headline.as_str()).collect();
    assert_eq!(
        headlines,
        ["no finding `TW0103` needs this entry", "this entry has expired"]
    );
    let (written, unexplained) = baseline.written(&sources, &[], &judged);
    assert_eq!(unexplained, 0);
    assert!(
        written.contains("why = \"known\"\n") && written.contains("why = \"once\"\nuntil = 2020-01-01"),
        "{written}"
    );
    assert!(!written.contains("TW0103"), "{written}");
    assert_eq!(baseline.stale(&|_| true).len(), 3);
}

#[test]
fn open_questions_of_lints_are_told() {
    let sources = policy("", "");
    let mut report = report(&sources, &[]);
    for all in [
        render_sarif(&report, "1"),
        render_junit(&report),
        render_github(&report).commands,
    ] {
        assert!(!all.contains("lints"), "{all}");
    }
    report.leave_open(2);
    let sarif: Value = serde_json::from_str(&render_sarif(&report, "1")).unwrap();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "warning");
    let told = "2 questions of lints are open; a larger --budget settles them";
    assert_eq!(notification["message"]["text"], told);
    let junit = render_junit(&report);
    assert!(
        junit.contains("<property name=\"open_lint_questions\" value=\"2\"/>"),
        "{junit}"
    );
    let GitHub { commands, summary } = render_github(&report);
    let notice = format!("::notice title=tokenward::{told}\n");
    assert!(commands.contains(&notice), "{commands}");
    let counts = "tokenward: no findings, 2 questions of lints open\n";
    assert!(commands.ends_with(counts), "{commands}");
    assert!(summary.contains(told), "{summary}");
}

#[test]
fn junit_escapes_a_path_once() {
    let (sources, diagnostics) = hostile(1);
    let mut report = report(&sources, &diagnostics);
    report.deny_warnings();
    let junit = render_junit(&report);
    assert!(
        !junit.contains("&amp;amp;") && !junit.contains("&amp;lt;"),
        "{junit}"
    );
}

#[test]
fn a_summary_of_a_step_stays_below_the_limit_of_github() {
    let found = |at: usize| {
        let long = format!("{at} {}", "x".repeat(20_000));
        Diagnostic::new(Code::NearFile, Span::nowhere(), long)
    };
    let diagnostics: Vec<Diagnostic> = (0..60).map(found).collect();
    let summary = render_github(&report(&SourceSet::default(), &diagnostics)).summary;
    assert!(summary.len() < 901_000, "{}", summary.len());
    let rows = summary
        .lines()
        .filter(|line| line.starts_with("| warning"))
        .count();
    let rest = format!("{} more findings are not shown.", 60 - rows);
    assert!(rows > 40 && summary.contains(&rest), "{rows} rows");
}
