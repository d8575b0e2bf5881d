//! Shows an answer, and gives the end that it deserves.

use clap::ValueEnum;
use serde_json::{Value, json};
use tokenward_compiler::ask::{Demand, Question, Reach, Verdict};

use super::super::failure::Failure;
use super::super::output;
use super::asked::{Asked, Blocked};
use super::equality::Equality;
use super::policy::Policy;
use super::{json as document, reach, verdict};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// The end of a command whose answer was shown.
pub(in super::super) type Ended = Result<(), Failure>;

/// Ends a command. If it has no answer, a program that reads JSON finds an object that says so.
pub(in super::super) fn end(answered: Result<Ended, Failure>, format: Format) -> Result<(), Failure> {
    let failure = match answered {
        Ok(ended) => return ended,
        Err(failure) => failure,
    };
    if format == Format::Json && !matches!(failure, Failure::NoReader) {
        let answer = json!({ "version": 1, "settled": false, "error": failure.message() });
        // What failed first is the reason to report.
        let _ = output::print_json(&answer);
    }
    Err(failure)
}

/// Shows which tokens may. Such a question has no wrong answer: only one that is not settled is a failure.
pub(in super::super) fn reaches(
    asked: &Asked,
    policy: &Policy,
    (reaches, blocked): (&[Reach], &[Blocked]),
    format: Format,
) -> Result<Ended, Failure> {
    let text = || reach::text(asked, policy, (reaches, blocked));
    print(format, text, || {
        document::reaches(asked, policy, (reaches, blocked))
    })?;
    Ok(ended(false, reaches.iter().all(Reach::is_settled)))
}

/// Shows whether the tokens meet a demand.
pub(super) fn verdicts(
    question: (&Question, Demand),
    policy: &Policy,
    verdicts: &[Verdict],
    format: Format,
) -> Result<Ended, Failure> {
    let text = || verdict::text(question, policy, verdicts);
    print(format, text, || document::verdicts(question, policy, verdicts))?;
    let is_no = verdicts.iter().any(|verdict| !verdict.breaches.is_empty());
    Ok(ended(is_no, verdicts.iter().all(Verdict::holds)))
}

/// Shows whether two tokens are equal.
pub(super) fn equality(equality: &Equality<'_>, format: Format) -> Result<Ended, Failure> {
    print(format, || equality.text(), || document::equality(equality))?;
    Ok(ended(equality.differs(), equality.is_settled()))
}

/// The end of a command whose answer has been shown.
fn ended(is_no: bool, is_settled: bool) -> Ended {
    if is_no {
        return Err(Failure::Findings(String::new()));
    }
    if !is_settled {
        return Err(Failure::Trouble(
            "a part of the answer was not settled within the budget; ask about one token or a simpler line, or use a larger --budget"
                .to_owned(),
        ));
    }
    Ok(())
}

fn print(format: Format, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) -> Result<(), Failure> {
    match format {
        Format::Text => output::print(&text()),
        Format::Json => output::print_json(&json()),
    }
}
