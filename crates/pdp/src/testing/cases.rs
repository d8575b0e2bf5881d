//! The tests of files, with the decision that was seen for each.

use tokenward_compiler::diagnostic::{Code, Diagnostic, nearest};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::source::{SourceSet, Span};
use tokenward_compiler::test_cases;
use tokenward_compiler::tokens::{At, Expect, RequestDef, RequestKeys, TestDef};

use super::bench::Bench;
use super::expectation::{Expectation, Mismatch, mismatches};
use crate::curl::{self, Origin, Sent, Word};
use crate::explain::{Incomplete, Question, Report};
use crate::problem::{AuthFailure, CODES};
use crate::request::{Method, Reason};
use crate::wire::Violation;

/// Reasons of requests that are allowed.
const ALLOWED: [&str; 3] = ["allowed", "self", "cors-preflight"];

/// A test, and the decision that was seen.
pub struct Case {
    /// Name of the test.
    pub name: String,
    /// The test's place, as messages show it.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// The token, in the program that judged.
    pub token: TokenId,
    /// The expectation.
    pub expected: Expectation,
    /// The request of the test.
    pub question: Question,
    /// The judgement of the request.
    pub seen: Report,
    /// Remarks on the request.
    pub notes: Vec<String>,
}

impl Case {
    /// The parts of the expectation that were not met; none: the test passes.
    pub fn mismatches(&self) -> Vec<Mismatch> {
        mismatches(&self.expected, &self.seen)
    }
    /// Whether the judgement is as expected.
    pub fn passes(&self) -> bool {
        self.mismatches().is_empty()
    }
}

/// All tests of some files, and the errors in those files.
#[derive(Default)]
pub struct Cases {
    /// The tests, in the order of the files.
    pub cases: Vec<Case>,
    /// Errors of the files.
    pub errors: Vec<Diagnostic>,
}

/// Reads the tests of files, and judges their requests by a bound program.
pub fn read(sources: &SourceSet, program: &Program, bench: &Bench) -> Cases {
    let (tests, errors) = test_cases::read(sources);
    let mut read = Cases {
        cases: Vec::new(),
        errors,
    };
    for test in tests {
        match case(sources, &test, program, bench) {
            Ok(case) => read.cases.push(case),
            Err(error) => read.errors.push(*error),
        }
    }
    tokenward_compiler::diagnostic::sort(&mut read.errors);
    read
}

fn case(
    sources: &SourceSet,
    test: &TestDef,
    program: &Program,
    bench: &Bench,
) -> Result<Case, Box<Diagnostic>> {
    let token = token(&test.token, program)?;
    check_expectation(test, token, program)?;
    let (sent, place) = sent(test, bench)?;
    let user = match (&test.user, sent.user) {
        (Some(named), Some(user)) if named.value != user => {
            return Err(caller(
                named.span,
                format!(
                    "the curl command has the user `{user}`, but `user` is `{}`",
                    named.value
                ),
                "remove one of them",
            ));
        }
        (Some(named), _) => Some(named.value.clone()),
        (None, user) => user,
    };
    let question = Question {
        token: test.token.value.clone(),
        user,
        client: test.client.as_ref().map(|client| client.value),
        time_ms: Some(test.at.as_ref().map_or(bench.now_ms, |at| at.value)),
        method: sent.method,
        target: sent.target,
        headers: sent.headers,
        ..Question::default()
    }
    .with_body(&sent.body);
    let seen = bench
        .judge(program, &question)
        .map_err(|lacking| incomplete(&lacking, test, place))?;
    let text = |given: &Option<At<String>>| given.as_ref().map(|given| given.value.clone());
    Ok(Case {
        name: test.name.clone(),
        file: sources
            .get(test.span.source)
            .map_or_else(String::new, |source| sources.shown(&source.path)),
        line: sources.line_number(test.span),
        token,
        expected: Expectation {
            decision: test.expect.value,
            line: text(&test.line),
            reason: text(&test.reason),
            status: test.status.as_ref().map(|status| status.value),
        },
        question,
        seen,
        notes: sent.notes,
    })
}

fn error(code: Code, span: Span, headline: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(code, span, headline).help(help))
}

fn caller(span: Span, headline: impl Into<String>, help: &str) -> Box<Diagnostic> {
    error(Code::TestCaller, span, headline, help)
}

/// The token of a test.
fn token(name: &At<String>, program: &Program) -> Result<TokenId, Box<Diagnostic>> {
    let found = program.tokens().find(|(_, token)| token.name == name.value);
    if let Some((id, _)) = found {
        return Ok(id);
    }
    let names = program.tokens().map(|(_, token)| token.name.as_str());
    let help = match nearest(&name.value, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a token of the policy; `tokenward token list` shows the names".to_owned(),
    };
    Err(error(
        Code::TestToken,
        name.span,
        format!("the policy has no token `{}`", name.value),
        &help,
    ))
}

/// The request of a test as it is sent, and its place.
fn sent(test: &TestDef, bench: &Bench) -> Result<(Sent, Span), Box<Diagnostic>> {
    let (sent, place) = match &test.request {
        RequestDef::Curl(command) => (
            curl::command(&command.value, &bench.base, Origin::COMMAND.without_files()),
            command.span,
        ),
        RequestDef::Keys(keys) => (of_keys(keys, bench), keys.url.span),
    };
    match sent {
        Ok(sent) => Ok((sent, place)),
        Err(why) => Err(error(
            Code::TestRequest,
            place,
            format!("the request cannot be read: {why}"),
            match &test.request {
                RequestDef::Curl(_) => {
                    "correct the command; it must be one curl command whose request is known without running it"
                }
                RequestDef::Keys(_) => {
                    "write the method and the path below the public URL, such as `GET /rest/api/2/myself`"
                }
            },
        )),
    }
}

fn of_keys(keys: &RequestKeys, bench: &Bench) -> Result<Sent, String> {
    let method = Method::from_name(&keys.method);
    let method = method.map_or_else(|| keys.method.clone(), |method| method.as_str().to_owned());
    let mut words = vec!["curl".to_owned(), "--request".to_owned(), method];
    let has_type = keys.headers.iter().any(|header| {
        let name = header.value.split_once(':').map_or("", |(name, _)| name);
        name.trim().eq_ignore_ascii_case("content-type")
    });
    if let Some(body) = &keys.body {
        words.extend(["--data-raw".to_owned(), body.value.clone()]);
        if !has_type {
            // The type is that of the key, never curl's.
            let header = if keys.is_json {
                "Content-Type: application/json"
            } else {
                "Content-Type:"
            };
            words.extend(["--header".to_owned(), header.to_owned()]);
        }
    }
    for header in &keys.headers {
        words.extend(["--header".to_owned(), header.value.clone()]);
    }
    words.extend(["--url".to_owned(), keys.url.value.clone()]);
    let words: Vec<Word> = words.iter().map(|word| Word::from(word.as_str())).collect();
    curl::read(&words, &bench.base, Origin::ARGUMENTS.without_files())
}

/// The error of a test that leaves the caller open.
fn incomplete(lacking: &Incomplete, test: &TestDef, request: Span) -> Box<Diagnostic> {
    let token = &test.token;
    match lacking {
        Incomplete::User(_) => caller(
            token.span,
            format!(
                "`{}` works for more than one user, and the test names none",
                token.value
            ),
            "add `user = \"…\"` with the user that makes the request",
        ),
        Incomplete::Client(_) => caller(
            token.span,
            format!(
                "`{}` works only from certain addresses, and the test names none",
                token.value
            ),
            "add `client = \"…\"` with the address of the client",
        ),
        Incomplete::TwoUsers => caller(
            test.user.as_ref().map_or(request, |user| user.span),
            "the request has credentials, which name the user",
            "remove `user`",
        ),
        Incomplete::OtherToken(other) => caller(
            request,
            format!("the request has the secret of another token, `{other}`"),
            "test that token, or remove the credentials",
        ),
        other => error(
            Code::TestRequest,
            request,
            format!("the request cannot be judged: {other}"),
            "correct the request",
        ),
    }
}

/// Whether some policy could pass the test.
fn check_expectation(test: &TestDef, token: TokenId, program: &Program) -> Result<(), Box<Diagnostic>> {
    let wrong = |span, headline: String, help: &str| Err(error(Code::TestExpectation, span, headline, help));
    let allows = test.expect.value == Expect::Allow;
    let word = test.expect.value.as_str();
    if let Some(reason) = &test.reason {
        let code = reason.value.as_str();
        if !codes().any(|known| known == code) {
            let help = match nearest(code, codes()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`tokenward explain` shows the reason of a decision; docs/refusals.md lists all"
                    .to_owned(),
            };
            return wrong(reason.span, format!("there is no reason `{code}`"), &help);
        }
        if ALLOWED.contains(&code) != allows {
            let headline = format!("the reason `{code}` does not belong to the decision `{word}`");
            return wrong(reason.span, headline, "correct `reason` or `expect`");
        }
    }
    if let Some(status) = test
        .status
        .as_ref()
        .filter(|status| allows && ![200, 204].contains(&status.value))
    {
        let headline = format!(
            "the proxy does not send {} for a request that it allows",
            status.value
        );
        let help = "remove `status`: the upstream sends it";
        return wrong(status.span, headline, help);
    }
    if let Some(line) = &test.line {
        let rules = program.rules_of(token);
        let texts = || rules.iter().map(|rule| program.line(rule.line).text);
        if !texts().any(|text| text == line.value) {
            let help = match nearest(&line.value, texts()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write the line as it is in the policy".to_owned(),
            };
            let headline = format!("`{}` has no line `{}`", test.token.value, line.value);
            return wrong(line.span, headline, &help);
        }
        if line.value.starts_with('!') == allows {
            let kind = if allows { "forbid" } else { "permit" };
            let headline = format!("a {kind} line cannot decide `{word}`");
            return wrong(line.span, headline, "correct `line` or `expect`");
        }
    }
    Ok(())
}

/// Every reason code of a decision.
fn codes() -> impl Iterator<Item = &'static str> {
    let failures = AuthFailure::ALL.iter().map(|failure| failure.code());
    let reasons = Reason::ALL.iter().map(|reason| reason.code());
    let violations = Violation::ALL.iter().map(|violation| violation.code());
    ALLOWED
        .into_iter()
        .chain(CODES)
        .chain(failures)
        .chain(reasons)
        .chain(violations)
}
