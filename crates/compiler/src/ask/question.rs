//! A question as people write it, and as a program with one token: its line.

use std::rc::Rc;

use regex_syntax::hir::Hir;

use super::error::QuestionError;
use crate::{
    analysis::{Budget, Fault, Prover, Proxied, Ruled, Served, Side, Universe},
    artifact,
    ast::{self, Effect, Operator},
    base_url::BaseUrl,
    blame::{self, Settings},
    check,
    diagnostic::{Code, Diagnostic, Severity, nearest},
    invariants::{dead_part, demand},
    ir::{Program, TokenId},
    lower::lower,
    method::{Method, MethodSet},
    parse::parse_line,
    policy::{Limit, Param, Pattern},
    regexp::Anchor,
    resolve::read_line,
    source::{SourceSet, Span},
    tokens::InvariantKind as Demand,
};

/// The words before a line, and what they ask.
const DEMANDS: [(&str, Demand); 3] = [
    ("never", Demand::Never),
    ("only", Demand::Only),
    ("always", Demand::Always),
];

/// The beginning of findings about lines that no request can match.
const NO_REQUEST: &str = "no request can match this line: ";

/// A question: a line, and what is asked about the requests that it matches.
#[derive(Debug)]
pub struct Question {
    line: String,
    demand: Option<Demand>,
    /// A token that allows exactly the requests of the line.
    pub(super) program: Program,
    pub(super) token: TokenId,
    /// The line's syntax, if the question is written as a line.
    pub(super) syntax: Option<ast::Limit>,
    proxied: Option<Proxied>,
}

impl Question {
    /// Reads `[never|only|always] LINE`. The line may begin with its methods as words: `DELETE /rest/.*` is
    /// `[delete]/rest/.*`. `base` and `merges_body`: as for the policy.
    ///
    /// # Errors
    /// The text is not a question; the error says what to write instead.
    pub fn parse(text: &str, base: &BaseUrl, merges_body: bool) -> Result<Self, QuestionError> {
        let (demand, rest) = split_demand(text.trim());
        if rest.contains(['\n', '\r']) {
            return Err(QuestionError::SeveralLines);
        }
        match rest.chars().next() {
            Some('!') => return Err(QuestionError::Forbid),
            Some('#') => return Err(QuestionError::Comment),
            _ => {}
        }
        let line = with_methods(rest, demand.is_some())?;
        let limit = limit(&line)?;
        let span = limit.span;
        let syntax = parse_line(&line, span).ok();
        let (program, token) = program_of(line.clone(), limit, (base, merges_body))?;
        Ok(Self {
            line,
            demand,
            program,
            token,
            syntax,
            proxied: None,
        })
    }

    /// Asks about one call with any body but a form: a method, a path below the base URL and a query, both decoded.
    ///
    /// # Errors
    /// A parameter has several values.
    pub fn call(
        (method, method_text): (Method, &str),
        path: &str,
        query: &[(String, String)],
        base: &BaseUrl,
    ) -> Result<Self, QuestionError> {
        let mut params: Vec<Param> = Vec::new();
        for (name, value) in query {
            match params.iter().find(|known| known.name == *name) {
                Some(known) if known.pattern.text != literal(value).text => {
                    return Err(QuestionError::SeveralValues { name: name.clone() });
                }
                Some(_) => {}
                None => params.push(Param {
                    name: name.clone(),
                    operator: Operator::All,
                    pattern: literal(value),
                }),
            }
        }
        let line = format!("{method_text} {path}");
        let (sources, span) = source_of(&line);
        let limit = Limit {
            span,
            effect: Effect::Permit,
            methods: MethodSet::EMPTY.with(method),
            url: literal(path),
            anchor: Anchor::Below,
            params,
            params_only: true,
            nodes: Vec::new(),
            members: Vec::new(),
        };
        // The call has these parameters and no others, whatever the upstream takes from its body.
        let (program, token) = lowered(Rc::new(limit), &sources, (base, false))?;
        Ok(Self {
            line,
            demand: None,
            program,
            token,
            syntax: None,
            proxied: None,
        })
    }

    /// A program with one token, which allows the requests that the question is about.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The token of that program.
    #[must_use]
    pub fn token(&self) -> TokenId {
        self.token
    }

    /// That program as a compiled policy: what a checker of certificates reads.
    #[must_use]
    pub fn artifact(&self) -> Vec<u8> {
        artifact::encode_demands(&self.program)
    }

    /// Shows requests that this proxy forwards, as far as there are any. Each other request comes with what keeps the proxy from
    /// forwarding it.
    #[must_use]
    pub fn behind(self, proxied: Proxied) -> Self {
        Self {
            proxied: Some(proxied),
            ..self
        }
    }

    /// The line that the question is about, or the method and the path of a call.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// What the question demands; `None` if it asks which tokens may.
    #[must_use]
    pub fn demand(&self) -> Option<Demand> {
        self.demand
    }

    /// Checks that some request matches the question under this configuration: every demand about none holds, and means nothing.
    /// If this could not be settled within the budget, the question is accepted.
    ///
    /// # Errors
    /// No request matches the question, with the part at fault; or a [`Fault`].
    pub fn check(
        &self,
        universe: Universe,
        served: &Served,
        budget: &Budget,
    ) -> Result<Result<(), QuestionError>, Fault> {
        let mut prover = Prover::new(universe, budget.clone())?;
        let endpoints = served.matcher()?;
        for id in self.program.token(self.token).permits.iter() {
            let found = dead_part(&self.program, id, &mut prover, endpoints.as_ref(), universe);
            let (Some(part), Some(rule)) = (found, self.program.rule(id)) else {
                continue;
            };
            let settings = Settings {
                universe,
                served,
                base: self.program.base(),
            };
            let text = self.program.line(rule.line).text;
            let (_, span) = source_of(text);
            let found = blame::diagnostic(Code::IdleLine, (text, span), part, settings);
            let headline = found.headline.strip_prefix(NO_REQUEST).unwrap_or(&found.headline);
            return Ok(Err(QuestionError::NoRequest {
                headline: headline.to_owned(),
                help: found.help,
            }));
        }
        Ok(Ok(()))
    }

    /// Whether the question knows the proxy in front of the upstream.
    pub(super) fn is_behind_proxy(&self) -> bool {
        self.proxied.is_some()
    }

    /// The two sides of the question for a token: its policy, and the requests that the question is about.
    pub(super) fn sides<'p>(&'p self, (program, token): (&'p Program, TokenId)) -> (Side<'p>, Side<'p>) {
        let proxied = self.proxied.as_ref();
        (
            Side::of(program, token).behind(proxied),
            Side::demand(&self.program, self.token).behind(proxied),
        )
    }

    /// The rule of the question.
    pub(crate) fn rule(&self) -> Option<Ruled<'_>> {
        let program = &self.program;
        let id = program.token(self.token).permits.iter().next()?;
        Some(Ruled {
            program,
            rule: program.rule(id)?,
        })
    }
}

/// The kind of question, and the rest.
fn split_demand(text: &str) -> (Option<Demand>, &str) {
    let (first, rest) = split_word(text);
    let known = DEMANDS.iter().find(|(word, _)| first.eq_ignore_ascii_case(word));
    match known {
        Some((_, demand)) => (Some(*demand), rest),
        None => (None, text),
    }
}

fn split_word(text: &str) -> (&str, &str) {
    match text.split_once([' ', '\t']) {
        Some((first, rest)) => (first, rest.trim_start()),
        None => (text, ""),
    }
}

/// The line, its methods in brackets if they are written as words.
fn with_methods(text: &str, has_demand: bool) -> Result<String, QuestionError> {
    if text.is_empty() {
        return Err(QuestionError::Empty);
    }
    let (first, rest) = split_word(text);
    let is_word = |character: char| character.is_alphabetic() || matches!(character, ',' | '|');
    let parts: Vec<&str> = first.split([',', '|']).collect();
    let is_method = |part: &&str| Method::from_name(part).is_some();
    let are_methods = parts.iter().all(is_method);
    if rest.is_empty() {
        return if are_methods {
            Err(QuestionError::OnlyMethod {
                method: first.to_owned(),
            })
        } else {
            Ok(text.to_owned())
        };
    }
    if are_methods {
        let methods = first.replace('|', ",").to_ascii_lowercase();
        return Ok(format!("[{methods}]{rest}"));
    }
    if !first.chars().all(is_word) {
        return Ok(text.to_owned());
    }
    let given = parts.into_iter().find(|part| !is_method(part)).unwrap_or(first);
    let methods = Method::NAMED.iter().map(|method| method.as_str());
    let demands = DEMANDS.iter().map(|(word, _)| *word).filter(|_| !has_demand);
    let near = nearest(given, methods.chain(demands)).map(str::to_owned);
    Err(QuestionError::Method {
        given: given.to_owned(),
        near,
    })
}

/// The meaning of a line.
fn limit(line: &str) -> Result<Rc<Limit>, QuestionError> {
    let (sources, span) = source_of(line);
    let mut found = Vec::new();
    check::hidden_text::check(&sources, &mut found);
    refuse_errors(&found)?;
    let read = read_line(&sources, span, &mut found).map_err(|error| wrong(&error))?;
    refuse_errors(&found)?;
    read.limit.ok_or(QuestionError::User)
}

/// A program with one token, of this line.
fn program_of(
    line: String,
    limit: Rc<Limit>,
    settings: (&BaseUrl, bool),
) -> Result<(Program, TokenId), QuestionError> {
    let (sources, _) = source_of(&line);
    lowered(limit, &sources, settings)
}

fn lowered(
    limit: Rc<Limit>,
    sources: &SourceSet,
    (base, merges_body): (&BaseUrl, bool),
) -> Result<(Program, TokenId), QuestionError> {
    let token = demand("the question".to_owned(), limit.span, vec![limit]);
    let lowered = lower([token], sources);
    refuse_errors(&lowered.diagnostics)?;
    let program = lowered.program.bind(base)?.merging_body(merges_body);
    Ok((program, TokenId(0)))
}

/// The line as the only text of a set of sources.
fn source_of(line: &str) -> (SourceSet, Span) {
    let sources = SourceSet::from_files([("question.limits".to_owned(), line.to_owned())]);
    let source = sources.iter().next().map(|(id, _)| id);
    let span = source.map_or_else(Span::nowhere, |source| Span {
        source,
        start: 0,
        end: line.len(),
    });
    (sources, span)
}

fn refuse_errors(found: &[Diagnostic]) -> Result<(), QuestionError> {
    let error = found.iter().find(|found| found.severity == Severity::Error);
    error.map_or(Ok(()), |error| Err(wrong(error)))
}

fn wrong(error: &Diagnostic) -> QuestionError {
    QuestionError::Line {
        headline: error.headline.clone(),
        help: error.help.clone(),
    }
}

/// The pattern of exactly this text.
fn literal(text: &str) -> Pattern {
    Pattern {
        text: regex_syntax::escape(text),
        side: None,
        hir: Hir::literal(text.as_bytes().to_vec()),
    }
}
