//! `tokenward fleet status`.

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::operator;
use crate::cli::output;
use crate::cli::settings::ConfigArg;

/// Show the version that the running proxy serves, and why it refuses a newer one
///
/// The exit code is 1 if the manifest in force has expired, if the source has one that the proxy does not take, or if the proxy cannot
/// prove that it knows all revocations.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.required()?;
    let status = operator::get(&config, "/v1/fleet")?;
    if status.is_null() {
        return Err(Failure::Usage(
            "the running proxy does not belong to a fleet; its configuration has no [fleet]".to_owned(),
        ));
    }
    let text = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or_default();
    let holds = |name: &str| status.get(name).and_then(Value::as_bool).unwrap_or_default();
    let version = status.get("version").and_then(Value::as_u64).unwrap_or_default();
    let not_taken = status.get("not_taken").and_then(Value::as_str);
    if args.json {
        output::print(&format!("{status}\n"))?;
    } else {
        let expired = match (holds("expired"), holds("refuses_calls")) {
            (true, true) => ": expired, all calls are refused",
            (true, false) => ": expired, calls are still served as [fleet] on_expired says",
            (false, _) => "",
        };
        let mut shown = format!(
            "fleet      {}\nversion    {version}\npolicy     {}\nsigned by  {}\nissued     {}\nexpires    {}{expired}\n",
            text("fleet"),
            text("digest"),
            text("key"),
            text("issued"),
            text("expires"),
        );
        if let Some(why) = not_taken {
            shown.push_str(&format!("not taken  {why}\n"));
        }
        shown.push_str(&engine(&status));
        output::print(&output::for_people(&shown))?;
    }
    let stale = status.pointer("/engine/stale").and_then(Value::as_bool);
    if holds("expired") || not_taken.is_some() || stale == Some(true) {
        return Err(Failure::Findings(String::new()));
    }
    Ok(())
}

/// The lines about the engine, if the fleet has one.
fn engine(status: &Value) -> String {
    let Some(engine) = status.get("engine") else {
        return String::new();
    };
    let number = |name: &str| engine.get(name).and_then(Value::as_u64).unwrap_or_default();
    let seconds = |name: &str| engine.get(name).and_then(Value::as_f64);
    let text = |name: &str| engine.get(name).and_then(Value::as_str);
    let age = seconds("proof_age_s").map_or("none yet".to_owned(), |age| format!("{age:.1} s old"));
    let most = seconds("max_staleness_s").unwrap_or_default();
    let stale = match engine.get("stale").and_then(Value::as_bool) {
        Some(true) => ": stale, revocations may be unknown",
        _ => "",
    };
    let mut shown = format!(
        "node       {}\nproof      {age}, at most {most} s{stale}\nrevoked    {}\n",
        text("node").unwrap_or_default(),
        number("revocations"),
    );
    if let Some(trouble) = text("trouble") {
        shown.push_str(&format!("servers    {trouble}\n"));
    }
    if let Some(why) = text("last_ignored") {
        shown.push_str(&format!(
            "ignored    {} entries of the stream, the last: {why}\n",
            number("ignored")
        ));
    }
    shown
}
