//! Bodies that have to be read before the call can be decided.

use tokenward_compiler::decide::{self, Body, Decision, Param};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::json::{self, Nodes, ReadError, Slot, Wanted};

use crate::call::evidence::Evidence;
use crate::problem::Problem;
use crate::proxy::RequestBody;
use crate::request::{self, Canonical, Media, Reason, Rules};
use crate::wire::BodyError;

/// What the policy says of a request with this much known of its body.
pub(super) fn decide<'p>(
    program: &'p Program,
    token: TokenId,
    canonical: &Canonical,
    body: Body<'_>,
) -> Decision<'p> {
    decide::decide(program, &request(token, canonical, &parameters(canonical), body))
}

/// What a decision on it looked at that was made without its body; nothing where the body decides.
pub(super) fn evidence_unread(
    decision: &Decision<'_>,
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    rules: &Rules,
) -> Evidence {
    match decision {
        Decision::NeedsBody(_) => Evidence::default(),
        _ => evidence(program, token, canonical, unread(canonical), rules),
    }
}

fn evidence(
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    body: Body<'_>,
    rules: &Rules,
) -> Evidence {
    let query = parameters(canonical);
    let asked = request(token, canonical, &query, body);
    Evidence::at(program, &asked, (rules, canonical.secrets()))
}

fn parameters(canonical: &Canonical) -> Vec<Param<'_>> {
    let pairs = canonical.query.iter();
    pairs
        .map(|(name, value)| Param {
            name,
            value: value.as_deref(),
        })
        .collect()
}

fn request<'a>(
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

/// What is known of the body before it is read.
pub(super) fn unread(canonical: &Canonical) -> Body<'static> {
    if canonical.body.has_body() {
        Body::Unread(canonical.media)
    } else {
        Body::Absent
    }
}

/// Whether the product reads credentials or parameters from bodies of this kind, so that each has to be looked at.
pub(super) fn product_reads(canonical: &Canonical, rules: &Rules) -> bool {
    canonical.body.has_body()
        && match canonical.media {
            Media::Json => !rules.refused_nodes().is_empty(),
            Media::Form => rules.reads_form(canonical),
            Media::Multipart | Media::Other => false,
        }
}

/// Refuses a query in which a parameter that a line constrains may stand under another name.
///
/// # Errors
/// It does.
pub(super) fn check_spellings(
    program: &Program,
    token: TokenId,
    canonical: &Canonical,
    rules: &Rules,
) -> Result<(), Problem> {
    let suspect = |names: &[&str]| rules.spells_otherwise(&canonical.query, names);
    let asked = (token, canonical.method, canonical.path.as_str());
    if rules.reads_spellings() && !canonical.query.is_empty() && decide::constrains(program, asked, suspect) {
        return Err(Problem::Reading(Reason::AmbiguousParameter.into()));
    }
    Ok(())
}

/// Reads the whole body, as far as bodies are inspected.
///
/// # Errors
/// It is too large, malformed, or does not arrive.
pub(super) async fn read_whole(body: &mut RequestBody, limit: usize) -> Result<(), Problem> {
    if body.length().is_some_and(|length| length > limit as u64) {
        return Err(Problem::BodyTooLarge(limit));
    }
    // One byte more tells a body of just the limit from a larger one.
    if body.read_ahead(limit.saturating_add(1)).await.map_err(problem)? && body.ahead().len() <= limit {
        Ok(())
    } else {
        Err(Problem::BodyTooLarge(limit))
    }
}

/// Refuses a whole body in which the product reads credentials, or another method.
pub(super) fn check_product(bytes: &[u8], canonical: &Canonical, rules: &Rules) -> Result<(), Problem> {
    match canonical.media {
        Media::Form => request::check_form(bytes, rules).map_err(Problem::Reading),
        Media::Json if bytes.is_empty() => Ok(()),
        Media::Json => {
            let mut wanted = Wanted::new();
            let slots: Vec<Slot> = rules
                .refused_nodes()
                .iter()
                .map(|path| wanted.node(path))
                .collect();
            let nodes = json::read(bytes, &wanted).map_err(Problem::Json)?;
            let found = slots.into_iter().position(|slot| nodes.node(slot).found);
            match found.and_then(|at| rules.refused_nodes().get(at)) {
                Some(path) => {
                    let name = shown(path);
                    Err(match rules.names_method(&name) {
                        true => Problem::Reading(Reason::MethodParameter.into()),
                        false => Problem::BodyCredentials(name),
                    })
                }
                None => Ok(()),
            }
        }
        Media::Multipart | Media::Other => Ok(()),
    }
}

fn shown(path: &json::Path) -> String {
    let names = path.0.iter().map(|step| match step {
        json::Step::Name(name) => name.as_str(),
        json::Step::Each => "[*]",
    });
    names.collect::<Vec<_>>().join(".")
}

/// Decides with the whole body, and notes what the decision then looked at, if it looked into the body.
///
/// # Errors
/// It is JSON that servers read in several ways.
pub(super) fn decide_whole<'p>(
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
            Err(ReadError::NotJson { .. }) => {
                *note = evidence(program, token, canonical, Body::Unreadable, rules);
                return Ok(decide(program, token, canonical, Body::Unreadable));
            }
            Err(error) => return Err(Problem::Json(error)),
        }
    };
    let body = Body::Read(&nodes);
    *note = evidence(program, token, canonical, body, rules);
    Ok(decide(program, token, canonical, body))
}

/// A body that breaks off, as a problem.
pub(super) fn problem(error: BodyError) -> Problem {
    match error {
        BodyError::Broken(violation) => Problem::BodyBroken(violation.code()),
        BodyError::Slow => Problem::BodySlow,
        BodyError::TooSlow => Problem::BodyTooSlow,
        BodyError::TooLarge(most) => Problem::BodyOverLimit(most),
        BodyError::Gone | BodyError::Abandoned => Problem::ClientGone,
    }
}
