//! Compiles a policy and proves its properties.

mod linted;
mod unusable;

use std::collections::HashSet;
use std::fmt::Display;

use tokenward_compiler::SourceMap;
use tokenward_compiler::analysis::{Budget, Proxied};
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity, sort};
use tokenward_compiler::earlier::{self, Direction, Rereading};
use tokenward_compiler::findings::{self, Grounded, Reserved};
use tokenward_compiler::invariants::{Answered, Invariants};
use tokenward_compiler::ir::Program;
use tokenward_compiler::lint::{Exceptions, Judged};
use tokenward_compiler::source::SourceSet;

use crate::Unanswered;
use crate::config::Config;
use crate::config::universe::{served, universe};
use crate::forwarded::proxied;
use crate::plural::plural;
use crate::side::Side;
use unusable::Calls;

/// Minimum number of visited states to report: fewer take no noticeable time.
const WORTH_SAYING: u64 = 20_000;

/// A checked policy, with its findings and proofs.
pub struct Compiled {
    /// The program, not bound to a base URL; `None` if there is an error.
    pub program: Option<Program>,
    /// Findings, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// Short summary of the proofs.
    pub proved: String,
    /// Number of questions about lines that were not settled.
    pub open: usize,
    /// Number of questions of lints that were not settled.
    pub lints_open: usize,
    /// What was looked for, and settled.
    pub judged: Judged<'static>,
    /// What certificates of the check are made from; `None` if nothing was proved.
    pub certifiable: Option<Certifiable>,
}

/// Answers about a policy and the grounds of its findings, for certificates.
pub struct Certifiable {
    /// The bound program.
    pub program: Program,
    /// The invariants, if there are any.
    pub invariants: Option<Invariants>,
    /// The answer for each invariant and each of its tokens.
    pub answers: Vec<Answered>,
    /// Grounds of findings.
    pub grounds: Vec<Grounded>,
}

/// The parts of a configuration that every check uses. Making them takes longer than using them, so several checks may share them.
pub struct Surroundings {
    /// The requests that the proxy forwards.
    pub proxied: Proxied,
    calls: Option<Calls>,
}

impl Surroundings {
    /// Makes them for a configuration.
    ///
    /// # Errors
    /// The configuration contains an invalid name or path.
    pub fn of(config: &Config) -> Result<Self, Unanswered> {
        Ok(Self {
            proxied: proxied(config)?,
            calls: Calls::of(config)?,
        })
    }
}

/// Inputs of a check, in addition to the policy.
#[derive(Clone, Copy)]
pub struct Terms<'t> {
    /// The configuration under which the policy is served.
    pub config: &'t Config,
    /// The steps that proofs may take.
    pub budget: &'t Budget,
    /// The present time, milliseconds since 1970 UTC.
    pub now_ms: i64,
    /// Whether [`Check::beyond`] follows. It receives the lines by which an upgrade alone gives more, so the check itself does not
    /// report them.
    pub is_gated: bool,
}

/// Receives progress: a stage, such as `tokens checked`, how many of its steps are complete, and how many it has.
pub type Progress<'p> = &'p mut dyn FnMut(&'static str, usize, usize);

/// A check of a policy, complete except for the exceptions from warnings.
pub struct Check<'s> {
    sources: &'s SourceSet,
    compiled: Compiled,
    exceptions: Exceptions,
    /// The warnings that tokens allow with `lint_allow`.
    allowed: Vec<Diagnostic>,
    /// The program as it is served; `None` if the policy does not compile.
    served: Option<Served>,
}

/// A program as it is served.
struct Served {
    /// The program with the public URL of the configuration.
    bound: Program,
    source_map: SourceMap,
    /// Sets that no token includes.
    unused: (Program, SourceMap),
    /// Lines by which an upgrade alone gives more.
    given: Vec<Rereading>,
    invariants: Option<Invariants>,
    answers: Vec<Answered>,
    grounds: Vec<Grounded>,
}

impl<'s> Check<'s> {
    /// Compiles a policy and checks it by itself. Without `around`, the surroundings are made from the configuration.
    ///
    /// # Errors
    /// The policy cannot be used with the configuration, or a proof failed.
    pub fn new(
        sources: &'s SourceSet,
        terms: Terms<'_>,
        around: Option<&Surroundings>,
        progress: Progress<'_>,
    ) -> Result<Self, Unanswered> {
        let config = terms.config;
        // Compile the sources, and read the invariants for this configuration.
        let compilation =
            tokenward_compiler::compile_within(sources, &config.mode, &config.tokens.ceiling(), terms.now_ms);
        let (base, merges) = (&config.upstream.public_url, config.upstream.product.merges());
        let bind = |program: &Program| -> Result<Program, Unanswered> {
            let bound = program.bind(base).map_err(unusable_here)?;
            Ok(bound.merging_body(merges))
        };
        let mut diagnostics = compilation.diagnostics;
        let exceptions = linted::exceptions(sources, config, &mut diagnostics);
        let invariants = Invariants::read(sources, base, merges, &mut diagnostics).map_err(unusable_here)?;
        let served = match &compilation.program {
            Some(program) => Some(Served {
                bound: bind(program)?,
                source_map: compilation.source_map,
                unused: (bind(&compilation.unused.0)?, compilation.unused.1),
                given: Vec::new(),
                invariants,
                answers: Vec::new(),
                grounds: Vec::new(),
            }),
            None => None,
        };
        let mut check = Self {
            sources,
            compiled: Compiled {
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
                certifiable: None,
            },
            exceptions,
            allowed: compilation.allowed,
            served: None,
        };
        if let Some(mut served) = served {
            let made;
            let around = match around {
                Some(around) => around,
                None => {
                    made = Surroundings::of(config)?;
                    &made
                }
            };
            check.prove(&mut served, (terms, around), progress)?;
            check.served = Some(served);
        }
        Ok(check)
    }

    /// Adds the findings of a policy that compiles.
    fn prove(
        &mut self,
        served: &mut Served,
        (terms, around): (Terms<'_>, &Surroundings),
        progress: Progress<'_>,
    ) -> Result<(), Unanswered> {
        let Terms { config, budget, .. } = terms;
        let Surroundings { proxied, calls } = around;
        let Served {
            bound,
            source_map,
            unused,
            given,
            invariants,
            answers,
            grounds,
        } = served;
        let compiled = &mut self.compiled;
        // Check the lines of each token, under the public URL of the configuration.
        let asked = (universe(config), budget);
        let proved = findings::find(
            bound,
            source_map,
            &compiled.diagnostics,
            (asked.0, &self::served(config).behind(proxied.clone()), asked.1),
            |done, of| progress("tokens checked", done, of),
        )
        .map_err(Unanswered::proof)?;
        compiled.diagnostics.extend(proved.diagnostics);
        self.allowed.extend(proved.allowed);
        let find =
            |reserved: Option<&Reserved<'_>>| unusable::find(bound, source_map, (config, budget), reserved);
        let useless = match calls {
            Some(calls) => calls.with(|reserved| find(Some(reserved))),
            None => find(None),
        };
        let mut useless = useless?;
        self.allowed.extend(source_map.allow(&mut useless));
        compiled.diagnostics.extend(useless);
        // A set that no token includes yet is checked as those that are.
        let (unused, places) = unused;
        let served_here = (asked.0, &self::served(config));
        let dead = findings::dead_of_all(unused, places, served_here, &HashSet::new());
        compiled.diagnostics.extend(dead);
        // Prove the invariants.
        *invariants = invariants
            .take()
            .map(|invariants| invariants.behind(proxied.clone()));
        if let Some(invariants) = invariants {
            let idle = invariants.idle((asked.0, &self::served(config), asked.1));
            compiled.diagnostics.extend(idle.map_err(Unanswered::proof)?);
            let proof = invariants
                .prove(bound, source_map, asked, |done, of| {
                    progress("tokens proved", done, of);
                })
                .map_err(Unanswered::proof)?;
            compiled.diagnostics.extend(proof.diagnostics);
            *answers = proof.answers;
            let count = invariants.count();
            compiled.proved = format!(", {count} {} proved", plural(count, "invariant"));
            if let Some((name, token, states)) = proof.hardest.filter(|(.., states)| *states >= WORTH_SAYING)
            {
                let most = format!(" (most work: `{name}` of `{token}`, {states} states)");
                compiled.proved.push_str(&most);
            }
        }
        // An upgrade changes what some lines mean. What it gives needs a review, as any new access does.
        let read = (&*bound, &*source_map);
        let asked = (asked.0, Some(proxied), asked.1);
        let mut reread = earlier::rereadings(self.sources, read, asked).map_err(Unanswered::proof)?;
        if terms.is_gated {
            *given = reread
                .extract_if(.., |one| one.direction != Direction::Less)
                .collect();
        }
        let mut changed = earlier::diagnostics(&reread, bound);
        self.allowed.extend(source_map.allow(&mut changed));
        compiled.diagnostics.extend(changed);
        // Lint last among the findings, with a budget of its own.
        let linted = linted::find(
            (self.sources, bound, source_map),
            (config, budget, calls.as_ref()),
            terms.now_ms,
            &mut compiled.diagnostics,
        )?;
        compiled.diagnostics.extend(linted.diagnostics);
        self.allowed.extend(linted.allowed);
        grounds.extend(proved.grounds);
        grounds.extend(linted.grounds);
        // Summarise the work, and the questions that stayed open.
        if let Some((token, states)) = proved.hardest.filter(|(_, states)| *states >= WORTH_SAYING) {
            compiled
                .proved
                .push_str(&format!(", most work for `{token}` ({states} states)"));
        }
        compiled.open = proved.inconclusive;
        compiled.lints_open = linted.open;
        compiled.judged.lints_settled = linted.open == 0;
        compiled.judged.findings_settled = proved.inconclusive == 0;
        if terms.is_gated {
            // The gate reports these itself.
            compiled.judged.without = &[Code::MeansMore];
        }
        Ok(())
    }

    /// Compares a policy that compiles with another one, by a function that adds its findings. `compare` receives the policy as a side with
    /// `config`, whose paths are as written, the bound program, and the lines by which an upgrade alone gives more. The side has
    /// the findings so far: they name unused sets.
    ///
    /// # Errors
    /// The comparison failed.
    pub fn beyond<E>(
        &mut self,
        config: Config,
        compare: impl FnOnce((&Side, &Program), &[Rereading], &mut Vec<Diagnostic>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (Some(program), Some(served)) = (&self.compiled.program, &mut self.served) else {
            return Ok(());
        };
        let policy = (
            program.clone(),
            std::mem::take(&mut served.source_map),
            self.compiled.diagnostics.as_slice(),
        );
        let new = Side::compiled("the new side".to_owned(), config, self.sources.clone(), policy);
        compare(
            (&new, &served.bound),
            &served.given,
            &mut self.compiled.diagnostics,
        )
    }

    /// Takes out the exceptions, after the gate has seen what they except. With any error, a proof's included, there is no program
    /// to serve.
    #[must_use]
    pub fn finish(self) -> Compiled {
        let Self {
            sources,
            mut compiled,
            exceptions,
            allowed,
            served,
        } = self;
        exceptions.apply(sources, &mut compiled.diagnostics, &allowed, compiled.judged);
        sort(&mut compiled.diagnostics);
        let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
        if compiled.diagnostics.iter().any(is_error) {
            compiled.program = None;
        }
        compiled.certifiable = served.map(|served| Certifiable {
            program: served.bound,
            invariants: served.invariants,
            answers: served.answers,
            grounds: served.grounds,
        });
        compiled
    }
}

fn unusable_here(error: impl Display) -> Unanswered {
    Unanswered::Policy(format!(
        "the policy cannot be used with this configuration: {error}"
    ))
}
