//! `tokenward token rotate`.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokenward_pdp::config::parse_duration;
use tokenward_pdp::secret::shown_hash;

use super::change::{committed, finished, hash_of, refuse_in_secure, reshow_note};
use super::{Failure, output, print_json};
use crate::authoring::edit::{Change, Edit, Key};
use crate::cli::settings::ConfigArg;
use crate::cli::time;
use crate::new_secret;

/// Give a token a new secret; the old one stays valid for the overlap period
///
/// The command prints the new secret to standard output. The old secret stays valid for the overlap period, so that
/// its users can change to the new one. `tokenward token list` shows which clients still use it. A token has at most
/// one old secret: a second rotation within an overlap ends the oldest one.
///
/// If a secret has leaked, use `--overlap none`. Not available in secure mode: revoke the token and create another.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token rotate ci-comments --overlap 7d
  tokenward token rotate ci-comments --overlap none --expires 90d")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// Time for which the old secret stays valid, such as 12h or 7d; or none
    #[arg(long, value_name = "DURATION", default_value = "7d")]
    overlap: String,
    /// When the token expires: 90d (from now), 2027-06-30 or 2027-06-30T12:00:00Z
    ///
    /// Without this option, the expiry does not change.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Print JSON, for programs
    ///
    /// The object contains the secret.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    refuse_in_secure(&config, "rotate")?;
    let now = Timestamp::now();
    // Check the arguments before a secret is generated.
    let until =
        end_of(&args.overlap, now).map_err(|message| Failure::Usage(format!("--overlap: {message}")))?;
    let expires = args.expires.as_ref().map(|text| time::expiry(text, now));
    let expires = expires
        .transpose()
        .map_err(|message| Failure::Usage(format!("--expires: {message}")))?;
    let secret = new_secret::generate().map_err(Failure::trouble)?;
    let name = &args.name;
    let prepared = Edit::of_token(&config.policies, name)?.unchanged();
    let section = prepared.section(name)?;
    if section.says(prepared.text(), "revoked", "true") {
        return Err(Failure::Usage(format!(
            "`{name}` is revoked; create another token"
        )));
    }
    let old = hash_of(&section, "secret_hash").ok_or_else(|| {
        Failure::Findings(format!(
            "`{name}` has no `secret_hash`; `tokenward compile` shows details"
        ))
    })?;
    // Replace the hash; the old one stays valid for the overlap.
    let mut changes = vec![Change::Text(Key::SecretHash, secret.hash_text())];
    match until {
        Some(until) => changes.extend([
            Change::Text(Key::PreviousSecretHash, shown_hash(&old)),
            Change::Moment(Key::PreviousUntil, until),
        ]),
        None => changes.extend([
            Change::Without(Key::PreviousSecretHash),
            Change::Without(Key::PreviousUntil),
        ]),
    }
    // The encrypted old secret must not remain; it can only be replaced if there is a key.
    changes.push(Change::Without(Key::SecretSealed));
    changes.extend(expires.map(|expires| Change::Moment(Key::Expires, expires)));
    let overtaken = hash_of(&section, "previous_secret_hash").is_some();
    let prepared = finished(prepared.with(name, &changes)?, name, Some(&secret), &config)?;
    let path = prepared.path().to_owned();
    committed(prepared, name, &config)?;
    let until = until.map(|until| format!("{until:.0}"));
    if overtaken {
        output::note("If the secret from before the last rotation was still valid, it is no longer.");
    }
    // The secret is the only thing on standard output, so that a script can read it.
    let shown = if args.json {
        print_json(&json!({
            "token": name,
            "file": path.to_string_lossy(),
            "previous_until": until,
            "secret": secret.expose(),
        }))
    } else {
        let old = match &until {
            Some(until) => format!("is valid until {until}"),
            None => "is no longer valid".to_owned(),
        };
        output::note(&format!(
            "Token `{name}` has a new secret in {}; the old one {old}. {}",
            path.display(),
            reshow_note(&config)
        ));
        output::print_raw(&format!("{}\n", secret.expose()))
    };
    shown.map_err(|_| {
        Failure::Trouble(format!(
            "the secret could not be shown, so no one has it: rotate `{name}` again"
        ))
    })
}

/// When an overlap that begins now ends; `None` for no overlap.
fn end_of(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    if text == "none" {
        return Ok(None);
    }
    let end = parse_duration(text)
        .and_then(|overlap| SignedDuration::try_from(overlap).ok())
        .and_then(|overlap| now.checked_add(overlap).ok());
    end.map(Some)
        .ok_or_else(|| format!("`{text}` is not a duration; write 12h, 7d, or none"))
}
