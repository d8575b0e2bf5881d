//! `tokenward token snippet`.

use serde_json::json;
use tokenward_compiler::policy::{Token, Users};
use tokenward_compiler::seal::Mode;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::{compile_within, resolve_policy};
use tokenward_pdp::config::{Config, reading};

use super::show::secret_of;
use super::{Failure, output, print_json};
use crate::authoring::snippet::{Asked, Call, Language, Scheme, Secret, Snippet, VARIABLE, witness};
use crate::cli::settings::ConfigArg;
use crate::cli::time::now_ms;

/// Show a complete call that the token allows, ready to run
///
/// The command finds a call from the token's lines that the proxy would allow, with a body if a line needs one. If no
/// call is found, it reports this and the exit code is 1. In standard mode the call contains the secret, if it was
/// kept. Otherwise the call reads it from the environment variable TOKENWARD_TOKEN. If the token has several users or
/// any_user, --user selects the user.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token snippet ci-comments
  tokenward token snippet ci-comments --lang python > call.py
  tokenward token snippet ci-comments --lang postman --env > call.json
  newman run call.json --env-var \"TOKENWARD_TOKEN=$TOKENWARD_TOKEN\"")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// Language of the call
    #[arg(long, value_enum, default_value_t = Language::Curl)]
    lang: Language,
    /// User that the request is made as [default: the token's only user]
    #[arg(long)]
    user: Option<String>,
    /// Read the secret from the environment variable TOKENWARD_TOKEN instead of including it
    #[arg(long)]
    env: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let name = &args.name;
    let (token, call, line) = call_of(name, &config)?;
    let snippet = Snippet {
        token: name,
        call: &call,
        scheme: scheme(&token, args.user.as_deref(), &config)?,
        secret: secret(args, &config),
    };
    let text = snippet.text(args.lang);
    if args.json {
        return print_json(&json!({
            "token": name,
            "method": call.method.as_str(),
            "url": call.url,
            "body": call.body,
            "line": line,
            "snippet": text,
        }));
    }
    output::print(&text)
}

/// Gives the secret, unless it is left out or cannot be shown; in that case a note says so.
fn secret(args: &Args, config: &Config) -> Secret {
    if args.env || config.mode != Mode::Standard {
        return Secret::Environment;
    }
    match secret_of(&args.name, config) {
        // The snippet is printed, so its copy is not overwritten.
        Ok(secret) => Secret::Shown(secret.as_str().to_owned()),
        Err(failure) => {
            output::note(&format!(
                "The call reads the secret from the environment variable {VARIABLE}: {}.",
                failure.message()
            ));
            Secret::Environment
        }
    }
}

/// Chooses the authentication scheme: one that the configuration accepts and that fits the token.
fn scheme(token: &Token, user: Option<&str>, config: &Config) -> Result<Scheme, Failure> {
    let it = &token.attributes;
    if !config.auth.methods.basic() {
        return match &it.users {
            Users::Named(users) if users.len() == 1 => Ok(Scheme::Bearer),
            Users::Named(_) | Users::Any => Err(Failure::Usage(format!(
                "[auth] methods accepts only \"bearer\", which does not work for `{}`, a token without a single user",
                it.name
            ))),
        };
    }
    match (&it.users, user) {
        (Users::Named(users), Some(user)) if !users.iter().any(|known| known == user) => Err(Failure::Usage(
            format!("`{}` works for {}, not for `{user}`", it.name, users.join(", ")),
        )),
        (_, Some(user)) => Ok(Scheme::Basic(user.to_owned())),
        (Users::Named(users), None) => Ok(Scheme::Basic(users.first().cloned().unwrap_or_default())),
        (Users::Any, None) => Err(Failure::Usage(format!(
            "`{}` works for any user; specify the user with --user",
            it.name
        ))),
    }
}

/// The token, a call that it may make, and the line that it was made from.
fn call_of(name: &str, config: &Config) -> Result<(Token, Call, Option<String>), Failure> {
    if config.policies.is_file() {
        return Err(crate::authoring::edit::EditError::Compiled(config.policies.clone()).into());
    }
    let sources = SourceSet::read_dir(&config.policies, Links::WithinDirectory).map_err(Failure::trouble)?;
    // Read requests and compile the policy as the proxy does.
    let rules = reading::rules(config)?;
    let program = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms())
        .program
        .ok_or_else(|| {
            Failure::Findings(
                "the policy has errors, so the proxy would allow no call; see `tokenward compile`".to_owned(),
            )
        })?;
    let program = program
        .bind(&config.upstream.public_url)
        .map_err(|error| Failure::Findings(error.to_string()))?
        .merging_body(rules.merges());
    // The program decides, but the lines are only in the resolved policy, so both are needed.
    let found = program.tokens().find(|(_, token)| token.name == name);
    let resolved = resolve_policy(&sources)
        .tokens
        .into_iter()
        .find(|token| token.attributes.name == name);
    let (Some((id, _)), Some(token)) = (found, resolved) else {
        let tokens: Vec<&str> = program.tokens().map(|(_, token)| token.name.as_str()).collect();
        return Err(crate::authoring::edit::EditError::NoSuchToken {
            name: name.to_owned(),
            directory: config.policies.clone(),
            near: tokenward_compiler::diagnostic::nearest(name, tokens).map(str::to_owned),
        }
        .into());
    };
    let asked = Asked {
        program: &program,
        rules: &rules,
        id,
    };
    // A call outside of the served endpoints would be refused.
    let endpoints = match config.upstream.endpoints.as_slice() {
        [] => config
            .upstream
            .product
            .endpoints()
            .iter()
            .map(|one| (*one).to_owned())
            .collect(),
        given => given.to_vec(),
    };
    let call = witness(&asked, &token, &endpoints).ok_or_else(|| {
        Failure::Findings(format!(
            "no call found that the proxy would allow for `{name}`; `tokenward inspect --token {name}` shows its lines"
        ))
    })?;
    let line = call.line.map(|span| sources.text(span).to_owned());
    Ok((token, call, line))
}
