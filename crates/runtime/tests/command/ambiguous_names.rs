//! Names that the proxy refuses as ambiguous under products that merge query and body: a line that is gone may have been the reason
//! for a refusal.

use std::fs;

use tempfile::TempDir;

use crate::policy::{EXPIRES, token};
use crate::tokenward::run;

const GITLAB: &str = "[upstream]\nproduct = \"gitlab\"\n";
const WIDE: &str = "[post]/api/v4/projects/1/issues";
const NARROW: &str = "[post]/api/v4/projects/1/issues[QueryParam::labels==bug]";

fn directory(config: &str, old: &str, new: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let token = |lines| token("ci", "11", EXPIRES, lines);
    write("tokenward.toml", config);
    write("old/t.toml", &token(old));
    write("new/t.toml", &token(new));
    directory
}

fn diff(config: &str, old: &str, new: &str, arguments: &[&str]) -> (i32, String) {
    let directory = directory(config, old, new);
    let fixed = ["diff", "old", "new", "--old-config", "tokenward.toml"];
    let (code, out, err) = run(directory.path(), &[&fixed, arguments].concat()).apart();
    assert_eq!(err, "");
    (code, out)
}

#[test]
fn a_removed_line_newly_allows_other_spellings() {
    let both = format!("{WIDE}\n{NARROW}");
    let (code, out) = diff(GITLAB, &both, WIDE, &[]);
    assert_eq!(code, 1, "{out}");
    for expected in [
        "newly allowed: POST /api/v4/projects/1/issues?LABELS=",
        &format!("    allowed by t.toml:7: {WIDE}\n"),
        &format!("    refused as ambiguous because of t.toml:8: {NARROW}\n"),
        "widened: names that the upstream may take for one of",
    ] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    assert!(!out.contains("the proxy forwards it only"), "{out}");
    // The other way round, they are denied.
    let (code, out) = diff(GITLAB, WIDE, &both, &[]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("newly denied: POST /api/v4/projects/1/issues?LABELS="),
        "{out}"
    );
    let (_, out) = diff(GITLAB, &both, WIDE, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let example = &report["tokens"][0]["newly_allowed"]["examples"][0];
    assert_eq!(
        (&example["cause"], &example["forwarded"]),
        (&"names".into(), &true.into())
    );
    assert_eq!(example["widened"][0]["kind"], "names");
    // Other products parse no names.
    let jira = "[upstream]\nproduct = \"jira\"\nendpoints = [\"/*\"]\n";
    let (code, out) = diff(jira, &both, WIDE, &[]);
    assert_eq!(code, 0, "{out}");
    let relaxed = format!("{GITLAB}[relax]\nambiguous_parameter = true\n");
    let (code, out) = diff(&relaxed, &both, WIDE, &[]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn lines_that_refuse_the_same_names_are_no_difference() {
    for (old, new) in [
        // Another value, another URL, another constraint in addition, the line twice.
        (
            format!("{WIDE}\n{NARROW}"),
            format!("{WIDE}\n{NARROW}\n[post]/api/v4/projects/1/issues[QueryParam::labels==idea]"),
        ),
        (
            format!("{WIDE}\n{NARROW}\n[post]/api/v4/.*[QueryParam::labels==x]"),
            format!("{WIDE}\n[post]/api/v4/.*[QueryParam::labels==x]"),
        ),
        (
            "[post]/api/v4/.*\n[post]/api/v4/projects/1/issues[JsonData::a.b==1]".to_owned(),
            "[post]/api/v4/.*\n[post]/api/v4/projects/1/issues[JsonData::a.b==1][JsonData::a.b:string==1]"
                .to_owned(),
        ),
    ] {
        let (code, out) = diff(GITLAB, &old, &new, &[]);
        assert_eq!(code, 0, "{old}\n{new}\n{out}");
    }
}

#[test]
fn the_gate_wants_a_review_of_names() {
    let directory = directory(GITLAB, &format!("{WIDE}\n{NARROW}"), WIDE);
    let path = directory.path();
    let arguments = [
        "compile",
        "--check",
        "new",
        "--no-new-access",
        "./old",
        "--old-config",
        "tokenward.toml",
    ];
    let (code, _, err) = run(path, &arguments).apart();
    assert_eq!(code, 1, "{err}");
    let expected =
        format!("error[TW0332]: `ci` newly allows names that the proxy refused because of `{NARROW}`\n");
    assert!(err.contains(&expected), "{err}");
    let review = format!("[[reviewed]]\ntoken = 'ci'\nlifted = '{NARROW}'\nwhy = 'meant'\n");
    fs::write(path.join("old/reviewed.toml"), &review).unwrap();
    fs::write(path.join("new/reviewed.toml"), &review).unwrap();
    let (code, _, err) = run(path, &arguments).apart();
    assert_eq!(code, 0, "{err}");
}

#[test]
fn an_invariant_fails_if_the_proxy_refuses_its_names() {
    let directory = directory(GITLAB, WIDE, &format!("{WIDE}\n{NARROW}"));
    let path = directory.path();
    for (name, code) in [("labels", 0), ("LABELS", 1)] {
        let always = format!(
            "[[always]]\nname = 'a'\nlines = '[post]/api/v4/projects/1/issues[QueryParam::{name}==bug]'\n"
        );
        fs::write(path.join("new/invariants.toml"), always).unwrap();
        let (found, _, err) = run(path, &["compile", "--check", "new", "--config", "tokenward.toml"]).apart();
        assert_eq!(found, code, "{name}: {err}");
    }
}

#[test]
fn obstacles_name_the_setting() {
    for (config, line, setting) in [
        (
            "[auth]\nquery_parameter = \"token\"\n",
            "/api/x[QueryParam::token==a]",
            "auth.query_parameter",
        ),
        (
            "[upstream]\nrefused_parameters = [\"who\"]\n",
            "/api/x[QueryParam::who==a]",
            "upstream.refused_parameters",
        ),
        (
            "[upstream]\nrefused_members = [\"who\"]\n",
            "[post]/api/x[JsonData::who==a]",
            "upstream.refused_members",
        ),
        (
            "",
            "[post]/api/x[JsonData::private_token==a]",
            "upstream.accepted_names",
        ),
    ] {
        let upstream = "product = \"gitlab\"\n";
        let config = match config.strip_prefix("[upstream]\n") {
            Some(rest) => format!("[upstream]\n{upstream}{rest}"),
            None => format!("[upstream]\n{upstream}{config}"),
        };
        let (code, out) = diff(&config, "/api/y", &format!("/api/y\n{line}"), &[]);
        assert_eq!(code, 1, "{out}");
        let expected = format!("the proxy forwards it only with another `{setting}`");
        assert!(out.contains(&expected), "{expected} in {out}");
    }
}
