//! The invariants of policy files, each with the state of its proof: proved, does not hold with a request that shows it, or not settled.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sha2::{Digest as _, Sha256};
use tokenward_compiler::analysis::{Analysis, Budget, Obstacle};
use tokenward_compiler::diagnostic::Severity;
use tokenward_compiler::invariants::{Broken, Invariants};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::tokens::{InvariantDef, InvariantKind};
use tokenward_console::views::parts::{Line, Place, Tone};
use tokenward_console::views::review::{Breach, Invariant, Witness};
use tokenward_pdp::compare::lines::curl;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::{not_forwarded, proxied};
use tokenward_pdp::servable::bind;
use tokenward_pdp::side::Side;
use tokenward_pdp::text::capital;

use super::found::{Refused, shown};

/// Tokens that are shown of one invariant.
const TOKENS: usize = 6;

/// Names the content of policy files.
pub(super) fn digest(sources: &SourceSet) -> [u8; 32] {
    let mut digest = Sha256::new();
    for (_, source) in sources.iter() {
        for text in [source.path.as_str(), &source.text] {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
    }
    digest.finalize().into()
}

/// Proves the invariants of a policy, worst first. A compiled policy has none.
pub(super) fn proofs(
    side: &Side,
    config: &Config,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Invariant>, Refused> {
    let failed = |why: String| Refused::Field("after", format!("the invariants cannot be proved: {why}"));
    let upstream = &config.upstream;
    let mut found = Vec::new();
    let read = Invariants::read(
        &side.sources,
        &upstream.public_url,
        upstream.product.merges(),
        &mut found,
    );
    let read = read.map_err(|error| failed(error.to_string()))?;
    found.retain(|one| one.severity == Severity::Error);
    if !found.is_empty() {
        return Err(Refused::Errors(shown(&side.sources, found.iter())));
    }
    let Some(invariants) = read else {
        return Ok(Vec::new());
    };
    let program = bind(&side.program, config).map_err(|why| failed(why.to_string()))?;
    let invariants = invariants.behind(proxied(config).map_err(|why| failed(why.to_string()))?);
    let budget = Budget::stopped_by(Analysis::BUDGET, Arc::clone(stop));
    let selects = |definition: &InvariantDef, id: TokenId| definition.selects(program.token(id));
    let broken = invariants
        .broken_by(&program, (universe(config), budget), &selects)
        .map_err(|fault| failed(fault.to_string()))?;
    let mut rows: Vec<Invariant> = invariants
        .definitions()
        .iter()
        .map(|definition| {
            let is_its =
                |one: &&Broken| one.invariant == definition.name.value && selects(definition, one.token);
            let broken: Vec<&Broken> = broken.iter().filter(is_its).collect();
            row(definition, &broken, (&side.sources, &program))
        })
        .collect();
    rows.sort_by_key(|row| match row.tone {
        Tone::Bad => 0,
        Tone::Warn => 1,
        Tone::Good | Tone::Plain => 2,
    });
    Ok(rows)
}

fn row(
    definition: &InvariantDef,
    broken: &[&Broken],
    (sources, program): (&SourceSet, &Program),
) -> Invariant {
    let tokens = program.tokens().filter(|(_, token)| definition.selects(token));
    let tokens = tokens.count() as u64;
    let (shown, open): (Vec<&Broken>, Vec<&Broken>) = broken.iter().partition(|one| one.witness.is_some());
    // A token that breaks `always` is denied requests, whatever the proxy forwards.
    let is_latent =
        |one: &&Broken| definition.kind != InvariantKind::Always && Obstacle::are_certain(&one.obstacles);
    let (tone, state) = match (tokens, shown.len(), open.len()) {
        (0, ..) => (Tone::Warn, "selects no token"),
        (_, 0, 0) => (Tone::Good, "proved"),
        (_, 0, _) => (Tone::Warn, "not settled"),
        _ if shown.iter().all(is_latent) => (Tone::Warn, "holds only as configured"),
        _ => (Tone::Bad, "does not hold"),
    };
    let of = |count: usize| match (count as u64, tokens) {
        (1, 1) => "the token".to_owned(),
        (count, tokens) => format!("{count} of {tokens} tokens"),
    };
    let mut details = Vec::new();
    if tokens == 0 {
        details.push("No token of the policy has the names, owners and users that it selects.".to_owned());
    }
    if !shown.is_empty() {
        let verb = if shown.len() == 1 { "breaks" } else { "break" };
        details.push(format!("{} {verb} it.", capital(&of(shown.len()))));
    }
    if !open.is_empty() {
        details.push(format!("It was not settled for {}.", of(open.len())));
    }
    let says = match definition.kind {
        InvariantKind::Never => "never: no request that these lines match is allowed",
        InvariantKind::Only => "only: no request is allowed that these lines do not match",
        InvariantKind::Always => "always: each request that these lines match is allowed",
    };
    let lines = definition.lines.lines.iter();
    Invariant {
        name: definition.name.value.clone(),
        says: says.to_owned(),
        why: definition.why.clone().unwrap_or_default(),
        lines: lines.map(|line| Line::new(sources.text(*line))).collect(),
        tone,
        state: state.to_owned(),
        detail: details.join(" "),
        tokens: Some(tokens),
        breaches: shown
            .iter()
            .take(TOKENS)
            .filter_map(|one| breach(one, definition.kind, program))
            .collect(),
        open: open
            .iter()
            .take(TOKENS)
            .filter_map(|one| {
                let why = one.inconclusive?;
                Some((program.token(one.token).name.clone(), format!("{why}.")))
            })
            .collect(),
    }
}

fn breach(broken: &Broken, kind: InvariantKind, program: &Program) -> Option<Breach> {
    let request = broken.witness.as_ref()?;
    let token = program.token(broken.token);
    let line = broken.line.map(|line| {
        let line = program.line(line);
        let place = Place {
            file: line.file.to_owned(),
            number: line.number,
        };
        (place, Line::new(line.text))
    });
    let is_allowed = kind != InvariantKind::Always;
    let (allowed_by, nearest) = if is_allowed { (line, None) } else { (None, line) };
    Some(Breach {
        token: token.name.clone(),
        request: Witness {
            is_allowed,
            method: request.method_name().to_owned(),
            url: request.target(),
            body: request.body.content().map(|(_, text)| text).unwrap_or_default(),
            operation: None,
            allowed_by,
            nearest,
            note: not_forwarded(&broken.obstacles)
                .map(|why| format!("{}.", capital(&why)))
                .unwrap_or_default(),
            curl: curl(request, program, &token.users),
        },
    })
}
