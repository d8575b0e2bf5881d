//! `tokenward compile`: checks policy files, and writes them as one compiled file.

mod accepted;
mod args;
mod certified;
mod checking;
mod file;
mod fixing;
mod format;
mod lint;
mod new_access;
mod reporter;
mod signing;
mod watch;
mod words;

use std::path::Path;
use std::sync::Arc;

use tokenward_compiler::analysis::{Budget, prove_optimised};
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity};
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::{artifact, ir::Program};
use tokenward_pdp::config::{Config, universe::universe};
use tokenward_pdp::plural::plural;
use tokenward_pdp::servable::bind;

use super::certificates;
use super::descriptions::LazyNames;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::side::Committed;
use crate::authoring::keys::ArtifactKey;
use accepted::Accepted;
pub(super) use args::Args;
use args::Deny;
use checking::checked;
pub(super) use checking::checked_alone;
pub(super) use file::write;
pub(super) use fixing::prove_first;
use fixing::{Fixed, Task};
use format::Format;
use new_access::Base;
use reporter::Reporter;
use watch::Check;
use words::{failed, in_baseline, not_written, open_lints, tally, unsettled};

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !args.watch {
        return once(args);
    }
    if args.format() != Format::Text {
        return Err(Failure::Usage(
            "--watch shows text; leave out --format and --json".to_owned(),
        ));
    }
    // Says once which configuration is assumed, outside of the output that is compared.
    let _ = args.config.or_default();
    let own = args.clone();
    let check: Check = Arc::new(move || once(&own));
    watch::run(&check, &|| args.watched())
}

/// Checks once.
fn once(args: &Args) -> Result<(), Failure> {
    let mut reporter = Reporter::new(args.format());
    let result = check(args, &mut reporter);
    let written = reporter.finish(&result);
    result.and(written)
}

/// A policy that passed all checks.
struct Passed {
    program: Program,
    key: Option<ArtifactKey>,
    /// The output line about it.
    what: String,
}

/// Checks the policy that the arguments name, and encodes it, signed as the configuration demands. The second value is the
/// output line about it.
pub(super) fn to_publish(args: &Args) -> Result<(Vec<u8>, String), Failure> {
    let mut reporter = Reporter::new(Format::Text);
    let (result, passed) = match pass(args, &mut reporter) {
        Ok(passed) => (Ok(()), Some(passed)),
        Err(failure) => (Err(failure), None),
    };
    let shown = reporter.finish(&result);
    result?;
    shown?;
    let Some(Passed { program, key, what }) = passed else {
        return Err(Failure::Findings(String::new()));
    };
    let bytes = signing::artifact(&program, key.as_ref());
    Ok((bytes, format!("{what}{}", signing::shown(key.as_ref()))))
}

/// Checks the policy, and writes it if the arguments say so.
fn check(args: &Args, reporter: &mut Reporter) -> Result<(), Failure> {
    let Passed { program, key, what } = pass(args, reporter)?;
    let written = match &args.output {
        Some(file) => {
            let bytes = signing::artifact(&program, key.as_ref());
            write(&bytes, file).map_err(|error| {
                Failure::trouble(format!(
                    "cannot write the compiled policy to `{}`: {error}",
                    file.display()
                ))
            })?;
            format!("; written to {}{}", file.display(), signing::shown(key.as_ref()))
        }
        None if args.check => String::new(),
        None => "; nothing was written (no -o)".to_owned(),
    };
    if reporter.is_text() {
        return output::print(&format!("{what}{written}\n"));
    }
    Ok(())
}

fn pass(args: &Args, reporter: &mut Reporter) -> Result<Passed, Failure> {
    args.certificates.as_deref().map_or(Ok(()), certificates::check)?;
    let config = args.config.or_default().map_err(|error| args.linked(error))?;
    let config = args.linting(config);
    let names = LazyNames::new(&args.descriptions, &config)?;
    // Before the work: what cannot be signed is not written.
    let key = if args.output.is_some() || args.publishes {
        signing::key(args.sign.as_deref(), &config)?
    } else {
        None
    };
    // Compile, check and compare with the base, if there is one.
    let directory = args.directory.as_ref().unwrap_or(&config.policies);
    let base = args.base(directory)?;
    let sources = SourceSet::read_dir(directory, Links::Refuse).map_err(Failure::trouble)?;
    args.refuse_empty(&sources, &config, directory)?;
    let mut sources = sources.below(&directory.to_string_lossy());
    let mut accepted = args.accepted(directory)?;
    if let Some(fixed) = args.fix((&sources, directory), &config, accepted.as_ref(), reporter)? {
        if args.diff && fixed.applied > 0 {
            return Err(not_written(&fixed));
        }
        sources = fixed.sources;
    }
    let gate = match &base {
        None => None,
        Some(base) => Some((base, args.config.written()?)),
    };
    let committed = gate.as_ref().and_then(|(base, config)| {
        let committed = base.committed()?;
        (!committed.is(&sources, config)).then_some((*base, committed))
    });
    if args.denies_warnings(&config) {
        reporter.deny_warnings();
    }
    let budget = Budget::new(args.budget);
    let gate = gate.map(|(base, config)| (base, config, &names));
    let mut compiled = checked(&sources, (&config, &budget), gate)?;
    // Show the findings, also if there is no program.
    let hidden = hide(accepted.as_mut(), &sources, &mut compiled.diagnostics, reporter);
    fixing::prove(&config, &sources, args.budget, &mut compiled.diagnostics)?;
    names.name_witnesses(&mut compiled.diagnostics);
    let diagnostics = &compiled.diagnostics;
    reporter.show(&sources, diagnostics)?;
    reporter.leave_open(compiled.lints_open);
    if let Some(file) = &args.certificates {
        let budget = Budget::new(args.budget);
        certified::write(
            file,
            compiled.certifiable.as_ref(),
            (&sources, diagnostics.as_slice()),
            (universe(&config), &budget),
        )?;
    }
    let is_complete = compiled.program.is_some() && compiled.open == 0;
    let checked = match &accepted {
        Some(accepted) => accepted.check(is_complete.then_some(compiled.judged), reporter),
        None => Ok(()),
    };
    let Some(program) = compiled.program else {
        return Err(failed(diagnostics, &format!("`{}`", directory.display())));
    };
    checked?;
    if !args.write_baseline {
        args.deny_warnings(&config, diagnostics, directory)?;
        args.deny_open_lints(&config, compiled.lints_open)?;
    }
    if let Some((base, committed)) = committed {
        args.check_committed((base, committed, &names), accepted.as_mut(), &budget, reporter)?;
    }
    if compiled.open > 0 {
        return Err(unsettled(compiled.open));
    }
    if let Some(accepted) = accepted.as_mut().filter(|_| args.write_baseline) {
        let found = (&sources, diagnostics.as_slice());
        let rest = accepted.write(found, compiled.judged, compiled.lints_open)?;
        args.deny_warnings(&config, &rest, directory)?;
    }
    // Prove the program as it will be served.
    let mut proved = compiled.proved;
    if args.paranoid {
        paranoid(&program, &config, &budget)?;
        proved.push_str(", the optimised program proved equivalent");
    }
    // Summarise; the policy is written only after all checks.
    let tokens = program.tokens().count();
    let what = format!(
        "{}: {tokens} {}, {}{}{}{}",
        directory.display(),
        plural(tokens, "token"),
        tally(diagnostics),
        in_baseline(hidden),
        proved,
        open_lints(compiled.lints_open)
    );
    Ok(Passed { program, key, what })
}

/// Removes the findings that the baseline accepts, if there is one; returns their number.
fn hide(
    accepted: Option<&mut Accepted>,
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
    reporter: &mut Reporter,
) -> usize {
    accepted.map_or(0, |accepted| accepted.hide(sources, diagnostics, reporter))
}

impl Args {
    /// Fixes the policy, if the command line says so.
    fn fix(
        &self,
        (sources, directory): (&SourceSet, &Path),
        config: &Config,
        accepted: Option<&Accepted>,
        reporter: &mut Reporter,
    ) -> Result<Option<Fixed>, Failure> {
        let Some(mode) = self.fix else {
            return Ok(None);
        };
        if self.diff && self.format != Format::Text {
            return Err(Failure::Usage(
                "--diff prints a unified diff; it cannot be used with --format".to_owned(),
            ));
        }
        // A wrong baseline would accept nothing, so that too much is fixed.
        if let Some(accepted) = accepted {
            accepted.check(None, reporter)?;
        }
        let audit = match &self.audit {
            Some(path) => Some((path.clone(), self.since()?)),
            None => None,
        };
        let task = Task {
            mode,
            shows: self.diff,
            directory,
            config,
            budget: self.budget,
            audit,
        };
        fixing::fix(&task, sources, accepted).map(Some)
    }

    /// Refuses a directory without policy files if the command line names it, where warnings are denied, or for the document of a
    /// CI system: a wrong path would be green. Without these, it is what a fresh installation has.
    fn refuse_empty(&self, sources: &SourceSet, config: &Config, directory: &Path) -> Result<(), Failure> {
        if sources.has_policy() {
            return Ok(());
        }
        let found = format!(
            "`{}` has no policy files; policies are `*.toml` and `*.limits` in it or below it",
            directory.display()
        );
        let is_ci = self.check && self.format().is_document();
        if self.directory.is_some() || self.denies_warnings(config) || is_ci {
            return Err(Failure::Usage(found));
        }
        output::note(&found);
        Ok(())
    }

    /// Fails if there are warnings, and they are denied.
    fn deny_warnings(
        &self,
        config: &Config,
        diagnostics: &[Diagnostic],
        directory: &Path,
    ) -> Result<(), Failure> {
        if !self.denies_warnings(config) || diagnostics.is_empty() {
            return Ok(());
        }
        let source = match self.deny {
            Some(Deny::Warnings) => "--deny warnings",
            None => "`warnings = \"deny\"` in the configuration",
        };
        Err(Failure::Findings(format!(
            "{} in `{}`, denied by {source}; fix the warnings, or except a line with `# allow CODE: why`, or a token with `lint_allow`",
            tally(diagnostics),
            directory.display()
        )))
    }

    /// Fails if lints are open, and warnings are denied: there may be more.
    fn deny_open_lints(&self, config: &Config, open: usize) -> Result<(), Failure> {
        if open == 0 || !self.denies_warnings(config) {
            return Ok(());
        }
        Err(unsettled(open))
    }

    /// Judges the commit of the work tree, which differs from the work tree. Of its warnings only those about files that it does
    /// not read are shown, unless warnings are denied.
    fn check_committed(
        &self,
        (base, committed, names): (&Base, &Committed, &LazyNames),
        accepted: Option<&mut Accepted>,
        budget: &Budget,
        reporter: &mut Reporter,
    ) -> Result<(), Failure> {
        let Committed { config, sources } = committed;
        let linting = self.linting(config.clone());
        let mut compiled = checked(sources, (&linting, budget), Some((base, config.clone(), names)))?;
        hide(accepted, sources, &mut compiled.diagnostics, reporter);
        names.name_witnesses(&mut compiled.diagnostics);
        if compiled.program.is_some() {
            let warnings = &mut compiled.diagnostics;
            if !self.denies_warnings(config) {
                warnings.retain(|found| found.code == Code::NearFile);
            }
            if !warnings.is_empty() {
                output::note("the commit `HEAD` differs from the work tree, and has warnings:");
                reporter.show(sources, warnings)?;
            }
            self.deny_warnings(config, warnings, Path::new("HEAD"))?;
            self.deny_open_lints(config, compiled.lints_open)?;
            return match compiled.open {
                0 => Ok(()),
                open => Err(unsettled(open)),
            };
        }
        let diagnostics = &mut compiled.diagnostics;
        diagnostics.retain(|found| found.severity == Severity::Error);
        output::note("the commit `HEAD` differs from the work tree, and has errors:");
        reporter.show(sources, diagnostics)?;
        Err(failed(
            diagnostics,
            "the commit `HEAD`, which differs from the work tree",
        ))
    }
}

/// Proves that the served program, decoded from the compiled file, decides like the one that was compiled.
fn paranoid(program: &Program, config: &Config, budget: &Budget) -> Result<(), Failure> {
    let decoded = artifact::decode(&artifact::encode(program)).map_err(Failure::trouble)?;
    let (plain, served) = (bind(program, config)?, bind(&decoded, config)?);
    let mut progress = Progress::new("tokens proved equivalent");
    let asked = (universe(config), budget);
    prove_optimised(&plain, &served, asked, |done, of| progress.tell(done, of)).map_err(Failure::trouble)
}
