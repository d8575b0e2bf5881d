//! The comparison of two policies: that of the proxy, and those that `[admin] review` lists.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::compile;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_console::views::parts::{Line, Place};
use tokenward_console::views::review::{Compared, Invariant, KeyChange, Outcome, TokenChange, Witness};
use tokenward_pdp::compare::{self, Bound, Change, Direction, Example, Lines, Report, Standing, TokenReport};
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::side::Side;
use tokenward_pdp::text::{SHORT, bounded, capital};

use super::found::{Refused, shown};
use super::heavy::{Console, Means};
use super::invariants;
use super::operations::each_once;
use crate::admin::AdminState;
use crate::live::unbound_artifact;

/// The name of the proxy's own policy.
pub(super) const LIVE: &str = "live";
/// States that all questions of a comparison may visit together. The command's `--budget` allows more.
const BUDGET: u64 = 1_000_000;
/// Time after which what is not settled stays so.
pub(super) const LONGEST: Duration = Duration::from_secs(20);
/// Requests that are shown of each token, in each direction.
const WITNESSES: usize = 6;

/// The policies that can be chosen: value and name.
pub(super) fn choices(state: &AdminState) -> Vec<(String, String)> {
    let own = (LIVE.to_owned(), "the policy files of the proxy".to_owned());
    let others = state.config.admin.review.iter().map(|place| {
        let shown = place.display().to_string();
        (shown.clone(), shown)
    });
    std::iter::once(own).chain(others).collect()
}

/// A comparison, and the invariants of the policy after.
type Answer = (Compared, Vec<Invariant>);

/// Compares two policies. Proofs end when `means` say so.
pub(super) fn compared(
    state: &AdminState,
    (before, after): (&str, &str),
    means: &Means,
) -> Result<Answer, Refused> {
    let (old, new) = (side(state, "before", before)?, side(state, "after", after)?);
    let failed = |error: tokenward_pdp::Unanswered| Refused::Field("after", error.to_string());
    let bound = Bound::new(&old, &new).map_err(failed)?;
    let budget = Budget::stopped_by(BUDGET, Arc::clone(&means.stop));
    let mut lines = Lines::new(&bound, &budget).map_err(failed)?;
    let mut report = Report::new((&old, &new), (&bound, &mut lines), &budget, |_, _| {}).map_err(failed)?;
    report.explain(&mut lines, &new);
    if let Some(names) = means.operations.names(&state.config) {
        let budget = Budget::stopped_by(BUDGET, Arc::clone(&means.stop));
        let named = report.name_operations(&bound, &*names, &budget);
        named.map_err(failed)?;
    }
    let invariants = invariants::proofs(&new, &state.config, &means.stop)?;
    Ok((view(&report, before, after, state), invariants))
}

/// The invariants of the proxy's own policy files. They are proved once for each content of the files.
pub(super) fn own_invariants(
    state: &AdminState,
    console: &Console,
    means: &Means,
) -> Result<Arc<Vec<Invariant>>, Refused> {
    let config = &state.config;
    if config.policies.is_file() {
        return Ok(Arc::default());
    }
    let unread = |error: String| Refused::Field("before", error);
    let sources = SourceSet::read_dir(&config.policies, Links::WithinDirectory)
        .map_err(|error| unread(error.to_string()))?;
    let digest = invariants::digest(&sources);
    if let Some(known) = console.proved(digest) {
        return Ok(known);
    }
    let side = of_sources(LIVE, sources, state)?;
    let proved = Arc::new(invariants::proofs(&side, config, &means.stop)?);
    console.keep_proofs(digest, Arc::clone(&proved));
    Ok(proved)
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
            known.ok_or_else(|| Refused::Field(field, not_listed(name)))?
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
    of_sources(name, sources, state)
}

/// Why a name is not a choice.
fn not_listed(name: &str) -> String {
    let shown = bounded(name, SHORT);
    let is_path = name.contains('/') || name.starts_with('.') || name.ends_with(".twp");
    match is_path {
        true => format!(
            "`{shown}` is not a choice; list the directory or the compiled policy in `[admin] review` of the configuration"
        ),
        false => format!(
            "`{shown}` is not a choice; if it is a revision of git, compare it with `tokenward diff`, or check it out into a directory that `[admin] review` lists: the proxy runs no other programs, so it reads no repository"
        ),
    }
}

fn of_sources(name: &str, sources: SourceSet, state: &AdminState) -> Result<Side, Refused> {
    let config = &state.config;
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

/// The result for one token.
pub(super) fn outcome(token: &TokenReport) -> Outcome {
    match () {
        () if token.finds() => Outcome::More,
        () if token.is_open() || token.has_open_question() => Outcome::Open,
        () if !token.newly_denied.is_none() => Outcome::Less,
        () => Outcome::Same,
    }
}

/// The questions about a token's lines that were not settled, one sentence each.
pub(super) fn open_questions(token: &TokenReport) -> Vec<String> {
    let open = |direction: &Direction, what: &str| {
        let why = direction.inconclusive?;
        Some(format!("Whether more is {what}: {why}."))
    };
    let both = [
        open(&token.newly_allowed, "newly allowed"),
        open(&token.newly_denied, "newly denied"),
    ];
    both.into_iter().flatten().collect()
}

fn token(token: &TokenReport) -> TokenChange {
    let is_new = token.standing == Standing::New;
    let allowed = token
        .newly_allowed
        .examples
        .iter()
        .take(WITNESSES)
        .map(|one| witness(one, true, is_new));
    let denied = token
        .newly_denied
        .examples
        .iter()
        .take(WITNESSES)
        .map(|one| witness(one, false, is_new));
    TokenChange {
        name: token.name.clone(),
        standing: match token.standing {
            Standing::Kept => String::new(),
            Standing::New => "new".to_owned(),
            Standing::Gone => "removed".to_owned(),
        },
        result: outcome(token),
        about: String::new(),
        keys: token
            .changes
            .iter()
            .chain(&token.strange_credentials)
            .map(key)
            .chain(token.breaches.iter().map(broken))
            .collect(),
        operations: each_once(
            token
                .newly_allowed
                .examples
                .iter()
                .map(|example| &example.operations),
        ),
        witnesses: allowed.chain(denied).collect(),
        open: open_questions(token),
    }
}

/// An invariant of the policy before, which the token breaks, or may.
fn broken(breach: &compare::Breach) -> KeyChange {
    KeyChange {
        key: format!("invariant {}", breach.found.invariant),
        before: "kept".to_owned(),
        after: match &breach.found.witness {
            Some(request) => format!("broken: {} {}", request.method_name(), request.target()),
            None => "not settled".to_owned(),
        },
        wider: match breach.found.witness {
            Some(_) => "breaks it".to_owned(),
            None => "may break it".to_owned(),
        },
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

/// A request as pages show it. Of a new token, everything is new, so that no old line is near.
pub(super) fn witness(example: &Example, is_allowed: bool, is_new: bool) -> Witness {
    let (request, curl) = example.telling().unwrap_or((&example.request, &example.curl));
    let explanation = example.explanation.as_ref().filter(|_| !is_new);
    let nearest = explanation.and_then(|explanation| explanation.nearest.as_ref());
    let nearest = nearest.map(|nearest| {
        let place = Place {
            file: nearest.line.file.to_string(),
            number: nearest.line.number,
        };
        (place, Line::new(nearest.line.text.to_string()))
    });
    let code = |text: &str| format!("`{text}`");
    let widened = explanation.and_then(|explanation| explanation.widened_words(&code));
    let widened = widened.map(|words| format!("Wider: {words}."));
    let obstacles = not_forwarded(&example.obstacles).map(|why| format!("{}.", capital(&why)));
    let notes: Vec<String> = widened.into_iter().chain(obstacles).collect();
    Witness {
        is_allowed,
        method: request.method_name().to_owned(),
        url: request.target(),
        body: request.body.content().map(|(_, text)| text).unwrap_or_default(),
        operation: example.operation.clone(),
        allowed_by: example.allowing_line().map(line),
        nearest: nearest.or_else(|| example.denied_by.as_ref().map(line)),
        note: notes.join(" "),
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
