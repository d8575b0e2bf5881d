//! What the analysis says of a token of the policy in force: the operations that it reaches, and the findings of its lines. It takes
//! longer than a page may, so it is computed beside the requests, once for each token and policy.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_compiler::ir::{LineId, Program, TokenId};
use tokenward_compiler::method::Method;
use tokenward_compiler::reach::{Extent, Reached, Survey, survey};
use tokenward_pdp::check::{Check, Terms};
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::config::{Config, Mode};
use tokenward_pdp::forwarded::proxied;
use tokio::sync::watch;

use super::alone::{Alone, Version, lines_of, try_cost};
use super::analyses::{Judged, Known, LineFinding, Reach, ReachedOperation};
use super::heavy::{Console, Means};
use super::operations::Operations;
use crate::admin::AdminState;
use crate::call::now_ms;

/// Time that an answer waits for the analysis.
const PATIENCE: Duration = Duration::from_millis(50);
/// Time after which what is not settled stays so.
const LONGEST: Duration = Duration::from_secs(20);
/// Units of the proofs about one token.
const UNITS: u64 = 100_000;
/// Tokens whose analysis is kept.
const KEPT: usize = 256;
/// Operations that are listed.
const LISTED: usize = 1_000;
/// Findings that are listed.
const FINDINGS: usize = 50;

/// Returns the analysis of a token, if it is known soon enough; begins it, if nobody has.
pub(super) async fn judged(state: &Arc<AdminState>, console: &Arc<Console>, name: &str) -> Arc<Judged> {
    let mut receiver = begun(state, console, name);
    let known = receiver.wait_for(Option::is_some);
    let known = tokio::time::timeout(PATIENCE, known).await;
    match known {
        Ok(Ok(known)) => known.clone().unwrap_or_default(),
        _ => Arc::default(),
    }
}

fn begun(
    state: &Arc<AdminState>,
    console: &Arc<Console>,
    name: &str,
) -> watch::Receiver<Option<Arc<Judged>>> {
    let live = state.policies.current();
    let of = (
        live.program().digest().to_owned(),
        Operations::looks(&state.config),
    );
    let mut known = console.analyses().lock();
    if known.of != of {
        *known = Known {
            of,
            tokens: HashMap::new(),
        };
    }
    if let Some(receiver) = known.tokens.get(name) {
        // A computation that was given up, such as one that waited too long for others, is begun again.
        if receiver.has_changed().is_ok() || receiver.borrow().is_some() {
            return receiver.clone();
        }
    }
    if known.tokens.len() >= KEPT {
        known.tokens.clear();
    }
    let (sender, receiver) = watch::channel(None);
    known.tokens.insert(name.to_owned(), receiver.clone());
    drop(known);
    let (state, console, name) = (Arc::clone(state), Arc::clone(console), name.to_owned());
    actix_web::rt::spawn(async move {
        let computed = console.proof(LONGEST, move |means| {
            let program = live.program();
            let found = program.tokens().find(|(_, token)| token.name == name);
            Ok(found.map(|(id, _)| of_token((program, id), &state.config, &means)))
        });
        if let Ok(Some(judged)) = computed.await {
            sender.send_replace(Some(Arc::new(judged)));
        }
    });
    receiver
}

fn of_token((program, token): (&Program, TokenId), config: &Config, means: &Means) -> Judged {
    let budget = Budget::stopped_by(UNITS, Arc::clone(&means.stop));
    let mut judged = Judged {
        is_computed: true,
        ..Judged::default()
    };
    // The program in force may be made of parts, which the analysis does not read.
    let lines = lines_of(program, token);
    let attributes = &program.token(token).attributes;
    let alone = try_cost(lines.iter().map(|line| line.text.as_str()), &means.stop)
        .and_then(|()| Alone::new(Version::New, (attributes, lines), config));
    let alone = match alone {
        Ok(alone) => alone,
        Err(why) => {
            judged
                .missing
                .push(format!("Its lines were not analysed: {why}."));
            return judged;
        }
    };
    match findings(&alone, (config, &budget)) {
        Ok(found) => judged.findings = found,
        Err(why) => judged
            .missing
            .push(format!("The findings of the lines were not computed: {why}.")),
    }
    if config.api.descriptions.is_empty() {
        return judged;
    }
    match reach(&alone, (config, &budget), means) {
        Ok(reach) => judged.reach = Some(reach),
        Err(why) => judged.missing.push(format!(
            "The operations that the token reaches were not computed: {why}."
        )),
    }
    judged
}

fn reach(alone: &Alone, (config, budget): (&Config, &Budget), means: &Means) -> Result<Reach, String> {
    let Some(names) = means.operations.names(config) else {
        return Err("a description of the API cannot be read; run `tokenward config check`".to_owned());
    };
    let proxied = proxied(config).map_err(|error| error.to_string())?;
    let catalogue = names.catalogue();
    let settings = (universe(config), Some(&proxied), budget);
    let found = survey(catalogue, (&alone.program, &[alone.token]), settings, |_, _| {});
    let found = found.map_err(|fault| fault.to_string())?;
    let mut reach = Reach {
        described: catalogue.operations().len(),
        is_settled: found.is_settled(),
        ..Reach::default()
    };
    let Some(reached) = found.tokens.first() else {
        return Ok(reach);
    };
    let mut operations = Vec::new();
    for (at, cell) in found.cells(reached).filter(|(_, cell)| cell.is_reached()) {
        let Some(operation) = catalogue.operations().get(at) else {
            continue;
        };
        let is_full = cell.extent == Extent::Full;
        let is_safe = matches!(operation.method, Method::Get | Method::Head);
        *if is_full { &mut reach.full } else { &mut reach.part } += 1;
        reach.writes += usize::from(!is_safe);
        let shown = ReachedOperation {
            name: operation.name.clone(),
            call: operation.call(),
            is_full,
        };
        operations.push((is_safe, shown));
    }
    operations.sort_by_key(|(is_safe, _)| *is_safe);
    operations.truncate(LISTED);
    reach.operations = operations.into_iter().map(|(_, operation)| operation).collect();
    for (line, counts) in of_lines(&found, reached) {
        let line = alone.program.line(line);
        if let Some(line) = alone.place(line.file, line.number) {
            reach.of_lines.insert((line.file.clone(), line.number), counts);
        }
    }
    Ok(reach)
}

/// The numbers of operations that each permit line reaches wholly, and in part.
fn of_lines(found: &Survey, reached: &Reached) -> HashMap<LineId, (usize, usize)> {
    let mut counts: HashMap<LineId, (usize, usize)> =
        reached.permits().map(|(_, line)| (line, (0, 0))).collect();
    for (_, cell) in found.cells(reached).filter(|(_, cell)| cell.is_reached()) {
        for hit in &cell.hits {
            let lines: HashSet<LineId> = hit
                .class
                .into_iter()
                .flat_map(|class| reached.lines(class))
                .collect();
            for line in lines {
                let (whole, part) = counts.entry(line).or_default();
                *if hit.is_whole { whole } else { part } += 1;
            }
        }
    }
    counts
}

/// The warnings about the lines of a token, as `tokenward compile --check` gives them. Those about several tokens are not among them.
fn findings(alone: &Alone, (config, budget): (&Config, &Budget)) -> Result<Vec<LineFinding>, String> {
    // A token by itself has no signature, and nothing is decided by it.
    let config = Config {
        mode: Mode::Standard,
        ..config.clone()
    };
    let terms = Terms {
        config: &config,
        budget,
        now_ms: now_ms(),
        is_gated: false,
    };
    let check =
        Check::new(alone.sources(), terms, None, &mut |_, _, _| {}).map_err(|error| error.to_string())?;
    let found = check.finish().diagnostics;
    let mut files = Files::new(&config.policies);
    let shown = found.iter().filter_map(|found| placed(found, alone));
    let shown = shown.filter(|finding| !files.excepts(finding));
    Ok(shown.take(FINDINGS).collect())
}

fn placed(found: &Diagnostic, alone: &Alone) -> Option<LineFinding> {
    let sources = alone.sources();
    let span = found.primary.span;
    let file = sources.get(span.source).map(|source| source.path.clone())?;
    let number = u32::try_from(sources.line_number(span)).ok()?;
    let line = alone.place(&file, number)?;
    Some(LineFinding {
        code: found.code.to_string(),
        message: found.headline.clone(),
        help: found.help.clone().unwrap_or_default(),
        file: line.file.clone(),
        number: line.number,
    })
}

/// The policy files, whose comments except lines from warnings.
struct Files<'f> {
    directory: &'f Path,
    read: HashMap<PathBuf, Option<String>>,
}

impl<'f> Files<'f> {
    fn new(directory: &'f Path) -> Self {
        Self {
            directory,
            read: HashMap::new(),
        }
    }

    /// Whether a comment above the line names the code.
    fn excepts(&mut self, finding: &LineFinding) -> bool {
        let path = self.directory.join(&finding.file);
        let text = self
            .read
            .entry(path)
            .or_insert_with_key(|path| std::fs::read_to_string(path).ok());
        let Some(text) = text else { return false };
        let before = (finding.number as usize).saturating_sub(1);
        let lines: Vec<&str> = text.lines().take(before).collect();
        let comments = lines
            .iter()
            .rev()
            .map(|line| line.trim())
            .take_while(|line| line.starts_with('#'));
        comments
            .filter_map(|line| line.trim_start_matches('#').trim().strip_prefix("allow "))
            .any(|codes| codes.contains(&finding.code))
    }
}
