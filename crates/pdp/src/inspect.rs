//! Decides on a request with its body, and refuses bodies that servers read in different ways.

use tokenward_compiler::decide::{self, Body, Decision, Param};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::json::{self, Nodes, ReadError, Slot, Wanted};

use crate::ambiguity::{BodyNames, Unwrapped, is_query_ambiguous};
use crate::evidence::Evidence;
use crate::problem::{Problem, Unreadable};
use crate::request::{self, Canonical, Media, Reason, Refusal, Rules};

/// Decides a request with the body as far as it is known.
pub fn decide<'p>(
    program: &'p Program,
    token: TokenId,
    canonical: &Canonical,
    body: Body<'_>,
) -> Decision<'p> {
    decide::decide(program, &request(token, canonical, &parameters(canonical), body))
}

/// Collects the evidence of a decision that was made without the body; empty if the decision needs the body.
pub fn evidence_unread(
    decision: &Decision<'_>,
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    rules: &Rules,
) -> Evidence {
    match decision {
        Decision::NeedsBody(_) => Evidence::default(),
        _ => {
            let why = canonical.unread.clone();
            let body = unread(canonical);
            evidence((program, decision), token, canonical, (body, why), rules)
        }
    }
}

fn evidence(
    (program, decision): (&Program, &Decision<'_>),
    token: TokenId,
    canonical: &Canonical,
    (body, why_unread): (Body<'_>, Option<String>),
    rules: &Rules,
) -> Evidence {
    let query = parameters(canonical);
    let asked = request(token, canonical, &query, body);
    Evidence::at(
        program,
        &asked,
        decision,
        why_unread,
        (rules, canonical.secrets()),
    )
}
/// Returns the parameters of the query, as lines see them.
pub fn parameters(canonical: &Canonical) -> Vec<Param<'_>> {
    let pairs = canonical.query.iter();
    pairs
        .map(|(name, value)| Param {
            name,
            value: value.as_deref(),
        })
        .collect()
}
/// Returns the request as the program sees it.
pub fn request<'a>(
    token: TokenId,
    canonical: &'a Canonical,
    query: &'a [Param<'a>],
    body: Body<'a>,
) -> decide::Request<'a> {
    decide::Request {
        token,
        method: canonical.method,
        path: &canonical.path,
        query,
        body,
    }
}

/// Describes the body before it is read.
pub fn unread(canonical: &Canonical) -> Body<'static> {
    if canonical.body.has_body() {
        Body::Unread(canonical.media)
    } else {
        Body::Absent
    }
}

/// Whether the product reads credentials or parameters from bodies of this kind, so that each of them must be checked.
pub fn product_reads(canonical: &Canonical, rules: &Rules) -> bool {
    canonical.body.has_body()
        && match canonical.media {
            Media::Json => !rules.refused_nodes().is_empty() || rules.parses_names(),
            Media::Form => rules.reads_form(canonical),
            Media::Multipart | Media::Other => false,
        }
}

/// Refuses a query with a name that the upstream could take for a constrained one.
///
/// # Errors
/// The query contains such a name.
pub fn check_query(
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    rules: &Rules,
) -> Result<(), Problem> {
    if is_query_ambiguous(program, token, canonical, rules) {
        return Err(Problem::Reading(Reason::AmbiguousParameter.into()));
    }
    Ok(())
}

/// Refuses a whole body in which the product reads credentials or another method, or with a name that it could take for
/// a constrained one.
///
/// # Errors
/// The body is refused, or cannot be read.
pub fn check_body(
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    rules: &Rules,
    bytes: &[u8],
) -> Result<(), Problem> {
    match canonical.media {
        Media::Form => request::check_form(bytes, rules).map_err(Problem::Reading),
        Media::Json if !bytes.is_empty() => {
            let names = BodyNames::new(program, token, canonical, rules);
            check_json(bytes, rules, &names)
        }
        Media::Json | Media::Multipart | Media::Other => Ok(()),
    }
}

fn check_json(bytes: &[u8], rules: &Rules, names: &BodyNames<'_>) -> Result<(), Problem> {
    let mut wanted = Wanted::new();
    let paths = rules.refused_nodes();
    let refused: Vec<Slot> = paths.iter().map(|path| wanted.node(path)).collect();
    let asked = names.ask(&mut wanted);
    let unreadable = |error| Problem::Json(Unreadable::new(error, bytes));
    let nodes = json::read(bytes, &wanted).map_err(unreadable)?;
    let found = refused.into_iter().position(|slot| nodes.node(slot).found);
    if let Some(path) = found.and_then(|at| paths.get(at)) {
        let name = shown(path);
        return Err(match rules.names_method(&name) {
            true => Problem::Reading(Refusal::of_parameter(Reason::MethodParameter, &name)),
            false => Problem::BodyCredentials(name),
        });
    }
    let refusal = if BodyNames::are_too_many(&asked, &nodes) {
        Some(Reason::TooManyMembers)
    } else if names.are_ambiguous(&asked, &nodes) {
        Some(Reason::AmbiguousParameter)
    } else {
        match names.are_unwrapped(&asked, &nodes, bytes).map_err(unreadable)? {
            Unwrapped::No => None,
            Unwrapped::Yes => Some(Reason::AmbiguousParameter),
            Unwrapped::TooMany => Some(Reason::TooManyMembers),
        }
    };
    refusal.map_or(Ok(()), |reason| Err(Problem::Reading(reason.into())))
}

fn shown(path: &json::Path) -> String {
    let names = path.0.iter().map(|step| match step {
        json::Step::Name(name) => name.as_str(),
        json::Step::Each => "[*]",
    });
    names.collect::<Vec<_>>().join(".")
}

/// Decides with the whole body. If the decision depends on the body, its evidence is stored in `note`.
///
/// # Errors
/// The body is JSON that servers read in different ways.
pub fn decide_whole<'p>(
    program: &'p Program,
    token: TokenId,
    canonical: &Canonical,
    bytes: &[u8],
    (rules, note): (&Rules, &mut Evidence),
) -> Result<Decision<'p>, Problem> {
    let wanted = match decide(program, token, canonical, unread(canonical)) {
        Decision::NeedsBody(wanted) => wanted,
        decided => return Ok(decided),
    };
    let nodes = if bytes.is_empty() {
        Nodes::empty_object(&wanted)
    } else {
        match json::read(bytes, &wanted) {
            Ok(nodes) => nodes,
            Err(error @ ReadError::NotJson { .. }) => {
                let why = Unreadable::new(error, bytes).to_string();
                let decision = decide(program, token, canonical, Body::Unreadable);
                let body = (Body::Unreadable, Some(why));
                *note = evidence((program, &decision), token, canonical, body, rules);
                return Ok(decision);
            }
            Err(error) => return Err(Problem::Json(Unreadable::new(error, bytes))),
        }
    };
    let body = Body::Read(&nodes);
    let decision = decide(program, token, canonical, body);
    *note = evidence((program, &decision), token, canonical, (body, None), rules);
    Ok(decision)
}
