//! Certificates of generated pairs of policies: each holds, none of a false claim exists, and a changed one is refused or still
//! true.

#![expect(clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod kinds;

use std::{collections::HashMap, fs, path::Path, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Certificates, Claims, Comparison, Difference, Subject, Universe},
    artifact, compile,
    ir::Program,
    source::SourceSet,
};
use tokenward_verify::{Report, verify};

const BASE: &str = "https://h/ctx";
/// The end of a claim about GET and HEAD without a body.
const WITHOUT_BODY: &str = " (GET and HEAD without a body)";

/// Numbers that look random, and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % count
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }
}

const METHODS: &[&str] = &["", "", "[get]", "[post]", "[get,post]", "[put|delete]"];
const URLS: &[&str] = &[
    "/rest/.*",
    "/rest/a",
    "/rest/a.*",
    "/rest/[a-z]+",
    "/rest/(a|b)/.*",
    ".*/rest/a.*",
    "/rest/a/\\d+",
    "/rest/[^/]+/c",
    "/(rest|b)/.*",
    "/rest/(K1|K2|K3)-\\d+",
    "{BASE_URL}/rest/.*",
    "/r.st/.*",
    "/rest/a?b*",
    ".*x.*",
    ".*(x|yy).*",
    "/rest/é.*",
    "/rest/.{2,}x",
];
const TESTS: &[&str] = &[
    "",
    "",
    "",
    "[QueryParam::n==a]",
    "[QueryParam::n==a|b]",
    "[QueryParam::n!=b]",
    "[QueryParam::n?=a.*]",
    "[QueryParam::only]",
    "[JsonData::n==a]",
    "[JsonData::N==a]",
    "[JsonData::n==a|b]",
    "[JsonData::n:string==a.*]",
    "[JsonData::o.n?=a]",
    "[JsonData::l[*]!=b]",
    "[JsonData::only]",
    "[QueryParam::d<=2018-01-31]",
    "[JsonData::k:number>5]",
    "[JsonData::k:string|null==a]",
];

fn line(random: &mut Random) -> String {
    let forbid = if random.below(5) == 0 { "!" } else { "" };
    let mut line = format!("{forbid}{}{}", random.pick(METHODS), random.pick(URLS));
    for _ in 0..random.below(3) {
        let test = random.pick(TESTS);
        if !(test.contains("only") && (!forbid.is_empty() || line.contains(test))) {
            line.push_str(test);
        }
    }
    line
}

/// Two policies with some lines in common, as a change has them; these may have moved.
fn pair(random: &mut Random) -> (Vec<String>, Vec<String>) {
    let lines = |random: &mut Random, most| (0..random.below(most)).map(|_| line(random)).collect::<Vec<_>>();
    let (common, old, new) = (lines(random, 5), lines(random, 3), lines(random, 3));
    let mut moved = common.clone();
    if !moved.is_empty() && random.below(3) == 0 {
        moved.rotate_left(1);
    }
    let with = |common, own: Vec<String>| [common, own, vec!["/rest/z".to_owned()]].concat();
    (with(common, old), with(moved, new))
}

/// A policy of one token; `None` if its lines have errors.
fn policy(lines: &[String]) -> Option<Program> {
    let text = format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{}\n'''\n",
        "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
        lines.join("\n")
    );
    compile(&SourceSet::from_files([("t.toml".to_owned(), text)])).program
}

/// An old and a new policy, bound to a public URL.
struct Pair {
    artifacts: Vec<Vec<u8>>,
    old: Program,
    new: Program,
}

impl Pair {
    fn new(old: &[String], new: &[String]) -> Option<Self> {
        Self::at([BASE, BASE], old, new)
    }

    fn at(bases: [&str; 2], old: &[String], new: &[String]) -> Option<Self> {
        let (old, new) = (policy(old)?, policy(new)?);
        let artifacts = vec![artifact::encode(&old), artifact::encode(&new)];
        let bind = |program: &Program, base| program.bind(&BaseUrl::parse(base).ok()?).ok();
        let [of_old, of_new] = bases;
        Some(Self { artifacts, old: bind(&old, of_old)?, new: bind(&new, of_new)? })
    }

    fn compare(&self) -> Comparison {
        self.compare_with(false)
    }

    /// `get_body`: whether GET and HEAD may have bodies.
    fn compare_with(&self, get_body: bool) -> Comparison {
        let token = |program: &Program| program.tokens().next().map(|(id, _)| id);
        let universe = Universe { get_body, ..Universe::default() };
        let mut analysis = Analysis::new(&self.old, &self.new, universe, Analysis::BUDGET).expect("starts");
        analysis.compare(token(&self.old), token(&self.new)).expect("no fault")
    }

    /// A certificate of what is said of either direction.
    fn certify(&self, allowed: &Difference, denied: &Difference) -> (String, Claims) {
        self.certify_with(false, (allowed, denied))
    }

    fn certify_with(
        &self,
        get_body: bool,
        (allowed, denied): (&Difference, &Difference),
    ) -> (String, Claims) {
        let universe = Universe { get_body, ..Universe::default() };
        let subject =
            |side: usize, program: &Program| Subject::new(side, program.tokens().next().map(|(id, _)| id));
        let (old, new) = (subject(0, &self.old), subject(1, &self.new));
        let mut certificates = Certificates::new(vec![&self.old, &self.new], universe, Analysis::BUDGET);
        certificates.difference(&new, &old, allowed);
        certificates.difference(&old, &new, denied);
        let claims = certificates.claims();
        (certificates.finish(), claims)
    }

    fn certificate(&self) -> (String, Claims) {
        let found = self.compare();
        self.certify(&found.newly_allowed, &found.newly_denied)
    }
}

fn pairs(count: usize, seed: u64) -> impl Iterator<Item = (Pair, (Vec<String>, Vec<String>))> {
    let mut random = Random(seed);
    std::iter::from_fn(move || {
        let lines = pair(&mut random);
        Some(Pair::new(&lines.0, &lines.1).map(|pair| (pair, lines)))
    })
    .flatten()
    .take(count)
}

/// The time that this thread has had on a processor: other work on the machine does not count.
fn on_processor() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("a time")
}

fn check(certificate: &str, pair: &Pair) -> Report {
    verify(certificate, &pair.artifacts).unwrap_or_else(|refusal| panic!("{refusal}\n{certificate}"))
}

#[test]
fn every_certificate_of_a_thousand_pairs_holds() {
    let (mut all, mut bytes, mut largest) = (Claims::default(), 0, 0);
    let (mut open, mut of_get) = (Vec::new(), 0);
    let mut checking = Duration::ZERO;
    for (pair, lines) in pairs(1_000, 17) {
        let (certificate, claims) = pair.certificate();
        let from = on_processor();
        let report = check(&certificate, &pair);
        checking += on_processor().saturating_sub(from);
        assert_eq!((report.claims.len(), report.open.len()), (claims.proved + claims.shown, claims.open));
        all.proved += claims.proved;
        all.shown += claims.shown;
        all.open += claims.open;
        bytes += certificate.len();
        largest = largest.max(certificate.len());
        if claims.open > 0 {
            // A certificate counts GET with a body.
            let without_body =
                if pair.compare_with(true) == pair.compare() { "" } else { "GET has no body: " };
            of_get += usize::from(!without_body.is_empty());
            let found = pair.compare();
            let found = [&found.newly_allowed, &found.newly_denied];
            let found = found.map(|found| (found.findings.len(), found.inconclusive.is_some()));
            open.push(format!(
                "{without_body}{:?} of {lines:?}; requests, inconclusive: {found:?}",
                report.open
            ));
        }
    }
    println!("pairs with an open answer: {}, {of_get} of them since GET has no body", open.len());
    println!("{all:?}; {bytes} bytes, the largest {largest}; checked in {checking:?}");
    open.iter().take(40).for_each(|lines| println!("open: {lines}"));
    // Fewer than one of a hundred has no certificate.
    assert!(all.proved > 100 * all.open, "{all:?}");
}

/// Each policy of the corpus of bypasses, and changes of it: a line less, and URLs that go on.
#[test]
fn every_certificate_of_the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/bypass");
    let mut all = Claims::default();
    for file in ["policies.json", "policies-own.json", "policies-calls.json", "policies-names.json"] {
        let text = fs::read_to_string(corpus.join(file)).expect("a file");
        let policies: HashMap<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        for (name, policy) in policies {
            let limits = policy.get("limits").and_then(|limits| limits.as_array()).expect("lines");
            let lines: Vec<String> =
                limits.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect();
            let fewer = lines.iter().skip(1).cloned().collect();
            let wider = lines.iter().map(|line| widened(line)).collect();
            for changed in [lines.clone(), fewer, wider] {
                let Some(pair) = Pair::new(&lines, &changed) else { continue };
                let (certificate, claims) = pair.certificate();
                let report = check(&certificate, &pair);
                assert_eq!(report.open.len(), claims.open, "{name}");
                if claims.open > 0 {
                    println!("open: {name} {lines:?} {changed:?}");
                }
                all.proved += claims.proved;
                all.shown += claims.shown;
                all.open += claims.open;
            }
        }
    }
    println!("{all:?}");
    assert!(all.proved > 100 && all.proved > 100 * all.open, "{all:?}");
}

/// A line whose URL goes on with any text.
fn widened(line: &str) -> String {
    let at = ["[QueryParam", "[JsonData"].iter().filter_map(|part| line.find(part)).min();
    let (url, rest) = line.split_at(at.unwrap_or(line.len()));
    format!("{url}.*{rest}")
}

/// The difference of every pair that has one, said to be none: no proof of that is found.
#[test]
fn a_false_no_has_no_proof() {
    let none = Difference::default();
    let mut tried = 0;
    for (pair, lines) in pairs(400, 4) {
        let found = pair.compare();
        let directions = [(&found.newly_allowed, 0), (&found.newly_denied, 1)];
        for (difference, at) in directions {
            if difference.findings.is_empty() {
                continue;
            }
            tried += 1;
            let (allowed, denied) = if at == 0 { (&none, difference) } else { (difference, &none) };
            let (certificate, claims) = pair.certify(allowed, denied);
            // The requests are said of the wrong direction, so none has a certificate either.
            let open = 1 + difference.findings.len();
            assert_eq!((claims.proved, claims.shown, claims.open), (0, 0, open), "{lines:?}\n{certificate}");
        }
    }
    assert!(tried > 100, "{tried}");
}

/// A claim without the proofs about refused bodies, of lines that changed places: the paths are covered, and it is refused.
#[test]
fn a_no_says_that_no_refused_body_passes() {
    let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let (reader, whole) = ("[post]/rest/a[JsonData::n==x]", "[post]/rest/a");
    let (old, new) = (lines(&[reader, whole]), lines(&[whole, reader]));
    let pair = Pair::new(&old, &new).expect("compiles");
    let found = pair.compare();
    assert_eq!((found.newly_allowed.findings.len(), found.newly_denied.is_none()), (1, true));
    let (certificate, claims) = pair.certificate();
    assert_eq!((claims.proved, claims.shown, claims.open), (1, 1, 0), "{certificate}");
    check(&certificate, &pair);
    // The proof that holds in the one direction does not in the other.
    let turned =
        certificate.replace("{\"beyond\":[[[0,0,null]],[1,0,null]", "{\"beyond\":[[[1,0,null]],[0,0,null]");
    assert_ne!(turned, certificate);
    let refusal = verify(&turned, &pair.artifacts).expect_err("a refused body passes");
    assert!(refusal.contains("a claim leaves lines out"), "{refusal}");
    // Lines that no request shares may change places, and so may all that look at the same names.
    let apart = "[post]/rest/b";
    let same = "[post]/rest/.*[JsonData::n==x|y]";
    for (old, new) in [([reader, apart], [apart, reader]), ([reader, same], [same, reader])] {
        let pair = Pair::new(&lines(&old), &lines(&new)).expect("compiles");
        let (certificate, claims) = pair.certificate();
        assert_eq!((claims.proved, claims.open), (2, 0), "{certificate}");
        check(&certificate, &pair);
    }
}

#[test]
fn a_certificate_of_another_policy_is_refused_in_one_sentence() {
    let lines = |text: &str| vec![text.to_owned()];
    let pair = Pair::new(&lines("/rest/.*"), &lines("/rest/a.*")).expect("compiles");
    let other = Pair::new(&lines("/rest/.*"), &lines("/rest/b.*")).expect("compiles");
    let (certificate, _) = pair.certificate();
    let refusal = verify(&certificate, &other.artifacts).expect_err("is of another policy");
    assert!(refusal.contains("is not given"), "{refusal}");
    assert!(!refusal.contains('\n'), "{refusal}");
}

#[test]
fn text_that_is_no_certificate_is_refused() {
    let lines = vec!["/rest/.*".to_owned()];
    let pair = Pair::new(&lines, &lines).expect("compiles");
    let (whole, _) = pair.certificate();
    let without_end = whole.lines().take(whole.lines().count() - 1).collect::<Vec<_>>().join("\n");
    let without_claim = whole.lines().filter(|line| !line.contains("beyond")).collect::<Vec<_>>().join("\n");
    let nested = "[".repeat(100_000);
    for text in ["", "{}", "null", &nested, &without_end, &without_claim, &format!("{whole}{whole}")] {
        assert!(verify(text, &pair.artifacts).is_err(), "{text}");
    }
    assert!(verify(&whole, &[Vec::new()]).is_err());
}

/// Every byte of some certificates is changed in two ways. What is accepted says the same, or something else that is true.
#[test]
fn a_changed_certificate_is_refused_or_still_true() {
    let (mut refused, mut same, mut other) = (0, 0, 0);
    let small = pairs(1_000, 5).filter_map(|(pair, lines)| {
        let (certificate, claims) = pair.certificate();
        let fits = claims.proved > 0 && certificate.contains("closed") && certificate.len() < 1_000;
        fits.then_some((pair, lines, certificate))
    });
    for (pair, lines, certificate) in small.take(3) {
        let report = check(&certificate, &pair);
        for at in 0..certificate.len() {
            for change in [1, 2] {
                let mut bytes = certificate.clone().into_bytes();
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= change);
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                match verify(&changed, &pair.artifacts) {
                    Err(_) => refused += 1,
                    Ok(again) if again.claims == report.claims && again.about == report.about => same += 1,
                    Ok(again) => {
                        other += 1;
                        again.claims.iter().for_each(|claim| is_true(claim, &again, &lines));
                    }
                }
            }
        }
    }
    println!(
        "{refused} refused, {same} accepted with the same claims, {other} with other claims that are true"
    );
    assert!(refused > 1_500 && refused > 10 * other, "{refused} {same} {other}");
}

/// A certificate of the requests with a body never counts for those without, nor the other way round: with the setting exchanged, it
/// is refused, or its claims are true of the other requests.
#[test]
fn a_certificate_is_of_its_requests() {
    let (mut refused, mut other) = (HashMap::from([(false, 0), (true, 0)]), 0);
    for (pair, lines) in pairs(200, 43) {
        for get_body in [false, true] {
            let found = pair.compare_with(get_body);
            let (certificate, _) = pair.certify_with(get_body, (&found.newly_allowed, &found.newly_denied));
            let report = check(&certificate, &pair);
            let told = |claim: &String| {
                !claim.contains(" allows nothing beyond ") || claim.ends_with(WITHOUT_BODY) != get_body
            };
            assert!(report.claims.iter().all(told), "{report:?}");
            let end = |get_body: bool| format!("],{get_body}]}}");
            let changed = certificate.replacen(&end(get_body), &end(!get_body), 1);
            assert_ne!(certificate, changed);
            match verify(&changed, &pair.artifacts) {
                Err(_) => *refused.entry(get_body).or_default() += 1,
                Ok(again) => {
                    other += 1;
                    again.claims.iter().for_each(|claim| is_true(claim, &again, &lines));
                }
            }
        }
    }
    println!(
        "refused, by whether GET and HEAD counted with a body: {refused:?}; {other} are true of the other requests"
    );
    assert!(refused.values().all(|count| *count > 10) && other > 100, "{refused:?} {other}");
}

/// Constraints that may exclude each other: by `only`, or by names that differ in letter case.
const NAMES: &[&str] = &[
    "",
    "[QueryParam::n==a]",
    "[QueryParam::N==a]",
    "[QueryParam::m?=a]",
    "[QueryParam::only]",
    "[JsonData::n==a]",
    "[JsonData::N==a]",
    "[JsonData::N?=a]",
    "[JsonData::n!=a]",
    "[JsonData::o.n==a]",
    "[JsonData::O.only]",
    "[JsonData::$[*]==a]",
    "[JsonData::$[*].only]",
    "[JsonData::only]",
];

/// A proof that says nothing, of lines that may exclude each other: it is accepted only where the analysis finds no request either.
#[test]
fn a_proof_says_nothing_only_of_lines_that_exclude_each_other() {
    let mut random = Random(71);
    let (mut accepted, mut refused) = ([0, 0], [0, 0]);
    for _ in 0..1_500 {
        let tests = |random: &mut Random| {
            let all: std::collections::BTreeSet<_> =
                (0..random.below(4)).map(|_| random.pick(NAMES)).collect();
            all.into_iter().collect::<String>()
        };
        let permit = format!("{}/rest/a{}", random.pick(&["", "[post]", "[get,post]"]), tests(&mut random));
        let other = format!("{}/rest/a{}", random.pick(&["!", "!", "[post]"]), tests(&mut random));
        // The new policy has the permit line, and the old one has a forbid line too, or a line that looks at other names.
        let old =
            if other.starts_with('!') { vec![permit.clone(), other] } else { vec![other, permit.clone()] };
        let Some(pair) = Pair::new(&old, std::slice::from_ref(&permit)) else { continue };
        let (whole, _) = pair.certificate();
        let head = whole.lines().next().expect("a head");
        let at = usize::from(!old.concat().starts_with(&permit));
        let empty = ["[]", "[],[]", "[],[],[]", "[],[],[],[]"];
        let beyond = empty
            .map(|empty| format!("{{\"beyond\":[[[1,0,null]],[0,0,null],[[[255,[{at}],[]]],{empty}]]}}"));
        let nothing = r#"{"beyond":[[[1,0,null]],null,[[]]]}"#.to_owned();
        let mut holds = |kind: usize, claim: &str| {
            let held = verify(&format!("{head}\n{claim}\n{{\"end\":[2]}}\n"), &pair.artifacts).is_ok();
            let counts = if held { &mut accepted } else { &mut refused };
            counts.iter_mut().skip(kind).take(1).for_each(|count| *count += 1);
            held
        };
        if beyond.iter().any(|claim| holds(0, claim)) {
            let found = pair.compare().newly_allowed;
            assert!(found.is_none(), "{permit} beyond {old:?}: {found:?}");
        }
        if holds(1, &nothing) {
            let found = Pair::new(&["/rest/z".to_owned()], std::slice::from_ref(&permit));
            let found = found.expect("compiles").compare().newly_allowed;
            assert!(found.is_none(), "{permit}: {found:?}");
        }
    }
    println!("{accepted:?} accepted, {refused:?} refused");
    assert!(accepted.iter().chain(&refused).all(|count| *count > 20), "{accepted:?} {refused:?}");
}

/// Asks the analysis about a claim of an accepted certificate.
fn is_true(claim: &str, report: &Report, (old, new): &(Vec<String>, Vec<String>)) {
    let (claim, get_body) = match claim.strip_suffix(WITHOUT_BODY) {
        Some(claim) => (claim, false),
        None => (claim, true),
    };
    let Some((more, less)) = claim.split_once(" allows nothing beyond ") else {
        // A request: both programs have just decided it.
        return;
    };
    let side = |name: &str| usize::from(!name.ends_with('0'));
    let base = |name: &str| {
        let about = report.about.get(side(name)).expect("a policy");
        let base = about.split(" at ").nth(1).and_then(|rest| rest.split(',').next());
        base.expect("a URL").to_owned()
    };
    let lines = |name: &str| {
        let lines = if side(name) == 0 { old } else { new };
        (!name.starts_with("policy")).then_some(lines)
    };
    match (lines(more), lines(less)) {
        (None, _) => {}
        (Some(_), None) => panic!("{claim}: a token with a permit line allows something"),
        (Some(of_more), Some(of_less)) => {
            let pair = Pair::at([&base(less), &base(more)], of_less, of_more).expect("compiles");
            let found = pair.compare_with(get_body).newly_allowed;
            assert!(found.findings.is_empty(), "{claim}: {found:?}");
        }
    }
}

/// Certificates grow with their policies, and the time to check them with their size.
#[test]
fn checking_takes_time_in_proportion_to_the_size() {
    let mut per_byte = Vec::new();
    for count in [100, 200, 400, 800] {
        let old: Vec<String> = (0..count).map(|at| format!("[get].*/rest/p{at}/.*")).collect();
        let new: Vec<String> = (0..count).map(|at| format!("[get].*/rest/p{at}/x.*")).collect();
        let pair = Pair::new(&old, &new).expect("compiles");
        let (certificate, claims) = pair.certify(&Difference::default(), &pair.compare().newly_denied);
        assert_eq!(claims.open, 0, "{claims:?}");
        let from = on_processor();
        check(&certificate, &pair);
        let took = on_processor().saturating_sub(from);
        println!("{count} lines: {} bytes, checked in {took:?}", certificate.len());
        per_byte.push(took.as_secs_f64() / f64::from(u32::try_from(certificate.len()).expect("a length")));
    }
    // Generous: small times vary.
    let (first, last) = (per_byte.first().expect("four"), per_byte.last().expect("four"));
    assert!(*last < 20.0 * first, "{per_byte:?}");
}
