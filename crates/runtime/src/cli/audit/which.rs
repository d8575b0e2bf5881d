//! The options by which a verb says which calls it is about, and where they are.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use tokenward_audit::{Filter, PublicKey, SigningKey, UrlPattern, Verdict};

use super::Failure;
use super::source::Source;
use crate::cli::settings::ConfigArg;
use crate::cli::time;
use crate::config::Config;

/// Where the audit is.
#[derive(clap::Args)]
pub(super) struct Place {
    /// A store's directory, a backup or a proof to read, whether a proxy runs or not [default: the configuration's]
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

impl Place {
    pub(super) fn config(&self) -> Result<Config, Failure> {
        self.config.or_default()
    }

    /// What is at the place that was named; else the configuration's store, or the proxy that has it open.
    pub(super) fn source(&self, config: &Config) -> Result<Source, Failure> {
        match &self.store {
            Some(path) => Source::files(path),
            None => Source::open(config),
        }
    }

    /// The keys of `files`; without any, that of the configuration. None where there is none.
    pub(super) fn keys(&self, files: &[PathBuf], config: &Config) -> Result<Vec<PublicKey>, Failure> {
        let named: Result<Vec<_>, _> = files.iter().map(|file| PublicKey::read(file)).collect();
        let mut keys = named.map_err(|error| Failure::Usage(format!("--key: {error}")))?;
        if let (true, None, Some(secret)) = (keys.is_empty(), &self.store, &config.audit.signing_key) {
            let mut public = secret.clone().into_os_string();
            public.push(".pub");
            // The secret itself may be readable by the proxy alone.
            let key = PublicKey::read(public.as_ref())
                .or_else(|_| SigningKey::read(secret).map(|key| key.public()))
                .map_err(Failure::trouble)?;
            keys.push(key);
        }
        Ok(keys)
    }
}

/// Which calls.
#[derive(clap::Args)]
pub(super) struct Which {
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
    /// Calls whose URL has a match of this regular expression: '/issue/KANBAN-\d+$'
    #[arg(long, value_name = "REGEXP")]
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
    pub(super) fn filter(&self) -> Result<Filter, Failure> {
        let now = Timestamp::now();
        let url = self.url.as_deref().map(UrlPattern::new).transpose();
        Ok(Filter {
            since_ms: moment("--since", self.since.as_deref(), now)?,
            until_ms: moment("--until", self.until.as_deref(), now)?,
            request_id: None,
            token: self.token.clone(),
            user: self.user.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            client: self.client,
            method: self.method.clone(),
            url: url.map_err(|error| Failure::Usage(format!("--url: {error}")))?,
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

/// What an option says of a time, milliseconds since 1970 UTC.
pub(super) fn moment(option: &str, text: Option<&str>, now: Timestamp) -> Result<Option<i64>, Failure> {
    let time = text.map(|text| time::past(text, now)).transpose();
    time.map(|time| time.map(Timestamp::as_millisecond))
        .map_err(|message| Failure::Usage(format!("{option}: {message}")))
}

/// A policy file and perhaps a line of it, from `jira/ci.toml:12` or `jira/ci.toml`.
fn line_of(text: &str) -> (String, Option<u32>) {
    let numbered = text
        .rsplit_once(':')
        .and_then(|(file, number)| Some((file.to_owned(), Some(number.parse().ok()?))));
    numbered.unwrap_or_else(|| (text.to_owned(), None))
}
