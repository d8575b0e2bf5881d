//! Options of the subcommands that select calls and the audit that contains them.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;
use tokenward_audit::{Filter, PublicKey, SigningKey, UrlPattern, Verdict};
use tokenward_compiler::diagnostic::nearest;
use tokenward_pdp::config::Config;

use super::source::Source;
use super::table::shown;
use super::{Failure, output, policy};
use crate::audit_json::reasons;
use crate::cli::settings::ConfigArg;
use crate::cli::time;

/// Where the audit is.
#[derive(clap::Args)]
pub(super) struct Place {
    /// Store directory, backup or proof to read, even if a proxy is running [default: the configuration's]
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
    /// Only this token
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// Only calls as this user
    #[arg(long)]
    user: Option<String>,
    /// Only calls on behalf of this user
    #[arg(long, value_name = "USER")]
    on_behalf_of: Option<String>,
    /// Address of the client
    #[arg(long, value_name = "IP")]
    client: Option<std::net::IpAddr>,
    /// Only calls with this method, such as GET
    #[arg(long)]
    method: Option<String>,
    /// Only calls whose URL matches this regular expression, such as '/issue/KANBAN-\d+$'
    #[arg(long, value_name = "REGEXP")]
    url: Option<String>,
    /// Only calls with this decision
    #[arg(long, value_enum)]
    decision: Option<Decision>,
    /// Only calls with this reason, such as no-line, or this end, such as upstream-unreachable
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only calls decided by this policy file, or by this line in it
    #[arg(long, value_name = "FILE[:LINE]")]
    line: Option<String>,
    /// Only calls with this response status, such as 403, or this class, such as 4xx
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    #[command(flatten)]
    period: Period,
}

/// Which time.
#[derive(clap::Args)]
pub(super) struct Period {
    /// Only calls from this time on: 2h (ago), 2027-06-30 or 2027-06-30T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only calls before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Period {
    /// The begin and the end, milliseconds since 1970 UTC.
    pub(super) fn times(&self) -> Result<(Option<i64>, Option<i64>), Failure> {
        times(self.since.as_deref(), self.until.as_deref())
    }
}

/// A status, or the first digit of several.
#[derive(Clone, Copy)]
enum Status {
    One(u16),
    Class(u16),
}

fn status(text: &str) -> Result<Status, String> {
    let lower = text.to_ascii_lowercase();
    let class = lower.strip_suffix("xx").map(str::parse);
    match (text.parse(), class) {
        (Ok(status @ 100..=999), _) => Ok(Status::One(status)),
        (_, Some(Ok(class @ 1..=9))) => Ok(Status::Class(class)),
        _ => {
            Err("a status must be a number from 100 to 999, such as 403, or a class, such as 4xx".to_owned())
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Decision {
    /// A policy line allowed it
    Allow,
    /// No policy line allowed it
    Deny,
    /// Refused before the policy was evaluated: no valid token, or an ambiguous request
    Refuse,
}

impl Which {
    /// The filter for a query of this configuration's audit.
    pub(super) fn filter(&self, config: &Config) -> Result<Filter, Failure> {
        let url = self.url.as_deref().map(UrlPattern::new).transpose();
        let (since_ms, until_ms) = self.period.times()?;
        // A reason that the client got after the decision stands in the record's outcome.
        let ended = self.reason.as_deref().and_then(reasons::ended);
        let indistinct = self
            .reason
            .as_deref()
            .map(reasons::indistinct)
            .unwrap_or_default();
        if !indistinct.is_empty() {
            output::note(&format!(
                "The audit does not distinguish this reason from {}; calls with any of them are shown.",
                indistinct.join(" and ")
            ));
        }
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
            reason: self.reason.clone().filter(|_| ended.is_none()),
            line: line.map_err(|message| Failure::Usage(format!("--line: {message}")))?,
            status: match self.status {
                Some(Status::One(status)) => Some(status),
                Some(Status::Class(_)) => None,
                None => ended.and_then(|(_, status)| status),
            },
            status_class: match self.status {
                Some(Status::Class(class)) => Some(class),
                Some(Status::One(_)) | None => None,
            },
            end: ended.and_then(|(end, _)| end),
            ended: None,
        })
    }

    /// Names the values that no call can have, with the nearest ones, on standard error. Whether there is one.
    pub(super) fn note_unknown(&self, config: &Config) -> bool {
        let mut unknown = false;
        let mut note = |what: &str, given: &str, near: Option<&str>| {
            unknown = true;
            note(what, given, near);
        };
        if let Some(reason) = &self.reason
            && !reasons::is_known(reason)
        {
            note("reason", reason, nearest(reason, reasons::all()));
        }
        if self.token.is_none() && self.line.is_none() {
            return unknown;
        }
        // Calls of an earlier policy may be in the audit, so this is not an error.
        let Ok(program) = policy::program(config) else {
            return unknown;
        };
        if let Some(token) = &self.token {
            let names: Vec<&str> = program.tokens().map(|(_, token)| token.name.as_str()).collect();
            if !names.contains(&token.as_str()) {
                note(
                    "token of the policy",
                    token,
                    nearest(token, names.iter().copied()),
                );
            }
        }
        if let Some(line) = &self.line
            && let Ok((file, number)) = line_of(line, &config.policies)
        {
            let lines = policy::lines(&program);
            let files: Vec<&str> = lines.iter().map(|line| line.file).collect();
            if !files.contains(&file.as_str()) {
                note("file of the policy", &file, nearest(&file, files));
            } else if let Some(number) = number
                && !lines
                    .iter()
                    .any(|line| line.file == file && line.number == number)
            {
                note("line of the policy", &format!("{file}:{number}"), None);
            }
        }
        unknown
    }
}

fn note(what: &str, given: &str, near: Option<&str>) {
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    output::note(&format!("`{}` is not a {what}{near}", shown(given)));
}

/// Parses `--since` and `--until` to milliseconds since 1970 UTC.
fn times(since: Option<&str>, until: Option<&str>) -> Result<(Option<i64>, Option<i64>), Failure> {
    let now = Timestamp::now();
    let moment = |option: &str, text: Option<&str>| {
        let time = text.map(|text| time::past(text, now)).transpose();
        time.map(|time| time.map(Timestamp::as_millisecond))
            .map_err(|message| Failure::Usage(format!("{option}: {message}")))
    };
    let (since_ms, until_ms) = (moment("--since", since)?, moment("--until", until)?);
    if since_ms.zip(until_ms).is_some_and(|(since, until)| since > until) {
        let message = "--since is later than --until, so no call can match";
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
                    "`{number}` is not a line number; write FILE:LINE or FILE"
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
