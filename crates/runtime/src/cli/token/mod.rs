//! `tokenward token`: tokens in policy files.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use tokenward_compiler::diagnostic::{Diagnostic, Severity, render_text};

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use super::time;
use crate::config::Config;
use crate::edit::{Edit, NewToken, Prepared, Users};
use crate::secret::Secret;

/// Make tokens
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    New(New),
}

/// Make a token: write its entry to a policy file, show its secret once
///
/// The secret goes to standard output and nowhere else: the file gets its hash. Whatever stands in the file stays as
/// it is. A running proxy takes the token up within a second.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token new --name ci-comments --user svc-ci --expires 90d \\
      --limit '[post]/rest/api/2/issue/KANBAN-\\d+/comment' --file policies/ci.toml
  tokenward token new --name report --user alice --include jira-read \\
      --file policies/people.toml | pass insert -e report

A limit line is [methods] and a regular expression for the whole path, then conditions
on the query and the JSON body:
  [get,put]/rest/api/2/issue/[A-Z]+-\\d+
  [get]/rest/api/2/search[QueryParam::jql==project = KANBAN]
  [post]/rest/api/2/filter[JsonData::editable:boolean==false]")]
struct New {
    /// The token's name: for people, and for the audit
    #[arg(long)]
    name: String,
    /// The user whose calls these are; may be given more than once
    #[arg(
        long = "user",
        value_name = "USER",
        required_unless_present = "any_user",
        conflicts_with = "any_user"
    )]
    users: Vec<String>,
    /// Whoever has the token names the user himself
    #[arg(long)]
    any_user: bool,
    /// When the token ends: 90d (from now), 2027-06-30 or 2027-06-30T12:00:00Z; never, if left out
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// What the token may do, one line each; may be given more than once
    #[arg(long = "limit", value_name = "LINE", required_unless_present = "include")]
    lines: Vec<String>,
    /// A named set of lines, from policies/<SET>.limits; may be given more than once
    #[arg(long, value_name = "SET")]
    include: Vec<String>,
    /// Whom to ask about the token
    #[arg(long)]
    owner: Option<String>,
    /// What the token is for
    #[arg(long)]
    description: Option<String>,
    /// The policy file; it is made if it is absent
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::New(new) => make(new),
    }
}

fn make(args: New) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let secret = Secret::generate().map_err(Failure::trouble)?;
    let expires = args.expires.map(|text| time::expiry(&text, Timestamp::now()));
    let token = NewToken {
        name: args.name,
        users: if args.any_user {
            Users::Any
        } else {
            Users::Named(args.users)
        },
        secret_hash: secret.hash_text(),
        expires: expires
            .transpose()
            .map_err(|message| Failure::Usage(format!("--expires: {message}")))?,
        owner: args.owner,
        description: args.description,
        allowed_ips: Vec::new(),
        include: args.include,
        lines: args.lines,
        unrestricted: false,
    };
    let prepared = Edit::begin(&config.policies, &args.file)?.with_token(&token)?;
    judge(&prepared, &config)?;
    prepared.commit()?;
    let file = args.file.display();
    output::note(&format!(
        "The token `{}` is in {file}. This is its secret; it is shown this once and stored nowhere:",
        token.name
    ));
    output::print(&format!("{}\n", secret.expose())).map_err(|_| {
        Failure::Trouble(format!(
            "the secret could not be shown, so no one has it: remove `{}` from {file} and make it again",
            token.name
        ))
    })
}

/// Refuses what does not compile, and shows the warnings that the new entry brings.
pub(super) fn judge(prepared: &Prepared, config: &Config) -> Result<(), Failure> {
    let sources = prepared.sources();
    let compilation = tokenward_compiler::compile(&sources);
    let is_new = |found: &Diagnostic| prepared.is_new(&sources, found.primary.span);
    let (ours, others): (Vec<Diagnostic>, Vec<Diagnostic>) =
        compilation.diagnostics.into_iter().partition(is_new);
    output::note_raw(&render_text(&sources, &ours, output::colours()));
    let wrong = |found: &[Diagnostic]| found.iter().any(|one| one.severity == Severity::Error);
    if wrong(&ours) {
        return Err(Failure::Findings(
            "the new entry has errors, so nothing was written".to_owned(),
        ));
    }
    let Some(program) = compilation.program else {
        output::note_raw(&render_text(&sources, &others, output::colours()));
        return Err(Failure::Findings(
            "the policy has errors elsewhere, so the new entry would not take effect and nothing was written; mend them first"
                .to_owned(),
        ));
    };
    let bound = program.bind(&config.upstream.public_url);
    bound
        .map(drop)
        .map_err(|error| Failure::Findings(format!("{error}; nothing was written")))
}
