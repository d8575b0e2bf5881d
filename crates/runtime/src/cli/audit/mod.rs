//! `tokenward audit`: what was called, by whom, and what was decided.

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use tokenward_audit::{Filter, Page, Sequence, Verdict};

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use super::time;
use crate::config::Config;

mod question;
mod source;
mod table;

use source::Source;
use table::Heading;

/// Read the record of calls
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show recorded calls, the newest first
    #[command(after_help = "\
Examples:
  tokenward audit list --since 2h --decision deny
  tokenward audit list --token ci-comments --json | jq .url
  tokenward audit list --line ci.toml:12 --limit 1000

Works while the proxy runs, through its admin listener, and while it does not, from the store.")]
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many calls
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
        /// The oldest first
        #[arg(long)]
        oldest_first: bool,
    },
    /// Show the last calls, then new ones as they are made, until Ctrl-C
    #[command(after_help = "\
Examples:
  tokenward audit tail
  tokenward audit tail --decision deny --json")]
    Tail {
        #[command(flatten)]
        which: Which,
        /// Begin with so many earlier calls
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=10_000))]
        limit: u16,
    },
}

#[derive(clap::Args)]
struct Which {
    /// Calls with this token
    #[arg(long)]
    token: Option<String>,
    /// Calls as this user
    #[arg(long)]
    user: Option<String>,
    /// Calls on behalf of this user
    #[arg(long, value_name = "USER")]
    on_behalf_of: Option<String>,
    /// Calls from this address
    #[arg(long, value_name = "IP")]
    client: Option<std::net::IpAddr>,
    /// Calls with this method: GET
    #[arg(long)]
    method: Option<String>,
    /// Calls whose URL has this in it
    #[arg(long, value_name = "PART")]
    url: Option<String>,
    /// Calls so decided
    #[arg(long, value_enum)]
    decision: Option<Decision>,
    /// Calls decided for this reason: no-line
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Calls that this policy file, or this line of it, decided
    #[arg(long, value_name = "FILE[:LINE]")]
    line: Option<String>,
    /// Calls answered with this status
    #[arg(long)]
    status: Option<u16>,
    /// Calls from this time on: 2h (ago), 2027-06-30 or 2027-06-30T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Calls before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Clone, Copy, ValueEnum)]
enum Decision {
    /// A policy line allowed it
    Allow,
    /// No policy line allowed it
    Deny,
    /// It was refused before any policy was asked: no valid token, or no one reading
    Refuse,
}

impl Which {
    fn filter(&self) -> Result<Filter, Failure> {
        let now = Timestamp::now();
        let moment = |option: &str, text: &Option<String>| {
            let time = text.as_ref().map(|text| time::past(text, now)).transpose();
            time.map(|time| time.map(Timestamp::as_millisecond))
                .map_err(|message| Failure::Usage(format!("{option}: {message}")))
        };
        Ok(Filter {
            since_ms: moment("--since", &self.since)?,
            until_ms: moment("--until", &self.until)?,
            request_id: None,
            token: self.token.clone(),
            user: self.user.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            client: self.client,
            method: self.method.clone(),
            url_contains: self.url.clone(),
            verdict: self.decision.map(|decision| match decision {
                Decision::Allow => Verdict::Allow,
                Decision::Deny => Verdict::Deny,
                Decision::Refuse => Verdict::Refuse,
            }),
            reason: self.reason.clone(),
            line: self.line.as_deref().map(line_of),
            status: self.status,
            ended: None,
        })
    }
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::List {
            which,
            limit,
            oldest_first,
        } => list(&which, limit, oldest_first),
        Action::Tail { which, limit } => tail(&which, limit),
    }
}

fn list(which: &Which, limit: u16, oldest_first: bool) -> Result<(), Failure> {
    let config = which.config.or_default()?;
    let page = Page {
        limit: limit.into(),
        newest_first: !oldest_first,
        ..Page::default()
    };
    let filter = which.filter()?;
    let calls = Source::open(&config)?.list(&filter, page)?;
    if calls.is_empty() {
        output::note("No such calls.");
    }
    show(&calls, which.json, Heading::Shown)
}

/// All recorded calls, the newest first, wherever the audit is open; at most 10 000.
pub(crate) fn recorded(config: &Config) -> Result<Vec<String>, Failure> {
    let page = Page {
        limit: 10_000,
        ..Page::default()
    };
    Source::open(config)?.list(&Filter::default(), page)
}

fn tail(which: &Which, limit: u16) -> Result<(), Failure> {
    let config = which.config.or_default()?;
    let filter = which.filter()?;
    let source = Source::open(&config)?;
    let mut page = Page {
        limit: limit.max(1).into(),
        ..Page::default()
    };
    let mut earlier = source.list(&filter, page)?;
    earlier.reverse();
    page.after = earlier.last().and_then(|call| sequence(call));
    if limit == 0 {
        earlier.clear();
    }
    show(&earlier, which.json, Heading::Shown)?;
    let Source::Admin(admin) = source else {
        output::note("No proxy has the audit open, so no new calls come: these were the last.");
        return Ok(());
    };
    admin.tail(&filter, page, |call| {
        show(&[call.to_owned()], which.json, Heading::Left)
    })?;
    output::note("The proxy stopped.");
    Ok(())
}

fn sequence(call: &str) -> Option<Sequence> {
    let call: serde_json::Value = serde_json::from_str(call).ok()?;
    call.get("sequence")?.as_u64().map(Sequence)
}

fn show(calls: &[String], json: bool, heading: Heading) -> Result<(), Failure> {
    let text = if json {
        calls.iter().map(|call| format!("{call}\n")).collect()
    } else {
        table::of(calls, heading)
    };
    output::print(&text)
}

/// A policy file and perhaps a line of it, from `jira/ci.toml:12` or `jira/ci.toml`.
fn line_of(text: &str) -> (String, Option<u32>) {
    let numbered = text
        .rsplit_once(':')
        .and_then(|(file, number)| Some((file.to_owned(), Some(number.parse().ok()?))));
    numbered.unwrap_or_else(|| (text.to_owned(), None))
}
