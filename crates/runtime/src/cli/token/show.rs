//! `tokenward token show`.

use serde_json::json;
use tokenward_compiler::seal::Mode;
use tokenward_compiler::units;
use tokenward_pdp::config::Config;
use tokenward_pdp::text::time;
use zeroize::Zeroizing;

use super::change::hash_of;
use super::known::{self, Known};
use super::{Failure, output, print_json};
use crate::authoring::edit::Edit;
use crate::authoring::keys::{SealingKey, sealing_keys};
use crate::cli::audit::shown;
use crate::cli::settings::ConfigArg;

/// Show all details of a token, or only its secret with --secret
///
/// The secret can be shown in standard mode, if the token was created or rotated while `[keys] sealing_keys` named a
/// key.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token show ci-comments
  tokenward token show ci-comments --secret | pass insert -e ci-comments")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// Print only the secret, on standard output
    #[arg(long)]
    secret: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    if args.secret {
        let secret = secret_of(&args.name, &config)?;
        if args.json {
            return print_json(&json!({ "token": args.name, "secret": secret.as_str() }));
        }
        return output::print_raw(&Zeroizing::new(format!("{}\n", *secret)));
    }
    let known::All {
        tokens,
        silent,
        broken,
    } = known::all(&config)?;
    if broken {
        output::note(
            "The policy has errors. Tokens that cannot be read are not found; see `tokenward compile`.",
        );
    }
    let token = known::one(tokens, &args.name, &config)?;
    if let Some(why) = silent {
        output::note(&format!("Its last use cannot be shown: {why}"));
    }
    if args.json {
        let mut value = token.json();
        if let Some(fields) = value.as_object_mut() {
            let limits = token
                .limits
                .iter()
                .map(|(file, number, text)| json!({ "file": file, "line": number, "text": text }));
            fields.insert("limits".to_owned(), limits.collect());
        }
        return print_json(&value);
    }
    output::print(&text(&token))
}

/// The secret of a token, which the policy file holds encrypted.
pub(super) fn secret_of(name: &str, config: &Config) -> Result<Zeroizing<String>, Failure> {
    if let Mode::Secure(_) = config.mode {
        return Err(Failure::Usage(
            "with mode = \"secure\" a secret is shown only once, when the token is created".to_owned(),
        ));
    }
    let prepared = Edit::of_token(&config.policies, name)?.unchanged();
    let section = prepared.section(name)?;
    let (Some(sealed), Some(hash)) = (section.text("secret_sealed"), hash_of(&section, "secret_hash")) else {
        return Err(Failure::Usage(format!(
            "the secret of `{name}` was not kept, because there was no sealing key when it was created; run `tokenward keys new sealing`, then `tokenward token rotate {name}`"
        )));
    };
    let keys = sealing_keys(&config.keys.sealing).map_err(Failure::trouble)?;
    SealingKey::open(&keys, sealed, &hash)
        .map_err(|error| Failure::Findings(format!("cannot show the secret of `{name}`: {error}")))
}

fn text(token: &Known) -> String {
    let it = &token.attributes;
    let mut out = format!("{}\n", shown(&it.name));
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("  {name:<13}{}\n", shown(&value)));
        }
    };
    // Use and state come first.
    say("for", Some(token.users()));
    say("state", Some(token.state().to_owned()));
    say(
        "expires",
        Some(it.expires.map_or_else(|| "never".to_owned(), time)),
    );
    say(
        "last used",
        token.used.as_ref().map(|used| match &used.last {
            Some(last) => format!("{last}, {} calls in the audit", used.calls),
            None => "never, as far as the audit goes back".to_owned(),
        }),
    );
    say(
        "in",
        token.place.as_ref().map(|(file, line)| format!("{file}:{line}")),
    );
    // Optional attributes are left out if they are unset.
    say("owner", it.owner.clone());
    say("description", it.description.clone());
    let addresses: Vec<String> = it.allowed_ips.iter().map(ToString::to_string).collect();
    say("from", (!addresses.is_empty()).then(|| addresses.join(", ")));
    say(
        "on behalf of",
        (!it.on_behalf_of.is_empty()).then(|| it.on_behalf_of.join(", ")),
    );
    say(
        "mint",
        it.mint
            .then(|| "may call endpoints that issue credentials".to_owned()),
    );
    say(
        "escalate",
        it.escalate
            .then(|| "may call endpoints that grant rights".to_owned()),
    );
    say("rate", it.limits.rate.map(|rate| rate.to_string()));
    say("burst", it.limits.whole_burst().map(|burst| burst.to_string()));
    say(
        "concurrent",
        it.limits.concurrent.map(|calls| format!("{calls} calls")),
    );
    say("max body", it.limits.max_body.map(units::shown_size));
    say(
        "unrestricted",
        it.unrestricted
            .then(|| "allows everything that no line forbids".to_owned()),
    );
    say(
        "secret",
        it.secret_sealed.then(|| "can be shown: --secret".to_owned()),
    );
    say(
        "sealed by",
        it.seal.map(|seal| format!("the key {}", hex::encode(seal.key))),
    );
    // The lines, and the findings about them.
    for (file, number, text) in &token.limits {
        out.push_str(&format!(
            "  {}  {}\n",
            shown(&format!("{file}:{number}")),
            shown(text)
        ));
    }
    for found in &token.findings {
        out.push_str(&format!("  {}: {}\n", found.code, shown(&found.text)));
    }
    out
}
