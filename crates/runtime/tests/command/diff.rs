//! `tokenward diff` as its users meet it.

use std::fs;

use tempfile::TempDir;
use tokenward_verify::verify;

use crate::repository::git_succeeds;
use crate::tokenward::{run, succeed};

/// Runs `tokenward diff`: exit code, standard output and standard error.
fn diff(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(directory.path(), &[&["diff"], arguments].concat()).apart()
}

fn write(directory: &TempDir, place: &str, tokens: &[(&str, &str, &str, &str)]) {
    fs::create_dir_all(directory.path().join(place)).unwrap();
    let entries = tokens.iter().map(|(name, secret, keys, lines)| {
        let hash = secret.repeat(32);
        format!("[[token]]\nname = \"{name}\"\nsecret_hash = \"sha256:{hash}\"\n{keys}\nlimit_to = '''\n{lines}\n'''\n")
    });
    fs::write(
        directory.path().join(place).join("t.toml"),
        entries.collect::<String>(),
    )
    .unwrap();
}

#[test]
fn what_widens_is_1_with_a_request_and_its_lines() {
    let directory = TempDir::new().unwrap();
    let kept = ("kept", "11", "user = \"u\"", "/rest/a");
    write(
        &directory,
        "old",
        &[("ci", "22", "user = \"u\"", "[get]/rest/i/K-[0-9]+"), kept],
    );
    write(
        &directory,
        "new",
        &[
            kept,
            ("ci2", "22", "users = [\"u\", \"v\"]", "[get]/rest/i/K-[0-9]+.*"),
        ],
    );
    let (code, out, err) = diff(&directory, &["old", "new"]);
    assert_eq!((code, err.as_str()), (1, ""));
    for expected in [
        "ci2: allows more\n",
        "name: ci -> ci2\n",
        "user: u -> u, v  (wider)\n",
        "newly allowed: GET /rest/i/K-0a\n",
        "allowed by t.toml:13: [get]/rest/i/K-[0-9]+.*\n",
        "denied by  no line\n",
        "1 of 2 tokens differ, 1 allow more than before\n",
    ] {
        assert!(out.contains(expected), "{expected:?} in {out}");
    }
    let (code, out, _) = diff(&directory, &["new", "old"]);
    assert!(
        code == 0 && out.contains("newly denied: GET /rest/i/K-0a\n"),
        "{out}"
    );
}

#[test]
fn what_is_equivalent_is_0() {
    let directory = TempDir::new().unwrap();
    write(
        &directory,
        "old",
        &[("a", "11", "user = \"u\"", "/rest/a|/rest/b")],
    );
    write(
        &directory,
        "new",
        &[("a", "11", "user = \"u\"", "/rest/b\n# also\n/rest/a")],
    );
    assert_eq!(
        diff(&directory, &["old", "new"]),
        (
            0,
            "no difference: 1 tokens are equivalent\n".to_owned(),
            String::new()
        )
    );
}

#[test]
fn tokens_come_and_go() {
    let directory = TempDir::new().unwrap();
    write(
        &directory,
        "old",
        &[
            ("a", "11", "user = \"u\"", "/rest/a"),
            ("b", "22", "user = \"u\"", "/rest/b"),
        ],
    );
    write(&directory, "new", &[("a", "11", "user = \"u\"", "/rest/a")]);
    let (code, out, _) = diff(&directory, &["old", "new"]);
    assert!(code == 0 && out.contains("b: gone\n"), "{out}");
    let (code, out, _) = diff(&directory, &["new", "old"]);
    assert!(
        code == 1 && out.contains("b: new\n") && out.contains("newly allowed: GET /rest/b\n"),
        "{out}"
    );
}

#[test]
fn json_and_markdown_say_the_same() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old", &[("a", "11", "user = \"u\"", "[get]/rest/a")]);
    write(
        &directory,
        "new",
        &[("a", "11", "user = \"u\"", "[get,put]/rest/a")],
    );
    let (code, out, _) = diff(&directory, &["--format", "json", "old", "new"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["widens"]), (1, &true.into()));
    let allowed = &json["tokens"][0]["newly_allowed"];
    assert_eq!(
        (&allowed["verdict"], &allowed["examples"][0]["request"]),
        (&"yes".into(), &"PUT /rest/a".into())
    );
    let (code, out, _) = diff(&directory, &["--format", "markdown", "old", "new"]);
    assert!(
        code == 1
            && out.contains("### Policy: This change allows more")
            && out.contains("**Newly allowed:** `PUT /rest/a`"),
        "{out}"
    );
}

#[test]
fn revisions_in_git() {
    let directory = TempDir::new().unwrap();
    let git = |arguments: &[&str]| git_succeeds(directory.path(), arguments);
    git(&["init", "-q", "-b", "main"]);
    for lines in ["[get]/rest/a", "[get,post]/rest/a"] {
        write(&directory, "policies", &[("a", "11", "user = \"u\"", lines)]);
        git(&["add", "."]);
        git(&["commit", "-q", "-m", lines]);
    }
    write(&directory, "policies", &[("a", "11", "user = \"u\"", "/rest/a")]);
    let (code, out, err) = diff(&directory, &["HEAD~1..HEAD"]);
    assert!(
        code == 1 && out.contains("newly allowed: POST /rest/a\n"),
        "{out}{err}"
    );
    let (code, out, err) = diff(&directory, &["HEAD.."]);
    assert!(
        code == 1 && out.contains("newly allowed: PUT /rest/a\n"),
        "{out}{err}"
    );
    let (code, _, err) = diff(&directory, &["nowhere..HEAD"]);
    assert!(code == 3 && err.contains("nowhere"), "{err}");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old", &[("a", "11", "user = \"u\"", "/rest/(")]);
    let (code, out, err) = diff(&directory, &["old", "old"]);
    assert!(
        code == 3
            && out.is_empty()
            && err.contains("`old` does not compile under its configuration: 1 error"),
        "{err}"
    );
    assert_eq!(diff(&directory, &["old"]).0, 2);
    write(&directory, "old", &[("a", "11", "user = \"u\"", "/rest/a")]);
    assert_eq!(diff(&directory, &["old", "nowhere"]).0, 3);
}

/// A pull request of five edits: one widens by a missing boundary, one by a method list, one by a constraint removed, one
/// narrows, one only writes the same otherwise. The snapshot is the comment that its reviewer reads.
#[test]
fn five_edits_as_a_reviewer_sees_them() {
    let directory = TempDir::new().unwrap();
    copy_fixture("five-edits", &directory);
    let (code, out, err) = diff(&directory, &["--format", "markdown", "old", "new"]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!("five_edits", out);
}

/// The five edits that widen most often: a dropped method list, a missing boundary, an opened query, a forbid line removed, a
/// token made unrestricted. The snapshot is the comment that its reviewer reads.
#[test]
fn five_widenings_as_a_reviewer_sees_them() {
    let directory = TempDir::new().unwrap();
    copy_fixture("five-widenings", &directory);
    let (code, out, err) = diff(&directory, &["--format", "markdown", "old", "new"]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!("five_widenings", out);
}

/// Every format says what widened, against which line, and the most telling request with its decoded form.
#[test]
fn every_format_says_what_widened() {
    let directory = TempDir::new().unwrap();
    copy_fixture("five-widenings", &directory);
    let of = |format: &str| diff(&directory, &["--format", format, "old", "new"]).1;
    for format in ["text", "markdown", "sarif"] {
        let out = of(format);
        for expected in [
            "methods + PUT, PATCH, DELETE, HEAD, OPTIONS",
            "path from `",
            "parameter `jql` from `project = KANBAN` to `project = KANBAN.*`",
            "forbid line removed: `tokens.toml:35: ![delete].*`",
            "the token became unrestricted",
            "its path fails at `a`",
            "GET /rest/api/2/search?jql=project%20%3D%20KANBAN%20OR%20project%20%3D%20HR",
            "GET /rest/api/2/search?jql=project = KANBAN OR project = HR",
        ] {
            assert!(out.contains(expected), "{expected:?} in {format}: {out}");
        }
    }
    for format in ["junit", "github", "gitlab"] {
        let out = of(format);
        let expected = "widened: parameter `jql` from `project = KANBAN` to `project = KANBAN.*`";
        assert!(out.contains(expected), "{format}: {out}");
    }
    let text = of("text");
    let (widened, request) = (
        text.find("widened:").unwrap(),
        text.find("newly allowed:").unwrap(),
    );
    assert!(widened < request, "{text}");
    assert!(
        text.contains("allowed by tokens.toml:42: unrestricted = true\n"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&of("json")).unwrap();
    let report = &json["tokens"][2]["newly_allowed"]["examples"][0];
    for (place, expected) in [
        ("/cause", "permit"),
        ("/widened/0/kind", "query"),
        (
            "/widened/0/words",
            "parameter `jql` from `project = KANBAN` to `project = KANBAN.*`",
        ),
        ("/nearest/why", "its constraint `QueryParam::jql==` fails"),
        (
            "/telling/decoded",
            "GET /rest/api/2/search?jql=project = KANBAN OR project = HR",
        ),
    ] {
        assert_eq!(
            report.pointer(place),
            Some(&expected.into()),
            "{place} {report:#}"
        );
    }
    let unrestricted = &json["tokens"][4]["newly_allowed"]["examples"][0];
    assert_eq!(unrestricted["unrestricted_at"]["line"], 42);
}

/// "Allows more and less" is said only if requests prove both, and open questions are in every format.
#[test]
fn open_questions_are_in_every_format() {
    let directory = TempDir::new().unwrap();
    let write = |place, lines| write(&directory, place, &[("ci", "11", "user = \"u\"", lines)]);
    write("old", "/(.*a){12}.*\n/(.*c){9}.*");
    write("new", "/(.*b){12}.*a{3}.*");
    let of = |format: &str| diff(&directory, &["--format", format, "--budget", "1", "old", "new"]);
    let (code, text, _) = of("text");
    assert_eq!(code, 3, "{text}");
    let (_, junit, _) = of("junit");
    for expected in [
        "allows more than before could not be settled",
        "allows less than before could not be settled",
    ] {
        assert!(junit.contains(expected), "{expected:?} in {junit}");
    }
    for expected in [
        "ci: may allow more or less\n",
        "newly allowed: inconclusive: ",
        "newly denied: inconclusive: ",
        "0 of 1 tokens differ, 0 allow more than before (1 inconclusive)\n",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
    let (_, markdown, _) = of("markdown");
    for expected in [
        "### Policy: This change may allow more\n",
        "#### `ci` may allow more or less\n",
        "**Newly allowed: inconclusive.** ",
        "**Newly denied: inconclusive.** ",
    ] {
        assert!(markdown.contains(expected), "{expected:?} in {markdown}");
    }
    let json: serde_json::Value = serde_json::from_str(&of("json").1).unwrap();
    assert_eq!(
        (&json["open"], &json["tokens"][0]["open"]),
        (&true.into(), &true.into())
    );
    for direction in ["newly_allowed", "newly_denied"] {
        let direction = &json["tokens"][0][direction];
        assert_eq!(direction["verdict"], "inconclusive", "{json:#}");
    }
    let sarif: serde_json::Value = serde_json::from_str(&of("sarif").1).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let open = results.iter().filter(|result| result["ruleId"] == "inconclusive");
    assert_eq!(open.count(), 2, "{sarif:#}");
}

/// What authors write stays text: it opens no markup, no link, no table cell, no command of a CI system, and reads as it is.
#[test]
fn hostile_text_is_escaped_in_every_format() {
    let directory = TempDir::new().unwrap();
    let name = "::error::`x`|<img src=x>[a](https://evil.example)";
    let description = |text: &str| format!("user = \"u\"\ndescription = \"{text}\"");
    let lines = r"[get]/rest/\x{202e}`[QueryParam::q==x</code><b>[|][a](https://evil[.]example)]";
    write(
        &directory,
        "old",
        &[(name, "11", &description("a"), "[get]/rest/a")],
    );
    write(
        &directory,
        "new",
        &[(name, "11", &description("a\\u200Db|`c`"), lines)],
    );
    for format in ["text", "json", "markdown", "sarif"] {
        let (code, out, err) = diff(&directory, &["--format", format, "old", "new"]);
        assert_eq!(code, 1, "{err}");
        assert!(!out.contains(['\u{202e}', '\u{200d}']), "{format}: {out}");
        assert!(!out.lines().any(|line| line.starts_with("::")), "{format}: {out}");
        if format == "markdown" {
            let outside = outside_of_code(&out);
            for markup in ["<img", "<b>", "](", "::error"] {
                assert!(!outside.contains(markup), "{markup} is markup in {out}");
            }
        }
        if format == "sarif" {
            let sarif: serde_json::Value = serde_json::from_str(&out).unwrap();
            for result in sarif["runs"][0]["results"].as_array().unwrap() {
                let text = result["message"]["text"].as_str().unwrap();
                assert!(!text.contains(['\u{202e}', '\u{200d}']), "{text}");
                assert!(
                    !text.replace("\\[", "").replace("\\]", "").contains(['[', ']']),
                    "{text}"
                );
            }
        }
    }
}

/// A comment without its code spans, as CommonMark reads them: a run of backticks ends at the next run of the same length.
fn outside_of_code(markdown: &str) -> String {
    let mut outside = String::new();
    let mut rest = markdown;
    while let Some((before, (length, span))) = first_run(rest) {
        outside.push_str(before);
        rest = span;
        loop {
            let (_, (other, behind)) = first_run(rest).expect("the end of a span");
            rest = behind;
            if other == length {
                break;
            }
        }
    }
    outside + rest
}

/// The text before the first run of backticks, the length of the run, and the text after it.
fn first_run(text: &str) -> Option<(&str, (usize, &str))> {
    let (before, rest) = text.split_once('`')?;
    let behind = rest.trim_start_matches('`');
    Some((before, (1 + rest.len() - behind.len(), behind)))
}

fn copy_fixture(name: &str, directory: &TempDir) {
    let fixture = format!("{}/tests/command/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    for side in ["old", "new"] {
        fs::create_dir(directory.path().join(side)).unwrap();
        let file = format!("{side}/tokens.toml");
        fs::copy(format!("{fixture}/{file}"), directory.path().join(&file)).unwrap();
    }
}

#[test]
fn sarif_points_at_the_lines_of_the_new_policy() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old", &[("a", "11", "user = \"u\"", "[get]/rest/a")]);
    write(
        &directory,
        "new",
        &[("a", "11", "users = [\"u\", \"v\"]", "[get,put]/rest/a")],
    );
    let (code, out, _) = diff(&directory, &["--format", "sarif", "old", "new"]);
    let sarif: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &sarif["version"]), (1, &"2.1.0".into()));
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let found: Vec<_> = results
        .iter()
        .map(|result| (&result["ruleId"], &result["level"]))
        .collect();
    assert_eq!(
        found,
        [
            (&"wider".into(), &"error".into()),
            (&"newly-allowed".into(), &"error".into())
        ]
    );
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"new/t.toml".into(), &6.into())
    );
}

#[test]
fn settings_that_policies_depend_on_are_compared() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old", &[("a", "11", "user = \"u\"", "/rest/a")]);
    for (name, text) in [("old.toml", ""), ("new.toml", "[relax]\nsemicolon = true\n")] {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let (code, out, err) = diff(
        &directory,
        &["--old-config", "old.toml", "--config", "new.toml", "old", "old"],
    );
    assert_eq!(code, 1, "{err}");
    assert!(
        out.contains("configuration: changed\n  relax.semicolon: false -> true  (wider)\n"),
        "{out}"
    );
}

/// A setting whose direction is not known counts as wider, and no format says that it is.
#[test]
fn a_setting_that_may_be_wider_is_not_called_wider() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old", &[("a", "11", "user = \"u\"", "/rest/a")]);
    for (name, text) in [
        ("old.toml", ""),
        ("new.toml", "[upstream]\nhost = \"other.example\"\n"),
    ] {
        fs::write(directory.path().join(name), text).unwrap();
    }
    for (format, expected) in [
        ("text", "-> other.example  (may be wider)\n"),
        ("markdown", "### Policy: This change may allow more\n"),
        ("markdown", "| `other.example` | **may be wider** |\n"),
        ("json", "\"certain\": false"),
        ("sarif", ", which may be wider (TW0311)"),
    ] {
        let arguments = [
            "--format",
            format,
            "--old-config",
            "old.toml",
            "--config",
            "new.toml",
            "old",
            "old",
        ];
        let (code, out, err) = diff(&directory, &arguments);
        assert_eq!(code, 1, "{err}");
        assert!(out.contains(expected), "{format}: {out}");
    }
}

#[test]
fn certificates_hold_for_the_compiled_policies() {
    let directory = TempDir::new().unwrap();
    let sides = [
        ("old", "[get]/rest/a.*", "[get].*/rest/b[QueryParam::n==x|y]"),
        ("new", "[get]/rest/a.*", "[get]/rest/b[QueryParam::n==x]"),
    ];
    for (side, kept, changed) in sides {
        let tokens = [
            ("same", "11", "user = \"u\"", kept),
            ("ci", "22", "user = \"u\"", changed),
        ];
        write(&directory, side, &tokens);
        let artifact = format!("{side}.twp");
        succeed(directory.path(), &["compile", "-o", &artifact, side]);
    }
    let (code, _, err) = diff(&directory, &["--certificates", "c.jsonl", "old", "new"]);
    assert_eq!(code, 0, "{err}");
    let said = "4 certificates written to `c.jsonl` (3 proofs, 1 request); 0 answers without a certificate";
    assert!(err.contains(said), "{err}");
    let read = |name: &str| fs::read(directory.path().join(name)).unwrap();
    let certificates = String::from_utf8(read("c.jsonl")).unwrap();
    let report = verify(&certificates, &[read("old.twp"), read("new.twp")]).unwrap();
    let nothing = "\"ci\" of policy 1 allows nothing beyond \"ci\" of policy 0 (GET and HEAD without a body)";
    assert!(
        report.claims.iter().any(|claim| claim == nothing),
        "{:?}",
        report.claims
    );
    assert_eq!((report.claims.len(), report.open.len()), (4, 0), "{report:?}");
    let other = verify(&certificates, &[read("old.twp")]).unwrap_err();
    assert!(other.contains("is not given"), "{other}");
}

#[test]
fn certificates_that_cannot_be_written_are_3() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old", &[("a", "11", "user = \"u\"", "/rest/a")]);
    let (code, out, err) = diff(&directory, &["--certificates", "missing/c.jsonl", "old", "old"]);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(
        err.contains("cannot write the certificates to `missing/c.jsonl`"),
        "{err}"
    );
}
