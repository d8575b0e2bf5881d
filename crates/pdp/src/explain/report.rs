//! The explanation as JSON, which `tokenward explain` and the admin listener give out. It contains no secrets.

use serde::{Deserialize, Serialize};
use tokenward_audit::Verdict;
use tokenward_compiler::decide::DenyReason;
use tokenward_compiler::decide::compare::{Compared, Failed, Met};
use tokenward_compiler::ir::{LineId, Program};

use super::question::Question;
use super::refused::Refused;
use crate::problem::{AuthFailure, Problem};
use crate::request::{Canonical, Media, Reading};
use crate::text::{SHORT, bounded};
use crate::wire::Violation;
use crate::words::{self, Help};

/// Maximum number of values that are shown of one constraint.
const VALUES: usize = 8;

/// How the proxy would answer a request, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `allow`, `deny` or `refuse`, as in the audit.
    pub decision: String,
    /// Status of the proxy's response; `null` if the request is sent upstream.
    pub status: Option<u16>,
    /// Reason code, as in the audit.
    pub reason: String,
    /// The reason in a sentence.
    pub detail: String,
    /// Name of the token.
    pub token: String,
    /// User that the token works for, if that is known.
    pub user: Option<String>,
    /// User for whom the call acts, if it names one.
    pub on_behalf_of: Option<String>,
    /// Method of the request.
    pub method: String,
    /// Canonical URL, as in the audit.
    pub url: String,
    /// The line that decided.
    pub line: Option<Place>,
    /// If no line allows the request: each permit line of the token, in order, with its first part that failed.
    pub lines: Vec<Line>,
    /// Remarks on the request.
    pub notes: Vec<String>,
    /// Digest of the policy.
    pub policy: String,
}

/// A line of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The policy file.
    pub file: String,
    /// Number of the line, from 1.
    pub number: u32,
    /// Text of the line.
    pub text: String,
}

/// A line that was compared with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line.
    #[serde(flatten)]
    pub place: Place,
    /// The first part that failed; `null` if the line matches.
    pub failed: Option<Part>,
}

/// A part of a line that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `method`, `url`, `constraint` or `body`.
    pub part: String,
    /// The constraint, without its regexp.
    pub constraint: Option<String>,
    /// The values that the part met, as texts.
    pub saw: Vec<String>,
    /// The whole in a sentence.
    pub why: String,
}

/// Facts about the request that do not depend on the decision.
pub(super) struct Facts {
    method: String,
    url: String,
    pub(super) user: Option<String>,
    pub(super) on_behalf_of: Option<String>,
    /// The proxy answers the request itself.
    pub(super) own: bool,
    /// The request is a CORS preflight of a configured origin.
    pub(super) preflight: bool,
}

impl Facts {
    pub(super) fn of(reading: &Reading) -> Self {
        Self {
            method: reading.shown_method.to_string(),
            url: reading.shown_url.to_string(),
            user: None,
            on_behalf_of: None,
            own: false,
            preflight: false,
        }
    }
}

impl Report {
    /// The report on a judged request.
    pub(super) fn new(
        (program, help): (&Program, &Help),
        (facts, token): (Facts, &str),
        judged: &Result<Option<LineId>, Refused>,
    ) -> Self {
        let line = match judged {
            Ok(line) => *line,
            Err(Refused::Denied(denial)) => denial.line,
            Err(Refused::Problem(_)) => None,
        };
        let call = format!("{} {}", facts.method, facts.url);
        let (verdict, status, reason, detail) = match judged {
            Ok(_) if facts.preflight => (
                Verdict::Allow,
                Some(204),
                "cors-preflight",
                "The proxy answers this CORS preflight itself.".to_owned(),
            ),
            Ok(_) if facts.own => (
                Verdict::Allow,
                Some(200),
                "self",
                "The proxy answers this request itself.".to_owned(),
            ),
            Ok(Some(_)) => (Verdict::Allow, None, "allowed", format!("A line allows {call}.")),
            Ok(None) => (
                Verdict::Allow,
                None,
                "allowed",
                format!("The token is unrestricted, and no line forbids {call}."),
            ),
            Err(Refused::Denied(denial)) => match denial.reason {
                DenyReason::NoLine => (
                    Verdict::Deny,
                    Some(403),
                    "no-line",
                    format!("No line of the token allows {call}."),
                ),
                DenyReason::ForbidLine => (
                    Verdict::Deny,
                    Some(403),
                    "forbid-line",
                    format!("A line forbids {call}."),
                ),
            },
            Err(Refused::Problem(problem)) => {
                let (status, mut detail) = words::described(problem, help);
                if let Problem::Unauthenticated(failure) | Problem::NotAccepted(failure) = problem {
                    detail = failed_authentication(*failure).to_owned();
                }
                (problem.verdict(), Some(status), problem.audit_code(), detail)
            }
        };
        Self {
            decision: verdict.as_str().to_owned(),
            status,
            reason: reason.to_owned(),
            detail,
            token: token.to_owned(),
            user: facts.user,
            on_behalf_of: facts.on_behalf_of,
            method: facts.method,
            url: facts.url,
            line: line.map(|line| Place::of(program, line)),
            lines: Vec::new(),
            notes: Vec::new(),
            policy: program.digest().to_owned(),
        }
    }

    /// The report on bytes that the proxy does not read as a request.
    pub(super) fn not_a_request(program: &Program, question: &Question, violation: Violation) -> Self {
        Self {
            decision: Verdict::Refuse.as_str().to_owned(),
            status: Some(violation.status()),
            reason: violation.code().to_owned(),
            detail: "These bytes are not an HTTP request; the proxy answers them without a body.".to_owned(),
            token: question.token.clone(),
            user: None,
            on_behalf_of: None,
            // Neither is shown: what they contain was not read, so it cannot be masked.
            method: String::new(),
            url: String::new(),
            line: None,
            lines: Vec::new(),
            notes: Vec::new(),
            policy: program.digest().to_owned(),
        }
    }
}

impl Place {
    fn of(program: &Program, line: LineId) -> Self {
        let line = program.line(line);
        Self {
            file: line.file.to_owned(),
            number: line.number,
            text: line.text.to_owned(),
        }
    }
}

impl Line {
    pub(super) fn of(
        program: &Program,
        compared: Compared,
        canonical: &Canonical,
        shown: &dyn Fn(&str) -> String,
    ) -> Self {
        Self {
            place: Place::of(program, compared.line),
            failed: compared.failed.map(|failed| Part::of(failed, canonical, shown)),
        }
    }
}

impl Part {
    fn of(failed: Failed, canonical: &Canonical, shown: &dyn Fn(&str) -> String) -> Self {
        let part = |part: &str, saw: Vec<String>, why: String| Self {
            part: part.to_owned(),
            constraint: None,
            saw,
            why,
        };
        match failed {
            Failed::Method(methods) => {
                let method = shown(&canonical.method_text);
                let methods = match methods.to_string().as_str() {
                    "*" => "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS".to_owned(),
                    listed => listed.to_owned(),
                };
                let why = format!("the line is for {methods}, the request is {method}");
                part("method", vec![method], why)
            }
            Failed::Url => {
                let path = bounded(&shown(&canonical.path), SHORT);
                let why = format!("the URL of the line does not match `{path}`");
                part("url", vec![path], why)
            }
            Failed::Constraint { text, met } => {
                let saw = saw(&met, &text, shown);
                let dots = if text.ends_with("only") { "" } else { "…" };
                let why = format!("[{text}{dots}] does not hold: {}", sentence(&met, &text, &saw));
                Self {
                    part: "constraint".to_owned(),
                    constraint: Some(text),
                    saw,
                    why,
                }
            }
            Failed::Body(media) => {
                let kind = match media {
                    Media::Form => "a form",
                    Media::Multipart => "multipart",
                    Media::Json | Media::Other => "not JSON by its Content-Type",
                };
                let why = format!("the line has constraints, and the body is {kind}");
                part("body", vec![kind.to_owned()], why)
            }
            Failed::NotJson(error) => {
                let why = format!("the line has constraints on the body, which cannot be read: {error}");
                part("body", Vec::new(), why)
            }
            Failed::Merged => part(
                "body",
                Vec::new(),
                "the upstream merges query and body, and a name of the line is on the other side".to_owned(),
            ),
        }
    }
}

/// The values that a constraint met, as texts.
fn saw(met: &Met, constraint: &str, shown: &dyn Fn(&str) -> String) -> Vec<String> {
    let values = met.values.iter().take(VALUES);
    let mut saw: Vec<String> = values
        .map(|(kind, text)| {
            let text = bounded(&shown(text), SHORT);
            match kind {
                Some(kind) => format!("`{text}` ({})", kind.as_str()),
                None => format!("`{text}`"),
            }
        })
        .collect();
    if met.values.len() > VALUES {
        saw.push(format!("{} more values", met.values.len() - VALUES));
    }
    // Of an `only`, the object itself is expected.
    if met.object && !constraint.ends_with("only") {
        saw.push("an object".to_owned());
    }
    saw
}

fn sentence(met: &Met, constraint: &str, saw: &[String]) -> String {
    let is_only = constraint.ends_with("only");
    let place = if constraint.starts_with("QueryParam") {
        "the query"
    } else {
        "the body"
    };
    let values = saw.join(", ");
    let mut parts = Vec::new();
    if !saw.is_empty() && is_only {
        parts.push(format!("{place} also has {values}"));
    } else if !saw.is_empty() {
        parts.push(format!("{place} has {values}"));
    }
    if met.misfit {
        parts.push("a step on the way has the wrong type".to_owned());
    }
    if met.lacking {
        parts.push("an element lacks it".to_owned());
    }
    if parts.is_empty() {
        return format!("{place} has no value there");
    }
    parts.join(", and ")
}

fn failed_authentication(failure: AuthFailure) -> &'static str {
    match failure {
        AuthFailure::NoCredentials => "The request has no credentials.",
        AuthFailure::Malformed => "The credentials cannot be read, or are in several places.",
        AuthFailure::Method => "`[auth] methods` does not accept this scheme.",
        AuthFailure::UnknownToken => "No token of the policy has this secret.",
        AuthFailure::Revoked => "The token is revoked.",
        AuthFailure::Expired => "The token has expired.",
        AuthFailure::RotatedAway => "This is the secret before a rotation, and its overlap has ended.",
        AuthFailure::WrongUser => "The token does not work for this user.",
        AuthFailure::NoUser => "The token has several users, but the credentials name none.",
        AuthFailure::NeverActAs => "`[auth] never_act_as` lists this user.",
    }
}

impl Report {
    /// Whether the proxy would send the request upstream, or answer it itself.
    pub fn is_allowed(&self) -> bool {
        self.decision == Verdict::Allow.as_str()
    }
}
