//! Reads and computes all that the page shows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{Diagnostic, Severity};
use tokenward_compiler::ir::TokenId;
use tokenward_compiler::reach::{Catalogue, Reached, Survey, survey};
use tokenward_compiler::resolve_policy;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_openapi::Operation;
use tokenward_pdp::compare::{Bound, Lines, Report};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::text::capital;

use super::super::ask::Policy;
use super::super::audit::shown;
use super::super::compile::checked_alone;
use super::super::descriptions::{Described, catalogue};
use super::super::diff;
use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::token::concerned;
use super::args::Args;
use super::powers::{Power, powers};
use super::usage::Usage;

/// Everything that the page shows.
pub(super) struct Gathered {
    pub(super) config: Config,
    pub(super) at_ms: i64,
    pub(super) since_ms: Option<i64>,
    /// The policy's directory or file.
    pub(super) place: PathBuf,
    pub(super) policy: Policy,
    pub(super) tokens: Vec<TokenId>,
    pub(super) powers: Vec<Power>,
    pub(super) api: Option<Api>,
    pub(super) checked: Option<Checked>,
    pub(super) usage: Result<Usage, String>,
    pub(super) compared: Option<Compared>,
    /// Reasons why the report is incomplete.
    pub(super) problems: Vec<String>,
    /// The policy has errors, so the page shows those and no tokens.
    pub(super) is_broken: bool,
}

/// The description of the API, and the operations that the tokens reach.
pub(super) struct Api {
    pub(super) described: Described,
    pub(super) catalogue: Catalogue,
    pub(super) survey: Survey,
}

/// The findings of a policy of files.
pub(super) struct Checked {
    pub(super) sources: SourceSet,
    pub(super) findings: Vec<Diagnostic>,
    /// The numbers of the findings that concern each token.
    pub(super) of_tokens: Vec<Vec<usize>>,
    /// The file and line of each token, by its name.
    pub(super) places: HashMap<String, String>,
}

/// The comparison with a base.
pub(super) struct Compared {
    pub(super) base: String,
    pub(super) report: Report,
}

impl Gathered {
    pub(super) fn read(args: &Args, at_ms: i64, since_ms: Option<i64>) -> Result<Self, Failure> {
        let config = args.config.or_default()?;
        let described = args.descriptions.read_if_named(&config)?;
        let place = args.policies.named().unwrap_or(&config.policies).to_owned();
        let (policy, is_broken) = Policy::read_or_none(&place, &config, at_ms)?;
        let tokens = chosen(&policy, &args.token, is_broken)?;
        let budget = Budget::new(args.budget);
        let mut problems = Vec::new();
        // The base is read first: it is the input that is most often wrong.
        let compared = args
            .against
            .as_deref()
            .filter(|_| !is_broken)
            .map(|base| compare(base, &place, args, &mut problems))
            .transpose()?;
        let api = described
            .map(|described| Api::of(described, (&policy, &tokens), (&config, &budget)))
            .transpose()?;
        let usage = usage(args, (&config, since_ms, at_ms), api.as_ref(), &mut problems)?;
        let powers = powers(&policy, (&config, &budget))?;
        let checked = match place.is_dir() {
            true => Some(Checked::of(
                &place,
                (&policy, &tokens),
                (&config, args.budget),
                at_ms,
                &mut problems,
            )?),
            false => None,
        };
        // What is missing or open may hide access.
        problems.extend(
            api.iter()
                .filter_map(|api| Some(format!("{}.", capital(&api.described.lost(None)?)))),
        );
        if api.as_ref().is_some_and(|api| !api.survey.is_settled()) {
            problems.push(
                "For some tokens and operations it was not settled whether calls are allowed; make the report again with a larger --budget."
                    .to_owned(),
            );
        }
        if powers.iter().any(|power| power.is_open) {
            problems.push(
                "For some tokens it was not settled whether they can write or delete; make the report again with a larger --budget."
                    .to_owned(),
            );
        }
        Ok(Self {
            config,
            at_ms,
            since_ms,
            place,
            policy,
            tokens,
            powers,
            api,
            checked,
            usage,
            compared,
            problems,
            is_broken,
        })
    }

    /// The number of errors among the findings.
    pub(super) fn errors(&self) -> usize {
        let findings = self.checked.iter().flat_map(|checked| &checked.findings);
        findings.filter(|found| found.severity == Severity::Error).count()
    }

    /// The tokens' names, by which the page and the audit know them.
    pub(super) fn name(&self, token: TokenId) -> &str {
        &self.policy.program.token(token).name
    }
}

impl Api {
    fn of(
        described: Described,
        (policy, tokens): (&Policy, &[TokenId]),
        (config, budget): (&Config, &Budget),
    ) -> Result<Self, Failure> {
        let catalogue = catalogue(&described.all.operations, config)?;
        let proxied = proxied(config)?;
        let mut progress = Progress::new("tokens checked");
        let told = |done, of| progress.tell(done, of);
        let settings = (universe(config), Some(&proxied), budget);
        let survey =
            survey(&catalogue, (&policy.program, tokens), settings, told).map_err(Failure::trouble)?;
        Ok(Self {
            described,
            catalogue,
            survey,
        })
    }

    pub(super) fn operations(&self) -> &[Operation] {
        &self.described.all.operations
    }

    /// The reach of a token by its number.
    pub(super) fn reached(&self, at: usize) -> Option<&Reached> {
        self.survey.tokens.get(at)
    }
}

impl Checked {
    fn of(
        place: &Path,
        (policy, tokens): (&Policy, &[TokenId]),
        (config, budget): (&Config, u64),
        at_ms: i64,
        problems: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let sources = SourceSet::read_dir(place, Links::WithinDirectory).map_err(Failure::trouble)?;
        let compiled = checked_alone(&sources, (config, &Budget::new(budget)), at_ms, None)?;
        if compiled.open + compiled.lints_open > 0 {
            problems.push(
                "Some questions of the compiler and its lints were not settled, so findings may be missing; \
                 make the report again with a larger --budget."
                    .to_owned(),
            );
        }
        let findings = compiled.diagnostics;
        let resolved = resolve_policy(&sources);
        let of_tokens = tokens.iter().map(|id| {
            let name = &policy.program.token(*id).name;
            let token = resolved
                .tokens
                .iter()
                .find(|token| token.attributes.name == *name);
            let concerns = token.map(|token| concerned(&sources, token));
            let numbered = findings.iter().enumerate();
            let own = numbered.filter(|(_, found)| concerns.as_ref().is_some_and(|concerns| concerns(found)));
            own.map(|(at, _)| at).collect()
        });
        let of_tokens = of_tokens.collect();
        let places = resolved.tokens.iter().filter_map(|token| {
            let file = &sources.get(token.span.source)?.path;
            let place = format!("{file}:{}", sources.line_number(token.span));
            Some((token.attributes.name.clone(), place))
        });
        let places = places.collect();
        Ok(Self {
            sources,
            findings,
            of_tokens,
            places,
        })
    }
}

/// The tokens of the page: those that the command line names, or all.
fn chosen(policy: &Policy, named: &[String], is_broken: bool) -> Result<Vec<TokenId>, Failure> {
    if named.is_empty() || is_broken {
        return Ok(policy.tokens());
    }
    let named: HashSet<TokenId> = named
        .iter()
        .map(|name| policy.token(name))
        .collect::<Result<_, _>>()?;
    Ok(policy
        .tokens()
        .into_iter()
        .filter(|token| named.contains(token))
        .collect())
}

/// Reads the audit; the text says why there is none.
fn usage(
    args: &Args,
    (config, since_ms, at_ms): (&Config, Option<i64>, i64),
    api: Option<&Api>,
    problems: &mut Vec<String>,
) -> Result<Result<Usage, String>, Failure> {
    if args.audit.is_none() && !config.audit.path.exists() {
        return Ok(Err(
            "No audit was read, so it is not known which access was used. Name one with --audit.".to_owned(),
        ));
    }
    let catalogue = api.map(|api| &api.catalogue);
    let period = (since_ms, at_ms.saturating_add(1));
    let usage = Usage::read(args.audit.as_deref(), config, period, catalogue)?;
    if let Some(lacking) = &usage.lacking {
        problems.push(format!(
            "Calls are missing from the audit, so numbers of calls are too small: {}.",
            shown(lacking.message())
        ));
    }
    Ok(Ok(usage))
}

fn compare(base: &str, place: &Path, args: &Args, problems: &mut Vec<String>) -> Result<Compared, Failure> {
    let (old, new) = diff::with_base(base, place, (&args.config, args.old_config.as_deref()))?;
    let bound = Bound::new(&old, &new)?;
    let budget = Budget::new(args.budget);
    let mut lines = Lines::new(&bound, &budget)?;
    let mut progress = Progress::new("tokens compared");
    let mut report = Report::new((&old, &new), (&bound, &mut lines), &budget, |done, of| {
        progress.tell(done, of)
    })?;
    report.explain(&mut lines, &new);
    if report.is_open() || report.has_open_question() {
        problems.push(
            "For some tokens it was not settled whether they are allowed more or less than before; \
             make the report again with a larger --budget."
                .to_owned(),
        );
    }
    Ok(Compared {
        base: old.name.clone(),
        report,
    })
}
