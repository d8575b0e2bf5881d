//! Options of the subcommands that select calls and the audit that contains them.

use std::path::{Path, PathBuf};

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

    /// Opens the path that was named; otherwise the configured store, or the proxy that has it open.
    pub(super) fn source(&self, config: &Config) -> Result<Source, Failure> {
        match &self.store {
            Some(path) => Source::files(path),
            None => Source::open(config),
        }
    }

    /// Reads the keys in `files`; without any, the configured key. Empty if there is none.
    pub(super) fn keys(&self, files: &[PathBuf], config: &Config) -> Result<Vec<PublicKey>, Failure> {
        let named: Result<Vec<_>, _> = files.iter().map(|file| PublicKey::read(file)).collect();
        let mut keys = named.map_err(|error| Failure::Usage(format!("--key: {error}")))?;
        if let (true, None, Some(secret)) = (keys.is_empty(), &self.store, &config.audit.signing_key) {
            let mut public = secret.clone().into_os_string();
            public.push(".pub");
            // The secret key may be readable only by the proxy.
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
    #[arg(long, value_parser = clap::value_parser!(u16).range(100..=999))]
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
    /// The filter for a query of this configuration's audit.
    pub(super) fn filter(&self, config: &Config) -> Result<Filter, Failure> {
        let url = self.url.as_deref().map(UrlPattern::new).transpose();
        let (since_ms, until_ms) = times(self.since.as_deref(), self.until.as_deref())?;
        let line = self.line.as_deref();
        let line = line.map(|line| line_of(line, &config.policies)).transpose();
        Ok(Filter {
            since_ms,
            until_ms,
            request_id: None,
            token: self.token.clone(),
            user: self.user.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            // Formatted as by the proxy: without the IPv6 form of an IPv4 address.
            client: self.client.map(|client| client.to_canonical()),
            // Policies write methods in lower case, requests in upper case.
            method: self.method.as_deref().map(str::to_ascii_uppercase),
            url: url.map_err(|error| Failure::Usage(format!("--url: {error}")))?,
            verdict: self.decision.map(|decision| match decision {
                Decision::Allow => Verdict::Allow,
                Decision::Deny => Verdict::Deny,
                Decision::Refuse => Verdict::Refuse,
            }),
            reason: self.reason.clone(),
            line: line.map_err(|message| Failure::Usage(format!("--line: {message}")))?,
            status: self.status,
            ended: None,
        })
    }
}

/// Parses `--since` and `--until` to milliseconds since 1970 UTC.
pub(super) fn times(since: Option<&str>, until: Option<&str>) -> Result<(Option<i64>, Option<i64>), Failure> {
    let now = Timestamp::now();
    let moment = |option: &str, text: Option<&str>| {
        let time = text.map(|text| time::past(text, now)).transpose();
        time.map(|time| time.map(Timestamp::as_millisecond))
            .map_err(|message| Failure::Usage(format!("{option}: {message}")))
    };
    let (since_ms, until_ms) = (moment("--since", since)?, moment("--until", until)?);
    if since_ms.zip(until_ms).is_some_and(|(since, until)| since > until) {
        let message = "--since is later than --until: no call is both";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok((since_ms, until_ms))
}

/// Parses a policy file and optionally a line in it: `jira/ci.toml:12`, `jira/ci.toml`, or a path to the file such as
/// `policies/jira/ci.toml:12`.
fn line_of(text: &str, policies: &Path) -> Result<(String, Option<u32>), String> {
    let (path, number) = match text.rsplit_once(':') {
        Some((path, number)) => match number.parse() {
            Ok(number @ 1..) => (path, Some(number)),
            _ if text.ends_with(".toml") => (text, None),
            _ => {
                return Err(format!(
                    "`{number}` is no number of a line; write FILE:LINE or FILE"
                ));
            }
        },
        None => (text, None),
    };
    let given = Path::new(path);
    // A path written as in the audit is not looked up on disk.
    let below = given
        .strip_prefix(policies)
        .ok()
        .map(Path::to_owned)
        .or_else(|| {
            let (given, policies) = (given.canonicalize().ok()?, policies.canonicalize().ok()?);
            given.strip_prefix(policies).ok().map(Path::to_owned)
        })
        .filter(|below| !below.as_os_str().is_empty());
    let file = below.map_or_else(|| path.to_owned(), |below| below.to_string_lossy().into_owned());
    Ok((file, number))
}
