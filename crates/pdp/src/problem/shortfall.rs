//! Describes the nearest line of a denied call in words: for the response, for the token's own page and for
//! the audit.

use tokenward_audit::{Lacking, LineRef};
use tokenward_compiler::decide::nearest::{Failed, Nearest};
use tokenward_compiler::decide::{Media, Request};
use tokenward_compiler::ir::Program;
use tokenward_compiler::method::{Method, MethodSet};

use crate::text::{SHORT, bounded};

/// The nearest line of a denied call, its first condition that failed, and the kind of value that the request
/// has there. It contains no value of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The line.
    pub line: LineRef,
    /// Text of the line.
    pub text: String,
    /// The condition: `url`, `method` with those that the line permits, `body`, or a constraint up to its regexp.
    pub condition: String,
    /// The kind of value that the request has there, such as `a string`.
    pub found: String,
}

impl Shortfall {
    /// Describes the nearest line of a denied request.
    pub fn new(program: &Program, nearest: &Nearest, request: &Request<'_>) -> Self {
        let line = program.line(nearest.line);
        let (condition, found) = match &nearest.failed {
            Failed::Url => ("url".to_owned(), "another path".to_owned()),
            Failed::Method(methods) => (format!("method {}", names(*methods)), of_method(request.method)),
            Failed::Body(media) => ("body".to_owned(), of_body(*media).to_owned()),
            Failed::Constraint(text, found) => (text.clone(), found.to_string()),
        };
        Self {
            line: LineRef {
                file: line.file.to_owned(),
                number: line.number,
                digest: line.digest.to_string(),
            },
            text: bounded(line.text, SHORT),
            condition: bounded(&condition, SHORT),
            found,
        }
    }

    /// The form in which the audit stores it: the text of the line is in the policy.
    pub fn recorded(&self) -> Lacking {
        Lacking {
            line: self.line.clone(),
            condition: self.condition.clone(),
            found: self.found.clone(),
        }
    }

    /// The line with its place.
    pub fn shown_line(&self) -> String {
        format!("{}:{}: {}", self.line.file, self.line.number, self.text)
    }
}

fn names(methods: MethodSet) -> String {
    let named = Method::NAMED
        .into_iter()
        .filter(|method| methods.contains(*method));
    named.map(Method::as_str).collect::<Vec<_>>().join(", ")
}

fn of_method(method: Method) -> String {
    match method {
        Method::Other => "another method".to_owned(),
        named => named.as_str().to_owned(),
    }
}

fn of_body(media: Media) -> &'static str {
    match media {
        Media::Form => "a form, whose fields would add to the parameters",
        Media::Multipart => "a multipart body, whose parts may add to the parameters",
        Media::Json => "the same name in the query and in the body",
        Media::Other => "a body of another type",
    }
}
