use tokenward_compiler::{
    BaseUrl, artifact, compile,
    decide::{
        Body, Decision, DenyReason, Media, Param, Request, explain,
        nearest::{self, Failed},
    },
    ir::{LineId, Program},
    json, resolve_policy,
    source::SourceSet,
};

use super::choices::Choices;
use crate::{
    living,
    reference::{self, Outcome, Place},
};

/// Public URLs to decide below.
pub const BASES: &[&str] = &[
    "https://h",
    "https://h/ctx",
    "http://h.example/ctx/rest",
    "https://host:8443/a",
];

/// The bytes choose a policy and requests; these are decided as [`agree`] has it.
pub fn decide(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let merges = choices.merges();
    let base = choices.pick(BASES);
    let file = choices.policy();
    let requests: Vec<_> = (0..4).map(|_| choices.request()).collect();
    agree(&file, Place { base, merges }, &requests);
}

/// Whatever decides, decides as the reference does, by the same line: the program as the proxy has it, without the passes, and by
/// way of an artifact. Holds of a policy of one token, without the lines that are refused as dead; one that does not compile
/// even so decides nothing.
///
/// # Panics
/// It does not hold.
pub fn agree(file: &str, place: Place<'_>, requests: &[reference::Request]) {
    let file = living::file(file);
    let sources = SourceSet::from_files([("t.toml".to_owned(), file.clone())]);
    let Some(unbound) = compile(&sources).program else {
        return;
    };
    let base = BaseUrl::parse(place.base).expect("a base URL");
    let bind = |program: &Program| {
        program
            .bind(&base)
            .ok()
            .map(|bound| bound.merging_body(place.merges))
    };
    let decoded = artifact::decode(&artifact::encode(&unbound)).expect("what was encoded decodes");
    let (Some(laid_out), Some(decoded)) = (bind(&unbound), bind(&decoded)) else {
        return;
    };
    let programs = [
        ("plain", laid_out.without_layout()),
        ("decoded", decoded),
        ("laid out", laid_out),
    ];
    let policy = resolve_policy(&sources);
    let token = policy.tokens.first().expect("the one token");
    for request in requests {
        let expected = reference::decide(token, place, request);
        let line = match expected {
            Outcome::Allow(index) => index,
            Outcome::Forbid(index) => Some(index),
            Outcome::NoLine | Outcome::Ambiguous => None,
        };
        let line = line.and_then(|index| token.limits.get(index));
        let line = line.and_then(|limit| u32::try_from(sources.line_number(limit.span)).ok());
        for (name, program) in &programs {
            let (found, found_line) = compiled(program, request);
            let same_kind = std::mem::discriminant(&expected) == std::mem::discriminant(&found);
            assert!(
                same_kind && line == found_line,
                "{file}\n{place:?}\n{request:?}\nreference: {expected:?} {line:?}\n{name} program: {found:?} {found_line:?}\n{program}"
            );
        }
    }
}

/// The outcome of the compiled program, with lines by their place in the file.
pub(crate) fn compiled(program: &Program, request: &reference::Request) -> (Outcome, Option<u32>) {
    let line = |id: LineId| program.line(id).number;
    let outcome = |asked: &Request<'_>| match tokenward_compiler::decide::decide(program, asked) {
        Decision::Allow(grant) => (Outcome::Allow(grant.line().map(|_| 0)), grant.line().map(line)),
        Decision::Deny(denial) if denial.reason == DenyReason::ForbidLine => {
            (Outcome::Forbid(0), denial.line.map(line))
        }
        Decision::Deny(_) => (Outcome::NoLine, None),
        Decision::NeedsBody(_) => panic!("asked for the body twice"),
    };
    with_body(program, request, outcome).unwrap_or((Outcome::Ambiguous, None))
}

/// The permit line that came nearest to a request that no line allows, by its place in the file, and what of it failed.
pub(crate) fn nearest(program: &Program, request: &reference::Request) -> Option<(u32, Failed)> {
    let nearest = with_body(program, request, |asked| {
        nearest::nearest(program, asked, &explain::explain(program, asked))
    });
    let nearest = nearest.flatten()?;
    Some((program.line(nearest.line).number, nearest.failed))
}

/// Asks with the body read, if a decision needs it; `None` if its names are ambiguous.
fn with_body<T>(
    program: &Program,
    request: &reference::Request,
    ask: impl FnOnce(&Request<'_>) -> T,
) -> Option<T> {
    let (token, _) = program.tokens().next().expect("the one token");
    let query: Vec<Param<'_>> = request
        .query
        .iter()
        .map(|(name, value)| Param {
            name,
            value: value.as_deref(),
        })
        .collect();
    let text = match &request.body {
        reference::Body::Json(json) => json.to_string(),
        // No line has the name: another spelling of one would be refused before the text is.
        _ => "{\"unknown\":".to_owned(),
    };
    let body = match &request.body {
        reference::Body::Absent => Body::Absent,
        reference::Body::Json(_) | reference::Body::Broken => Body::Unread(Media::Json),
        reference::Body::Opaque(media) => Body::Unread(*media),
    };
    let mut asked = Request {
        token,
        method: request.method,
        path: &request.path,
        query: &query,
        body,
    };
    let nodes;
    if let Decision::NeedsBody(wanted) = tokenward_compiler::decide::decide(program, &asked) {
        asked.body = match json::read(text.as_bytes(), &wanted) {
            Ok(read) => {
                nodes = read;
                Body::Read(&nodes)
            }
            Err(json::ReadError::NotJson { .. }) => Body::Unreadable,
            Err(_) => return None,
        };
    }
    Some(ask(&asked))
}
