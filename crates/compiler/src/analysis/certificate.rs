//! Certificates: answers of the analysis, with reasons that another program can check.
//!
//! A certificate is text, one JSON object a line. `docs/proofs.md` has the format, and says what a checker has to trust. A "yes"
//! is a request. A "no" is, for each line, a line that is built alike, or a set of states of the lines' patterns that no text
//! leaves and in which no text is found. Proofs are looked for here again, and only of one form: some answers have none. Such an
//! answer is counted, and never written as one that has a proof.

mod beyond;
mod case;
mod closed;
mod excluded;
mod follows;
mod pattern;
mod request;
mod subject;

use serde_json::{Value, json};

pub use self::subject::Subject;
use self::{closed::Closed, subject::Lines};
use super::{
    Budget, Difference, Exhausted, Request, Universe,
    budget::Work,
    clauses::Ruled,
    identity::Identity,
    witness::{RequestBody, Said, ask},
};
use crate::{artifact, ir::Program, method::Method, tokens::InvariantKind};

/// The version of the format.
const VERSION: u32 = 4;

/// How many answers have a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Answers "no" with a proof.
    pub proved: usize,
    /// Answers "yes" with a request.
    pub shown: usize,
    /// Answers without a certificate.
    pub open: usize,
}

/// A rule with the number of its program.
type Numbered<'p> = (usize, Ruled<'p>);

/// Collects the certificates of a run.
pub struct Certificates<'p> {
    sides: Vec<&'p Program>,
    /// Whether GET and HEAD count with a body too.
    bodies: bool,
    budget: Budget,
    work: Work,
    identity: Identity,
    closed: Closed<'p>,
    lines: Vec<String>,
    claims: Claims,
}

impl<'p> Certificates<'p> {
    /// Begins a certificate about bound programs. Their order gives them their numbers. The claims are about the universe's requests,
    /// and about paths that the proxy refuses.
    #[must_use]
    pub fn new(sides: Vec<&'p Program>, universe: Universe, budget: impl Into<Budget>) -> Self {
        let budget = budget.into();
        let policies: Vec<Value> = sides.iter().map(|side| policy(side)).collect();
        let head = json!({ "tokenward": (VERSION, policies, universe.get_body) });
        Self {
            bodies: universe.get_body,
            work: budget.work(),
            budget,
            identity: Identity::default(),
            closed: Closed::new(sides.clone()),
            lines: vec![head.to_string()],
            claims: Claims::default(),
            sides,
        }
    }

    /// Certifies what was found in `more` beyond `less`: each request, or the claim that no request exists.
    pub fn difference(&mut self, more: &Subject, less: &Subject, found: &Difference) {
        let what = || {
            format!(
                "whether {} allows more than {}",
                self.shown(more),
                self.shown(less)
            )
        };
        let what = what();
        let more = std::slice::from_ref(more);
        for finding in &found.findings {
            // If the lines of the other side allow the request, it has none: a certificate is about lines, and says nothing of names that
            // only a proxy refuses.
            self.request(more, Some(less), &finding.witness, &what);
        }
        if found.findings.is_empty() {
            match found.inconclusive {
                None => self.nothing(more, Some(less), &what),
                Some(_) => self.open(&what),
            }
        }
    }

    /// Certifies whether a token meets a demand: the requests that show that it does not, or the claim that no such request exists.
    /// The demand is a token that allows what it is about. `is_open`: whether there may be more such requests than were found.
    pub fn demand(
        &mut self,
        (kind, demand): (InvariantKind, &Subject),
        token: &Subject,
        (found, is_open): (&[&Request], bool),
    ) {
        let (shown, kept) = (self.shown(token), self.shown(demand));
        let what = format!("whether {shown} keeps `{}` of {kept}", kind.as_str());
        let both = [token.clone(), demand.clone()];
        let (more, less) = match kind {
            InvariantKind::Never => (both.as_slice(), None),
            InvariantKind::Only => (std::slice::from_ref(token), Some(demand)),
            InvariantKind::Always => (std::slice::from_ref(demand), Some(token)),
        };
        for request in found {
            self.request(more, less, request, &what);
        }
        match (found.is_empty(), is_open) {
            (true, false) => self.nothing(more, less, &what),
            (true, true) => self.open(&what),
            (false, _) => {}
        }
    }

    /// Certifies that all of `more` allow a request which `less` does not allow. `what`: the question, if this has no certificate.
    pub fn request(&mut self, more: &[Subject], less: Option<&Subject>, request: &Request, what: &str) {
        let says = |one: &Subject| {
            let program = self.sides.get(one.side);
            program.map_or(Said::Refuse, |program| ask(program, one.token, request))
        };
        let is_allowed = more.iter().all(|one| matches!(says(one), Said::Allow(_)));
        let counts =
            self.bodies || !lacks_body(request.method) || matches!(request.body, RequestBody::Absent);
        if !counts || !is_allowed || less.is_some_and(|less| matches!(says(less), Said::Allow(_))) {
            return self.open(what);
        }
        let claim = json!({ "request": (self.places(more), self.place(less), request::value(request)) });
        self.lines.push(claim.to_string());
        self.claims.shown += 1;
    }

    /// Certifies that no request is allowed by all of `more` and not by `less`. `what`: the question, if this has no certificate.
    pub fn nothing(&mut self, more: &[Subject], less: Option<&Subject>, what: &str) {
        let found = self.beyond(more, less);
        // What was found for a proof that failed may serve a later one.
        self.lines.append(&mut self.closed.lines);
        match found {
            Ok(Some(proofs)) => {
                let claim = json!({ "beyond": (self.places(more), self.place(less), proofs) });
                self.lines.push(claim.to_string());
                self.claims.proved += 1;
            }
            Ok(None) | Err(Exhausted) => self.open(what),
        }
    }

    /// Notes an answer that has no certificate, in words.
    pub fn open(&mut self, what: &str) {
        self.lines.push(json!({ "open": (what,) }).to_string());
        self.claims.open += 1;
    }

    /// How many answers have a certificate so far.
    #[must_use]
    pub fn claims(&self) -> Claims {
        self.claims
    }

    /// The text of the certificate.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.lines.push(json!({ "end": (self.lines.len(),) }).to_string());
        self.lines.push(String::new());
        self.lines.join("\n")
    }

    fn places(&self, subjects: &[Subject]) -> Vec<Value> {
        subjects.iter().map(|one| self.place(Some(one))).collect()
    }

    /// A token as a certificate names it: its policy, its position, and the positions of its lines.
    fn place(&self, subject: Option<&Subject>) -> Value {
        let Some(subject) = subject else {
            return Value::Null;
        };
        let lines = match &subject.lines {
            Lines::All => None,
            Lines::Only(lines) => Some((true, subject.positions(&self.sides, lines))),
            Lines::Without(lines) => Some((false, subject.positions(&self.sides, lines))),
        };
        json!([subject.side, subject.token.map(|token| token.0), lines])
    }

    /// A token in the words of an open question.
    fn shown(&self, subject: &Subject) -> String {
        let program = self.sides.get(subject.side);
        match program.zip(subject.token) {
            Some((program, token)) => format!("{:?} of policy {}", program.token(token).name, subject.side),
            None => format!("no token of policy {}", subject.side),
        }
    }
}

/// Whether a method's requests have no body, unless the configuration says otherwise.
fn lacks_body(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head)
}

/// A policy as a certificate names it.
fn policy(program: &Program) -> Value {
    let base = program.base().map_or("", |base| base.as_str());
    json!([artifact::digest(program), base, program.merges_body()])
}
