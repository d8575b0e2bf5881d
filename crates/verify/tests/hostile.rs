//! Certificates that somebody made to mislead: each is refused, or says what is true.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
};

use tokenward_compiler::{artifact, compile, source::SourceSet};
use tokenward_verify::verify;

const BASE: &str = "https://h/ctx";

/// A compiled policy of these tokens, each with a digit for its secret and its lines; and its digest.
fn policy(tokens: &[(&str, char, &str)]) -> (Vec<u8>, String) {
    let token = |(name, digit, lines): &(&str, char, &str)| {
        let hash = digit.to_string().repeat(64);
        format!(
            "[[token]]\nname = \"{name}\"\nuser = \"svc\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{hash}\"\nlimit_to = \'\'\'\n{lines}\n\'\'\'\n"
        )
    };
    let text: String = tokens.iter().map(token).collect();
    let compiled = compile(&SourceSet::from_files([("t.toml".to_owned(), text)]));
    let program = compiled.program.expect("compiles");
    (artifact::encode(&program), program.digest().to_string())
}

/// A certificate about these policies, with these lines between its head and its end.
fn certificate(digests: &[&str], lines: &[&str]) -> String {
    let policies: Vec<String> =
        digests.iter().map(|digest| format!("[\"{digest}\",\"{BASE}\",false]")).collect();
    let head = format!("{{\"tokenward\":[4,[{}],true]}}", policies.join(","));
    let end = format!("{{\"end\":[{}]}}", lines.len() + 1);
    let lines = [vec![head.as_str()], lines.to_vec(), vec![end.as_str()]].concat();
    lines.join("\n") + "\n"
}

const SAME: &str = r#"{"beyond":[[[1,0,null]],[0,0,null],[[[255,[0],[]]]]]}"#;

#[test]
fn a_body_that_only_the_other_refuses_is_beyond_it() {
    let (old, old_digest) = policy(&[("ci", '1', "[post]/rest/a[JsonData::x==1]\n[post]/rest/a")]);
    let (new, new_digest) = policy(&[("ci", '1', "[post]/rest/a")]);
    let digests = [old_digest.as_str(), new_digest.as_str()];
    // The old policy reads the body, and refuses one with a name twice.
    let beyond =
        |readers: &str| format!(r#"{{"beyond":[[[1,0,null]],[0,0,null],[[[255,[1],[]]]{readers}]]}}"#);
    let twice = r#"{"request":[[[1,0,null]],[0,0,null],["POST","/rest/a",[],"json","{\"x\":2,\"x\":3}"]]}"#;
    let artifacts = [old, new];
    // The old policy has all paths of the new one, and no proof shows that such a body does not pass.
    for forged in ["", ",[]", ",[[255,[],[]]]", ",[[255,[0],[]]]"] {
        for lines in [vec![beyond(forged)], vec![beyond(forged), twice.to_owned()]] {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert!(verify(&certificate(&digests, &lines), &artifacts).is_err(), "{forged}");
        }
    }
    let report = verify(&certificate(&digests, &[twice]), &artifacts).expect("is true");
    let [request] = report.claims.as_slice() else { unreachable!("{report:?}") };
    assert!(request.ends_with("\"ci\" of policy 0 refuses that body as ambiguous"), "{request}");
}

#[test]
fn settings_that_no_policy_shows_are_not_in_a_certificate() {
    let (bytes, digest) = policy(&[("ci", '1', "[get]/rest/a[JsonData::x==1]")]);
    let (none, none_digest) = policy(&[("ci", '1', "[post]/rest/b")]);
    let artifacts = [none, bytes];
    let digests = [none_digest.as_str(), digest.as_str()];
    // Such a line allows nothing only if GET has no body.
    let nothing = r#"{"beyond":[[[1,0,null]],[0,0,null],[[]]]}"#;
    let request = r#"{"request":[[[1,0,null]],[0,0,null],["GET","/rest/a",[],"json","{\"x\":1}"]]}"#;
    let with_bodies = certificate(&digests, &[nothing]);
    assert!(verify(&with_bodies, &artifacts).is_err());
    // A certificate says which requests count, and each claim that rests on it repeats it.
    let without = with_bodies.replace("],true]}", "],false]}");
    assert_ne!(without, with_bodies);
    let report = verify(&without, &artifacts).expect("is true");
    let [claim] = report.claims.as_slice() else { unreachable!("{report:?}") };
    assert!(claim.ends_with("\"ci\" of policy 0 (GET and HEAD without a body)"), "{claim}");
    let told = |about: &String| about.ends_with("bodies of GET and HEAD: false");
    assert!(report.about.iter().all(told), "{report:?}");
    // Only that setting, in its place, of this version.
    for (from, to) in
        [("],false]}", "]]}"), ("],false]}", "],null]}"), ("],false]}", "],false,false]}"), ("[4,", "[3,")]
    {
        let forged = without.replacen(from, to, 1);
        assert_ne!(forged, without);
        assert!(verify(&forged, &artifacts).is_err(), "{forged}");
    }
    // The request that there is with a body is none of those that count without one.
    let shown = certificate(&digests, &[request]);
    let report = verify(&shown, &artifacts).expect("is true");
    assert!(report.claims.iter().all(|claim| claim.contains("body json")), "{report:?}");
    for name in ["GET", "HEAD"] {
        let shown = shown.replace("],true]}", "],false]}").replace("GET", name);
        let refusal = verify(&shown, &artifacts).expect_err("is not of these requests");
        assert!(refusal.contains("GET and HEAD count without a body"), "{refusal}");
    }
}

/// A line that needs a body matches no GET without one, and every other method as before.
#[test]
fn only_get_and_head_lack_a_body() {
    let (none, none_digest) = policy(&[("ci", '1', "/rest/b")]);
    for (line, holds) in [
        ("[get]/rest/a[JsonData::x==1]", true),
        ("[get]/rest/a[JsonData::x:number<5]", true),
        ("[get]/rest/a[JsonData::x[*]==1]", true),
        ("[get]/rest/a[JsonData::$[*]!=1]", true),
        ("[get]/rest/a[JsonData::$[*].x?=1][JsonData::$[*].only]", true),
        ("[get]/rest/a[JsonData::x?=1]", false),
        ("[get]/rest/a[JsonData::x!=1]", false),
        ("[get]/rest/a[JsonData::only]", false),
        ("[get]/rest/a[JsonData::x.only]", false),
        ("[get]/rest/a[QueryParam::x==1]", false),
        ("[post]/rest/a[JsonData::x==1]", false),
        ("/rest/a[JsonData::x==1]", false),
    ] {
        let (bytes, digest) = policy(&[("ci", '1', line)]);
        let digests = [none_digest.as_str(), digest.as_str()];
        let nothing = r#"{"beyond":[[[1,0,null]],null,[[]]]}"#;
        let text = certificate(&digests, &[nothing]).replace("],true]}", "],false]}");
        let artifacts = [none.clone(), bytes];
        assert_eq!(verify(&text, &artifacts).is_ok(), holds, "{line}");
        assert!(verify(&certificate(&digests, &[nothing]), &artifacts).is_err(), "{line}");
    }
    // A permit line that absence meets allows each of them, and a forbid line that needs a body denies none.
    let beyond =
        |proofs: &str| format!(r#"{{"beyond":[[[1,0,null]],[0,0,null],[[[255,[0],[]]],{proofs}]]}}"#);
    let (whole, digest) = policy(&[("ci", '1', "[get]/rest/a")]);
    for (lines, proofs, holds) in [
        ("[get]/rest/a[JsonData::x?=1]", "[]", true),
        ("[get]/rest/a[JsonData::x!=1]", "[]", true),
        ("[get]/rest/a[JsonData::only]", "[]", true),
        ("[get]/rest/a[JsonData::x==1]", "[]", false),
        ("[get]/rest/a[JsonData::$[*]!=1]", "[]", false),
        ("[get]/rest/a[JsonData::x?=1][QueryParam::n?=1]", "[]", false),
        ("![get]/rest/a[JsonData::x==1]\n[get]/rest/a", "[],[]", true),
        ("![get]/rest/a[JsonData::x!=1]\n[get]/rest/a", "[],[]", false),
        ("![get]/rest/a[JsonData::x?=1]\n[get]/rest/a", "[],[]", false),
        ("![get]/rest/a[JsonData::$[*]==1]\n[get]/rest/a", "[],[]", false),
    ] {
        let (bytes, other) = policy(&[("ci", '1', lines)]);
        let with_bodies = certificate(&[&other, &digest], &[&beyond(proofs)]);
        let artifacts = [bytes, whole.clone()];
        let checked = verify(&with_bodies.replace("],true]}", "],false]}"), &artifacts);
        assert_eq!(checked.is_ok(), holds, "{lines}: {checked:?}");
        assert!(verify(&with_bodies, &artifacts).is_err(), "{lines}");
    }
}

#[test]
fn a_token_that_is_new_or_gone_is_said_to_be() {
    let (old, old_digest) = policy(&[("gone", '1', "[get]/rest/a"), ("kept", '3', "[get]/rest/c")]);
    let (new, new_digest) = policy(&[("new", '2', "[get]/rest/b"), ("kept", '3', "[get]/rest/c")]);
    let artifacts = [old, new];
    let digests = [old_digest.as_str(), new_digest.as_str()];
    let request = |more: &str, less: &str, path: &str| {
        format!(r#"{{"request":[[{more}],{less},["GET","{path}",[],"absent",""]]}}"#)
    };
    let lines = [
        request("[1,0,null]", "[0,null,null]", "/rest/b"),
        request("[0,0,null]", "[1,null,null]", "/rest/a"),
        r#"{"beyond":[[[0,null,null]],[1,0,null],[]]}"#.to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let report = verify(&certificate(&digests, &lines), &artifacts).expect("all are true");
    assert_eq!(
        report.claims,
        [
            r#""new" of policy 1 allows GET "/rest/b", query [], body absent; policy 0, which has no token with the secret of "new", does not"#,
            r#""gone" of policy 0 allows GET "/rest/a", query [], body absent; policy 1, which has no token with the secret of "gone", does not"#,
            r#"policy 0, which has no token with the secret of "new", allows nothing beyond "new" of policy 1"#,
        ]
    );
    // A token that is there is not called new, and somebody must be meant.
    for forged in [
        request("[1,1,null]", "[0,null,null]", "/rest/c"),
        r#"{"beyond":[[[0,null,null]],[1,1,null],[]]}"#.to_owned(),
        r#"{"beyond":[[[0,null,null]],[1,null,null],[]]}"#.to_owned(),
    ] {
        assert!(verify(&certificate(&digests, &[&forged]), &artifacts).is_err(), "{forged}");
    }
}

/// A proof names each line once, so that the time to check it is in proportion to its size.
#[test]
fn repeated_names_are_refused_soon() {
    let (old, old_digest) = policy(&[("ci", '1', "[get]/rest/a.*\n[get]/rest/(b|c|d).*x")]);
    let (new, new_digest) = policy(&[("ci", '1', "[get]/rest/a\n[get]/rest/(b|c).*x")]);
    let artifacts = [old, new];
    let digests = [old_digest.as_str(), new_digest.as_str()];
    let closed = r#"{"closed":[true,[[1,true,0,0,true],[0,true,0,0,false]],[]]}"#;
    for (uses, cited) in [("0,".repeat(48_000), "0,".to_owned()), ("0,".repeat(24_000), "0,".repeat(24_000))]
    {
        let (uses, cited) = (uses.trim_end_matches(','), cited.trim_end_matches(','));
        let beyond = format!(r#"{{"beyond":[[[1,0,null]],[0,0,null],[[[255,[{uses}],[{cited}]]]]]}}"#);
        assert!(verify(&certificate(&digests, &[closed, &beyond]), &artifacts).is_err());
        let refusal = verify(&certificate(&digests, &[&beyond]), &artifacts).expect_err("names a line twice");
        assert!(refusal.contains("there twice"), "{refusal}");
    }
}

/// Small claims about tokens with many lines.
#[test]
fn the_work_is_bounded_by_the_size() {
    let lines: Vec<String> = (0..12_000).map(|at| format!("[get]/rest/p{at}/.*")).collect();
    let (bytes, digest) = policy(&[("ci", '1', &lines.join("\n"))]);
    let request = r#"{"request":[[[0,0,null]],[0,0,null],["GET","/rest/p1/",[],"absent",""]]}"#;
    let one = r#"{"beyond":[[[0,0,[true,[0]]]],[0,0,null],[[[255,[0],[]]]]]}"#;
    let artifacts = [bytes];
    assert!(verify(&certificate(&[&digest], &[request]), &artifacts).is_err());
    assert!(verify(&certificate(&[&digest], &[one]), &artifacts).is_ok());
    let refusal = verify(&certificate(&[&digest], &vec![one; 400]), &artifacts).expect_err("too much");
    assert!(refusal.contains("more steps"), "{refusal}");
}

/// Runs the program in a directory with these files.
fn run(files: &[(&str, &[u8])], arguments: &[&str]) -> Output {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("hostile-{}-{number}", std::process::id());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory");
    for (name, bytes) in files {
        fs::write(directory.join(name), bytes).expect("a file");
    }
    let ran =
        Command::new(env!("CARGO_BIN_EXE_tokenward-verify")).args(arguments).current_dir(&directory).output();
    fs::remove_dir_all(&directory).expect("is removed");
    ran.expect("runs")
}

#[test]
fn nothing_in_a_file_acts_on_the_terminal() {
    let (bytes, digest) = policy(&[("ci", '1', "[get]/rest/a")]);
    let same = SAME.replace("[1,0,null]", "[0,0,null]");
    let (head, lines) = (certificate(&[&digest], &[]), certificate(&[&digest], &[&same]));
    let request = certificate(
        &[&digest],
        &["{\"request\":[[[0,0,null]],[0,0,null],[\"GET\",\"/\u{1b}[2J\",[],\"\u{202e}\",\"\"]]}"],
    );
    let hostile = [
        "{\"\u{1b}[31mred\":[1]}".to_owned(),
        "{\"\\u001b[31mred\":[1]}".to_owned(),
        format!("{}\u{9b}31m\r", head),
        head.replace(&digest, "\\u001b[2Jx"),
        head.replace(BASE, "\\u001b[2J"),
        request,
        lines,
    ];
    for (at, text) in hostile.iter().enumerate() {
        let ran = run(&[("c.jsonl", text.as_bytes()), ("p.twp", &bytes)], &["c.jsonl", "p.twp"]);
        let shown = [ran.stdout, ran.stderr].concat();
        let shown = String::from_utf8(shown).expect("UTF-8");
        let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!shown.is_empty() && !shown.contains(acts), "{at}: {shown:?}");
        assert_eq!(ran.status.code(), Some(if at + 1 == hostile.len() { 0 } else { 1 }), "{at}: {shown}");
    }
    let ran = run(&[], &["\u{1b}[2J", "p.twp"]);
    assert_eq!((ran.status.code(), ran.stderr.contains(&0x1b)), (Some(3), false));
}

#[test]
fn nothing_checked_is_no_success() {
    let (bytes, digest) = policy(&[("ci", '1', "[get]/rest/a")]);
    let empty = certificate(&[&digest], &[]);
    let ran = run(&[("c.jsonl", empty.as_bytes()), ("p.twp", &bytes)], &["c.jsonl", "p.twp"]);
    assert_eq!(ran.status.code(), Some(3));
    let shown = String::from_utf8(ran.stderr).expect("UTF-8");
    assert!(shown.contains("the certificate has no answers, so nothing was checked"), "{shown}");
}
