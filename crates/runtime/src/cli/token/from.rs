//! The lines of `token new --from`: read from recorded calls, and proved to allow each of them.

mod shown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tokenward_compiler::source::SourceSet;
use tokenward_compiler::{BaseUrl, compile, compile_within, visible};
use tokenward_pdp::config::Config;
use tokenward_pdp::explain::Question;
use tokenward_pdp::plural::plural;
use tokenward_pdp::servable::bind;
use tokenward_pdp::testing::Bench;

use super::Failure;
use crate::authoring::edit::{NewToken, Prepared, Users, entry};
use crate::authoring::from_calls::{Line, lines};
use crate::capture::{self, Call, Secrets};
use crate::cli::content;
use crate::cli::descriptions::Described;
use crate::cli::time::now_ms;

/// Hosts that are named at most.
const SHOWN: usize = 5;

/// Options for recorded calls.
#[derive(clap::Args)]
pub(super) struct CallArgs {
    /// Write lines for the calls of this file: HAR, Postman collection, or script with curl commands; `-` for standard input; repeatable
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// Base URL at which the calls were recorded [default: the public URL and the upstream's]
    #[arg(long, value_name = "URL", requires = "from")]
    recorded_at: Option<String>,
}

impl CallArgs {
    /// Whether files with calls are named.
    pub(super) fn are_named(&self) -> bool {
        !self.from.is_empty()
    }
}

/// Lines for recorded calls.
pub(super) struct Planned {
    pub(super) lines: Vec<Line>,
    calls: Vec<Recorded>,
    notes: Vec<String>,
}

/// A call as a question to the proxy.
struct Recorded {
    /// The file and the place in it.
    place: String,
    question: Question,
}

/// The token that makes the calls, and the policy in which it has no limits.
pub(super) struct Asking<'a> {
    pub(super) name: &'a str,
    pub(super) user: Option<&'a str>,
    pub(super) unlimited: SourceSet,
}

impl<'a> Asking<'a> {
    /// A token that does not exist yet.
    pub(super) fn of_new(token: &'a NewToken) -> Result<Self, Failure> {
        let unlimited = NewToken {
            unrestricted: true,
            include: Vec::new(),
            lines: Vec::new(),
            ..token.clone()
        };
        Ok(Self {
            name: &token.name,
            user: match &token.users {
                Users::Named(users) => users.first().map(String::as_str),
                Users::Any => Some("someone"),
            },
            unlimited: SourceSet::from_files([("calls.toml".to_owned(), entry(&unlimited)?)]),
        })
    }
}

/// Writes lines for the calls of the files; None without files.
pub(super) fn plan(
    args: &CallArgs,
    described: Option<&Described>,
    token: &Asking<'_>,
    config: &Config,
) -> Result<Option<Planned>, Failure> {
    if !args.are_named() {
        return Ok(None);
    }
    let mut notes = Vec::new();
    let servers = servers(args, config)?;
    let mut calls = Vec::new();
    let mut secrets = Secrets::default();
    for file in &args.from {
        calls.extend(questions(
            file,
            (&servers, token),
            config,
            (&mut notes, &mut secrets),
        )?);
    }
    let bench = Bench::new(config, now_ms()).map_err(Failure::from)?;
    let calls = served(calls, token, (&bench, config), &mut notes)?;
    let judge = bench.as_judge();
    let mut reads = Vec::new();
    for call in &calls {
        let read = judge.read(&call.question);
        reads.push(read.ok_or_else(|| {
            Failure::Usage(format!("{}: the request is ambiguous; correct it", call.place))
        })?);
    }
    let asked: Vec<_> = reads.iter().map(|read| read.asked.clone()).collect();
    let operations = described.map_or(&[][..], |described| &described.all.operations);
    let lines = lines(
        &asked,
        operations,
        (
            config.upstream.public_url.path(),
            config.upstream.product.merges(),
        ),
        &secrets,
    )
    .map_err(|(number, message)| {
        let place = number
            .and_then(|number| calls.get(number))
            .map_or_else(String::new, |call| format!("{}: ", call.place));
        Failure::Usage(format!("{place}{message}"))
    })?;
    for line in &lines {
        for (number, read) in line
            .calls
            .iter()
            .filter_map(|number| Some((number, reads.get(*number)?)))
        {
            if judge.masked(&line.text, read) != line.text || secrets.are_in(&line.text) {
                let place = calls
                    .get(*number)
                    .map(|call| call.place.as_str())
                    .unwrap_or_default();
                return Err(Failure::Usage(format!(
                    "{place}: the call has a secret outside of its credentials, and a line must not contain it; remove it from the file"
                )));
            }
        }
    }
    Ok(Some(Planned { lines, calls, notes }))
}

/// The hosts, with the paths in front of the API, at which calls of this API are made.
fn servers(args: &CallArgs, config: &Config) -> Result<Vec<(String, String)>, Failure> {
    let of = |base: &BaseUrl| (canonical(base.authority()), base.path().to_owned());
    if let Some(url) = &args.recorded_at {
        let base = BaseUrl::parse(url).map_err(|error| Failure::Usage(format!("--recorded-at: {error}")))?;
        return Ok(vec![of(&base)]);
    }
    let upstreams = config
        .upstream
        .urls
        .iter()
        .filter_map(|url| BaseUrl::parse(url).ok());
    Ok(std::iter::once(of(&config.upstream.public_url))
        .chain(upstreams.map(|base| of(&base)))
        .collect())
}

/// A host and its port in one form: in lower case, without the final dot of the host and without the ports of HTTP and HTTPS.
fn canonical(authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority.as_str(), ""),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    match port {
        "" | "80" | "443" => host.to_owned(),
        port => format!("{host}:{port}"),
    }
}

/// The calls of a file as questions. Calls to other hosts are left out, and counted.
fn questions(
    file: &Path,
    (servers, token): (&[(String, String)], &Asking<'_>),
    config: &Config,
    (notes, secrets): (&mut Vec<String>, &mut Secrets),
) -> Result<Vec<Recorded>, Failure> {
    let is_input = file == Path::new("-");
    let shown = match is_input {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let base = &config.upstream.public_url;
    let bytes = match is_input {
        true => content::standard_input(capture::LARGEST_MIB, "split it")?,
        false => content::read(file, capture::LARGEST_MIB, "split it")?,
    };
    let read =
        capture::read(&bytes, base).map_err(|message| Failure::Usage(format!("{shown}: {message}")))?;
    secrets.extend(read.secrets);
    notes.extend(read.notes.into_iter().map(|note| format!("{shown}: {note}")));
    let mut elsewhere: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for call in read.calls {
        let place = format!("{shown}: {}", call.place);
        match target(&call, servers, base) {
            Some(target) => out.push(Recorded {
                place,
                question: question(call, target, token, base),
            }),
            None => *elsewhere.entry(call.authority.unwrap_or_default()).or_default() += 1,
        }
    }
    let count: usize = elsewhere.values().sum();
    if count > 0 {
        let hosts: Vec<&str> = elsewhere.keys().take(SHOWN).map(String::as_str).collect();
        let hosts = visible(&hosts.join(", ")).to_string();
        if out.is_empty() {
            return Err(Failure::Usage(format!(
                "{shown}: no call goes to `{}`, but to {hosts}; give the base URL of the recorded calls with --recorded-at",
                base.as_str()
            )));
        }
        notes.push(format!(
            "{shown}: {count} {} to other servers left out ({hosts})",
            plural(count, "call")
        ));
    }
    Ok(out)
}

/// The target of a call at the proxy; None if the call goes to another server.
fn target(call: &Call, servers: &[(String, String)], base: &BaseUrl) -> Option<String> {
    let authority = canonical(call.authority.as_deref().unwrap_or_default());
    servers
        .iter()
        .filter(|(host, _)| *host == authority)
        .find_map(|(_, path)| {
            let rest = call.target.strip_prefix(path.as_str())?;
            rest.starts_with(['/', '?'])
                .then(|| format!("{}{rest}", base.path()))
        })
}

fn question(call: Call, target: String, token: &Asking<'_>, base: &BaseUrl) -> Question {
    let mut headers = vec![("Host".to_owned(), base.authority().to_owned())];
    headers.extend(call.headers);
    if !call.body.is_empty() {
        headers.push(("Content-Length".to_owned(), call.body.len().to_string()));
    }
    Question {
        token: token.name.to_owned(),
        user: token.user.map(str::to_owned),
        method: call.method,
        target,
        headers,
        ..Question::default()
    }
    .with_body(&call.body)
}

/// The calls that the proxy would send upstream for a token without limits. Calls outside of the endpoints are left out, and counted.
fn served(
    calls: Vec<Recorded>,
    token: &Asking<'_>,
    (bench, config): (&Bench, &Config),
    notes: &mut Vec<String>,
) -> Result<Vec<Recorded>, Failure> {
    let Some(program) = compile(&token.unlimited).program else {
        // The compiler reports the wrong attribute when the token itself is compiled.
        return Ok(calls);
    };
    let program = bind(&program, config)?;
    let mut out = Vec::new();
    let mut outside = Vec::new();
    for call in calls {
        let report = bench.judge(&program, &call.question);
        let report = report.map_err(|incomplete| Failure::Usage(format!("{}: {incomplete}", call.place)))?;
        if report.reason == "outside-endpoints" {
            outside.push(call.place);
        } else if report.is_allowed() && report.status.is_none() {
            out.push(call);
        } else {
            return Err(refused(&call.place, &report.detail, &report.reason));
        }
    }
    match (outside.first(), out.is_empty()) {
        (Some(first), true) => Err(Failure::Usage(format!(
            "{first}: this path and those of all other calls are outside of the endpoints of the proxy; check --recorded-at and upstream.endpoints"
        ))),
        (Some(first), false) => {
            let count = outside.len();
            notes.push(format!(
                "{count} {} outside of the endpoints left out, the first: {first}",
                plural(count, "call")
            ));
            Ok(out)
        }
        (None, _) => Ok(out),
    }
}

fn refused(place: &str, detail: &str, reason: &str) -> Failure {
    Failure::Usage(format!(
        "{place}: no line can allow this call: {} ({reason}); remove it from the file; nothing was written",
        visible(detail.trim_end_matches('.'))
    ))
}

impl Planned {
    /// Proves that the proxy would send each call upstream, with the policy that is about to be written.
    pub(super) fn prove(&self, prepared: &Prepared, token: &str, config: &Config) -> Result<(), Failure> {
        let sources = prepared.sources();
        let compilation = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms());
        let Some(program) = compilation.program else {
            // The errors are shown when the change is judged.
            return super::change::judge(prepared, &[token], config, &config.mode);
        };
        let program = bind(&program, config)?;
        let bench = Bench::new(config, now_ms()).map_err(Failure::from)?;
        for call in &self.calls {
            let report = bench.judge(&program, &call.question);
            let report =
                report.map_err(|incomplete| Failure::Usage(format!("{}: {incomplete}", call.place)))?;
            if !report.is_allowed() || report.status.is_some() {
                return Err(refused(&call.place, &report.detail, &report.reason));
            }
        }
        Ok(())
    }
}
