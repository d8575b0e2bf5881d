//! `tokenward compile`: checks policy files, and writes them as one compiled file.

mod accepted;
mod file;
mod fixing;
mod format;
mod linted;
mod new_access;
mod proved;
mod reporter;
mod signing;
mod unusable;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use tokenward_compiler::analysis::{Analysis, Budget, prove_optimised};
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity};
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::{artifact, ir::Program};

use super::failure::Failure;
use super::output;
use super::plural::plural;
use super::progress::Progress;
use super::settings::ConfigArg;
use super::side::Committed;
use super::time::past;
use crate::config::{Config, universe::universe};
use accepted::Accepted;
use file::write;
pub(super) use fixing::prove_first;
use fixing::{Fixed, Mode as Fixes, Task};
use format::Format;
use linted::Lint;
use new_access::{Base, Question};
pub(super) use proved::{Compiled, Surroundings};
use reporter::Reporter;
use watch::{Check, Watched};

/// Check policy files, and compile them to one file
///
/// Reads the *.toml and *.limits files of a directory and reports every error and warning with its place. Warnings
/// include lines that match no request, redundant lines, and forbid lines without effect. Proves the invariants of
/// invariants.toml.
///
/// With -o, the command writes the compiled policy if there is no error. This is one file that `tokenward serve` can
/// load instead of the directory.
///
/// The exit code is 1 if there is an error. Warnings alone do not change the exit code 0, unless --deny warnings is
/// given.
#[derive(Clone, clap::Args)]
#[command(after_help = "\
Examples:
  tokenward compile                     the directory that tokenward.toml names, or policies
  tokenward compile --check --deny warnings policies
                                        the same for a directory, as CI would run it
  tokenward compile --check --no-new-access main
                                        fail on any new access compared with the git revision main
  tokenward compile --format json       one JSON object per line, on standard output
  tokenward compile --check --format sarif > policy.sarif
                                        for a tool that shows findings next to lines
  tokenward compile --check --baseline accepted.toml
                                        count the findings that accepted.toml lists, show the others
  tokenward compile --check --fix       write the fixes that are proved to change no access
  tokenward compile --check --fix=narrow --diff
                                        show also those that are proved to allow less
  tokenward compile --check --watch     check again after each change, until Ctrl-C
  tokenward compile -o policy.twp       write the compiled policy; serve it with policies = \"policy.twp\"
  tokenward compile -o policy.twp --sign artifact.key
                                        the same, signed, as secure mode requires")]
pub(super) struct Args {
    /// Only check; write nothing
    #[arg(long, conflicts_with = "output")]
    check: bool,
    /// Check again after each change of the policy or the configuration, until Ctrl-C
    ///
    /// The findings are printed again if they change. The exit code is that of the last check.
    #[arg(long, requires = "check", conflicts_with_all = ["json", "write_baseline"])]
    watch: bool,
    /// File to write
    ///
    /// The command writes the compiled policy only if there is no error.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Sign the compiled policy with this artifact key [default: the configuration's artifact_key]
    #[arg(long, value_name = "KEY", requires = "output")]
    sign: Option<PathBuf>,
    /// Fail on warnings as on errors [default: the configuration's warnings]
    #[arg(long, value_name = "WARNINGS")]
    deny: Option<Deny>,
    /// Set of lints: warnings about lines that are probably not meant [default: the configuration's, or regular]
    #[arg(long, value_enum, value_name = "SET")]
    lint: Option<Lint>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Count the findings that this file accepts instead of showing them
    ///
    /// Only warnings can be accepted, and none about new access. An entry that no finding needs, or whose `until` has
    /// passed, is an error.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the warnings to the baseline file; entries that are still needed keep their reasons
    ///
    /// New entries have an empty `why`, which is an error until somebody explains it.
    #[arg(long, requires = "baseline", conflicts_with = "output")]
    write_baseline: bool,
    /// Write the fixes that are proved equivalent, or with --fix=narrow also those that are proved to allow less
    ///
    /// Each fix is proved over all requests, for every token that has the line. Sealed and reviewed lines, and lines that a
    /// comment excepts from a warning, stay as they are. The rest of the policy is then checked as usual.
    #[arg(
        long,
        value_name = "FIXES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "equivalent",
        conflicts_with_all = ["output", "write_baseline"]
    )]
    fix: Option<Fixes>,
    /// Show the fixes as a unified diff, and write nothing; the exit code is 1 if there are any
    #[arg(long, requires = "fix", conflicts_with = "json")]
    diff: bool,
    /// Audit whose calls a fix must still allow; a fix that would deny one is not written
    #[arg(long, value_name = "PATH", requires = "fix")]
    audit: Option<PathBuf>,
    /// Time from which on calls of the audit count [default: 30d]
    #[arg(long, value_name = "TIME", requires = "audit")]
    since: Option<String>,
    /// Fail on any new access compared with BASE, unless BASE's reviewed.toml lists it
    ///
    /// BASE is a git revision, a directory or a compiled policy, with its own configuration, invariants and reviews.
    /// `./NAME` is always a path, and `NAME..` is always a revision. The work tree must contain the commits of BASE.
    ///
    /// The comparison covers lines, credentials, users, times, addresses, rights, settings and invariants.
    #[arg(long, value_name = "BASE")]
    no_new_access: Option<String>,
    /// Also accept the reviews of the new side; use it only for a change that an owner approved
    #[arg(long, requires = "no_new_access")]
    accept_reviews: bool,
    /// Configuration of an old side that is a directory or a compiled policy [default: the one next to it]
    #[arg(long, value_name = "FILE", requires = "no_new_access")]
    old_config: Option<PathBuf>,
    /// Prove that the optimised program and the compiled file decide like the unoptimised program
    #[arg(long)]
    paranoid: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    ///
    /// All proofs of a run together may take 2,500 steps for each of these states, and 2 more for each token. If a
    /// result is inconclusive, the exit code is never 0.
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    budget: u64,
    #[command(flatten)]
    config: ConfigArg,
    /// Policy directory [default: the configuration's]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Deny {
    /// All warnings
    Warnings,
}

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

fn check(args: &Args, reporter: &mut Reporter) -> Result<(), Failure> {
    let config = args.config.or_default().map_err(|error| args.linked(error))?;
    let config = args.linting(config);
    // Before the work: what cannot be signed is not written.
    let key = match args.output {
        Some(_) => signing::key(args.sign.as_deref(), &config)?,
        None => None,
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
    let mut compiled = Compiled::new(&sources, (&config, &budget), gate)?;
    // Show the findings, also if there is no program.
    let hidden = hide(accepted.as_mut(), &sources, &mut compiled.diagnostics, reporter);
    fixing::prove(&config, &sources, args.budget, &mut compiled.diagnostics)?;
    let diagnostics = &compiled.diagnostics;
    reporter.show(&sources, diagnostics)?;
    reporter.leave_open(compiled.lints_open);
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
        args.check_committed((base, committed), accepted.as_mut(), &budget, reporter)?;
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
    // Write the policy only now, after all checks, and summarise.
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

/// Removes the findings that the baseline accepts, if there is one; returns their number.
fn hide(
    accepted: Option<&mut Accepted>,
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
    reporter: &mut Reporter,
) -> usize {
    accepted.map_or(0, |accepted| accepted.hide(sources, diagnostics, reporter))
}

/// The number of accepted findings, as an addition to the tally.
fn in_baseline(count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    format!(", {count} in the baseline")
}

impl Args {
    /// The places that a check reads.
    fn watched(&self) -> Watched {
        // A configuration with errors names no directory. Its correction is a change.
        let named = self.config.or_default().ok().map(|config| config.policies);
        let usual = || PathBuf::from("policies");
        let mut others = vec![self.config.path().to_owned()];
        others.extend(self.baseline.clone());
        others.extend(self.old_config.clone());
        if let Some(base) = &self.no_new_access {
            others.push(PathBuf::from(base));
            others.extend(Watched::branches());
        }
        Watched {
            policies: self.directory.clone().or(named).unwrap_or_else(usual),
            others,
        }
    }

    /// The reason why the configuration has errors, if the gate would refuse it in any case: it is a link.
    fn linked(&self, error: Failure) -> Failure {
        let file = self.config.path();
        let is_link = file
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink());
        if self.no_new_access.is_none() || !is_link {
            return error;
        }
        Failure::Trouble(format!(
            "`{}` is a symbolic link; replace it by the file itself",
            file.display()
        ))
    }

    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// The configuration, with the lints that the command line names.
    fn linting(&self, mut config: Config) -> Config {
        if let Some(lint) = self.lint {
            config.lint.set = lint.set();
        }
        config
    }

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

    /// The time from which on recorded calls count, milliseconds since 1970 UTC.
    fn since(&self) -> Result<i64, Failure> {
        let text = self.since.as_deref().unwrap_or(SINCE);
        let time = past(text, Timestamp::now());
        let time = time.map_err(|why| Failure::Usage(format!("--since: {why}")))?;
        Ok(time.as_millisecond())
    }

    fn denies_warnings(&self, config: &Config) -> bool {
        self.deny.is_some() || config.deny_warnings
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

    /// The baseline, if the command line names one.
    fn accepted(&self, policies: &Path) -> Result<Option<Accepted>, Failure> {
        let file = self.baseline.as_deref();
        file.map(|file| Accepted::read(file, self.write_baseline, policies))
            .transpose()
    }

    /// Judges the commit of the work tree, which differs from the work tree. Of its warnings only those about files that it does
    /// not read are shown, unless warnings are denied.
    fn check_committed(
        &self,
        (base, committed): (&Base, &Committed),
        accepted: Option<&mut Accepted>,
        budget: &Budget,
        reporter: &mut Reporter,
    ) -> Result<(), Failure> {
        let Committed { config, sources } = committed;
        let linting = self.linting(config.clone());
        let mut compiled = Compiled::new(sources, (&linting, budget), Some((base, config.clone())))?;
        hide(accepted, sources, &mut compiled.diagnostics, reporter);
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

    /// What the policy in `directory` is compared with, if it is.
    fn base(&self, directory: &Path) -> Result<Option<Base>, Failure> {
        let Some(base) = &self.no_new_access else {
            return Ok(None);
        };
        Base::read(&Question {
            base,
            config: &self.config,
            old_config: self.old_config.as_deref(),
            directory: self.directory.as_deref(),
            policies: directory,
            accept_reviews: self.accept_reviews,
        })
        .map(Some)
    }
}

/// Period of recorded calls that a fix must still allow.
const SINCE: &str = "30d";

/// The failure of a policy with fixes that were only shown.
fn not_written(fixed: &Fixed) -> Failure {
    let Fixed { applied, files, .. } = fixed;
    Failure::Findings(format!(
        "{applied} {} of {files} {} not written; run the command without --diff",
        if *applied == 1 { "fix" } else { "fixes" },
        plural(*files, "file")
    ))
}

/// The failure of a policy with errors.
fn failed(diagnostics: &[Diagnostic], place: &str) -> Failure {
    let told = format!("{} in {place}", tally(diagnostics));
    if is_only_open(diagnostics) {
        Failure::Trouble(told)
    } else {
        Failure::Findings(told)
    }
}

/// The failure of a policy some of whose lines were not checked: no finding does not mean that there is none.
fn unsettled(count: usize) -> Failure {
    Failure::Trouble(format!(
        "{count} {} about the lines could not be settled within the budget; simplify the patterns, or use a larger --budget; nothing was written",
        plural(count, "question")
    ))
}

/// The part of the summary about lints that were not settled.
fn open_lints(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(
            ", {count} {} of lints open (a larger --budget settles them)",
            plural(count, "question")
        ),
    }
}

/// Whether nothing is wrong but that questions were not settled.
fn is_only_open(diagnostics: &[Diagnostic]) -> bool {
    let mut errors = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    errors.all(|found| matches!(found.code, Code::OpenComparison | Code::OpenInvariant))
}

/// Proves that the served program, decoded from the compiled file, decides like the one that was compiled.
fn paranoid(program: &Program, config: &Config, budget: &Budget) -> Result<(), Failure> {
    let bind = |program: &Program| {
        let bound = program
            .bind(&config.upstream.public_url)
            .map_err(Failure::trouble)?;
        Ok::<Program, Failure>(bound.merging_body(config.upstream.product.merges()))
    };
    let decoded = artifact::decode(&artifact::encode(program)).map_err(Failure::trouble)?;
    let (plain, served) = (bind(program)?, bind(&decoded)?);
    let mut progress = Progress::new("tokens proved equivalent");
    let asked = (universe(config), budget);
    prove_optimised(&plain, &served, asked, |done, of| progress.tell(done, of)).map_err(Failure::trouble)
}

/// Counts findings: `2 errors, 1 warning`, or `no findings`.
fn tally(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    let told = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {}", plural(count, what)))
    .collect::<Vec<_>>();
    if told.is_empty() {
        "no findings".to_owned()
    } else {
        told.join(", ")
    }
}
