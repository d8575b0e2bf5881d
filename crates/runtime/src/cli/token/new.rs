//! `tokenward token new`.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokenward_compiler::call_limits::{CallLimits, Rate};
use tokenward_compiler::units;

use super::change::{committed, finished};
use super::dry_run::{self, Given};
use super::reached::Reached;
use super::{Failure, file, from, operation, output, print_json};
use crate::authoring::edit::{Edit, NewToken, Users};
use crate::cli::descriptions::DescriptionArgs;
use crate::cli::settings::ConfigArg;
use crate::cli::time;
use crate::new_secret;

/// Create a token in a policy file, and show its secret once
///
/// The command prints the secret to standard output only. The file contains its hash and, in standard mode with a
/// sealing key, the encrypted secret. In secure mode the entry is sealed. Existing content of the file is not
/// changed. A running proxy loads the token within a second.
///
/// With --from, the lines are written for recorded calls: a HAR archive, a Postman collection or a script with curl
/// commands. The command proves that the new token can make each of them. Credentials in the file are neither shown nor
/// kept.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token new --name ci-comments --user svc-ci --expires 90d \\
      --limit-to '[post]/rest/api/2/issue/KANBAN-\\d+/comment'
  tokenward token new --name ci-issue --user svc-ci --openapi jira.json \\
      --operation 'GET /rest/api/2/issue/{issueIdOrKey}' --where issueIdOrKey='KANBAN-\\d+'
  tokenward token new --name nightly --user svc-ci --from calls.har --openapi jira.json
  tokenward token new --name report --user alice --include jira-read \\
      --file policies/people.toml | pass insert -e report

A limit line is [methods] and a regular expression for the whole path, then conditions
on the query and the JSON body:
  [get,put]/rest/api/2/issue/[A-Z]+-\\d+
  [get]/rest/api/2/search[QueryParam::jql==project = KANBAN]
  [post]/rest/api/2/filter[JsonData::editable:boolean==false]")]
pub(super) struct Args {
    /// Name of the token, used in messages and in the audit
    #[arg(long)]
    name: String,
    /// User that the calls are made as; may be given more than once
    #[arg(
        long = "user",
        value_name = "USER",
        required_unless_present = "any_user",
        conflicts_with = "any_user"
    )]
    users: Vec<String>,
    /// The token works for any user; the caller supplies the user name
    #[arg(long)]
    any_user: bool,
    /// When the token expires: 90d (from now), 2027-06-30 or 2027-06-30T12:00:00Z
    ///
    /// The default is `max_lifetime` of [tokens] in the configuration. Without both, the token never expires.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Limit line of the token; may be given more than once
    #[arg(
        long = "limit-to",
        alias = "limit",
        value_name = "LINE",
        required_unless_present_any = ["include", "operations", "from"]
    )]
    lines: Vec<String>,
    /// Operation of the API that the token may call: its `operationId`, or its method and path; repeatable
    #[arg(long = "operation", value_name = "OPERATION")]
    operations: Vec<String>,
    /// Values of a parameter in the path of these operations: NAME=REGEXP; repeatable
    #[arg(long = "where", value_name = "PARAMETER", requires = "operations")]
    values: Vec<String>,
    #[command(flatten)]
    descriptions: DescriptionArgs,
    /// Named set of lines, from policies/SET.limits; may be given more than once
    #[arg(long, value_name = "SET")]
    include: Vec<String>,
    #[command(flatten)]
    calls: from::CallArgs,
    /// Maximum number of calls per time, such as 600/1m [default: the configuration's]
    #[arg(long, value_name = "RATE")]
    rate: Option<Rate>,
    /// Maximum number of calls at once [default: the number in the rate]
    #[arg(long, value_name = "CALLS", requires = "rate")]
    burst: Option<NonZeroU32>,
    /// Maximum number of calls in progress [default: the configuration's]
    #[arg(long, value_name = "CALLS")]
    concurrent: Option<NonZeroU32>,
    /// Maximum size of a request body, such as 1MiB [default: the configuration's]
    #[arg(long, value_name = "SIZE", value_parser = body_size)]
    max_body: Option<u64>,
    /// Person or team to ask about the token
    #[arg(long)]
    owner: Option<String>,
    /// Purpose of the token
    #[arg(long)]
    description: Option<String>,
    /// Print the lines, and create no token
    #[arg(long)]
    dry_run: bool,
    /// Policy file; created if it does not exist
    ///
    /// The default is the only file with tokens. If no file has tokens, apart from the example of `tokenward init`, it is
    /// NAME.toml in the policy directory. If several files have tokens, the option is required.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Print JSON, for programs
    ///
    /// The object contains the secret.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let mut lines = args.lines;
    if args.descriptions.are_given() && args.operations.is_empty() && !args.calls.are_named() {
        return Err(Failure::Usage(
            "--openapi is for --operation and --from; add one of them, or leave it out".to_owned(),
        ));
    }
    let described = match (args.operations.is_empty(), args.calls.are_named()) {
        (false, _) => Some(args.descriptions.read(&config)?),
        (true, true) => args.descriptions.read_if_named(&config)?,
        (true, false) => None,
    };
    let mut meant = BTreeSet::new();
    if let (Some(described), false) = (&described, args.operations.is_empty()) {
        for name in &args.operations {
            let operation = described.all.operations.get(described.find(name)?);
            meant.extend(operation.map(|operation| operation.name()));
        }
        lines.extend(operation::lines(
            (described, &args.operations),
            &args.values,
            &config,
        )?);
    }
    let file = match args.file {
        Some(file) => file,
        // Nothing is written there.
        None if args.dry_run => config.policies.join("dry-run.toml"),
        None => file::for_token(&config, &args.name)?,
    };
    let secret = new_secret::generate().map_err(Failure::trouble)?;
    let now = Timestamp::now();
    let expires = match &args.expires {
        Some(text) => Some(time::expiry(text, now)),
        None => config.tokens.max_lifetime.map(|longest| latest(now, longest)),
    };
    let mut token = NewToken {
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
        limits: CallLimits {
            rate: args.rate,
            burst: args.burst,
            concurrent: args.concurrent,
            max_body: args.max_body,
        },
        include: args.include,
        lines,
        unrestricted: false,
    };
    let asking = from::Asking::of_new(&token)?;
    let planned = from::plan(&args.calls, described.as_ref(), &asking, &config)?;
    let own = token.lines.len();
    if let Some(planned) = &planned {
        token
            .lines
            .extend(planned.lines.iter().map(|line| line.text.clone()));
    }
    // Write the entry before the secret is shown: a shown secret must work.
    let prepared = Edit::begin(&config.policies, &file)?.with_token(&token)?;
    let finished = finished(prepared, &token.name, Some(&secret), &config)?;
    if let Some(planned) = &planned {
        planned.prove(&finished, &token.name, &config)?;
    }
    let reached = match &described {
        Some(described) => Reached::of(&finished, &token.name, described, &config)?,
        None => None,
    };
    let given = Given {
        lines: token.lines.get(..own).unwrap_or_default(),
        sets: &token.include,
        operations: meant,
    };
    if args.dry_run {
        super::change::judge(&finished, &[&token.name], &config, &config.mode)?;
        return dry_run::print(&given, (planned.as_ref(), reached.as_ref()), args.json);
    }
    if let Some(reached) = &reached {
        output::note(given.operations_text(reached).trim_end());
    }
    if let Some(planned) = &planned {
        output::note(planned.text(reached.as_ref()).trim_end());
    }
    committed(finished, &token.name, &config)?;
    let shown_file = file.display();
    let (name, exposed) = (&token.name, secret.expose());
    // The secret is the only thing on standard output, so that a script can read it.
    let shown = if args.json {
        let mut shown = json!({
            "token": name,
            "file": file.to_string_lossy(),
            "expires": token.expires.map(|time| format!("{time:.0}")),
            "secret": exposed,
        });
        if planned.is_some() || !given.operations.is_empty() {
            let lines = dry_run::lines(&given, planned.as_ref(), reached.as_ref());
            if let Some(object) = shown.as_object_mut() {
                object.insert("lines".to_owned(), lines.into());
            }
        }
        print_json(&shown)
    } else {
        output::note(&format!(
            "Token `{name}` created in {shown_file}. {}",
            super::change::reshow_note(&config)
        ));
        output::print_raw(&format!("{exposed}\n"))
    };
    shown.map_err(|_| {
        Failure::Trouble(format!(
            "the secret could not be shown, so no one has it; remove `{name}` from {shown_file} and create it again"
        ))
    })
}

fn body_size(text: &str) -> Result<u64, String> {
    units::size(text).ok_or_else(|| format!("`{text}` is not a size; write a number and B, KiB, MiB or GiB"))
}

/// The latest expiry that the configuration allows.
fn latest(now: Timestamp, longest: Duration) -> Result<Timestamp, String> {
    let longest = SignedDuration::try_from(longest).ok();
    longest
        .and_then(|longest| now.checked_add(longest).ok())
        .ok_or_else(|| "[tokens] max_lifetime is out of range".to_owned())
}
