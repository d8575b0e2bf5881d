//! The smallest change of a denied request that the proxy would forward. The compiler proposes changes, and the explanation itself
//! judges each changed request, as bytes.

use tokenward_compiler::analysis;
use tokenward_compiler::closest::{Asked, AskedBody, Closest, closest, json};
use tokenward_compiler::decide::Media;
use tokenward_compiler::ir::Program;

use crate::explain::{Judge, Question, Report};
use crate::request::{self, Method, Secrets};

/// Proposed changes that are judged at most.
const JUDGED: usize = 50;

/// Longest command that is shown, in bytes.
const LONGEST: usize = 16 << 10;

/// A request as lines see it, and the secrets that it presents.
pub struct Read {
    /// The request as lines see it.
    pub asked: Asked,
    secrets: Secrets,
}

/// A changed request that the proxy would forward.
pub struct Forwarded {
    /// The change of the request.
    pub closest: Closest,
    /// The report on the changed request.
    pub report: Report,
    /// A command that sends the changed request; `None` for a body that is not JSON, and for a very long request.
    pub curl: Option<String>,
}

/// The result of the search for a changed request.
pub enum Nearby {
    /// A changed request that the proxy would forward.
    Found(Box<Forwarded>),
    /// No changed request was found.
    None {
        /// Whether the search ended before all lines were tried.
        is_cut: bool,
        /// Why the proxy would refuse a changed request that a line allows, if there was one.
        refusal: Option<String>,
    },
}

impl Judge<'_> {
    /// Reads the request as lines see it; `None` if it has no single reading.
    pub fn read(&self, question: &Question) -> Option<Read> {
        let head = question.head(self.rules.head_limits()).ok()?;
        let fields = head.fields();
        let mut reading = request::read(&head.raw(&fields), self.rules);
        let body = question.body().ok()?;
        if let Some(empty) = reading.if_empty.take().filter(|_| body.is_empty()) {
            reading.head = empty;
        }
        let canonical = reading.head.ok()?;
        let pairs = canonical.query.iter();
        let text =
            (canonical.unread.is_none() || canonical.media == Media::Other || canonical.media == Media::Form)
                .then(|| json(&body))
                .flatten();
        let is_form = canonical.media == Media::Form;
        let body = match (canonical.media, text) {
            _ if body.is_empty() => AskedBody::Absent,
            (Media::Json, Some(json)) => AskedBody::Json(json),
            (Media::Form | Media::Other, Some(json)) if !is_encoded(question) => {
                AskedBody::Mislabelled { json, is_form }
            }
            (Media::Form | Media::Multipart, _) => AskedBody::Form,
            _ => AskedBody::Other,
        };
        Some(Read {
            asked: Asked {
                method: canonical.method,
                path: canonical.path.to_string(),
                query: pairs
                    .map(|(name, value)| (name.to_string(), value.as_ref().map(ToString::to_string)))
                    .collect(),
                body,
            },
            secrets: canonical.secrets().clone(),
        })
    }

    /// Shows a text of the request, with its secrets masked.
    pub fn masked(&self, text: &str, read: &Read) -> String {
        self.shown(text, &read.secrets)
    }

    /// The report on a request that the proxy would send upstream.
    ///
    /// # Errors
    /// The proxy would not. The reason for people, if it is not that no line allows the request.
    pub fn forwarded(&self, program: &Program, question: &Question) -> Result<Report, Option<String>> {
        let report = self.explain(program, question).map_err(|_| None)?;
        if report.is_allowed() && report.status.is_none() {
            return Ok(report);
        }
        let is_of_lines = ["no-line", "forbid-line"].contains(&report.reason.as_str());
        Err((!is_of_lines).then_some(report.detail))
    }

    /// Finds the smallest change of a denied request that the proxy would forward.
    pub fn nearby(&self, program: &Program, question: &Question, read: &Read) -> Nearby {
        let Ok(token) = question.token_in(program) else {
            return Nearby::None {
                is_cut: false,
                refusal: None,
            };
        };
        let found = closest(program, token, &read.asked);
        let count = found.closest.len();
        let mut refusal = None;
        for closest in found.closest.into_iter().take(JUDGED) {
            let Some(changed) = self.changed(question, &read.asked, &closest.asked) else {
                continue;
            };
            match self.forwarded(program, &changed) {
                Ok(report) => return Nearby::Found(Box::new(self.found(closest, report, read))),
                Err(why) => refusal = refusal.or(why),
            }
        }
        let is_cut = found.is_cut || count > JUDGED;
        Nearby::None { is_cut, refusal }
    }

    fn found(&self, closest: Closest, report: Report, read: &Read) -> Forwarded {
        let user = report.user.clone().unwrap_or_else(|| "user".to_owned());
        let is_shown = matches!(closest.asked.body, AskedBody::Absent | AskedBody::Json(_));
        let request = analysis::Request::from(&closest.asked);
        let curl = is_shown.then(|| request.curl(self.rules.base(), &user));
        let curl = curl.filter(|curl| curl.len() <= LONGEST);
        let curl = curl.map(|curl| self.masked(&curl, read));
        Forwarded {
            closest,
            report,
            curl,
        }
    }

    /// The question with another request in place of its own. Headers stay, but for those of the body.
    fn changed(&self, question: &Question, own: &Asked, other: &Asked) -> Option<Question> {
        let mut changed = question.clone();
        if other.method != own.method {
            if other.method == Method::Other {
                return None;
            }
            other.method.as_str().clone_into(&mut changed.method);
        }
        if (&other.path, &other.query) != (&own.path, &own.query) {
            let target = analysis::Request::from(other).target();
            changed.target = format!("{}{target}", self.rules.base().path());
        }
        if other.body != own.body {
            let body = other.body.text();
            let is_of_body = |name: &str| {
                let names = [
                    "content-type",
                    "content-length",
                    "transfer-encoding",
                    "content-encoding",
                    "expect",
                ];
                names.iter().any(|other| name.eq_ignore_ascii_case(other))
            };
            changed.headers.retain(|(name, _)| !is_of_body(name));
            if !body.is_empty() {
                let header = |name: &str, value: String| (name.to_owned(), value);
                changed
                    .headers
                    .push(header("Content-Type", "application/json".to_owned()));
                changed
                    .headers
                    .push(header("Content-Length", body.len().to_string()));
            }
            changed = changed.with_body(body.as_bytes());
        }
        Some(changed)
    }
}

/// Whether the body is compressed, so that its text is not what an upstream reads.
fn is_encoded(question: &Question) -> bool {
    let mut names = question.headers.iter().map(|(name, _)| name);
    names.any(|name| name.eq_ignore_ascii_case("content-encoding"))
}
