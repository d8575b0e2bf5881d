//! Converts tokens of the export to tokens of Tokenward, or gives the reason why not.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tokenward_compiler::analysis::Universe;
use tokenward_compiler::diagnostic::{Diagnostic, Severity};
use tokenward_compiler::{compile, source::SourceSet};
use tokenward_pdp::config::Config;
use tokenward_pdp::secret::{Secret, hash_text, strength};

use super::escape::{self, Escaped};
use super::export::{Broken, Exported, unknown_keys};
use super::extender;
use super::meaning;
use super::report::{Imported, Report};
use crate::authoring::edit::{self, NewToken, Users};
use crate::cli::Failure;
use crate::new_secret;

/// Characters that a secret may have; the estimate of its strength takes time with their square.
const MAX_SECRET: usize = 512;

/// Restrictions that the user lifts.
#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) new_secrets: bool,
    pub(super) allow_unrestricted: bool,
    /// Keys that this import does not know are passed over.
    pub(super) pass_unknown: bool,
    /// The configuration accepts `%2F` in paths.
    pub(super) encoded_slash: bool,
    pub(super) now: Timestamp,
}

/// Judges every token by itself. `taken`: names of the policy, with their files.
pub(super) fn convert(
    tokens: Vec<Result<Exported, Broken>>,
    taken: &HashMap<String, String>,
    config: &Config,
    options: Options,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    let mut names = HashSet::new();
    let mut secrets: HashMap<String, String> = HashMap::new();
    for token in tokens {
        // Tokens that cannot be read, or have expired, are reported and left out.
        let exported = match token {
            Ok(exported) => exported,
            Err(broken) => {
                report.broken.push(broken);
                continue;
            }
        };
        if let Some(expires) = exported.expires.filter(|expires| *expires <= options.now) {
            let why = format!("it expired on {}", expires.strftime("%Y-%m-%d"));
            report.left_out.push((exported.label, why));
            continue;
        }
        // Names and secrets must be unique in the policy.
        let label = exported.label.clone();
        let name = free_name(&label, &mut names);
        let judged = match taken.get(&name) {
            Some(file) => Err(format!(
                "the name `{name}` already exists in `{file}`; if the token was imported before, nothing needs to be done, otherwise change its label"
            )),
            None => judge(exported, name, options),
        };
        let judged = judged.and_then(|imported| match secrets.get(&imported.token.secret_hash) {
            Some(other) => Err(format!(
                "it has the same secret as `{other}`; create a new secret for one of them"
            )),
            None => Ok(imported),
        });
        // Find the lines whose meaning changes, and report them with the token.
        match judged {
            Ok(mut imported) => {
                secrets.insert(imported.token.secret_hash.clone(), label);
                let lines = (&imported.token, imported.quoted.as_slice());
                imported.changes = meaning::changes(lines, &config.upstream.public_url, Universe::default())
                    .map_err(Failure::trouble)?;
                report.imported.push(imported);
            }
            Err(why) => report.broken.push(Broken { label, why }),
        }
    }
    Ok(report)
}

/// The label, or the first of `label-2`, `label-3`… that no token before it has.
fn free_name(label: &str, names: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{label}-{number}"));
    let free = std::iter::once(label.to_owned())
        .chain(numbered)
        .find(|name| !names.contains(name))
        .unwrap_or_default();
    names.insert(free.clone());
    free
}

fn judge(exported: Exported, name: String, options: Options) -> Result<Imported, String> {
    let mut decisions = Vec::new();
    if !exported.unknown.is_empty() {
        let unknown = unknown_keys(&exported.unknown);
        if !options.pass_unknown {
            return Err(format!(
                "{unknown}; ignore them with --keep-going if they have no effect"
            ));
        }
        decisions.push(format!("{unknown}: check whether they restrict the token"));
    }
    // Collect the decisions that a person must make. Only missing lines can stop the import, since they allow everything.
    if name != exported.label {
        decisions.push(format!(
            "another token also has the label `{}`, so this one is named `{name}`",
            exported.label
        ));
    }
    if exported.user.is_none() {
        decisions.push(
            "it has no user, so the caller supplies the user name: add a `user`, or list the administrators in `never_act_as`"
                .to_owned(),
        );
    }
    if exported.lines.is_empty() {
        if !options.allow_unrestricted {
            return Err("it has no lines, so it allows everything that its user can do; add lines, or use --allow-unrestricted".to_owned());
        }
        decisions.push("it has no lines: it allows everything that its user can do".to_owned());
    }
    if exported.expires.is_none() {
        decisions.push("it never expires: add `expires`".to_owned());
    }
    // Lines that Tokenward refuses and Extender allowed get an escape, which keeps their meaning.
    let (mut lines, mut quoted) = (Vec::with_capacity(exported.lines.len()), Vec::new());
    for line in exported.lines {
        match escape::escaped(&line, options.encoded_slash) {
            Some(Escaped::Same(escaped)) => {
                decisions.push(format!(
                    "`{line}` is written as `{escaped}`, which has the same meaning; check it, because it may be a mistake"
                ));
                if escape::adds_quotes(&line, &escaped) {
                    quoted.push(lines.len());
                }
                lines.push(escaped);
            }
            Some(Escaped::Other) => {
                return Err(format!(
                    "`{line}` is refused as it is, and no line with escapes is proved to have the same meaning, as with some anchors within a regexp; write the intended line"
                ));
            }
            None => lines.push(line),
        }
    }
    for line in &lines {
        if let Some(form) = extender::unknown_form(line) {
            decisions.push(format!("check `{line}`: {form}"));
        }
    }
    // The token must compile by itself before it is written.
    let (secret_hash, new_secret) = secret(exported.secret.as_deref(), options)?;
    let token = NewToken {
        name,
        users: exported.user.map_or(Users::Any, |user| Users::Named(vec![user])),
        secret_hash,
        expires: exported.expires,
        owner: None,
        description: Some(exported.description),
        allowed_ips: exported.allowed_ips,
        limits: tokenward_compiler::call_limits::CallLimits::NONE,
        include: Vec::new(),
        unrestricted: lines.is_empty(),
        lines,
    };
    compiles(&token)?;
    Ok(Imported {
        label: exported.label,
        token,
        decisions,
        quoted,
        changes: Vec::new(),
        new_secret,
    })
}

/// Gives the hash, and the secret itself if it was generated here.
fn secret(given: Option<&str>, options: Options) -> Result<(String, Option<Secret>), String> {
    match given {
        Some(secret) if secret.chars().count() > MAX_SECRET => Err(format!(
            "its secret has more than {MAX_SECRET} characters; create a new one"
        )),
        Some(secret) if strength::bits(secret) < strength::REQUIRED => Err(format!(
            "its secret is weak: about {:.0} bits, {:.0} are required; create a new one",
            strength::bits(secret),
            strength::REQUIRED
        )),
        Some(secret) => Ok((hash_text(secret), None)),
        None if options.new_secrets => {
            let secret = new_secret::generate().map_err(|error| error.to_string())?;
            Ok((secret.hash_text(), Some(secret)))
        }
        None => Err(
            "the export has no secret for it (secure mode); create new secrets with --new-secrets".to_owned(),
        ),
    }
}

/// Whether the token by itself compiles as a policy; otherwise the compiler's message.
fn compiles(token: &NewToken) -> Result<(), String> {
    let text = edit::entry(token).map_err(|error| error.to_string())?;
    let sources = SourceSet::from_files([("imported.toml".to_owned(), text)]);
    let compilation = compile(&sources);
    let is_error = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
    let errors: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(is_error)
        .map(|diagnostic| {
            let mut text = format!(
                "`{}`: {}",
                sources.text(diagnostic.primary.span),
                diagnostic.headline
            );
            if let Some(help) = &diagnostic.help {
                text.push_str("; ");
                text.push_str(help);
            }
            text
        })
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors.join("\n"))
    }
}
