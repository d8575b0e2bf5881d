//! The canonical spelling of policy files, and the proof that the meaning stays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::{fs, path::Path};

use proptest::prelude::*;
use tokenward_compiler::{
    diagnostic::{Code, Diagnostic},
    format::{Formatter, Unproved, prove},
    source::{Links, SourceId, SourceSet},
};

/// The policy with every file in the canonical spelling; files that cannot be parsed stay.
fn formatted(sources: &SourceSet) -> SourceSet {
    let formatter = Formatter::new(sources);
    let mut all = sources.clone();
    for (id, _) in sources.iter() {
        if let Ok(formatted) = formatter.format(id) {
            all = all.replaced(id, &formatted.text);
        }
    }
    all
}

/// Formats one file, proves the result, and formats it again, which must change nothing.
#[track_caller]
fn format(path: &str, text: &str) -> String {
    let sources = SourceSet::from_files([(path.to_owned(), text.to_owned())]);
    let once = formatted(&sources);
    assert_eq!(prove(&sources, &once), Ok(()), "{text}");
    let twice = formatted(&once);
    let of = |sources: &SourceSet| sources.iter().next().unwrap().1.text.to_string();
    assert_eq!(of(&once), of(&twice));
    of(&once)
}

fn errors(path: &str, text: &str) -> Vec<Diagnostic> {
    let sources = SourceSet::from_files([(path.to_owned(), text.to_owned())]);
    let id: SourceId = sources.iter().next().unwrap().0;
    Formatter::new(&sources).format(id).unwrap_err()
}

const HASH: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn token(keys: &str) -> String {
    format!("[[token]]\nname = \"a\"\nuser = \"u\"\nsecret_hash = \"{HASH}\"\n{keys}")
}

#[test]
fn a_line_has_one_spelling() {
    for (written, spelled) in [
        ("[POST, get]/rest/x", "[get,post]/rest/x"),
        ("[ get | PUT|get ]  /rest/x", "[get,put]/rest/x"),
        ("!  [delete] /rest/x", "![delete]/rest/x"),
        ("!\t/rest/x", "!/rest/x"),
        (
            "/rest/x [QueryParam::a==b]\t[JsonData::c==d]",
            "/rest/x[QueryParam::a==b][JsonData::c==d]",
        ),
        (r#"/rest/x[QueryParam::"a"==b]"#, "/rest/x[QueryParam::a==b]"),
        (
            r#"/rest/x[QueryParam::"a:b"==b]"#,
            r#"/rest/x[QueryParam::"a:b"==b]"#,
        ),
        (
            r#"/rest/x[QueryParam::"only"==b]"#,
            r#"/rest/x[QueryParam::"only"==b]"#,
        ),
        (
            r#"/rest/x[JsonData::"a"."b.c"[*].d==b]"#,
            r#"/rest/x[JsonData::a."b.c"[*].d==b]"#,
        ),
        // A name that a rule about bare names would refuse keeps its quotes.
        (
            r#"/rest/x[JsonData::"Δt"."a"==b]"#,
            r#"/rest/x[JsonData::"Δt".a==b]"#,
        ),
        (
            "/rest/x[JsonData::a:null|string==b]",
            "/rest/x[JsonData::a:string|null==b]",
        ),
        ("/rest/x[JsonData::$.a==b]", "/rest/x[JsonData::$.a==b]"),
        (
            "/rest/x[QueryParam::a<=5][QueryParam::only]",
            "/rest/x[QueryParam::a<=5][QueryParam::only]",
        ),
        ("[JsonData::only", "[JsonData::only"),
        // What looks like blanks, methods or quotes within a regexp belongs to the regexp.
        (r"/rest/x\ [ ]  y", r"/rest/x\ [ ]  y"),
        ("[get][POST, get]/rest/x", "[get][POST, get]/rest/x"),
        (
            r#"/rest/x[QueryParam::a=="b" ]"#,
            r#"/rest/x[QueryParam::a=="b" ]"#,
        ),
    ] {
        let before = format!("# read\n\n\n  {written}\t\n\n");
        let sources = SourceSet::from_files([("s.limits".to_owned(), before)]);
        let after = formatted(&sources);
        let text = after.iter().next().unwrap().1.text.to_string();
        let parses = !text.starts_with("# read\n\n\n");
        if parses {
            assert_eq!(text, format!("# read\n\n{spelled}\n"));
            assert_eq!(prove(&sources, &after), Ok(()));
        } else {
            assert_eq!(written, spelled, "it does not parse, and stays");
        }
    }
}

#[test]
fn a_file_of_tokens_has_one_layout() {
    let written = "\u{feff}\r\n# Machines.\r\n\r\n\r\n[[ token ]]   # the first\r\n  limit_to='[GET] /rest/x'\r\n\r\n# of CI\r\n  user   = 'u'  # svc\r\nname='a'\r\nsecret_hash = 'sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'\r\nallowed_ips = [ '::1',\r\n  '10.0.0.0/8', ]\r\n# between\r\n[[token]]\r\nname = 'b'\r\nlimit_to = \"\"\"\r\n\r\n   # both\r\n[put,Post]/rest/y   \r\n\r\n\r\n!/rest/z\r\n\"\"\"\r\nuser = \"u\"\r\nsecret_hash = \"sha256:3bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"\r\n\r\n# the end";
    let spelled = "# Machines.

[[token]] # the first
name = \"a\"
# of CI
user = \"u\" # svc
secret_hash = \"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"
allowed_ips = [\"::1\", \"10.0.0.0/8\"]
limit_to = '''
[get]/rest/x
'''

# between
[[token]]
name = \"b\"
user = \"u\"
secret_hash = \"sha256:3bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"
limit_to = '''
# both
[post,put]/rest/y

!/rest/z
'''

# the end
";
    assert_eq!(format("a.toml", written), spelled);
}

#[test]
fn invariants_and_reviews_have_one_layout_too() {
    let written =
        "[[only]]\nlines = '[GET] /rest/x'\nname='n'\n[[never]]\nwhy='w'\nname='m'\nlines='/rest/y'\n";
    let spelled = "[[only]]\nname = \"n\"\nlines = '''\n[get]/rest/x\n'''\n\n[[never]]\nname = \"m\"\nwhy = \"w\"\nlines = '''\n/rest/y\n'''\n";
    assert_eq!(format("invariants.toml", written), spelled);
    let written = "[[reviewed]]\nwhy='w'\nline = '  [POST,GET] /rest/x '\ntoken='a'\nuntil=2030-01-01\n";
    let spelled =
        "[[reviewed]]\ntoken = \"a\"\nline = '[POST,GET] /rest/x'\nwhy = \"w\"\nuntil = 2030-01-01\n";
    assert_eq!(format("reviewed.toml", written), spelled);
}

#[test]
fn what_has_no_canonical_spelling_stays() {
    // Unknown keys, arrays with comments, texts that need escapes, and lines that a block cannot hold.
    let keys = "description = 'says \"hi\"'\nallowed_ips = [\n  \"::1\", # home\n]\nlimit_to = \"/rest/x'''\"\nzzz = 1\nyyy = 2\n";
    let text = format("a.toml", &token(keys));
    for kept in [
        "description = 'says \"hi\"'\n",
        "allowed_ips = [\n  \"::1\", # home\n]\n",
        "limit_to = \"/rest/x'''\"\n",
        "zzz = 1\nyyy = 2\n",
    ] {
        assert!(text.contains(kept), "{text}");
    }
    let long: Vec<String> = (0..12).map(|at| format!("'user-number-{at}'")).collect();
    let text = format(
        "a.toml",
        &token(&format!("on_behalf_of = [{}]\n", long.join(","))),
    );
    assert!(
        text.contains("on_behalf_of = [\n    \"user-number-0\",\n"),
        "{text}"
    );
    assert!(text.contains("    \"user-number-11\",\n]\n"), "{text}");
}

#[test]
fn what_cannot_be_parsed_is_an_error_with_its_place() {
    let found = errors("a.toml", "[[token]\nname = 1\n");
    assert_eq!(found.first().unwrap().code, Code::TomlSyntax);
    let found = errors(
        "a.toml",
        &token("limit_to = '''\n[get]/rest/x\n/rest/y[QueryParam::a]\n'''\n"),
    );
    let [error] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(error.code, Code::LineSyntax);
    let found = errors("s.limits", "/rest/x\n[get]\n");
    assert_eq!(found.first().unwrap().code, Code::EmptyUrl);
    let found = errors("a.toml", &token("limit_to = \"/rest/\\\\d\"\n"));
    assert_eq!(found.first().unwrap().code, Code::BackslashInString);
}

#[test]
fn spaces_that_version_1_read_as_text_are_named() {
    let sources =
        SourceSet::from_files([("s.limits".to_owned(), "[get] /rest/x\n[get]/rest/y\n".to_owned())]);
    let (id, _) = sources.iter().next().unwrap();
    let formatted = Formatter::new(&sources).format(id).unwrap();
    let lines: Vec<&str> = formatted.reread.iter().map(|line| sources.text(*line)).collect();
    assert_eq!(lines, ["[get] /rest/x"]);
}

#[test]
fn lines_that_a_seal_signs_keep_their_texts() {
    let seal = format!("v2:{}:{}", "1".repeat(32), "2".repeat(128));
    let sealed = token(&format!(
        "seal = \"{seal}\"\nlimit_to = '''\n  [POST,get] /rest/x\n'''\n"
    ));
    let sources = SourceSet::from_files([
        ("a.toml".to_owned(), sealed),
        ("s.limits".to_owned(), "  [PUT] /rest/y\n".to_owned()),
    ]);
    assert!(Formatter::new(&sources).keeps_lines());
    let after = formatted(&sources);
    assert_eq!(prove(&sources, &after), Ok(()));
    let texts: Vec<&str> = after.iter().map(|(_, source)| &*source.text).collect();
    assert!(
        texts.first().unwrap().contains("'''\n[POST,get] /rest/x\n'''"),
        "{texts:?}"
    );
    assert_eq!(texts.last().unwrap(), &"[PUT] /rest/y\n");
}

/// The gate compares the texts of reviews with those of lines, as they are written.
#[test]
fn lines_that_a_review_names_keep_their_texts() {
    let review =
        |key: &str, line: &str| format!("[[reviewed]]\ntoken = \"a\"\n{key} = '{line}'\nwhy = \"w\"\n");
    let reviews = format!(
        "{}\n{}",
        review("line", "[GET] /rest/x"),
        review("lifted", "! /rest/z")
    );
    let lines = token("limit_to = '''\n[GET] /rest/x\n[GET] /rest/y\n! /rest/z\n'''\n");
    let sources = SourceSet::from_files([
        ("a.toml".to_owned(), lines.clone()),
        ("reviewed.toml".to_owned(), reviews.clone()),
    ]);
    let after = formatted(&sources);
    assert_eq!(prove(&sources, &after), Ok(()));
    let texts: Vec<String> = after.iter().map(|(_, source)| source.text.to_string()).collect();
    let expected = [lines.replace("[GET] /rest/y", "[get]/rest/y"), reviews.clone()];
    assert_eq!(texts, expected);
    // The proof fails if such a line, or the review, has another text.
    let respelt = |at: usize, text: &str| {
        let (id, _) = sources.iter().nth(at).unwrap();
        let text = text.replace("[GET] /rest/x", "[get]/rest/x");
        prove(&sources, &sources.clone().replaced(id, &text))
    };
    assert_eq!(respelt(0, &lines), Err(Unproved::Reviewed("a".to_owned())));
    assert_eq!(
        respelt(1, &reviews),
        Err(Unproved::Content("reviewed.toml".to_owned()))
    );
}

/// The first and the last comment of a block may stand next to a quote.
#[test]
fn comments_next_to_quotes_stay() {
    for block in [
        "# first\n[get]/rest/x\n",
        "\n[get]/rest/x\n# last",
        "# allow TW0505: all of them\n[get]/rest/api/2/issue/KANBAN-1.*",
    ] {
        let text = format("a.toml", &token(&format!("limit_to = '''{block}'''\n")));
        let expected = token(&format!("limit_to = '''\n{}\n'''\n", block.trim()));
        assert_eq!(text, expected);
    }
    let text = format(
        "invariants.toml",
        "[[never]]\nname = \"n\"\nlines = '''# allow TW0505: x\n/rest/x'''\n",
    );
    assert!(text.contains("'''\n# allow TW0505: x\n/rest/x\n'''"), "{text}");
    let set = "# allow TW0505: x\n[get]/rest/api/2/issue/KANBAN-1.*\n";
    assert_eq!(format("s.limits", &format!("\u{feff}{set}")), set);
}

/// A comment of the document and one of a block are two, even if their texts are the same.
#[test]
fn a_comment_that_moves_into_a_block_is_not_proved() {
    let of = |text: &str| SourceSet::from_files([("a.toml".to_owned(), token(text))]);
    let before = of("# note\nlimit_to = '''\n/rest/x\n'''\n");
    let after = of("limit_to = '''\n# note\n/rest/x\n'''\n");
    assert_eq!(
        prove(&before, &after),
        Err(Unproved::Comments("a.toml".to_owned()))
    );
}

/// An exception is for the line below it.
#[test]
fn an_exception_for_another_line_is_not_proved() {
    let of = |text: &str| SourceSet::from_files([("s.limits".to_owned(), text.to_owned())]);
    let before = of("# allow TW0505: x\n/rest/x.*\n/rest/y.*\n");
    let after = of("/rest/x.*\n# allow TW0505: x\n/rest/y.*\n");
    assert_eq!(prove(&before, &after), Err(Unproved::Exceptions));
}

/// A file that is not TOML at the moment may have a seal.
#[test]
fn a_file_that_cannot_be_read_may_have_a_seal() {
    let sources = SourceSet::from_files([
        ("a.toml".to_owned(), "[[token]\nseal = \"v2:\"\n".to_owned()),
        ("s.limits".to_owned(), "[PUT] /rest/y\n".to_owned()),
    ]);
    assert!(Formatter::new(&sources).keeps_lines());
}

#[test]
fn a_change_of_meaning_is_not_proved() {
    let of = |text: &str| SourceSet::from_files([("a.toml".to_owned(), token(text))]);
    let before = of("# why\nlimit_to = '''\n[get]/rest/x[QueryParam::a==b]\n# note\n!/rest/y\n'''\n");
    for (after, why) in [
        (
            "# why\nlimit_to = '''\n[get,head]/rest/x[QueryParam::a==b]\n# note\n!/rest/y\n'''\n",
            Unproved::Content("a.toml".to_owned()),
        ),
        (
            "# why\nlimit_to = '''\n[get]/rest/x[QueryParam::a?=b]\n# note\n!/rest/y\n'''\n",
            Unproved::Content("a.toml".to_owned()),
        ),
        (
            "# why\nlimit_to = '''\n[get]/rest/x[QueryParam::a==b]\n# note\n'''\n",
            Unproved::Content("a.toml".to_owned()),
        ),
        (
            "# why\nmint = true\nlimit_to = '''\n[get]/rest/x[QueryParam::a==b]\n# note\n!/rest/y\n'''\n",
            Unproved::Content("a.toml".to_owned()),
        ),
        (
            "# why\nlimit_to = '''\n[get]/rest/x[QueryParam::a==b]\n!/rest/y\n'''\n",
            Unproved::Comments("a.toml".to_owned()),
        ),
    ] {
        assert_eq!(prove(&before, &of(after)), Err(why), "{after}");
    }
    assert_eq!(prove(&before, &SourceSet::default()), Err(Unproved::Files));
}

/// Every policy of the repository's tests and examples is formatted with a proof, and formatting it again changes nothing.
#[test]
fn the_corpus_is_formatted_with_proof_and_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut policies = vec![root.join("../../policies"), root.join("tests/written")];
    let fixtures = fs::read_dir(root.join("tests/fixtures")).unwrap();
    policies.extend(fixtures.map(|entry| entry.unwrap().path()));
    let mut changed = 0;
    for directory in policies {
        let sources = SourceSet::read_dir(&directory, Links::Refuse).unwrap();
        let once = formatted(&sources);
        assert_eq!(prove(&sources, &once), Ok(()), "{}", directory.display());
        let twice = formatted(&once);
        for ((_, one), (_, two)) in once.iter().zip(twice.iter()) {
            assert_eq!(one.text, two.text, "{}: {}", directory.display(), one.path);
        }
        let pairs = sources.iter().zip(once.iter());
        changed += pairs.filter(|((_, old), (_, new))| old.text != new.text).count();
    }
    assert!(changed > 5, "{changed}");
}

#[test]
fn each_mistake_of_the_corpus_keeps_its_findings() {
    let cases = include_str!("../../../tests/corpus/mistakes/cases.toml");
    let cases: toml::Table = cases.parse().unwrap();
    let cases = cases.get("case").unwrap().as_array().unwrap();
    for case in cases {
        let Some(lines) = case.get("lines").and_then(toml::Value::as_str) else {
            continue;
        };
        let text = token(&format!(
            "expires = 2099-01-01T00:00:00Z\nlimit_to = '''\n{lines}'''\n"
        ));
        format("ci.toml", &text);
    }
    assert!(cases.len() >= 40);
}

/// Blanks where they mean nothing.
fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "\t", "  "])
}

/// One of the spellings of a line, and its canonical one.
fn line() -> impl Strategy<Value = (String, String)> {
    let methods = prop::sample::select(vec![
        ("", ""),
        ("[get]", "[get]"),
        ("[GET, post]", "[get,post]"),
        ("[post|get]", "[get,post]"),
        ("[ Delete ,put]", "[put,delete]"),
    ]);
    let url = prop::sample::select(vec![
        "/rest/x",
        r"/rest/[a \]]b",
        "/rest/(a|b).*",
        "{BASE_URL}/rest/x",
        ".*/rest/y",
    ]);
    let constraint = prop::sample::select(vec![
        ("", ""),
        ("[QueryParam::a==b c]", "[QueryParam::a==b c]"),
        (r#"[QueryParam::"a"!=[]]]"#, "[QueryParam::a!=[]]]"),
        ("[JsonData::a:null|string?=x]", "[JsonData::a:string|null?=x]"),
        (
            r#"[JsonData::"a b".c>=2018-01-01]"#,
            r#"[JsonData::"a b".c>=2018-01-01]"#,
        ),
    ]);
    (
        any::<bool>(),
        methods,
        url,
        constraint.clone(),
        constraint,
        prop::collection::vec(blank(), 4),
    )
        .prop_map(|(forbid, methods, url, one, two, blanks)| {
            let [a, b, c, d] = blanks.as_slice() else {
                unreachable!()
            };
            let mark = if forbid { "!" } else { "" };
            let (a, b) = (
                if forbid { a } else { "" },
                if methods.0.is_empty() { "" } else { b },
            );
            let (c, d) = (
                if one.0.is_empty() { "" } else { c },
                if two.0.is_empty() { "" } else { d },
            );
            (
                format!("{mark}{a}{}{b}{url}{c}{}{d}{}", methods.0, one.0, two.0),
                format!("{mark}{}{url}{}{}", methods.1, one.1, two.1),
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    /// All spellings of a policy have one canonical spelling, which means the same.
    #[test]
    fn all_spellings_become_one(
        lines in prop::collection::vec((line(), blank(), any::<bool>()), 1..4),
        order in Just(vec!["name = 'a'", "user='u'", "expires = 2030-01-01T00:00:00Z # soon", "# for\nowner   = \"o\"", "HASH", "LINES"]).prop_shuffle(),
        carriage in any::<bool>(),
    ) {
        let mut block = String::new();
        let mut wanted = String::new();
        for ((written, spelled), blank, comment) in &lines {
            if *comment {
                block.push_str("  # note\n");
                wanted.push_str("# note\n");
            }
            block.push_str(&format!("{blank}{written}{blank}\n"));
            wanted.push_str(&format!("{spelled}\n"));
        }
        let mut text = "[[token]]\n".to_owned();
        for key in order {
            text.push_str(&match key {
                "HASH" => format!("secret_hash='{HASH}'"),
                "LINES" => format!("limit_to = '''\n{block}'''"),
                key => key.to_owned(),
            });
            text.push('\n');
        }
        if carriage {
            text = text.replace('\n', "\r\n");
        }
        let expected = format!(
            "[[token]]\nname = \"a\"\nuser = \"u\"\nsecret_hash = \"{HASH}\"\nexpires = 2030-01-01T00:00:00Z # soon\n# for\nowner = \"o\"\nlimit_to = '''\n{wanted}'''\n"
        );
        prop_assert_eq!(format("a.toml", &text), expected);
    }
}
