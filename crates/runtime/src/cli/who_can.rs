//! `tokenward who-can`: the tokens that can make one call, or calls of one operation.

use std::path::PathBuf;

use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::ask::{Question, who};
use tokenward_compiler::diagnostic::nearest;
use tokenward_compiler::ir::TokenId;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::inspect::check_query;
use tokenward_pdp::request::{Canonical, Method, Reading, Refusal, Rules, SELF_PATH};

use super::ask::{Asked, Blocked, Ended, Format, Policy, end, show_reaches, wrong};
use super::audit::shown as shown_text;
use super::descriptions::DescriptionArgs;
use super::explain;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::reach;
use super::settings::ConfigArg;

/// List the tokens that can make one call
///
/// Reads the call as the proxy does, and lists every token that may make it, without a proxy: by which lines, under
/// which conditions on the body and the caller, with an example. The query is that of the URL. The body may be any but a
/// form. A call that issues credentials or gives rights also needs `mint` or `escalate`.
///
/// With a description of the API (--openapi, or `[api] descriptions` in the configuration), it also answers for one
/// operation, by its `operationId` or its path with parameters: see `tokenward reach`.
///
/// The exit code is 0 if the question was answered, also if no token can make the call. It is 2 if the call has an
/// error, and 3 if an answer is not settled or the policy cannot be used.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward who-can DELETE /rest/api/2/issue/KANBAN-100
  tokenward who-can GET 'https://jira.example.com/rest/api/2/search?jql=project%20%3D%20HR'
  tokenward who-can deleteIssue                   an operation of the API's description
  tokenward who-can DELETE '/rest/api/2/issue/{issueIdOrKey}'
  tokenward who-can --json PUT /rest/api/2/issue/KANBAN-100/assignee")]
pub(super) struct Args {
    /// Method of the call, or the name of an operation
    method: String,
    /// URL of the call, its path below the public URL, or the path of an operation
    url: Option<String>,
    #[command(flatten)]
    descriptions: DescriptionArgs,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    budget: u64,
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(long, value_name = "PLACE", visible_alias = "artifact")]
    policies: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let format = if args.json { Format::Json } else { args.format };
    end(answer(args, format), format)
}

fn answer(args: &Args, format: Format) -> Result<Ended, Failure> {
    let config = args.config.or_default()?;
    let url = match &args.url {
        Some(url) if !url.contains('{') => url,
        url => return of_operation(args, url.as_deref(), &config, format),
    };
    check_method(&args.method)?;
    let (reading, rules) = explain::reading(&args.method, url, &config)?;
    let policy = Policy::read(args.policies.as_deref(), &config)?;
    let asked = Asked::call(&shown(args, &reading));
    // A call that the proxy refuses before it looks at lines is one that no token can make.
    let call = match readable(&reading)? {
        Ok(call) => call,
        Err(why) => {
            let all = policy.tokens().into_iter();
            let blocked: Vec<Blocked> = all
                .map(|token| Blocked {
                    token,
                    why: why.clone(),
                })
                .collect();
            return refuse(&asked, &policy, &blocked, (&why, format));
        }
    };
    let question = question(call, &config)?;
    let (tokens, blocked) = apart(&policy, call, &rules);
    let budget = Budget::new(args.budget);
    let mut progress = Progress::new("tokens checked");
    let settings = (universe(&config), &budget);
    let mut ask = |tokens: &[TokenId]| {
        let told = |done, of| progress.tell(done, of);
        who(&question, (&policy.program, tokens), settings, told).map_err(Failure::trouble)
    };
    let mut reaches = ask(&tokens)?;
    let stopped: Vec<TokenId> = blocked.iter().map(|one| one.token).collect();
    let stopped = ask(&stopped)?;
    // Of the tokens that something else stops, only those are of interest whose lines allow the call.
    let (would, would_not): (Vec<_>, Vec<_>) = blocked
        .into_iter()
        .zip(stopped)
        .partition(|(_, reach)| reach.may());
    reaches.extend(would_not.into_iter().map(|(_, reach)| reach));
    let blocked: Vec<Blocked> = would.into_iter().map(|(blocked, _)| blocked).collect();
    show_reaches(&asked, &policy, (&reaches, &blocked), format)
}

/// Answers for one operation of the API's description.
fn of_operation(args: &Args, path: Option<&str>, config: &Config, format: Format) -> Result<Ended, Failure> {
    let is_method = Method::from_name(&args.method).is_some();
    let name = match path {
        Some(path) => format!("{} {path}", args.method),
        None if is_method => {
            return Err(Failure::Usage(shown_text(&format!(
                "`{}` is a method; give the URL of the call, too",
                args.method
            ))));
        }
        None => args.method.clone(),
    };
    let described = args.descriptions.read(config)?;
    let operation = described.find(&name)?;
    let policy = Policy::read(args.policies.as_deref(), config)?;
    let format = match format {
        Format::Text => reach::Format::Table,
        Format::Json => reach::Format::Json,
    };
    let budget = Budget::new(args.budget);
    reach::show(
        (&described, Some(operation)),
        (&policy, None),
        (config, &budget),
        format,
    )
}

/// Refuses a method that is nearly one that lines can name: of any other method, lines permit nothing.
fn check_method(given: &str) -> Result<(), Failure> {
    let near = nearest(given, Method::NAMED.iter().map(|method| method.as_str()));
    match near {
        Some(near) if Method::from_name(given).is_none() => Err(Failure::Usage(shown_text(&format!(
            "`{given}` is not an HTTP method; did you mean `{near}`?"
        )))),
        _ => Ok(()),
    }
}

/// Method and URL of the call as the proxy reads it, without secrets.
fn shown(args: &Args, reading: &Reading) -> String {
    match &reading.head {
        Ok(call) => format!("{} {}", call.method_text, call.url()),
        Err(_) => format!("{} {}", args.method, reading.shown_url),
    }
}

/// The call, or the reason for which the proxy refuses it from everybody.
fn readable(reading: &Reading) -> Result<Result<&Canonical, String>, Failure> {
    let refused = |refusal: &Refusal| {
        format!(
            "the proxy refuses the call ({}): {}",
            refusal.reason.code(),
            refusal.detail
        )
    };
    if let Err(refusal) = &reading.framing {
        return Ok(Err(refused(refusal)));
    }
    if !reading.in_endpoints {
        return Ok(Err(
            "the proxy does not serve this path; `endpoints` in `[upstream]` lists those that it serves"
                .to_owned(),
        ));
    }
    match &reading.head {
        Ok(call) if call.path == SELF_PATH => Err(Failure::Usage(format!(
            "the proxy itself answers `{SELF_PATH}`, for every token; ask about a call to the upstream"
        ))),
        Ok(call) => Ok(Ok(call)),
        Err(refusal) => Ok(Err(refused(refusal))),
    }
}

fn refuse(
    asked: &Asked,
    policy: &Policy,
    blocked: &[Blocked],
    (why, format): (&str, Format),
) -> Result<Ended, Failure> {
    if format == Format::Json {
        return show_reaches(asked, policy, (&[], blocked), format);
    }
    output::print(&shown_text(&format!("No token may {}: {why}", asked.may())))?;
    output::print("\n")?;
    Ok(Ok(()))
}

fn question(call: &Canonical, config: &Config) -> Result<Question, Failure> {
    let query: Vec<(String, String)> = call
        .query
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()))
        .collect();
    let method = (call.method, &*call.method_text);
    Question::call(method, &call.path, &query, &config.upstream.public_url).map_err(|error| wrong(&error))
}

/// The tokens whose lines decide, and those whose calls the proxy refuses for another reason.
fn apart(policy: &Policy, call: &Canonical, rules: &Rules) -> (Vec<TokenId>, Vec<Blocked>) {
    let needs = rules.needs(call);
    let (mut tokens, mut blocked) = (Vec::new(), Vec::new());
    for (id, token) in policy.program.tokens() {
        let why = if let Some(lacking) = needs.lacking(token.mint, token.escalate) {
            let keys = [("mint", lacking.mint), ("escalate", lacking.escalate)];
            let keys: Vec<String> = keys
                .into_iter()
                .filter(|(_, lacks)| *lacks)
                .map(|(key, _)| format!("`{key} = true`"))
                .collect();
            Some(format!("it lacks {}", keys.join(" and ")))
        } else if check_query(&policy.program, id, call, rules).is_err() {
            Some("a parameter is ambiguous for its lines (ambiguous-parameter)".to_owned())
        } else {
            None
        };
        match why {
            Some(why) => blocked.push(Blocked { token: id, why }),
            None => tokens.push(id),
        }
    }
    (tokens, blocked)
}
