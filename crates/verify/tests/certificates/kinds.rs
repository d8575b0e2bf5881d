//! Certificates of invariants, questions and findings: each holds, each answer has one or is said to have none, and a changed one is
//! refused or still true.

use std::{fs, path::Path};

use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Budget, Certificates, Claims, Served, Universe},
    artifact,
    ask::{Demand, Question, verdicts, who},
    compile,
    diagnostic::Code,
    findings::{self, rest_on_proofs},
    invariants::Invariants,
    ir::Program,
    source::SourceSet,
};
use tokenward_verify::{Report, verify};

use super::{Random, WITHOUT_BODY, line};

/// A policy, its invariants, and what compiling them found.
struct Checked {
    sources: SourceSet,
    compilation: Compilation,
    bound: Program,
    artifact: Vec<u8>,
}

const DEMANDS: [Demand; 3] = [Demand::Never, Demand::Only, Demand::Always];

fn base() -> BaseUrl {
    BaseUrl::parse("https://h/ctx").expect("a URL")
}

fn token(name: &str, digit: char, lines: &str) -> String {
    let hash = digit.to_string().repeat(64);
    format!(
        "[[token]]\nname = \"{name}\"\nuser = \"svc\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{hash}\"\nlimit_to = \'\'\'\n{lines}\n\'\'\'\n"
    )
}

impl Checked {
    fn new(files: &[(&str, String)]) -> Option<Self> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone()));
        let sources = SourceSet::from_files(files);
        let compilation = compile(&sources);
        let program = compilation.program.as_ref()?;
        let bound = program.bind(&base()).ok()?;
        Some(Self { artifact: artifact::encode(program), bound, sources, compilation })
    }

    /// The certificates of the invariants and findings, as `compile --certificates` writes them; the compiled files that they are
    /// about; and the codes of the findings.
    fn certify(&self) -> (String, Claims, Vec<Vec<u8>>, Vec<Code>) {
        let budget = Budget::new(Analysis::BUDGET);
        let (served, universe) = (Served::everything(), Universe::default());
        let map = &self.compilation.source_map;
        let asked = (universe, &served, &budget);
        let found = findings::find(&self.bound, map, &[], asked, |_, _| {}).expect("no fault");
        let mut errors = Vec::new();
        let invariants = Invariants::read(&self.sources, &base(), false, &mut errors).expect("binds");
        let demands = invariants.as_ref().map(Invariants::program);
        let mut collected =
            Certificates::new([&self.bound].into_iter().chain(demands).collect(), universe, Analysis::BUDGET);
        let mut artifacts = vec![self.artifact.clone()];
        if let Some(invariants) = &invariants {
            artifacts.push(invariants.artifact());
            let proof = invariants.prove(&self.bound, map, (universe, &budget), |_, _| {}).expect("no fault");
            proof.answers.iter().for_each(|answer| answer.certify((0, 1), &mut collected));
        }
        for finding in found.diagnostics.iter().filter(|finding| rest_on_proofs(finding.code)) {
            match found.grounds.iter().find(|grounds| grounds.is_of(finding)) {
                Some(grounds) => grounds.certify(0, &finding.headline, &mut collected),
                None => collected.open(&finding.headline),
            }
        }
        let codes = found.diagnostics.iter().map(|finding| finding.code).collect();
        let claims = collected.claims();
        (collected.finish(), claims, artifacts, codes)
    }

    fn holds(&self) -> (Report, Claims, Vec<Code>) {
        let (certificate, claims, artifacts, codes) = self.certify();
        let report = verify(&certificate, &artifacts);
        let report = report.unwrap_or_else(|refusal| panic!("{refusal}\n{certificate}"));
        assert_eq!((report.claims.len(), report.open.len()), (claims.proved + claims.shown, claims.open));
        (report, claims, codes)
    }
}

const INVARIANTS: &str = "\
[[never]]\nname = \"nobody-deletes\"\nlines = '[delete]/.*'\n
[[only]]\nname = \"below-rest\"\nlines = '/rest/.*'\n
[[always]]\nname = \"may-read-a\"\nlines = '[get]/rest/a'\n
[[never]]\nname = \"nobody-posts\"\nlines = '[post]/rest/.*'\n";

#[test]
fn answers_about_invariants_have_certificates() {
    let policy = token("ci", '1', "[get,post]/rest/a.*\n![post]/rest/ab.*");
    let checked = Checked::new(&[("t.toml", policy), ("invariants.toml", INVARIANTS.to_owned())]);
    let (report, claims, _) = checked.expect("compiles").holds();
    assert_eq!((claims.proved, claims.shown, claims.open), (3, 1, 0), "{report:?}");
    let ends = [
        "no request is allowed by \"ci\" of policy 0 and by \"nobody-deletes\" of policy 1",
        "\"ci\" of policy 0 allows nothing beyond \"below-rest\" of policy 1",
        "\"may-read-a\" of policy 1 allows nothing beyond \"ci\" of policy 0",
    ];
    for expected in ends {
        let expected = format!("{expected}{WITHOUT_BODY}");
        assert!(report.claims.contains(&expected), "{expected} in {report:?}");
    }
    let shown = report.claims.iter().filter(|claim| {
        claim.starts_with("\"ci\" of policy 0 and by \"nobody-posts\" of policy 1 allows POST \"/rest/a")
    });
    assert_eq!(shown.count(), 1, "{report:?}");
}

#[test]
fn findings_have_certificates_of_what_they_rest_on() {
    let lines = "/rest/a.*\n/rest/ab\n[get]/rest/c\n!/rest/c.*\n!/rest/nowhere\n/rest/d[JsonData::n==x][JsonData::n==y]";
    let policy =
        token("ci", '1', lines) + &token("twin", '2', "/rest/(a|b)") + &token("two", '3', "/rest/[ab]");
    let (report, claims, codes) = Checked::new(&[("t.toml", policy)]).expect("compiles").holds();
    for code in [Code::CoveredLine, Code::TakenBack, Code::IdleForbid, Code::EqualReach] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    let expected = [
        "\"ci\" of policy 0 with only t.toml:8 `/rest/ab` allows nothing beyond \"ci\" of policy 0 with only t.toml:7 `/rest/a.*`",
        "no request is allowed by \"ci\" of policy 0 with only t.toml:10 `!/rest/c.*`, t.toml:9 `[get]/rest/c`",
        "\"ci\" of policy 0 without t.toml:11 `!/rest/nowhere` allows nothing beyond \"ci\" of policy 0",
        "\"twin\" of policy 0 allows nothing beyond \"two\" of policy 0",
        "\"two\" of policy 0 allows nothing beyond \"twin\" of policy 0",
    ];
    for expected in expected {
        let expected = format!("{expected}{WITHOUT_BODY}");
        assert!(report.claims.contains(&expected), "{expected} in {report:?}");
    }
    // Constraints that contradict each other are no form that a proof has: said, and not left out.
    let empty = codes.iter().filter(|code| **code == Code::EmptyLine).count();
    assert_eq!((claims.open, report.open.len()), (empty, empty), "{report:?}");
}

#[test]
fn questions_have_certificates() {
    let policy = token("ci", '1', "[get]/rest/a.*") + &token("all", '2', "/.*") + &token("none", '3', "/x");
    let checked = Checked::new(&[("t.toml", policy)]).expect("compiles");
    let question = Question::parse("GET /rest/.*", &base(), false).expect("a question");
    let tokens: Vec<_> = checked.bound.tokens().map(|(id, _)| id).collect();
    let (asked, budget) = ((&checked.bound, tokens.as_slice()), Budget::new(Analysis::BUDGET));
    let settings = (Universe::default(), &budget);
    let mut collected =
        Certificates::new(vec![&checked.bound, question.program()], Universe::default(), Analysis::BUDGET);
    let found = who(&question, asked, settings, |_, _| {}).expect("no fault");
    found.iter().for_each(|reach| reach.certify(&question, (0, 1), &mut collected));
    // `ci` may make some and not all, `all` may make all, `none` none.
    let claims = collected.claims();
    assert_eq!((claims.proved, claims.shown, claims.open), (2, 3, 0));
    let demand = Demand::Never;
    let found = verdicts((&question, demand), asked, settings, |_, _| {}).expect("no fault");
    found.iter().for_each(|verdict| verdict.certify((&question, demand), (0, 1), &mut collected));
    let artifacts = [checked.artifact.clone(), question.artifact()];
    let report = verify(&collected.finish(), &artifacts).expect("holds");
    assert_eq!((report.claims.len(), report.open.len()), (8, 0), "{report:?}");
}

/// Each byte is changed. What is accepted makes the same claims.
#[test]
fn a_changed_certificate_of_an_invariant_or_finding_is_refused() {
    let policy = token("ci", '1', "[get,post]/rest/a.*\n[get]/rest/ab.*x\n![post]/rest/c.*");
    let checked = Checked::new(&[("t.toml", policy), ("invariants.toml", INVARIANTS.to_owned())]);
    let (certificate, _, artifacts, _) = checked.expect("compiles").certify();
    let report = verify(&certificate, &artifacts).expect("holds");
    let (mut refused, mut same) = (0, 0);
    for at in 0..certificate.len() {
        for change in [1, 2, 4] {
            let mut bytes = certificate.clone().into_bytes();
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= change);
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            match verify(&changed, &artifacts) {
                Err(_) => refused += 1,
                Ok(again) if again.claims == report.claims && again.about == report.about => same += 1,
                // Another request that both allow, or a claim that the proof shows as well.
                Ok(again) => assert!(again.claims.len() == report.claims.len(), "{again:?}"),
            }
        }
    }
    println!("{refused} refused, {same} accepted with the same claims");
    assert!(refused > 1_000 && refused > 5 * same, "{refused} {same}");
}

/// Claims that are not true, made of true ones: lines, tokens and kinds exchanged.
#[test]
fn a_false_claim_is_refused() {
    let policy = token("ci", '1', "/rest/a.*\n/rest/ab\n!/rest/abc") + &token("other", '2', "/rest/.*");
    let checked = Checked::new(&[("t.toml", policy)]).expect("compiles");
    let (certificate, _, artifacts, _) = checked.certify();
    let claim = certificate.lines().find(|line| line.contains("beyond")).expect("a claim").to_owned();
    assert!(claim.starts_with(r#"{"beyond":[[[0,0,[true,[2]]]],[0,0,[true,[1]]],"#), "{claim}");
    let forge = |from: &str, to: &str| {
        let forged = certificate.replace(from, to);
        assert_ne!(forged, certificate, "{from}");
        verify(&forged, &artifacts)
    };
    // The covered line alone allows something, the covering line allows more, the whole token has a forbid line more, and the
    // other token is not compared with any.
    for (from, to) in [
        ("[0,0,[true,[1]]],", "null,"),
        ("[0,0,[true,[1]]],", "[0,0,[true,[]]],"),
        ("[[0,0,[true,[2]]]],[0,0,[true,[1]]],", "[[0,0,[true,[1]]]],[0,0,[true,[2]]],"),
        ("[[0,0,[true,[2]]]],[0,0,[true,[1]]],", "[[0,1,null]],[0,0,[true,[1]]],"),
        ("[[0,0,[true,[2]]]],[0,0,[true,[1]]],", "[[0,0,[true,[2]]],[0,1,null]],[0,0,[true,[1]]],"),
        ("[[0,0,[true,[2]]]],[0,0,[true,[1]]],", "[],[0,0,[true,[1]]],"),
        ("[true,[2]]", "[true,[2,2]]"),
        ("[true,[2]]", "[true,[9]]"),
        ("[true,[1]]", "[false,[1]]"),
    ] {
        assert!(forge(from, to).is_err(), "{from} {to}");
    }
}

/// A line of a generated question, which is about requests that a line permits.
fn asked(random: &mut Random) -> String {
    loop {
        let line = line(random);
        if !line.starts_with('!') {
            return line;
        }
    }
}

/// Answers about the tokens of a thousand generated policies, and the findings about their lines.
#[test]
fn every_certificate_of_a_thousand_answers_holds() {
    let (mut random, mut all, mut done) = (Random(29), Claims::default(), 0);
    let (mut found_proved, mut found_open) = (0, 0);
    while done < 1_000 {
        let lines: Vec<String> = (0..random.below(4)).map(|_| line(&mut random)).collect();
        let policy = token("ci", '1', &[lines, vec!["/rest/z".to_owned()]].concat().join("\n"));
        let (text, demand) = (asked(&mut random), DEMANDS.get(done % 3).copied().expect("three"));
        let Some(checked) = Checked::new(&[("t.toml", policy)]) else { continue };
        let Ok(question) = Question::parse(&text, &base(), false) else { continue };
        done += 1;
        let (_, of_findings, _) = checked.holds();
        found_proved += of_findings.proved;
        found_open += of_findings.open;
        let tokens: Vec<_> = checked.bound.tokens().map(|(id, _)| id).collect();
        let budget = Budget::new(Analysis::BUDGET);
        let mut collected = Certificates::new(
            vec![&checked.bound, question.program()],
            Universe::default(),
            Analysis::BUDGET,
        );
        let found = verdicts(
            (&question, demand),
            (&checked.bound, &tokens),
            (Universe::default(), &budget),
            |_, _| {},
        );
        let found = found.expect("no fault");
        found.iter().for_each(|verdict| verdict.certify((&question, demand), (0, 1), &mut collected));
        let claims = collected.claims();
        let (certificate, artifacts) = (collected.finish(), [checked.artifact.clone(), question.artifact()]);
        let report = verify(&certificate, &artifacts);
        let report = report.unwrap_or_else(|refusal| panic!("{refusal}: {text}\n{certificate}"));
        assert_eq!((report.claims.len(), report.open.len()), (claims.proved + claims.shown, claims.open));
        all.proved += claims.proved;
        all.shown += claims.shown;
        all.open += claims.open;
    }
    println!("answers: {all:?}; findings: {found_proved} proved, {found_open} open");
    assert!(found_proved > 10, "{found_proved}");
    assert!(all.proved > 100 && all.shown > 100 && all.proved > 3 * all.open, "{all:?}");
}

/// The policies of the corpus of bypasses, each with the invariant of another one: every answer has a certificate that holds, or is
/// said to have none.
#[test]
fn the_corpus_keeps_its_answers() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/bypass");
    let (mut all, mut before): (Claims, Option<String>) = (Claims::default(), None);
    for file in ["policies.json", "policies-own.json", "policies-calls.json", "policies-names.json"] {
        let text = fs::read_to_string(corpus.join(file)).expect("a file");
        let policies: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        for (_, policy) in policies {
            let limits = policy.get("limits").and_then(|limits| limits.as_array()).expect("lines");
            let lines: Vec<&str> = limits.iter().filter_map(|line| line.as_str()).collect();
            let lines = lines.join("\n");
            let other = before.replace(lines.clone()).unwrap_or_else(|| lines.clone());
            let invariants: String = ["never", "only", "always"]
                .map(|kind| {
                    format!(
                        "[[{kind}]]\nname = \"{kind}\"\nlines = \'\'\'\n{}\n\'\'\'\n",
                        other.trim_start_matches('!')
                    )
                })
                .concat();
            let files = [("t.toml", token("ci", '1', &lines)), ("invariants.toml", invariants)];
            let Some(checked) = Checked::new(&files) else { continue };
            let (_, claims, _) = checked.holds();
            all.proved += claims.proved;
            all.shown += claims.shown;
            all.open += claims.open;
        }
    }
    println!("{all:?}");
    assert!(all.proved > 50 && all.shown > 50 && all.proved > 3 * all.open, "{all:?}");
}
