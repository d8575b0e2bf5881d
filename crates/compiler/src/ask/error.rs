//! Reasons why a text is not a question that has an answer.

use crate::bind::BindError;

/// Reason why a question has no answer. Each message says what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// Nothing was asked.
    #[error("the question is empty; write a method and a URL regexp, such as `DELETE /rest/.*`")]
    Empty,
    /// More than one line was asked.
    #[error("the question has several lines; ask about one line at a time")]
    SeveralLines,
    /// The question is only a method.
    #[error(
        "the question has no URL regexp; add one, such as `{method} /rest/.*`, or `{method} .*` for every path"
    )]
    OnlyMethod {
        /// The method as written.
        method: String,
    },
    /// The question is a comment.
    #[error("the question begins with `#`, like a comment; remove the `#`")]
    Comment,
    /// The question is a forbid line.
    #[error(
        "the question begins with `!`; remove the `!`, or write `never` before the line to ask whether it is forbidden"
    )]
    Forbid,
    /// The first word should be a method.
    #[error("`{given}` is not a method that a line can name{}", suggestion(near.as_deref(), "write a method, a list such as `get,post`, or begin with the URL regexp"))]
    Method {
        /// The word as written.
        given: String,
        /// The nearest method, or kind of question.
        near: Option<String>,
    },
    /// `{USER}` has no meaning without a token.
    #[error(
        "`{{USER}}` cannot be used in a question, which is about every token; write the name of the user"
    )]
    User,
    /// The line does not compile.
    #[error("the question is not a limit line: {headline}{}", help.as_ref().map_or_else(String::new, |help| format!("; {help}")))]
    Line {
        /// What is wrong with it.
        headline: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// No request matches the line, so that every answer would be empty.
    #[error("no request matches the question: {headline}{}", help.as_ref().map_or_else(String::new, |help| format!("; {help}")))]
    NoRequest {
        /// The part at fault.
        headline: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// A call has a parameter more than once, with different values.
    #[error(
        "the parameter `{name}` has several values; ask about one value at a time, or use `tokenward explain` for this call"
    )]
    SeveralValues {
        /// The parameter.
        name: String,
    },
    /// The policy has no token of this name.
    #[error("no token `{name}` in the policy{}", suggestion(near.as_deref(), "`tokenward token list` shows the names"))]
    NoSuchToken {
        /// The name as given.
        name: String,
        /// The nearest name.
        near: Option<String>,
    },
    /// A pattern of the line grows past its limit with the public URL.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// The end of a message: the nearest word, or what to do if there is none.
fn suggestion(near: Option<&str>, otherwise: &str) -> String {
    match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; {otherwise}"),
    }
}
