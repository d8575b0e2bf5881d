//! The playground's questions, answered from texts alone: whether a policy compiles, how the proxy would answer a request, and
//! what a change of policy gives. Question and answer are JSON.
//!
//! The answers come from the code of `compile --check`, `explain` and `diff`. Two things are missing that only a proxy has:
//! revocations beside the audit, and upstream credentials of users.

use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{Diagnostic, Severity, render_json};
use tokenward_compiler::ir::{Program, Users};
use tokenward_compiler::seal::Mode;
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::{Compilation, compile_within, visible};
use tokenward_pdp::Unanswered;
use tokenward_pdp::check::{Check, Terms};
use tokenward_pdp::compare::{Bound, Lines, Report, render_json as diff_json};
use tokenward_pdp::config::{Config, ConfigError};
use tokenward_pdp::explain::Incomplete;
use tokenward_pdp::pasted::{Pasted, pasted};
use tokenward_pdp::servable::bind;
use tokenward_pdp::side::Side;
use tokenward_pdp::testing::Bench;

/// Largest question, in bytes.
pub(crate) const LARGEST: usize = 1 << 20;
/// States that the proofs of one answer may visit. People wait for it.
const STATES: u64 = 2_000_000;
/// Name of the policy file in messages.
const FILE: &str = "policy.toml";
/// Name of the configuration file in messages.
const CONFIGURATION: &str = "tokenward.toml";

/// A question.
#[derive(Deserialize)]
struct Asked {
    /// Present time, milliseconds since 1970 UTC.
    now_ms: i64,
    /// Text of `tokenward.toml`.
    config: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
enum What {
    /// The errors and the tokens of a policy, without the findings that need a proof.
    Check { policy: String },
    /// All that `tokenward compile --check` finds.
    Prove { policy: String },
    /// How the proxy would answer a request.
    Decide {
        policy: String,
        /// Name of the token; the first one if empty.
        token: String,
        /// A curl command, or the request itself.
        request: String,
        /// User of the request; empty for the token's only user.
        user: String,
        /// Address of the client; empty if the token is not restricted to addresses.
        client: String,
    },
    /// What a change of policy newly allows and newly denies.
    Diff { old: String, new: String },
}

/// Answers a question. The answer has either a member named like the question, or `error` with the part of the question at fault.
pub(crate) fn answer(question: &str) -> String {
    let answered = asked(question).and_then(|asked| {
        let config = configuration(&asked.config)?;
        match &asked.what {
            What::Check { policy } => check(policy, &config, asked.now_ms),
            What::Prove { policy } => prove(policy, &config, asked.now_ms),
            What::Decide {
                policy,
                token,
                request,
                user,
                client,
            } => decide((policy, token), (request, user, client), &config, asked.now_ms),
            What::Diff { old, new } => compare(old, new, &config, asked.now_ms),
        }
    });
    match answered {
        Ok(value) => value.to_string(),
        Err(wrong) => json!({
            "error": { "part": wrong.part, "message": visible(&wrong.message), "diagnostics": wrong.diagnostics },
        })
        .to_string(),
    }
}

/// Reason why a question has no answer.
struct Wrong {
    /// The part of the question at fault.
    part: &'static str,
    message: String,
    diagnostics: Vec<Value>,
}

impl Wrong {
    fn of(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            message: message.into(),
            diagnostics: Vec::new(),
        }
    }

    fn unanswered(part: &'static str, why: &Unanswered) -> Self {
        Self::of(part, why.to_string())
    }
}

fn asked(question: &str) -> Result<Asked, Wrong> {
    if question.len() > LARGEST {
        return Err(Wrong::of(
            "question",
            "the texts are larger than 1 MiB together; use the command for policies of this size",
        ));
    }
    serde_json::from_str(question).map_err(|error| Wrong::of("question", error.to_string()))
}

fn configuration(text: &str) -> Result<Config, Wrong> {
    let config = Config::parse_as_written(text, Path::new(CONFIGURATION), |_| true).map_err(|error| {
        let message = match error {
            ConfigError::Invalid(problems) => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                lines.join("\n")
            }
            error => error.to_string(),
        };
        Wrong::of("config", message)
    })?;
    match config.mode {
        Mode::Standard => Ok(config),
        Mode::Secure(_) => Err(Wrong::of(
            "config",
            "the playground does not check signatures, so it cannot compile a policy in secure mode; remove `mode = \"secure\"`",
        )),
    }
}

fn sources(policy: &str) -> SourceSet {
    SourceSet::from_files([(FILE.to_owned(), policy.to_owned())])
}

fn compiled(sources: &SourceSet, config: &Config, now_ms: i64) -> Compilation {
    compile_within(sources, &config.mode, &config.tokens.ceiling(), now_ms)
}

fn rows(sources: &SourceSet, diagnostics: &[Diagnostic]) -> Vec<Value> {
    let lines = render_json(sources, diagnostics);
    // Each line is an object that was just rendered.
    lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn tokens(program: Option<&Program>) -> Vec<Value> {
    let tokens = program.into_iter().flat_map(Program::tokens);
    tokens
        .map(|(_, token)| {
            let users = match &token.users {
                Users::Named(users) => json!(users),
                Users::Any => Value::Null,
            };
            json!({ "name": token.name, "users": users, "addresses": !token.allowed_ips.is_empty() })
        })
        .collect()
}

fn check(policy: &str, config: &Config, now_ms: i64) -> Result<Value, Wrong> {
    let sources = sources(policy);
    let found = compiled(&sources, config, now_ms);
    Ok(json!({ "check": {
        "diagnostics": rows(&sources, &found.diagnostics),
        "tokens": tokens(found.program.as_ref()),
    } }))
}

fn prove(policy: &str, config: &Config, now_ms: i64) -> Result<Value, Wrong> {
    let sources = sources(policy);
    let terms = Terms {
        config,
        budget: &Budget::new(STATES),
        now_ms,
        is_gated: false,
    };
    let check = Check::new(&sources, terms, None, &mut |_, _, _| {});
    let found = check.map_err(|why| Wrong::unanswered("policy", &why))?.finish();
    Ok(json!({ "prove": {
        "diagnostics": rows(&sources, &found.diagnostics),
        "open": found.open + found.lints_open,
    } }))
}

/// Compiles a policy for use.
fn program(policy: &str, part: &'static str, config: &Config, now_ms: i64) -> Result<Side, Wrong> {
    let sources = sources(policy);
    let Compilation {
        program,
        mut diagnostics,
        source_map,
        ..
    } = compiled(&sources, config, now_ms);
    let Some(program) = program else {
        diagnostics.retain(|found| found.severity == Severity::Error);
        return Err(Wrong {
            diagnostics: rows(&sources, &diagnostics),
            ..Wrong::of(part, "The policy does not compile.")
        });
    };
    let policy = (program, source_map, diagnostics.as_slice());
    Ok(Side::compiled(FILE.to_owned(), config.clone(), sources, policy))
}

fn decide(
    (policy, token): (&str, &str),
    (request, user, client): (&str, &str, &str),
    config: &Config,
    now_ms: i64,
) -> Result<Value, Wrong> {
    // The policy, as the proxy serves it.
    let side = program(policy, "policy", config, now_ms)?;
    let bound = bind(&side.program, config).map_err(|why| Wrong::unanswered("policy", &why))?;
    let first = bound.tokens().next().map(|(_, token)| token.name.clone());
    let Some(first) = first else {
        return Err(Wrong::of("policy", "The policy has no tokens."));
    };
    // The question.
    let Pasted { mut question, notes } =
        pasted(request, &config.upstream.public_url).map_err(|why| Wrong::of("request", why))?;
    question.token = if token.is_empty() { first } else { token.to_owned() };
    question.time_ms = Some(now_ms);
    question.client = match client {
        "" => None,
        text => Some(text.parse::<IpAddr>().map(|ip| ip.to_canonical()).map_err(|_| {
            Wrong::of(
                "client",
                format!("`{text}` is not an IP address, such as 192.0.2.7"),
            )
        })?),
    };
    match (&question.user, user) {
        (_, "") => {}
        (Some(named), user) if named != user => {
            let message =
                format!("the command has the user `{named}`; leave the field empty, or use that user");
            return Err(Wrong::of("user", message));
        }
        (_, user) => question.user = Some(user.to_owned()),
    }
    // The answer.
    let bench = Bench::new(config, now_ms).map_err(|error| Wrong::of("config", error.to_string()))?;
    let mut report = bench.judge(&bound, &question).map_err(incomplete)?;
    report.notes.splice(0..0, notes);
    let report = serde_json::to_value(&report).map_err(|error| Wrong::of("question", error.to_string()))?;
    Ok(json!({ "decide": report }))
}

/// Names the field of the page that the answer depends on.
fn incomplete(incomplete: Incomplete) -> Wrong {
    match &incomplete {
        Incomplete::NoSuchToken { .. } | Incomplete::Secret => Wrong::of("token", incomplete.to_string()),
        Incomplete::User(token) => Wrong::of(
            "user",
            format!("`{token}` works for more than one user; name the user of the request"),
        ),
        Incomplete::TwoUsers => Wrong::of(
            "user",
            "the request has credentials, which name the user; leave the field empty",
        ),
        Incomplete::Client(token) => Wrong::of(
            "client",
            format!("`{token}` works only from certain addresses; name the client's address"),
        ),
        Incomplete::OtherToken(other) => Wrong::of(
            "token",
            format!("the request has the secret of another token, `{other}`; choose that one"),
        ),
        Incomplete::Length(..) | Incomplete::Body | Incomplete::Hash => {
            Wrong::of("request", incomplete.to_string())
        }
    }
}

fn compare(old: &str, new: &str, config: &Config, now_ms: i64) -> Result<Value, Wrong> {
    let old = program(old, "old", config, now_ms)?;
    let new = program(new, "new", config, now_ms)?;
    let budget = Budget::new(STATES);
    let failed = |why: Unanswered| Wrong::unanswered("new", &why);
    let bound = Bound::new(&old, &new).map_err(failed)?;
    let mut lines = Lines::new(&bound, &budget).map_err(failed)?;
    let mut report = Report::new((&old, &new), (&bound, &mut lines), &budget, |_, _| {}).map_err(failed)?;
    report.explain(&mut lines, &new);
    let shown = serde_json::from_str::<Value>(&diff_json::render(&report));
    let shown = shown.map_err(|error| Wrong::of("question", error.to_string()))?;
    Ok(json!({ "diff": shown }))
}

#[cfg(test)]
mod tests;
