//! `tokenward explain`: how the proxy would answer a request, and why.

mod admin;
mod advice;
mod case;
mod line;
mod origin;
mod text;

use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokenward_compiler::diagnostic::Code;
use tokenward_pdp::auth::AuthRules;
use tokenward_pdp::config::{Config, reading};
use tokenward_pdp::curl::{self, Sent, Word};
use tokenward_pdp::explain::{Judge, Question, Report};
use tokenward_pdp::request::{self, Method, Reading, Rules, TOKEN_PREFIX};
use tokenward_pdp::secret;
use tokenward_pdp::words::Help;

use super::audit::shown;
use super::explain_code;
use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use super::time::now_ms;
use crate::identity::Identities;
use crate::live::{LoadSettings, ModeInForce, Revocations, beside, policy_at};
use advice::Advice;
use case::Case;
use origin::Origin;

/// Explain how the proxy would answer a request, and why
///
/// Evaluates the request as the proxy does, without making a call. This includes the parsing of the request, the
/// token, the user, the address, the time, the lines and the body. If no line allows the request, the command lists
/// each line of the token with its first part that failed and the value that this part was compared with.
///
/// After a denial, the command also shows the smallest change of the request that the proxy would forward, and the
/// smallest line that would allow the request, as a patch of the token's file. The line is shown only if the policy with
/// it keeps all invariants. After an allowed request, it shows the commit and the author of the line.
///
/// Specify the request by its method and URL, or as a curl command. Secrets are never shown. The exit code is 0 if
/// the request is allowed, and 1 if it is not. With --patch, it is 0 if a patch was printed or none is needed.
///
/// If the only argument is the code of an error or warning, such as TW0107, the command prints its page, like
/// `explain-code`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward explain ci-comments GET /rest/api/2/issue/KANBAN-100/comment
  tokenward explain ci-comments POST /rest/api/2/issue/KANBAN-100/comment \\
      -H 'Content-Type: application/json' -d '{\"body\": \"done\"}'
  tokenward explain ci-comments -- curl -u \"svc-ci:$TOKEN\" https://jira.example.com/rest/api/2/myself
  tokenward explain ci-comments --curl -     a command on standard input, as it was copied
  tokenward explain ci-comments --admin GET /rest/api/2/myself
                                             by the running proxy, with its policy and settings
  tokenward explain ci-comments --patch GET /rest/api/2/myself | git apply
                                             add the smallest line that allows the request
  tokenward explain TW0107                   the page of an error or warning")]
pub(super) struct Args {
    /// Name of the token, or code of an error or warning
    #[arg(value_name = "TOKEN|CODE")]
    token: String,
    /// Method of the request
    method: Option<String>,
    /// URL of the request, or its path below the public URL
    url: Option<String>,
    /// Header of the request: 'Name: value'; may be given more than once
    #[arg(short = 'H', long = "header", value_name = "HEADER", requires = "url")]
    headers: Vec<String>,
    /// Body of the request, as for `curl -d`: text, or @FILE; may be given more than once
    #[arg(
        short,
        long,
        value_name = "TEXT",
        requires = "url",
        allow_hyphen_values = true
    )]
    data: Vec<String>,
    /// Curl command as one argument; `-` reads it from standard input
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["method", "command"], allow_hyphen_values = true)]
    curl: Option<String>,
    /// User that the request is made as [default: the token's only user]
    #[arg(long)]
    user: Option<String>,
    /// Address of the client
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,
    /// Time of the request: 2027-06-30 or 2027-06-30T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(long, value_name = "PLACE", visible_alias = "artifact")]
    policies: Option<PathBuf>,
    /// Ask the running proxy, through its admin listener
    #[arg(long, conflicts_with = "policies")]
    admin: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Print only the patch that adds the smallest line which allows the request, for `git apply`
    #[arg(long, conflicts_with_all = ["json", "admin"])]
    patch: bool,
    /// Do not look up the commit and the author of the line that allows the request
    #[arg(long)]
    no_blame: bool,
    #[command(flatten)]
    config: ConfigArg,
    /// Curl command, after `--`
    #[arg(last = true, value_name = "CURL", conflicts_with = "method")]
    command: Vec<String>,
}

/// Whether a text has the form of a diagnostic's code: `TW9999`.
fn is_like_a_code(text: &str) -> bool {
    let digits = text.strip_prefix("TW").or_else(|| text.strip_prefix("tw"));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let is_alone = args.method.is_none() && args.curl.is_none() && args.command.is_empty();
    if is_alone && args.token.parse::<Code>().is_ok() {
        if args.has_options() {
            return Err(Failure::Usage(format!(
                "`{0}` without a request prints the page of the code, and takes no options; for a token of this name, add a request: `tokenward explain {0} METHOD URL`",
                args.token
            )));
        }
        return explain_code::page(&args.token);
    }
    let config = args.config.or_default()?;
    let sent = given(args, &config)?;
    let question = question(args, &sent)?;
    let place = args.policies.as_ref().unwrap_or(&config.policies);
    let (mut report, advice) = if args.admin {
        (admin::ask(question, &config)?, None)
    } else {
        judge(&question, place, &config)?
    };
    if args.patch {
        return print_patch(&report, advice);
    }
    report.notes.splice(0..0, sent.notes);
    let origin = match report.is_allowed() && !args.no_blame {
        true => origin::of(&report, place),
        false => Ok(None),
    };
    if args.json {
        let answer = Answer {
            report: &report,
            origin: origin.ok().flatten(),
            advice,
        };
        output::print_json(&serde_json::to_value(&answer).map_err(Failure::trouble)?)?;
    } else {
        output::print(&text::of(&report, &origin, advice.as_ref()))?;
    }
    if report.is_allowed() {
        Ok(())
    } else {
        // The report has said all.
        Err(Failure::Findings(String::new()))
    }
}

/// The answer of the proxy in words, without advice.
pub(super) fn story(report: &Report) -> String {
    text::of(report, &Ok(None), None)
}

/// The whole answer, as JSON.
#[derive(serde::Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// Where the line that allows the request comes from; `null` if that is not known.
    origin: Option<Origin>,
    /// What would help; `null` if the request is allowed, or if the running proxy was asked.
    advice: Option<Advice>,
}

/// Prints the patch alone.
fn print_patch(report: &Report, advice: Option<Advice>) -> Result<(), Failure> {
    if report.is_allowed() {
        output::note("the request is allowed already, so there is no patch");
        return Ok(());
    }
    let advice = advice.map(|advice| (advice.new_line, advice.no_new_line));
    match advice {
        Some((Some(line), _)) => output::print_raw(&line.patch),
        Some((None, Some(why))) => Err(Failure::Findings(format!(
            "{}, and there is no patch: {}",
            report.reason,
            shown(&why)
        ))),
        Some((None, None)) | None => Err(Failure::Findings("there is no patch".to_owned())),
    }
}

impl Args {
    /// Whether there are options that only a request has.
    fn has_options(&self) -> bool {
        self.json
            || self.admin
            || self.user.is_some()
            || self.client.is_some()
            || self.at.is_some()
            || self.policies.is_some()
            || self.patch
            || self.no_blame
    }
}

/// The request of the arguments.
fn given(args: &Args, config: &Config) -> Result<Sent, Failure> {
    let base = &config.upstream.public_url;
    let sent = match (&args.curl, &args.url) {
        (Some(text), _) => curl::command(&pasted(text)?, base, curl::Origin::COMMAND),
        (None, Some(url)) => curl::read(&own_words(args, url), base, curl::Origin::ARGUMENTS),
        (None, None) if !args.command.is_empty() => match args.command.as_slice() {
            // A shell may have got the whole command in quotes.
            [text] if text.contains(' ') => curl::command(text, base, curl::Origin::COMMAND),
            words => {
                let words: Vec<Word> = words.iter().map(|word| Word::from(word.as_str())).collect();
                curl::read(&words, base, curl::Origin::COMMAND)
            }
        },
        (None, None) => {
            let token = &args.token;
            let message = match &args.method {
                Some(method) if method.contains('/') => {
                    format!("add the method: `tokenward explain {token} GET {method}`")
                }
                None if is_like_a_code(token) => format!(
                    "no code `{token}`; `tokenward explain-code` lists all. For a token of this name, add a request: `tokenward explain {token} METHOD URL`"
                ),
                _ => format!(
                    "add a request: `tokenward explain {token} METHOD URL`, or `tokenward explain {token} -- curl …`"
                ),
            };
            return Err(Failure::Usage(message));
        }
    };
    let mut sent =
        sent.map_err(|message| Failure::Usage(format!("the request cannot be explained: {message}")))?;
    let note = other_host(&sent, config);
    sent.notes.extend(note);
    Ok(sent)
}

/// Reads a method and a URL as the proxy reads the call, without a body and without credentials.
pub(super) fn reading(method: &str, url: &str, config: &Config) -> Result<(Reading, Rules), Failure> {
    let usage = |message: String| Failure::Usage(format!("the call cannot be read: {message}"));
    let words = ["curl", "--request", &method_of(method), "--url", url].map(Word::from);
    let sent = curl::read(&words, &config.upstream.public_url, curl::Origin::ARGUMENTS).map_err(usage)?;
    if let Some(note) = other_host(&sent, config) {
        output::note(&format!("note: {note}"));
    }
    let question = Question {
        method: sent.method,
        target: sent.target,
        headers: sent.headers,
        ..Question::default()
    };
    let rules = reading::rules(config)?;
    let head = question.head(rules.head_limits());
    let head = head.map_err(|violation| {
        usage(format!(
            "these bytes are not an HTTP request ({})",
            violation.code()
        ))
    })?;
    let fields = head.fields();
    let reading = request::read(&head.raw(&fields), &rules);
    Ok((reading, rules))
}

/// The method as it is sent. People write methods in any case, as policies do.
fn method_of(given: &str) -> String {
    Method::from_name(given).map_or_else(|| given.to_owned(), |method| method.as_str().to_owned())
}

/// The arguments as the words of a command, so that both mean the same.
fn own_words(args: &Args, url: &str) -> Vec<Word> {
    // A curl command is taken as it is.
    let method = method_of(args.method.as_deref().unwrap_or_default());
    let mut words = vec!["curl".to_owned(), "--request".to_owned(), method];
    for header in &args.headers {
        words.extend(["--header".to_owned(), header.clone()]);
    }
    for data in &args.data {
        words.extend(["--data".to_owned(), data.clone()]);
    }
    words.extend(["--url".to_owned(), url.to_owned()]);
    words.iter().map(|word| Word::from(word.as_str())).collect()
}

/// The text of `--curl`.
fn pasted(text: &str) -> Result<String, Failure> {
    /// Longest command that is read.
    const LONGEST: u64 = 16 << 20;
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Failure::Trouble(format!("cannot read the command from standard input: {error}")))?;
    Ok(text)
}

/// Points out a URL of another host than the public URL and the proxy's own address.
fn other_host(sent: &Sent, config: &Config) -> Option<String> {
    let (_, host) = sent
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))?;
    let public = config.upstream.public_url.authority();
    let is_own = host.eq_ignore_ascii_case(public) || *host == config.server.listen.to_string();
    (!is_own).then(|| {
        format!("`{host}` is neither the public URL nor the proxy's address; it is treated as the proxy's")
    })
}

fn question(args: &Args, sent: &Sent) -> Result<Question, Failure> {
    if args.token.starts_with(TOKEN_PREFIX) && secret::is_well_formed(&args.token) {
        return Err(Failure::Usage(
            "specify the token's name, not its secret; `tokenward token list` shows the names".to_owned(),
        ));
    }
    let time_ms = match args.at.as_deref() {
        None => None,
        Some(text) => Some(
            super::time::absolute(text)
                .map(Timestamp::as_millisecond)
                .ok_or_else(|| {
                    Failure::Usage(format!(
                        "--at: `{text}` is not a time; write 2027-06-30 or 2027-06-30T12:00:00Z"
                    ))
                })?,
        ),
    };
    let user = match (&args.user, &sent.user) {
        (Some(asked), Some(user)) if asked != user => {
            return Err(Failure::Usage(format!(
                "the command has the user `{user}`, but --user is `{asked}`; remove --user"
            )));
        }
        (asked, user) => asked.clone().or_else(|| user.clone()),
    };
    Ok(Question {
        token: args.token.clone(),
        user,
        shown: None,
        client: args.client.map(|address| address.to_canonical()),
        time_ms,
        method: sent.method.clone(),
        target: sent.target.clone(),
        headers: sent.headers.clone(),
        body: String::new(),
    }
    .with_body(&sent.body))
}

/// Judges the request by the policy and the configuration here; after a denial, says what would help.
fn judge(question: &Question, place: &Path, config: &Config) -> Result<(Report, Option<Advice>), Failure> {
    // A policy that cannot be used leaves the question open.
    let program =
        policy_at(place, &LoadSettings::of(config), &ModeInForce::of(config)).map_err(Failure::trouble)?;
    let rules = reading::rules(config)?;
    let auth = AuthRules::new(Help::of(config), &config.auth.never_act_as);
    let revoked = Revocations::open(&beside(&config.audit.path)).map_err(Failure::trouble)?;
    let identities = Identities::load(&config.identity);
    let judge = Judge {
        rules: &rules,
        auth: &auth,
        // Credentials that cannot be read are not missing.
        lacks_identity: &|user| {
            let identities = identities.as_ref().ok();
            identities.is_some_and(|identities| identities.headers(user).is_err())
        },
        cors_origins: &config.answers.cors_origins,
        inspect_bytes: config.limits.inspect_bytes,
        body_bytes: config.limits.body_bytes.unwrap_or(u64::MAX),
        limits: config.tokens.limits,
        // A policy with errors was not loaded.
        is_refused: &|_| false,
        is_revoked: &|secret| revoked.has(secret),
        now_ms: now_ms(),
    };
    let mut report = judge
        .explain(&program, question)
        .map_err(|incomplete| Failure::Usage(incomplete.to_string()))?;
    let case = Case {
        judge: &judge,
        program: &program,
        question,
        report: &report,
        config,
        place,
    };
    let advice = (!report.is_allowed()).then(|| advice::of(&case));
    if let Err(error) = &identities {
        report.notes.push(format!(
            "the upstream credentials of the user were not checked: {error}"
        ));
    }
    Ok((report, advice))
}
