//! `tokenward token new`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use super::change::{committed, finished};
use super::{Failure, output, print_json};
use crate::authoring::edit::{Edit, NewToken, Users};
use crate::cli::settings::ConfigArg;
use crate::cli::time;
use crate::secret::Secret;

/// Make a token: write its entry to a policy file, show its secret once
///
/// The secret goes to standard output and nowhere else: the file gets its hash, and in standard mode, where there is a
/// sealing key, the secret encrypted. In secure mode the entry is sealed. Whatever stands in the file stays as it is. A
/// running proxy takes the token up within a second.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token new --name ci-comments --user svc-ci --expires 90d \\
      --limit-to '[post]/rest/api/2/issue/KANBAN-\\d+/comment' --file policies/ci.toml
  tokenward token new --name report --user alice --include jira-read \\
      --file policies/people.toml | pass insert -e report

A limit line is [methods] and a regular expression for the whole path, then conditions
on the query and the JSON body:
  [get,put]/rest/api/2/issue/[A-Z]+-\\d+
  [get]/rest/api/2/search[QueryParam::jql==project = KANBAN]
  [post]/rest/api/2/filter[JsonData::editable:boolean==false]")]
pub(super) struct Args {
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
    /// When the token expires: 90d (from now), 2027-06-30 or 2027-06-30T12:00:00Z
    ///
    /// Without it, the token never expires.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Line that says what the token may do; may be given more than once
    #[arg(
        long = "limit-to",
        alias = "limit",
        value_name = "LINE",
        required_unless_present = "include"
    )]
    lines: Vec<String>,
    /// Named set of lines, from policies/SET.limits; may be given more than once
    #[arg(long, value_name = "SET")]
    include: Vec<String>,
    /// Whom to ask about the token
    #[arg(long)]
    owner: Option<String>,
    /// What the token is for
    #[arg(long)]
    description: Option<String>,
    /// Policy file; it is created if it is missing
    #[arg(long)]
    file: PathBuf,
    /// Print JSON for programs
    ///
    /// The object contains the secret.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
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
    // Write the entry before the secret is shown: a shown secret must work.
    let prepared = Edit::begin(&config.policies, &args.file)?.with_token(&token)?;
    let finished = finished(prepared, &token.name, Some(&secret), &config)?;
    committed(finished, &token.name, &config)?;
    let file = args.file.display();
    let (name, exposed) = (&token.name, secret.expose());
    // The secret is the only thing on standard output, so that a script can read it.
    let shown = if args.json {
        print_json(&json!({
            "token": name,
            "file": args.file.to_string_lossy(),
            "expires": token.expires.map(|time| format!("{time:.0}")),
            "secret": exposed,
        }))
    } else {
        output::note(&format!(
            "The token `{name}` is in {file}. {}",
            super::change::reshow_note(&config)
        ));
        output::print(&format!("{exposed}\n"))
    };
    shown.map_err(|_| {
        Failure::Trouble(format!(
            "the secret could not be shown, so no one has it: remove `{name}` from {file} and make it again"
        ))
    })
}
