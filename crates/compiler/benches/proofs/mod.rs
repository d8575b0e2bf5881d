//! Policies whose proofs once took too long or were given up, and what each may cost.

use std::fmt::Write as _;

use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Budget, Served, Universe},
    compile, findings,
    ir::Program,
    lint,
    source::SourceSet,
};

/// The lines of each token.
pub type Policy = Vec<Vec<String>>;

/// The question of a row.
pub enum Question {
    /// Compares each token with its new version.
    Compare(fn() -> (Policy, Policy)),
    /// Looks for findings, as `check` does.
    Check(fn() -> Policy),
    /// Compiles, looks for findings and runs all lints, as `check --lint auditor` does.
    Lint(fn() -> Policy),
}

/// A question, and what its answer may cost.
pub struct Row {
    pub name: &'static str,
    pub question: Question,
    /// Of CPU time, in a release build.
    pub milliseconds: u64,
    /// Of memory, beyond that of the compiled policies.
    pub megabytes: u64,
    /// Of counted work, in thousands of steps.
    pub steps: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Answer {
    /// Questions that were not settled.
    pub inconclusive: usize,
    /// Witnesses of new access, or findings.
    pub found: usize,
    /// Witnesses of access that is gone.
    pub gone: usize,
    /// Thousands of steps.
    pub steps: u64,
}

const fn row(name: &'static str, question: Question, limits: (u64, u64, u64)) -> Row {
    let (milliseconds, megabytes, steps) = limits;
    Row {
        name,
        question,
        milliseconds,
        megabytes,
        steps,
    }
}

pub const ROWS: &[Row] = &[
    row(
        "one line of 9 keys, widened",
        Question::Compare(|| keys(9)),
        (50, 200, 10_000),
    ),
    row(
        "one line of 16 keys, widened",
        Question::Compare(|| keys(16)),
        (50, 200, 10_000),
    ),
    row(
        "one line of 16 keys, one more",
        Question::Compare(one_more_key),
        (50, 200, 10_000),
    ),
    row(
        "5 `.*` lines as one alternation",
        Question::Compare(|| alternation(5)),
        (500, 200, 10_000),
    ),
    row(
        "50 `.*` lines as one alternation",
        Question::Compare(|| alternation(50)),
        (500, 200, 10_000),
    ),
    row(
        "15 lines of two `.*` as one alternation",
        Question::Compare(two_words),
        (500, 200, 10_000),
    ),
    row(
        "12 lines of three `.*` widened",
        Question::Compare(one_word_less),
        (500, 200, 10_000),
    ),
    row(
        "900 literals as one class",
        Question::Compare(literals_as_one),
        (1_000, 200, 100_000),
    ),
    row(
        "30 values as one alternation",
        Question::Compare(values),
        (500, 200, 10_000),
    ),
    row(
        "40 forbidden words as one alternation",
        Question::Compare(forbidden_otherwise),
        (500, 200, 10_000),
    ),
    row(
        "100 `.*` lines widened",
        Question::Compare(|| widened(1, 100)),
        (300, 200, 10_000),
    ),
    row(
        "1,000 `.*` lines widened",
        Question::Compare(|| widened(1, 1_000)),
        (5_000, 200, 200_000),
    ),
    row(
        "200 tokens of 30 `.*` lines, changed",
        Question::Compare(|| widened(200, 30)),
        (5_000, 200, 400_000),
    ),
    row(
        "check: 40 permits, 40 `!.*w.*`",
        Question::Check(forbidden_words),
        (1_000, 200, 10_000),
    ),
    row(
        "check: 100,000 literals",
        Question::Check(literals),
        (5_000, 400, 200_000),
    ),
    row(
        "check: 1,000 tokens with the same user",
        Question::Check(one_user),
        (5_000, 200, 150_000),
    ),
    row(
        "lint: 1,000 tokens of 10 lines",
        Question::Lint(one_user),
        (2_000, 200, 250_000),
    ),
    row(
        "lint: 1,000 tokens of 10 lines, all suspect",
        Question::Lint(all_suspect),
        (10_000, 400, 400_000),
    ),
    row(
        "8,000 lines reordered",
        Question::Compare(reordered),
        (1_000, 200, 10_000),
    ),
    row(
        "10,000 tokens of 10 lines, 1 % changed",
        Question::Compare(few_changed),
        (1_000, 200, 100_000),
    ),
];

impl Row {
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.name == name)
    }
}

impl Question {
    /// Compiles the policies; the question itself is the returned closure.
    #[must_use]
    pub fn prepared(&self) -> Box<dyn FnOnce() -> Answer> {
        match self {
            Self::Compare(policies) => {
                let (old, new) = policies();
                let (old, new) = (bound(&compiled(old)), bound(&compiled(new)));
                Box::new(move || compared(&old, &new))
            }
            Self::Check(policy) => {
                let compilation = compiled(policy());
                let program = bound(&compilation);
                Box::new(move || checked(&program, &compilation))
            }
            Self::Lint(policy) => {
                let sources = sources(policy());
                Box::new(move || linted(&sources))
            }
        }
    }
}

fn compared(old: &Program, new: &Program) -> Answer {
    let budget = Budget::new(Analysis::BUDGET);
    let analysis = Analysis::new(old, new, Universe::default(), &budget);
    let mut analysis = analysis.unwrap_or_else(|fault| panic!("{fault}"));
    let mut answer = Answer::default();
    for ((before, _), (after, _)) in old.tokens().zip(new.tokens()) {
        let comparison = analysis.compare(Some(before), Some(after));
        let comparison = comparison.unwrap_or_else(|fault| panic!("{fault}"));
        for (difference, count) in [
            (&comparison.newly_allowed, &mut answer.found),
            (&comparison.newly_denied, &mut answer.gone),
        ] {
            answer.inconclusive += usize::from(difference.inconclusive.is_some());
            *count += difference.findings.len();
        }
    }
    answer.steps = budget.spent() / 1_000;
    answer
}

fn checked(program: &Program, compilation: &Compilation) -> Answer {
    let served = Served::everything();
    let budget = Budget::new(Analysis::BUDGET);
    let found = findings::find(
        program,
        &compilation.source_map,
        &compilation.diagnostics,
        (Universe::default(), &served, &budget),
        |_, _| {},
    );
    let found = found.unwrap_or_else(|fault| panic!("{fault}"));
    Answer {
        inconclusive: found.inconclusive,
        found: found.diagnostics.len(),
        gone: 0,
        steps: budget.spent() / 1_000,
    }
}

fn linted(sources: &SourceSet) -> Answer {
    let compilation = compile(sources);
    let program = bound(&compilation);
    let checked = checked(&program, &compilation);
    let policy = lint::Policy {
        sources,
        program: &program,
        source_map: &compilation.source_map,
        reserved: None,
    };
    let settings = lint::Settings {
        set: lint::LintSet::Auditor,
        expires_within_ms: 86_400_000,
        now_ms: 1_767_225_600_000,
    };
    let budget = Budget::new(Analysis::BUDGET / 4);
    let asked = (Universe::default(), &Served::everything(), &budget);
    let lints = lint::find(policy, settings, &mut compilation.diagnostics.clone(), asked);
    let lints = lints.unwrap_or_else(|fault| panic!("{fault}"));
    Answer {
        inconclusive: checked.inconclusive + lints.open,
        found: checked.found + lints.diagnostics.len(),
        gone: 0,
        steps: checked.steps + budget.spent() / 1_000,
    }
}

fn compiled(policy: Policy) -> Compilation {
    compile(&sources(policy))
}

fn sources(policy: Policy) -> SourceSet {
    let mut text = String::new();
    for (at, lines) in policy.into_iter().enumerate() {
        let _ = write!(
            text,
            "[[token]]\nname = \"t{at}\"\nuser = \"u\"\nsecret_hash = \"sha256:{at:064x}\"\nexpires = 2030-01-01T00:00:00Z\nlimit_to = '''\n{}\n'''\n",
            lines.join("\n")
        );
    }
    SourceSet::from_files([("a.toml".to_owned(), text)])
}

fn bound(compilation: &Compilation) -> Program {
    let base = BaseUrl::parse("https://jira.example.com").unwrap_or_else(|error| panic!("{error}"));
    let Some(program) = &compilation.program else {
        panic!("{:?}", compilation.diagnostics.first());
    };
    program.bind(&base).unwrap_or_else(|error| panic!("{error}"))
}

fn key_line(count: usize, rest: &str) -> Policy {
    let keys: Vec<String> = (1..=count).map(|at| format!("KEY{}", letters(at))).collect();
    vec![vec![format!(".*/rest/api/2/issue/.*({}){rest}", keys.join("|"))]]
}

/// Letters that name a number, no name part of another.
fn letters(at: usize) -> String {
    [at / 26, at % 26]
        .map(|digit| char::from(b'A' + u8::try_from(digit).unwrap_or_default()))
        .iter()
        .collect()
}

fn keys(count: usize) -> (Policy, Policy) {
    (key_line(count, "-.*"), key_line(count, ".*"))
}

fn one_more_key() -> (Policy, Policy) {
    (key_line(15, "-.*"), key_line(16, "-.*"))
}

fn alternation(count: usize) -> (Policy, Policy) {
    let lines = (0..count).map(|at| format!("[get].*/project{at}/.*")).collect();
    let numbers: Vec<String> = (0..count).map(|at| format!("project{at}")).collect();
    let one = format!("[get].*/({})/.*", numbers.join("|"));
    (vec![lines], vec![vec![one]])
}

fn widened(tokens: usize, count: usize) -> (Policy, Policy) {
    let lines = |rest: &str| {
        let token = |token: usize| {
            (0..count)
                .map(|at| format!("[get].*/rest/t{token}x{at}{rest}"))
                .collect()
        };
        (0..tokens).map(token).collect()
    };
    (lines("/.*"), lines(".*"))
}

fn forbidden_words() -> Policy {
    let permits = (0..40).map(|at| format!(".*/rest/permitted{at}/.*"));
    let forbids = (0..40).map(|at| format!("!.*word{at}x.*"));
    vec![forbids.chain(permits).collect()]
}

fn literals() -> Policy {
    vec![
        (0..100_000)
            .map(|at| format!("[get]/rest/api/2/issue/KEY-{at}"))
            .collect(),
    ]
}

/// Each token has lines for a project of its own, and some that all tokens have.
fn one_user() -> Policy {
    let token = |at: usize| {
        [
            "[get]/rest/api/2/(serverInfo|myself|field)".to_owned(),
            format!("[get]/rest/api/2/project/K{at}"),
            format!("[get]/rest/api/2/search[QueryParam::jql==project ?= ?K{at}]"),
            format!("[get]/rest/api/2/issue/K{at}-[0-9]+"),
            format!("[post]/rest/api/2/issue/K{at}-[0-9]+/attachments"),
            format!(r"[get]/rest/agile/1\.0/board/K{at}/issue"),
            format!("[post]/rest/api/2/issue/K{at}-100/comment.*"),
            "[post]/rest/api/2/filter[JsonData::editable:boolean==false]".to_owned(),
            format!("[put]/rest/api/2/issue/K{at}-[0-9]+[JsonData::summary==ci]"),
            format!("!/rest/api/2/issue/K{at}-666"),
        ]
        .into()
    };
    (0..1_000).map(token).collect()
}

/// Every line has something to find.
fn all_suspect() -> Policy {
    let token = |at: usize| {
        (0..5)
            .flat_map(|line| {
                [
                    format!(".*/rest/api/2/issue/K{at}-{line}.*"),
                    format!("[get]/rest/files/{at}/report{line}.pdf[QueryParam::jql==project = K{at}.*]"),
                ]
            })
            .collect()
    };
    (0..1_000).map(token).collect()
}

fn reordered() -> (Policy, Policy) {
    let line = |at: usize| {
        format!(
            "[get].*/rest/api/2/issue/KEY{}-{at}(/.*)?[QueryParam::n{}?=a|b]",
            at % 7,
            at % 11
        )
    };
    let old: Vec<String> = (0..8_000).map(line).collect();
    // 8,000 has no factor of three: each index comes once.
    let new = (0..8_000).map(|at| line(at * 4_801 % 8_000)).collect();
    (vec![old], vec![new])
}

fn few_changed() -> (Policy, Policy) {
    let token = |token: usize, changed: bool| {
        let line = |at: usize| {
            let end = if changed && at == token / 100 % 10 {
                ".*"
            } else {
                ""
            };
            format!("[get]/rest/api/2/issue/KEY{token}-{at}/comment{end}")
        };
        (0..10).map(line).collect()
    };
    let all = |changed: bool| {
        (0..10_000)
            .map(|at| token(at, changed && at % 100 == 0))
            .collect()
    };
    (all(false), all(true))
}

fn two_words() -> (Policy, Policy) {
    let lines = (0..15)
        .map(|at| format!("[get].*/project{at}/.*/comment"))
        .collect();
    let names: Vec<String> = (0..15).map(|at| format!("project{at}")).collect();
    let one = format!("[get].*/({})/.*/comment", names.join("|"));
    (vec![lines], vec![vec![one]])
}

fn one_word_less() -> (Policy, Policy) {
    let lines = |end: &str| {
        (0..12)
            .map(|at| format!("[get].*/a{at}/.*/b{at}/.*/c{at}{end}"))
            .collect()
    };
    (vec![lines("/.*")], vec![lines(".*")])
}

fn values() -> (Policy, Policy) {
    let line = |value: &str| format!("[get]/rest/api/2/search[QueryParam::jql=={value}]");
    let lines = (0..30)
        .map(|at| line(&format!("project = KEY{at}( AND .*)?")))
        .collect();
    let names: Vec<String> = (0..30).map(|at| format!("KEY{at}")).collect();
    (
        vec![lines],
        vec![vec![line(&format!("project = ({})( AND .*)?", names.join("|")))]],
    )
}

fn literals_as_one() -> (Policy, Policy) {
    let lines = (100..1_000)
        .map(|at| format!("[get]/rest/api/2/issue/KEY-{at}"))
        .collect();
    (
        vec![lines],
        vec![vec!["[get]/rest/api/2/issue/KEY-[1-9][0-9][0-9]".to_owned()]],
    )
}

fn forbidden_otherwise() -> (Policy, Policy) {
    let with = |forbids: Vec<String>| [vec!["/rest/.*".to_owned()], forbids].concat();
    let old = (0..40).map(|at| format!("!.*word{at}x.*")).collect();
    let words: Vec<String> = (0..40).map(|at| format!("word{at}x")).collect();
    (
        vec![with(old)],
        vec![with(vec![format!("!.*({}).*", words.join("|"))])],
    )
}
