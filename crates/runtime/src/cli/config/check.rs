//! The items of `tokenward config check`.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::process::geteuid;
use tokenward_audit::in_use;
use tokenward_compiler::findings::dead_here;
use tokenward_compiler::ir::Program;
use tokenward_compiler::policy::Users;
use tokenward_pdp::config::reading::reading;
use tokenward_pdp::config::{Config, Hardening};
use tokenward_pdp::plural::plural;
use tokenward_pdp::request::Rules;

use super::item::{Item, Result, item};
use super::{files, ports};
use crate::fleet;
use crate::hardening;
use crate::identity::Identities;
use crate::live::{LoadSettings, ModeInForce, PolicyError, Revocations, beside, policy_at};
use crate::proxy::{UpstreamSettings, ask_once};
use crate::serve::{owner_of, store_access};
use crate::value_key;

/// Checks everything, in the order in which `serve` uses it.
pub(super) fn all(config: &Config, ask_upstream: bool) -> Vec<Item> {
    let running = ports::Running::find(config);
    let fleet = config.fleet.as_ref().map(|fleet| fleet::check(config, fleet));
    // A proxy of a fleet loads the published policy.
    let (file, place) = match &fleet {
        Some(Ok(checked)) => (checked.policy(), checked.place.as_path()),
        Some(Err(_)) | None => (config.policies.as_path(), config.policies.as_path()),
    };
    let program = policy_at(file, &LoadSettings::of(config), &ModeInForce::of(config));
    let identity = identity(config, program.as_ref().ok());
    let mut items = vec![
        item("configuration", configuration(config)),
        item("user", user(config)),
        item("policy", policy(place, config, program)),
        item("revocations", revocations(config)),
        item("request rules", rules(config)),
        item("identity", identity),
    ];
    if let Some(checked) = &fleet {
        let checked = checked.as_ref().map(|checked| checked.detail.as_str());
        items.insert(1, item("fleet", Result::of(checked)));
    }
    items.extend(files::all(config));
    items.extend(ports::all(config, running.as_ref()));
    items.push(item("audit store", store(config, running.is_some())));
    items.push(item("hardening", hardened(config)));
    items.extend(upstream(config, ask_upstream));
    items
}

fn configuration(config: &Config) -> Result {
    let file = config.file.as_ref().map(|file| file.display().to_string());
    Result::Right(file.unwrap_or_default())
}

/// Root can open everything, so its check would show nothing about the proxy's user.
fn user(config: &Config) -> Result {
    let me = geteuid();
    match owner_of(&config.audit.path) {
        Some(owner) if me.is_root() && owner != 0 => Result::NotChecked(format!(
            "root can read every file, but the audit store belongs to uid {owner}; run `sudo -u '#{owner}' tokenward config check`"
        )),
        _ => Result::Right(format!("uid {}", me.as_raw())),
    }
}

/// Judges the policy as `serve` does, which refuses the calls of tokens whose forbid lines have no effect here. Its warnings
/// are those of `tokenward compile --check`.
fn policy(place: &Path, config: &Config, program: std::result::Result<Program, PolicyError>) -> Result {
    let path = place.display();
    let program = match program {
        Ok(program) => program,
        Err(PolicyError::Compile { faults, .. }) => {
            let first = faults
                .first()
                .map(|fault| format!(", the first at {}: {}", fault.place, fault.error))
                .unwrap_or_default();
            return Result::Wrong(format!(
                "{path}: {} {}{first}; run `tokenward compile {path}`",
                faults.len(),
                plural(faults.len(), "error")
            ));
        }
        Err(error) => return Result::Wrong(error.to_string()),
    };
    let settings = LoadSettings::of(config);
    let dead = dead_here(&program, settings.universe, &settings.served);
    if let Some(first) = dead.first() {
        return Result::Wrong(format!(
            "{path}: {} forbid {} without effect, so calls of {} get 403 `policy-error`; the first at {}: {}",
            dead.len(),
            plural(dead.len(), "line"),
            some(dead.iter().flat_map(|line| &line.tokens).map(String::as_str)),
            first.place,
            first.reason
        ));
    }
    let count = program.tokens().count();
    Result::Right(format!("{path}: {count} {}", plural(count, "token")))
}

/// Shows a few of these names, sorted, and how many there are besides.
fn some<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 5;
    let names: BTreeSet<&str> = names.collect();
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        shown.push(format!("{} others", names.len() - SHOWN));
    }
    shown.join(", ")
}

fn revocations(config: &Config) -> Result {
    let path = beside(&config.audit.path);
    let count = Revocations::open(&path)
        .map(|revocations| format!("{}: {} revoked secrets", path.display(), revocations.count()));
    Result::of(count)
}

fn rules(config: &Config) -> Result {
    let path = UpstreamSettings::read(config)
        .ok()
        .map(|upstream| upstream.path().to_owned());
    match value_key::load(&config.audit_values) {
        Ok(kept) => Result::of(Rules::new(&reading(config, path, kept)).map(|_| "valid")),
        Err(error) => Result::Wrong(error.to_string()),
    }
}

/// Checks the credentials, and that each user of a token has one: without it, each call gets 403 `no-upstream-identity`.
fn identity(config: &Config, program: Option<&Program>) -> Result {
    let identities = match Identities::load(&config.identity) {
        Ok(identities) => identities,
        Err(error) => return Result::Wrong(error.to_string()),
    };
    let tokens = program
        .into_iter()
        .flat_map(Program::tokens)
        .map(|(_, token)| token);
    let users = tokens.filter(|token| !token.revoked).flat_map(|token| {
        let named = match &token.users {
            Users::Named(users) => users.as_slice(),
            Users::Any => &[],
        };
        named.iter().chain(&token.on_behalf_of)
    });
    let lacking: BTreeSet<&str> = users
        .map(String::as_str)
        .filter(|user| identities.headers(user).is_err())
        .collect();
    if lacking.is_empty() {
        return Result::Right("credentials can be used".to_owned());
    }
    Result::Wrong(format!(
        "there are no credentials for {}; calls of their tokens get 403 `no-upstream-identity`",
        some(lacking.into_iter())
    ))
}

fn store(config: &Config, running: bool) -> Result {
    let path = &config.audit.path;
    let shown = path.display();
    if path.exists() && !path.is_dir() {
        return Result::Wrong(format!("`{shown}` is not a directory; [audit] path names one"));
    }
    if let Err(error) = store_access(path, &beside(path)) {
        return Result::Wrong(error.to_string());
    }
    match (in_use(path), running) {
        (true, true) => Result::Right(format!("{shown}: in use by the running proxy")),
        (true, false) => Result::Wrong(format!(
            "{shown}: another process has it open, and no proxy answers at [admin] listen"
        )),
        (false, _) if path.exists() => Result::Right(format!("{shown}: can be read and written")),
        (false, _) => Result::Right(format!("{shown}: `serve` creates it")),
    }
}

fn hardened(config: &Config) -> Result {
    match config.server.hardening {
        Hardening::Off => Result::Skipped("off".to_owned()),
        level => match (hardening::unsupported(), level) {
            (None, _) => Result::Right("the kernel can enforce all of it".to_owned()),
            (Some(why), Hardening::Required) => Result::Wrong(format!("required, but {why}")),
            (Some(why), _) => Result::Right(format!("best effort: {why}")),
        },
    }
}

fn upstream(config: &Config, ask: bool) -> Vec<Item> {
    let settings = match UpstreamSettings::read(config) {
        Ok(settings) => settings,
        Err(error) => return vec![item("upstream", Result::Wrong(error.to_string()))],
    };
    if !ask {
        let urls = config.upstream.urls.join(", ");
        let detail = format!("{urls}: not asked; `--ask-upstream` sends one request to each address");
        return vec![item("upstream", Result::Skipped(detail))];
    }
    match ask_once(&settings) {
        Ok(answers) => answers
            .into_iter()
            .map(|(address, answer)| {
                let found = answer.map(|status| format!("{address} answers {status}"));
                item(
                    "upstream",
                    Result::of(found.map_err(|why| format!("{address}: {why}"))),
                )
            })
            .collect(),
        Err(error) => vec![item("upstream", Result::NotChecked(error.to_string()))],
    }
}
