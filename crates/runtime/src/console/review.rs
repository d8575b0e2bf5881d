//! The comparison of two policies: that of the proxy, and those that `[admin] review` lists.

use std::path::Path;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::compile;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_console::views::parts::{Diagnostic, Line, Place};
use tokenward_console::views::review::{Compared, KeyChange, Outcome, TokenChange, Witness};
use tokenward_pdp::compare::{self, Bound, Change, Direction, Example, Lines, Report, Standing, TokenReport};
use tokenward_pdp::side::Side;

use super::draft::shown;
use crate::admin::AdminState;
use crate::live::unbound_artifact;

/// The name of the proxy's own policy.
pub(super) const LIVE: &str = "live";
/// States that all questions of a comparison may visit together. The command's `--budget` allows more.
const BUDGET: u64 = 1_000_000;
/// Requests that are shown of each token, in each direction.
const WITNESSES: usize = 6;

/// Why a policy cannot be compared.
pub(super) enum Refused {
    /// The field that names it, and the reason.
    Field(&'static str, String),
    /// It does not compile.
    Errors(Vec<Diagnostic>),
}

/// The policies that can be chosen: value and name.
pub(super) fn choices(state: &AdminState) -> Vec<(String, String)> {
    let own = (LIVE.to_owned(), "the policy files of the proxy".to_owned());
    let others = state.config.admin.review.iter().map(|place| {
        let shown = place.display().to_string();
        (shown.clone(), shown)
    });
    std::iter::once(own).chain(others).collect()
}

/// Compares two policies.
pub(super) fn compared(state: &AdminState, before: &str, after: &str) -> Result<Compared, Refused> {
    let (old, new) = (side(state, "before", before)?, side(state, "after", after)?);
    let failed = |error: tokenward_pdp::Unanswered| Refused::Field("after", error.to_string());
    let bound = Bound::new(&old, &new).map_err(failed)?;
    let budget = Budget::new(BUDGET);
    let mut lines = Lines::new(&bound, &budget).map_err(failed)?;
    let mut report = Report::new((&old, &new), (&bound, &mut lines), &budget, |_, _| {}).map_err(failed)?;
    report.explain(&mut lines, &new);
    Ok(view(&report, before, after, state))
}

/// Reads one policy, under the configuration of the proxy.
fn side(state: &AdminState, field: &'static str, name: &str) -> Result<Side, Refused> {
    let config = &state.config;
    let place: &Path = match name {
        LIVE => &config.policies,
        name => {
            let known = config
                .admin
                .review
                .iter()
                .find(|place| place.display().to_string() == name);
            known.ok_or_else(|| {
                Refused::Field(
                    field,
                    format!("`{name}` is not a choice; list the directory in `[admin] review` of the configuration"),
                )
            })?
        }
    };
    let unread = |error: String| Refused::Field(field, error);
    if place.is_file() {
        let program =
            unbound_artifact(place, &config.artifact_signers()).map_err(|error| unread(error.to_string()))?;
        return Ok(Side::of_artifact(name.to_owned(), config.clone(), program));
    }
    let sources =
        SourceSet::read_dir(place, Links::WithinDirectory).map_err(|error| unread(error.to_string()))?;
    let compilation = compile(&sources);
    match compilation.program {
        Some(program) => Ok(Side::compiled(
            name.to_owned(),
            config.clone(),
            sources,
            (program, compilation.source_map, &compilation.diagnostics),
        )),
        None => Err(Refused::Errors(shown(&sources, compilation.diagnostics.iter()))),
    }
}

fn view(report: &Report, before: &str, after: &str, state: &AdminState) -> Compared {
    let mut tokens: Vec<TokenChange> = report.tokens.iter().map(token).collect();
    tokens.sort_by_key(|token| match token.result {
        Outcome::Open => 0,
        Outcome::More => 1,
        Outcome::Less => 2,
        Outcome::Same => 3,
    });
    let more = report.tokens.iter().filter(|token| token.finds()).count();
    let result = match () {
        () if report.finds() => Outcome::More,
        () if report.is_open() || report.has_open_question() => Outcome::Open,
        () if report.tokens.iter().any(|token| !token.newly_denied.is_none()) => Outcome::Less,
        () => Outcome::Same,
    };
    let summary = match (result, more) {
        (Outcome::More, 0) => "The policy after gives more than the one before".to_owned(),
        (Outcome::More, 1) => "1 token may do what the policy before denies".to_owned(),
        (Outcome::More, more) => format!("{more} tokens may do what the policy before denies"),
        (Outcome::Less, _) => "Nothing is newly allowed, and something is newly denied".to_owned(),
        (Outcome::Open, _) => "It was not settled whether something is newly allowed".to_owned(),
        (Outcome::Same, _) => "No request is decided differently".to_owned(),
    };
    let path = |name: &str| match name {
        LIVE => state.config.policies.display().to_string(),
        name => name.to_owned(),
    };
    Compared {
        result,
        summary,
        details: "Compared over all requests there can be, under the configuration of the proxy.".to_owned(),
        settings: report.invariants.iter().map(|lost| key(&lost.change)).collect(),
        tokens,
        unchanged: report.unchanged as u64,
        reviewed: None,
        command: format!("tokenward diff '{}' '{}'", path(before), path(after)),
    }
}

fn token(token: &TokenReport) -> TokenChange {
    let result = match () {
        () if token.finds() => Outcome::More,
        () if token.is_open() || token.has_open_question() => Outcome::Open,
        () if !token.newly_denied.is_none() => Outcome::Less,
        () => Outcome::Same,
    };
    let allowed = token
        .newly_allowed
        .examples
        .iter()
        .take(WITNESSES)
        .map(|one| witness(one, true));
    let denied = token
        .newly_denied
        .examples
        .iter()
        .take(WITNESSES)
        .map(|one| witness(one, false));
    let open = |direction: &Direction, what: &str| {
        let why = direction.inconclusive?;
        Some(format!("Whether more is {what}: {why}."))
    };
    TokenChange {
        name: token.name.clone(),
        standing: match token.standing {
            Standing::Kept => String::new(),
            Standing::New => "new".to_owned(),
            Standing::Gone => "removed".to_owned(),
        },
        result,
        about: String::new(),
        keys: token
            .changes
            .iter()
            .chain(&token.strange_credentials)
            .map(key)
            .collect(),
        operations: Vec::new(),
        witnesses: allowed.chain(denied).collect(),
        open: [
            open(&token.newly_allowed, "newly allowed"),
            open(&token.newly_denied, "newly denied"),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

fn key(change: &Change) -> KeyChange {
    KeyChange {
        key: change.key.clone(),
        before: change.old.clone(),
        after: change.new.clone(),
        wider: match (change.widens, change.is_certain) {
            (None, _) => String::new(),
            (Some(code), true) => format!("gives more ({code})"),
            (Some(code), false) => format!("may give more ({code})"),
        },
    }
}

fn witness(example: &Example, is_allowed: bool) -> Witness {
    let (request, curl) = example.telling().unwrap_or((&example.request, &example.curl));
    let nearest = example
        .explanation
        .as_ref()
        .and_then(|explanation| explanation.nearest.as_ref());
    let nearest = nearest.map(|nearest| {
        let place = Place {
            file: nearest.line.file.to_string(),
            number: nearest.line.number,
        };
        (place, Line::new(nearest.line.text.to_string()))
    });
    let obstacles: Vec<String> = example.obstacles.iter().map(ToString::to_string).collect();
    Witness {
        is_allowed,
        method: request.method_name().to_owned(),
        url: request.target(),
        body: request.body.content().map(|(_, text)| text).unwrap_or_default(),
        operation: example.operation.clone(),
        allowed_by: example.allowing_line().map(line),
        nearest: nearest.or_else(|| example.denied_by.as_ref().map(line)),
        note: match obstacles.is_empty() {
            true => String::new(),
            false => format!("The proxy may not forward it: {}.", obstacles.join("; ")),
        },
        curl: curl.to_owned(),
    }
}

fn line(line: &compare::Line) -> (Place, Line) {
    let place = Place {
        file: line.file.clone(),
        number: line.number,
    };
    (place, Line::new(line.text.clone()))
}
