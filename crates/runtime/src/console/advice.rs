//! What would let a denied request pass: the narrowest line, and what else this line allows. The line is proposed only if it compiles,
//! if the proxy forwards the request by it, and if the token keeps all invariants.

use serde::Serialize;
use tokenward_compiler::analysis::{Request, RequestBody};
use tokenward_compiler::closest::AskedBody;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::compare::Example;
use tokenward_pdp::config::Mode;
use tokenward_pdp::explain::{Judge, Question, Report};
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::nearby::Read;
use tokenward_pdp::text::bounded;

use super::alone::{Alone, PlacedLine, Version, lines_of};
use super::effect::{budget, compared};
use super::heavy::Means;
use super::line::in_words;
use super::operations::each_once;
use crate::admin::AdminState;
use crate::authoring::proposal;

/// Requests that are shown of those that the line also allows.
const SHOWN: usize = 3;
/// Longest text of a shown request.
const LONGEST: usize = 2_000;

/// A line for a request.
#[derive(Debug, Default, Serialize)]
pub(super) struct NewLine {
    pub(super) text: String,
    pub(super) words: Option<String>,
    /// The parts in which the line allows more than the request; empty if it allows nothing else.
    pub(super) allows_also: Vec<String>,
    /// Requests that the line newly allows, other than this one. Found by the comparison over all requests.
    pub(super) examples: Vec<AlsoAllowed>,
    /// Operations of which the line newly allows calls, if the API is described.
    pub(super) operations: Vec<String>,
    /// Why the line may allow more than is said, if it was not settled.
    pub(super) open: Option<String>,
    /// Where the line can be added, if this is not the token's entry in a policy file.
    pub(super) remark: Option<String>,
}

/// A request that the line also allows.
#[derive(Debug, Serialize)]
pub(super) struct AlsoAllowed {
    pub(super) method: String,
    pub(super) url: String,
    /// Absent if the request has no body.
    pub(super) body: Option<String>,
    /// What keeps the proxy from forwarding it, if something does.
    pub(super) note: Option<String>,
}

/// The line for a request that the lines of a token of `program` deny.
///
/// # Errors
/// No line is proposed, for this reason.
pub(super) fn line(
    state: &AdminState,
    (judge, program): (&Judge<'_>, &Program),
    (question, report, read): (&Question, &Report, &Read),
    is_draft: bool,
    means: &Means,
) -> Result<NewLine, String> {
    let new = proposal::narrowest(judge, report, read)?;
    let found = program.tokens().find(|(_, token)| token.name == question.token);
    let (id, token) = found.ok_or("the policy has no such token")?;
    let mut lines = lines_of(program, id);
    lines.push(PlacedLine {
        file: String::new(),
        number: 0,
        text: new.text.clone(),
    });
    let alone = Alone::new(Version::New, (&token.attributes, lines), &state.config)
        .map_err(|why| format!("the line {} would be an error: {why}", new.text))?;
    let budget = budget(means);
    // Unsaved lines have no owner and no name by which invariants select.
    if !is_draft && state.config.policies.is_dir() {
        let sources = SourceSet::read_dir(&state.config.policies, Links::WithinDirectory)
            .map_err(|error| format!("no line is proposed, since the invariants cannot be read: {error}"))?;
        let name = token.name.as_str();
        proposal::keeps_invariants(&sources, (&alone.program, name), &new, (&state.config, &budget))?;
    }
    // The token has another number here than in the policy in force.
    let judge = Judge {
        is_refused: &|_| false,
        is_revoked: &|_| false,
        ..*judge
    };
    proposal::passes(&judge, &alone.program, question, &new)?;
    let is_other = |request: &Request| !is_asked(request, read);
    let old = Alone::new(
        Version::Old,
        (&token.attributes, lines_of(program, id)),
        &state.config,
    )?;
    let effect = compared((Some(&old), &alone), &state.config, means, |report| {
        let token = report.tokens.first();
        let allowed = token.map(|token| &token.newly_allowed);
        let examples = allowed.iter().flat_map(|allowed| &allowed.examples);
        let operations = each_once(examples.clone().map(|example| &example.operations));
        let shown = examples.filter_map(|example| other(example, &is_other));
        let open = allowed.and_then(|allowed| allowed.inconclusive);
        (
            shown.take(SHOWN).collect(),
            operations,
            open.map(|why| why.to_string()),
        )
    });
    let (examples, operations, open) = effect.unwrap_or_else(|why| (Vec::new(), Vec::new(), Some(why)));
    Ok(NewLine {
        words: in_words(&new.text),
        allows_also: new.open.iter().map(ToString::to_string).collect(),
        examples,
        operations,
        open,
        remark: remark(state, is_draft),
        text: new.text,
    })
}

fn remark(state: &AdminState, is_draft: bool) -> Option<String> {
    match &state.config.mode {
        _ if is_draft => None,
        Mode::Secure(_) => Some(
            "In secure mode the lines of a token cannot be changed; a new token would need this line."
                .to_owned(),
        ),
        Mode::Standard if state.config.policies.is_file() => {
            Some("The proxy has a compiled policy; add the line to its sources.".to_owned())
        }
        Mode::Standard => None,
    }
}

/// The request of an example that is not the one that was asked about.
fn other(example: &Example, is_other: &dyn Fn(&Request) -> bool) -> Option<AlsoAllowed> {
    let telling = example.telling().map(|(request, _)| request);
    let mut requests = telling.into_iter().chain([&example.request]);
    let request = requests.find(|request| is_other(request))?;
    let shown = |text: &str| bounded(text, LONGEST);
    Some(AlsoAllowed {
        method: request.method_name().to_owned(),
        url: shown(&request.target()),
        body: request.body.content().map(|(_, text)| shown(&text)),
        note: not_forwarded(&example.obstacles),
    })
}

/// Whether a request is the one that was asked about, as far as lines see it.
fn is_asked(request: &Request, read: &Read) -> bool {
    let asked = &read.asked;
    let query = asked.query.iter();
    let query = query.map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()));
    let is_same_body = match (&request.body, &asked.body) {
        (RequestBody::Absent, AskedBody::Absent) => true,
        (RequestBody::Json(json), AskedBody::Json(asked)) => json == asked,
        _ => false,
    };
    request.method == asked.method
        && request.path == asked.path
        && request
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .eq(query)
        && is_same_body
}
