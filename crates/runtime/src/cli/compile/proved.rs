//! Compiles a policy and proves its properties.

use std::collections::HashSet;

use tokenward_compiler::analysis::{Budget, Fault, Proxied};
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity, sort};
use tokenward_compiler::earlier::{self, Direction, Rereading};
use tokenward_compiler::findings::{self, Grounded, Reserved};
use tokenward_compiler::invariants::{Answered, Invariants};
use tokenward_compiler::ir::Program;
use tokenward_compiler::lint::Judged;
use tokenward_compiler::source::SourceSet;

use super::super::failure::Failure;
use super::super::forwarded::proxied;
use super::super::plural::plural;
use super::super::progress::Progress;
use super::super::side::Side;
use super::new_access::Base;
use super::unusable::Calls;
use super::{linted, unusable};
use crate::config::Config;
use crate::config::universe::{served, universe};

/// Minimum number of visited states to report: fewer take no noticeable time.
const WORTH_SAYING: u64 = 20_000;

/// A compiled policy, with its findings and proofs.
pub(in crate::cli) struct Compiled {
    /// The program, not bound to a base URL; `None` if there is an error.
    pub(in crate::cli) program: Option<Program>,
    pub(in crate::cli) diagnostics: Vec<Diagnostic>,
    /// Short summary of the proofs.
    pub(super) proved: String,
    /// Number of questions about lines that were not settled.
    pub(in crate::cli) open: usize,
    /// Number of questions of lints that were not settled.
    pub(in crate::cli) lints_open: usize,
    /// What was looked for, and settled.
    pub(super) judged: Judged<'static>,
    /// What the answers rest on; `None` if nothing was proved.
    #[cfg_attr(
        not(feature = "proxy"),
        expect(dead_code, reason = "only the command writes certificates")
    )]
    pub(super) evidence: Option<Evidence>,
}

/// What the answers about a policy rest on.
#[cfg_attr(
    not(feature = "proxy"),
    expect(dead_code, reason = "only the command writes certificates")
)]
pub(super) struct Evidence {
    /// The bound program.
    pub(super) program: Program,
    pub(super) invariants: Option<Invariants>,
    /// The answer for each invariant and each of its tokens.
    pub(super) answers: Vec<Answered>,
    /// What findings rest on.
    pub(super) grounds: Vec<Grounded>,
}

/// What a configuration brings to each check, and takes longer to make than to use.
pub(in super::super) struct Surroundings {
    /// The requests that the proxy forwards.
    pub(in super::super) proxied: Proxied,
    calls: Option<Calls>,
}

impl Surroundings {
    pub(in super::super) fn of(config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            proxied: proxied(config)?,
            calls: Calls::of(config)?,
        })
    }
}

impl Compiled {
    /// Compiles and checks a policy by itself.
    pub(in crate::cli) fn alone(
        sources: &SourceSet,
        (config, budget): (&Config, &Budget),
    ) -> Result<Self, Failure> {
        Self::new(sources, (config, budget), None)
    }

    /// Like [`Compiled::with`], for a single check.
    pub(super) fn new(
        sources: &SourceSet,
        settings: (&Config, &Budget),
        gate: Option<(&Base, Config)>,
    ) -> Result<Self, Failure> {
        Self::with(sources, settings, gate, None)
    }

    /// The same without a gate, for one check of many.
    pub(in super::super) fn ungated(
        sources: &SourceSet,
        settings: (&Config, &Budget),
        around: &Surroundings,
    ) -> Result<Self, Failure> {
        Self::with(sources, settings, None, Some(around))
    }

    /// Compiles and checks `sources`. `gate` contains the base, beyond which the policy may give nothing, and the
    /// configuration with paths as written. `around` is made if there is none.
    fn with(
        sources: &SourceSet,
        (config, budget): (&Config, &Budget),
        gate: Option<(&Base, Config)>,
        around: Option<&Surroundings>,
    ) -> Result<Self, Failure> {
        // Compile the sources, and read the invariants for this configuration.
        let compilation = tokenward_compiler::compile_within(
            sources,
            &config.mode,
            &config.tokens.ceiling(),
            crate::cli::time::now_ms(),
        );
        let (base, merges) = (&config.upstream.public_url, config.upstream.product.merges());
        let unusable = |error| {
            Failure::Findings(format!(
                "the policy cannot be used with this configuration: {error}"
            ))
        };
        let mut diagnostics = compilation.diagnostics;
        let mut allowed = compilation.allowed;
        let exceptions = linted::exceptions(sources, config, &mut diagnostics);
        let invariants = Invariants::read(sources, base, merges, &mut diagnostics).map_err(unusable)?;
        let mut compiled = Self {
            program: compilation.program,
            proved: String::new(),
            open: 0,
            lints_open: 0,
            // Of a policy that does not compile, nobody knows which exceptions are needed.
            judged: Judged {
                set: config.lint.set,
                lints_settled: false,
                findings_settled: false,
                without: &[],
            },
            diagnostics,
            evidence: None,
        };
        if let Some(program) = &compiled.program {
            // Check the lines of each token, under the public URL of the configuration.
            let bound = program.bind(base).map_err(unusable)?.merging_body(merges);
            let asked = (universe(config), budget);
            let made;
            let Surroundings { proxied, calls } = match around {
                Some(around) => around,
                None => {
                    made = Surroundings::of(config)?;
                    &made
                }
            };
            let mut progress = Progress::new("tokens checked");
            let proved = findings::find(
                &bound,
                &compilation.source_map,
                &compiled.diagnostics,
                (asked.0, &served(config).behind(proxied.clone()), asked.1),
                |done, of| progress.tell(done, of),
            )
            .map_err(fault)?;
            compiled.diagnostics.extend(proved.diagnostics);
            allowed.extend(proved.allowed);
            let find = |reserved: Option<&Reserved<'_>>| {
                unusable::find(&bound, &compilation.source_map, (config, budget), reserved)
            };
            let useless = match calls {
                Some(calls) => calls.with(|reserved| find(Some(reserved))),
                None => find(None),
            };
            let mut useless = useless?;
            allowed.extend(compilation.source_map.allow(&mut useless));
            compiled.diagnostics.extend(useless);
            // A set that no token includes yet is checked as those that are.
            let (unused, places) = &compilation.unused;
            let unused = unused.bind(base).map_err(unusable)?.merging_body(merges);
            let served_here = (asked.0, &served(config));
            let dead = findings::dead_of_all(&unused, places, served_here, &HashSet::new());
            compiled.diagnostics.extend(dead);
            // Prove the invariants.
            let invariants = invariants.map(|invariants| invariants.behind(proxied.clone()));
            let mut answers = Vec::new();
            if let Some(invariants) = &invariants {
                let idle = invariants.idle((asked.0, &served(config), asked.1));
                compiled.diagnostics.extend(idle.map_err(fault)?);
                let mut progress = Progress::new("tokens proved");
                let proof = invariants
                    .prove(&bound, &compilation.source_map, asked, |done, of| {
                        progress.tell(done, of)
                    })
                    .map_err(fault)?;
                compiled.diagnostics.extend(proof.diagnostics);
                answers = proof.answers;
                let count = invariants.count();
                compiled.proved = format!(", {count} {} proved", plural(count, "invariant"));
                if let Some((name, token, states)) =
                    proof.hardest.filter(|(.., states)| *states >= WORTH_SAYING)
                {
                    let most = format!(" (most work: `{name}` of `{token}`, {states} states)");
                    compiled.proved.push_str(&most);
                }
            }
            // An upgrade changes what some lines mean. What it gives needs a review, as any new access does.
            let read = (&bound, &compilation.source_map);
            let asked = (asked.0, Some(proxied), asked.1);
            let mut reread = earlier::rereadings(sources, read, asked).map_err(fault)?;
            let given: Vec<Rereading> = match gate {
                Some(_) => reread
                    .extract_if(.., |one| one.direction != Direction::Less)
                    .collect(),
                None => Vec::new(),
            };
            let mut changed = earlier::diagnostics(&reread, &bound);
            allowed.extend(compilation.source_map.allow(&mut changed));
            compiled.diagnostics.extend(changed);
            // Lint last among the findings, with a budget of its own.
            let linted = linted::find(
                (sources, &bound, &compilation.source_map),
                (config, budget, calls.as_ref()),
                &mut compiled.diagnostics,
            )?;
            compiled.diagnostics.extend(linted.diagnostics);
            allowed.extend(linted.allowed);
            compiled.lints_open = linted.open;
            let mut grounds = proved.grounds;
            grounds.extend(linted.grounds);
            let is_gated = gate.is_some();
            // Compare with the base, including the findings so far: they name unused sets.
            if let Some((base, config)) = gate {
                let policy = (
                    program.clone(),
                    compilation.source_map,
                    compiled.diagnostics.as_slice(),
                );
                let new = Side::compiled("the new side".to_owned(), config, sources.clone(), policy);
                base.check((&new, &bound), &given, budget, &mut compiled.diagnostics)?;
            }
            // Summarise the work, and the questions that stayed open.
            if let Some((token, states)) = proved.hardest.filter(|(_, states)| *states >= WORTH_SAYING) {
                compiled
                    .proved
                    .push_str(&format!(", most work for `{token}` ({states} states)"));
            }
            compiled.open = proved.inconclusive;
            compiled.judged.lints_settled = linted.open == 0;
            compiled.judged.findings_settled = proved.inconclusive == 0;
            if is_gated {
                // The gate reports these itself.
                compiled.judged.without = &[Code::MeansMore];
            }
            compiled.evidence = Some(Evidence {
                program: bound,
                invariants,
                answers,
                grounds,
            });
        }
        // Take out the exceptions last: the gate has seen what they except.
        exceptions.apply(sources, &mut compiled.diagnostics, &allowed, compiled.judged);
        // With any error, a proof's included, there is no program to serve.
        sort(&mut compiled.diagnostics);
        let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
        if compiled.diagnostics.iter().any(is_error) {
            compiled.program = None;
        }
        Ok(compiled)
    }
}

fn fault(fault: Fault) -> Failure {
    Failure::trouble(fault)
}
