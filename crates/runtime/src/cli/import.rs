//! `tokenward import`: imports tokens of other products.

mod conversion;
mod escape;
mod export;
mod extender;
mod meaning;
mod report;

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::authoring::edit::{Edit, EditError};
use conversion::{Options, convert};
use report::Report;

/// Import tokens that were created elsewhere
#[derive(clap::Args)]
#[command(after_help = "\
Only the REST API tokens of Extender contain secrets and lines, as needed for a policy.
Lists of personal access tokens (Jira's /rest/pat/latest/tokens, GitLab's
/personal_access_tokens) contain neither, so they cannot be imported: create a
Tokenward token for each with `tokenward token new`, and revoke the old one.")]
pub(super) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    Extender(Extender),
    /// Explain why Jira's personal access tokens cannot be imported
    JiraPat(Ignored),
    /// Explain why GitLab's personal access tokens cannot be imported
    Gitlab(Ignored),
}

/// Whatever is given.
#[derive(clap::Args)]
struct Ignored {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _given: Vec<String>,
}

/// Import the REST API tokens of Extender for Jira or Confluence
///
/// Reads the export (JSON, comments allowed) and writes the tokens to a policy file, with the hashes of their
/// secrets. Reports every line whose meaning changes, with a request that proves it, and every token that needs a
/// decision. The secrets are not written anywhere.
///
/// If one token cannot be imported, nothing is imported.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward import extender tokens.json --dry-run         only the report; nothing is written
  tokenward import extender tokens.json                   to imported.toml in the policy directory
  tokenward import extender tokens.json --keep-going      skip tokens that cannot be imported")]
struct Extender {
    /// File with the export; `-` for standard input
    file: PathBuf,
    /// Policy file; created if it does not exist
    ///
    /// Without this option, the command writes imported.toml in the policy directory.
    #[arg(long, value_name = "FILE", visible_alias = "file")]
    into: Option<PathBuf>,
    /// Skip tokens that cannot be imported, and ignore unknown keys
    #[arg(long)]
    keep_going: bool,
    /// Create and show new secrets for tokens without one (an export in secure mode)
    #[arg(long)]
    new_secrets: bool,
    /// Import tokens without lines, which allow everything that their users can do
    #[arg(long)]
    allow_unrestricted: bool,
    /// Report only; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.from {
        From::Extender(args) => extender(&args),
        From::JiraPat(_) => Err(nothing("Jira's")),
        From::Gitlab(_) => Err(nothing("GitLab's")),
    }
}

fn nothing(whose: &str) -> Failure {
    Failure::Usage(format!(
        "a list of {whose} personal access tokens contains neither secrets nor lines, so there is nothing to import; create a token for each with `tokenward token new`, and revoke the old one"
    ))
}

fn extender(args: &Extender) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let into = args
        .into
        .clone()
        .unwrap_or_else(|| config.policies.join("imported.toml"));
    let tokens = export::read(&text(args)?)
        .map_err(|why| Failure::Usage(format!("cannot import `{}`: {why}", args.file.display())))?;
    let edit = Edit::begin(&config.policies, &into)?;
    let options = Options {
        new_secrets: args.new_secrets,
        allow_unrestricted: args.allow_unrestricted,
        pass_unknown: args.keep_going,
        encoded_slash: config.relax.encoded_slash,
        now: Timestamp::now(),
    };
    let mut report = convert(tokens, &edit.names(), &config, options)?;
    report.into = into.display().to_string();
    if !report.broken.is_empty() && !args.keep_going {
        show(&report, args)?;
        return Err(Failure::Findings(format!(
            "nothing was imported, because {} cannot be imported; correct the export, or skip them with --keep-going",
            report::tokens(report.broken.len())
        )));
    }
    if report.imported.is_empty() || args.dry_run {
        show(&report, args)?;
        output::note("Nothing was written.");
        return if report.imported.is_empty() && !report.broken.is_empty() {
            Err(Failure::Findings("no token could be imported".to_owned()))
        } else {
            Ok(())
        };
    }
    let entries: Vec<_> = report
        .imported
        .iter()
        .map(|imported| imported.token.clone())
        .collect();
    let prepared = edit.with_tokens(&entries)?;
    let names: Vec<&str> = entries.iter().map(|token| token.name.as_str()).collect();
    super::token::committed_all(prepared, &names, &config)?;
    report.written = true;
    show(&report, args)
}

fn show(report: &Report, args: &Extender) -> Result<(), Failure> {
    if args.json {
        output::print_document(&report.as_json())
    } else {
        output::print(&report.as_text())
    }
}

fn text(args: &Extender) -> Result<String, Failure> {
    let failed = |source| {
        Failure::from(EditError::Io {
            doing: "read the export",
            path: args.file.clone(),
            source,
        })
    };
    let mut text = Vec::new();
    // One byte more than the limit shows that the input is too large.
    let bound = export::MAX_BYTES as u64 + 1;
    if args.file.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(bound)
            .read_to_end(&mut text)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(&args.file).map_err(failed)?;
        file.take(bound).read_to_end(&mut text).map_err(failed)?;
    }
    if text.len() > export::MAX_BYTES {
        return Err(Failure::Usage(format!(
            "`{}` has more than {} bytes; split the export",
            args.file.display(),
            export::MAX_BYTES
        )));
    }
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err(Failure::Usage(format!(
            "`{}` is UTF-16; save it as UTF-8",
            args.file.display()
        )));
    }
    String::from_utf8(text)
        .map_err(|_| Failure::Usage(format!("`{}` is not UTF-8; export it again", args.file.display())))
}
