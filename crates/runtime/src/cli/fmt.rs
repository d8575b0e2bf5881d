//! `tokenward fmt`: writes policy files in their one canonical spelling.

mod change;
mod changes;
mod inputs;
pub(super) mod policy;
mod proofs;
pub(super) mod unified;

use std::path::PathBuf;

use tokenward_compiler::diagnostic::render_text;
use tokenward_compiler::visible;
use tokenward_pdp::plural::plural;

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use change::Change;
use changes::Changes;
use inputs::Input;

/// Write policy files in their canonical spelling
///
/// Formats token files, sets, invariants.toml and reviewed.toml: the order and layout of keys, lists and sections,
/// and the methods, spaces and quotes of limit lines. Comments and regular expressions stay as they are.
///
/// Each run proves that the formatted policy means the same: all values, all parts of the lines and the compiled
/// program are identical. A file without this proof is left as it is.
///
/// The exit code is 1 if --check or --diff finds a file that is not formatted, 2 if a file or a line in it cannot be read,
/// and 3 if the proof failed or a file cannot be written.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward fmt                         the directory that tokenward.toml names, or policies
  tokenward fmt policies/ci.toml        one file
  tokenward fmt --check                 fail if a file is not formatted, as CI would run it
  tokenward fmt --diff                  show what would change
  tokenward fmt - < ci.toml             format standard input")]
pub(super) struct Args {
    /// Write nothing; list the files that are not formatted
    #[arg(long)]
    check: bool,
    /// Write nothing; show the changes
    #[arg(long)]
    diff: bool,
    /// Name that decides how standard input is read, such as read.limits or invariants.toml [default: stdin.toml]
    ///
    /// If it is the path of a file of the policy, the text is formatted and proved together with the other files.
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
    /// Policy directories and files; `-` is standard input [default: the configuration's directory]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut whole = Outcome::default();
    for input in inputs::read(&args.paths, args.stdin_name.as_deref(), &args.config)? {
        let changes = Changes::of(&input);
        output::note_raw(&render_text(&input.sources, &changes.errors, output::colours()));
        for (path, why) in &changes.unproved {
            let shown = input.sources.shown(path);
            output::note(&format!("tokenward: `{shown}` is left as it is: {why}"));
        }
        if changes.keeps_lines {
            output::note(
                "tokenward: limit lines keep their texts, because seals sign them; only the layout is formatted",
            );
        }
        whole.add(&changes);
        if input.is_standard() {
            standard(args, &input, &changes)?;
        } else {
            files(args, &input, &changes.changed)?;
        }
        note_reread(&changes.reread);
    }
    whole.result(args)
}

/// Places that a note lists.
const PLACES: usize = 10;

/// Names the lines that version 1 of the language read otherwise: their new spelling no longer shows it.
fn note_reread(places: &[String]) {
    if places.is_empty() {
        return;
    }
    let shown: Vec<&str> = places.iter().take(PLACES).map(String::as_str).collect();
    let rest = match places.len() - shown.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    output::note(&format!(
        "tokenward: version 1 of the policy language read spaces as part of the URL in {} {}: {}{rest}; after an upgrade from it, review them as new access (TW0121)",
        places.len(),
        plural(places.len(), "line"),
        shown.join(", ")
    ));
}

/// Writes or shows the changed files.
fn files(args: &Args, input: &Input, changed: &[Change]) -> Result<(), Failure> {
    for change in changed {
        let shown = input.sources.shown(&change.path);
        if args.diff {
            show_change(&shown, &change.before, &change.after)?;
        } else if args.check {
            output::print(&format!("not formatted: {}\n", visible(&shown)))?;
        } else {
            input.write(change)?;
            output::print(&format!("formatted: {}\n", visible(&shown)))?;
        }
    }
    Ok(())
}

/// Shows a change.
pub(super) fn show_change(name: &str, before: &str, after: &str) -> Result<(), Failure> {
    output::print(&unified::diff(name, before, after))
}

/// Writes or shows standard input's text.
fn standard(args: &Args, input: &Input, changes: &Changes) -> Result<(), Failure> {
    if !changes.is_whole() {
        return Ok(());
    }
    let text = input.text();
    match changes.changed.first() {
        Some(change) if args.diff => show_change("-", &change.before, &change.after),
        Some(change) if !args.check => output::print_raw(&change.after),
        None if !args.check && !args.diff => output::print_raw(&text),
        _ => Ok(()),
    }
}

/// Counts over all inputs.
#[derive(Default)]
struct Outcome {
    files: usize,
    changed: usize,
    unreadable: usize,
    unproved: usize,
    /// Whether a policy has errors.
    has_errors: bool,
    is_standard: bool,
}

impl Outcome {
    fn add(&mut self, changes: &Changes) {
        self.files += changes.files;
        self.changed += changes.changed.len();
        self.unreadable += changes.unreadable;
        self.unproved += changes.unproved.len();
        self.has_errors |= !changes.compiles;
        self.is_standard |= changes.is_standard;
    }

    /// The summary, or the failure with the highest exit code.
    fn result(&self, args: &Args) -> Result<(), Failure> {
        let Self {
            files,
            changed,
            unreadable,
            unproved,
            has_errors,
            is_standard,
        } = *self;
        if unproved > 0 {
            return Err(Failure::Trouble(format!(
                "cannot prove that the formatted text of {unproved} {} means the same; nothing was written to them",
                plural(unproved, "file")
            )));
        }
        if unreadable > 0 {
            return Err(Failure::Usage(format!(
                "cannot parse {unreadable} of {files} {}; nothing was written to them",
                plural(files, "file")
            )));
        }
        if args.check || args.diff {
            if changed > 0 {
                return Err(Failure::Findings(format!(
                    "{changed} of {files} {} not formatted; run `tokenward fmt`",
                    plural(files, "file")
                )));
            }
            return summary(
                is_standard,
                &format!("{files} {} formatted", plural(files, "file")),
            );
        }
        let rest = files - changed;
        // Lines with errors have no meaning.
        let proved = match has_errors {
            true => {
                "the policy has errors (see `tokenward compile --check`), so equal values, comments and findings are proved, but not equal decisions"
            }
            false => "all proved to mean the same",
        };
        summary(
            is_standard,
            &format!(
                "{changed} {} formatted, {rest} unchanged; {proved}",
                plural(changed, "file")
            ),
        )
    }
}

/// Standard output has the formatted text if standard input was formatted.
fn summary(is_standard: bool, text: &str) -> Result<(), Failure> {
    if is_standard {
        return Ok(());
    }
    output::print(&format!("{text}\n"))
}
