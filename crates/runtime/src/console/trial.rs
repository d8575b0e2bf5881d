//! A trial: how the policy in force, or unsaved lines, would answer a request, and what would let it pass. No call is made.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tokenward_compiler::compile;
use tokenward_compiler::diagnostic::Severity;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::explain::{Judge, Question, Report};
use tokenward_pdp::nearby::Nearby;
use tokenward_pdp::pasted::pasted;
use tokenward_pdp::servable::bind;

use super::advice::{self, NewLine};
use super::alone::try_cost;
use super::effect::LONGEST as LONGEST_PROOF;
use super::heavy::{Console, Means};
use super::kept::{Kept, kept};
use crate::admin::{AdminError, AdminState};
use crate::authoring::unhelpful::unhelpful;

/// Name of the token that unsaved lines belong to.
const DRAFT: &str = "draft";
/// The file that they would be in, and the number of lines before them.
const DRAFT_FILE: &str = "draft.toml";
const BEFORE: u32 = 5;
/// The user of a draft, if the question names none.
const SOMEBODY: &str = "user";
/// Longest request or lines, in bytes.
const LONGEST: usize = 256 << 10;

/// The error of a question that is not one.
pub(super) const EXPECTED: &str = r#"the body is {"token": "NAME" or "lines": "…", "request": "GET /rest/… or a curl command", "user": …, "client": …}"#;

/// What is tried.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    /// A token of the policy in force. Either this or `lines`.
    #[serde(default)]
    pub(super) token: Option<String>,
    /// Limit lines that no token has yet.
    #[serde(default)]
    pub(super) lines: Option<String>,
    /// A curl command, or a request: method and URL, header fields, a blank line, and the body.
    pub(super) request: String,
    /// User that the request is made as.
    #[serde(default)]
    pub(super) user: Option<String>,
    /// Address of the client.
    #[serde(default)]
    pub(super) client: Option<String>,
}

/// The result of a trial.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tried {
    pub(super) report: Option<Report>,
    /// Why there is no report: a part of the question is wrong or missing.
    pub(super) problem: Option<String>,
    /// Errors of unsaved lines.
    pub(super) errors: Vec<LineError>,
    pub(super) notes: Vec<String>,
    /// The smallest change of a denied request that would pass.
    pub(super) change: Option<Change>,
    /// The narrowest line that would allow a denied request.
    pub(super) new_line: Option<NewLine>,
    /// Why there is none, if the request is not allowed.
    pub(super) no_new_line: Option<String>,
    /// The request for a test of the policy; absent if a part of it may be a secret.
    #[serde(skip)]
    pub(super) kept: Option<Kept>,
}

/// An error in unsaved lines.
#[derive(Debug, Serialize)]
pub(super) struct LineError {
    pub(super) code: String,
    /// Number of the line, from 1; absent if the error has no place in the lines.
    pub(super) number: Option<usize>,
    pub(super) text: String,
}

/// A changed request.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) method: String,
    pub(super) url: String,
    /// Each change in a sentence.
    pub(super) changes: Vec<String>,
    pub(super) curl: Option<String>,
}

impl Tried {
    fn problem(text: impl Into<String>) -> Self {
        Self {
            problem: Some(text.into()),
            ..Self::default()
        }
    }
}

/// Answers `POST /v1/try`.
pub(super) async fn trial(
    state: Arc<AdminState>,
    console: &Console,
    trial: Trial,
) -> Result<Tried, AdminError> {
    let length = trial.request.len() + trial.lines.as_ref().map_or(0, String::len);
    if length > LONGEST {
        return Err(AdminError::Question(format!(
            "the request and the lines have {length} bytes together; {LONGEST} are the most"
        )));
    }
    console
        .proof(LONGEST_PROOF, move |means| Ok(tried(&state, trial, &means)))
        .await
}

fn tried(state: &AdminState, trial: Trial, means: &Means) -> Tried {
    let read = match pasted(&trial.request, state.gate.rules.base()) {
        Ok(read) => read,
        Err(why) => return Tried::problem(why),
    };
    let mut question = read.question.with_host(state.gate.rules.base().authority());
    question.client = match trial
        .client
        .as_deref()
        .filter(|client| !client.is_empty())
        .map(str::parse::<IpAddr>)
    {
        None => None,
        Some(Ok(address)) => Some(address.to_canonical()),
        Some(Err(_)) => return Tried::problem("`client` must be an address, such as 10.0.0.7"),
    };
    question.user = trial.user.filter(|user| !user.is_empty()).or(question.user);
    let mut tried = match (trial.token, trial.lines) {
        (Some(token), None) => {
            question.token = token;
            state
                .gate
                .with_judge(|judge, program| judged(state, (judge, program), &question, means))
        }
        (None, Some(lines)) => match draft(state, &lines, &means.stop) {
            Ok(program) => {
                DRAFT.clone_into(&mut question.token);
                let is_named = question.user.is_some() || has_credentials(&question);
                question.user = question.user.or((!is_named).then(|| SOMEBODY.to_owned()));
                state.gate.with_judge(|judge, _| {
                    // Tokens of the draft have other numbers than those of the policy in force.
                    let judge = Judge {
                        is_refused: &|_| false,
                        is_revoked: &|_| false,
                        ..*judge
                    };
                    judged(state, (&judge, &program), &question, means)
                })
            }
            Err(tried) => *tried,
        },
        _ => Tried::problem("name a token, or write lines, but not both"),
    };
    tried.notes.splice(0..0, read.notes);
    tried
}

fn has_credentials(question: &Question) -> bool {
    question
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}

/// Compiles unsaved lines as those of a token of its own.
fn draft(state: &AdminState, lines: &str, stop: &AtomicBool) -> Result<Program, Box<Tried>> {
    if lines.contains("'''") {
        return Err(Box::new(Tried::problem(
            "the lines contain three quotes, which no line has",
        )));
    }
    try_cost(lines.lines().map(str::trim), stop).map_err(|why| Box::new(Tried::problem(why)))?;
    let hash = "0".repeat(64);
    let text = format!(
        "[[token]]\nname = \"{DRAFT}\"\nany_user = true\nsecret_hash = \"sha256:{hash}\"\nlimit_to = '''\n{lines}\n'''\n"
    );
    let sources = SourceSet::from_files([(DRAFT_FILE.to_owned(), text)]);
    let compilation = compile(&sources);
    let errors = compilation
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let errors = errors.map(|found| LineError {
        code: found.code.to_string(),
        number: sources
            .line_number(found.primary.span)
            .checked_sub(BEFORE as usize)
            .filter(|number| *number > 0),
        text: found.headline.clone(),
    });
    let errors: Vec<LineError> = errors.collect();
    match compilation.program {
        Some(program) if errors.is_empty() => {
            bind(&program, &state.config).map_err(|why| Box::new(Tried::problem(why.to_string())))
        }
        _ => Err(Box::new(Tried {
            problem: Some("the lines have errors, so they allow nothing".to_owned()),
            errors,
            ..Tried::default()
        })),
    }
}

/// The report with the places of unsaved lines in the form, instead of those in a file that nobody has.
fn in_form(mut report: Report) -> Report {
    let lines = report.lines.iter_mut().map(|line| &mut line.place);
    for place in lines
        .chain(report.line.as_mut())
        .filter(|place| place.file == DRAFT_FILE)
    {
        place.file.clear();
        place.number = place.number.saturating_sub(BEFORE);
    }
    report
}

/// Judges the request, and after a denial searches for what would pass.
fn judged(
    state: &AdminState,
    (judge, program): (&Judge<'_>, &Program),
    question: &Question,
    means: &Means,
) -> Tried {
    let is_draft = question.token == DRAFT;
    let report = match judge.explain(program, question) {
        Ok(report) if is_draft => in_form(report),
        Ok(report) => report,
        Err(incomplete) => return Tried::problem(incomplete.to_string()),
    };
    let is_of_lines = ["no-line", "forbid-line"].contains(&report.reason.as_str());
    let read = is_of_lines.then(|| judge.read(question)).flatten();
    let mut tried = Tried {
        kept: kept(judge, question, &report),
        ..Tried::default()
    };
    if let Some(read) = read {
        if let Nearby::Found(found) = judge.nearby(program, question, &read) {
            let changes = found.closest.changes.iter();
            tried.change = Some(Change {
                changes: changes
                    .map(|change| judge.masked(&change.to_string(), &read))
                    .collect(),
                method: found.report.method,
                url: found.report.url,
                curl: found.curl,
            });
        }
        match advice::line(
            state,
            (judge, program),
            (question, &report, &read),
            is_draft,
            means,
        ) {
            Ok(line) => tried.new_line = Some(line),
            Err(why) => tried.no_new_line = Some(why),
        }
    } else if !report.is_allowed() {
        tried.no_new_line = Some(unhelpful(&report).1);
    }
    tried.report = Some(report);
    tried
}
