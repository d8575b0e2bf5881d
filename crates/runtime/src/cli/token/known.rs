//! All that can be known of the tokens: from the policy, the compiler, the audit, the proxy's revocations and git.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokenward_compiler::diagnostic::{Diagnostic, Severity};
use tokenward_compiler::policy::{Attributes, Token, Users};
use tokenward_compiler::source::{Links, SourceSet, Span};
use tokenward_compiler::{compile_within, resolve_policy, units};
use tokenward_pdp::config::Config;
use tokenward_pdp::text::time;

use super::Failure;
use super::usage::{Caller, Usage, callers};
use crate::authoring::edit::sections;
use crate::cli::output;
use crate::cli::time::now_ms;
use crate::git;
use crate::live::{Revocations, beside, unbound_artifact};

/// A token that ends within so many days ends soon.
const SOON_MS: i64 = 30 * 86_400_000;

/// A token of the policy, with its use.
pub(super) struct Known {
    pub(super) attributes: Attributes,
    /// The file and the line; absent for a compiled policy.
    pub(super) place: Option<(String, usize)>,
    /// The token's lines: file, number and text.
    pub(super) limits: Vec<(String, usize, String)>,
    /// Calls and last use; absent if there is no audit.
    pub(super) used: Option<super::usage::Used>,
    /// Uses of the secret before the rotation whose overlap runs, and by whom.
    pub(super) previous: Option<(super::usage::Used, BTreeSet<Caller>)>,
    pub(super) findings: Vec<Found>,
}

/// A finding about a token.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// `TW0101`, or a word of ours.
    pub(super) code: String,
    pub(super) severity: &'static str,
    pub(super) text: String,
}

/// Every token that can be read.
pub(super) struct All {
    /// In source order.
    pub(super) tokens: Vec<Known>,
    /// Why the audit says nothing, if it does.
    pub(super) silent: Option<String>,
    /// Whether the policy has errors, so that tokens may be missing.
    pub(super) broken: bool,
}

/// Reads the tokens, with all that is known of them.
pub(super) fn all(config: &Config) -> Result<All, Failure> {
    let (mut tokens, broken) = of_policy(config)?;
    let (usage, silent) = match Usage::of(config) {
        Ok(usage) => (Some(usage), None),
        Err(failure) => (None, Some(failure.message().to_owned())),
    };
    let revoked = Revocations::open(&beside(&config.audit.path));
    if let Err(error) = &revoked {
        output::note(&format!("Revocations by command cannot be shown: {error}."));
    }
    let now = Timestamp::now().as_millisecond();
    for token in &mut tokens {
        let name = token.attributes.name.clone();
        if let Some(usage) = &usage {
            let used = usage.token(&name);
            token.used = Some(used);
            let overlap = token.attributes.previous.filter(|(_, until)| *until > now);
            if overlap.is_some() {
                let previous = usage.previous(&name).cloned().unwrap_or_default();
                let callers = match previous.calls {
                    0 => BTreeSet::new(),
                    _ => callers(config, &name)?,
                };
                token.previous = Some((previous, callers));
            }
        }
        let by_command = revoked
            .as_ref()
            .is_ok_and(|book| book.has(&token.attributes.secret_hash));
        token.look(now, by_command, config);
    }
    Ok(All {
        tokens,
        silent,
        broken,
    })
}

/// The token of this name among them.
pub(super) fn one(tokens: Vec<Known>, name: &str, config: &Config) -> Result<Known, Failure> {
    let names: Vec<String> = tokens.iter().map(|token| token.attributes.name.clone()).collect();
    let found = tokens.into_iter().find(|token| token.attributes.name == name);
    found.ok_or_else(|| {
        let near = tokenward_compiler::diagnostic::nearest(name, names.iter().map(String::as_str))
            .map(str::to_owned);
        crate::authoring::edit::EditError::NoSuchToken {
            name: name.to_owned(),
            directory: config.policies.clone(),
            near,
        }
        .into()
    })
}

/// The tokens, and whether the policy has errors.
fn of_policy(config: &Config) -> Result<(Vec<Known>, bool), Failure> {
    let place = &config.policies;
    // A compiled policy has no positions and no findings.
    if place.is_file() {
        let program = unbound_artifact(place, &config.artifact_signers())?;
        let tokens = program.tokens().map(|(id, token)| Known {
            attributes: token.attributes.clone(),
            place: None,
            limits: program
                .lines_of(id)
                .map(|(_, line)| (line.file.to_owned(), line.number as usize, line.text.to_owned()))
                .collect(),
            used: None,
            previous: None,
            findings: Vec::new(),
        });
        return Ok((tokens.collect(), false));
    }
    let sources = SourceSet::read_dir(place, Links::WithinDirectory).map_err(Failure::trouble)?;
    // Tokens are shown even if others have errors.
    let diagnostics = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms()).diagnostics;
    let broken = diagnostics.iter().any(|one| one.severity == Severity::Error);
    let policy = resolve_policy(&sources);
    let tokens = policy.tokens.into_iter().map(|token| {
        let concerned = concerned(&sources, &token);
        let concerns = |found: &&Diagnostic| concerned(found);
        let limits = token.limits.iter().map(|limit| {
            let (file, number) = place_of(&sources, limit.span);
            (file, number, sources.text(limit.span).to_owned())
        });
        Known {
            place: Some(place_of(&sources, token.span)),
            limits: limits.collect(),
            used: None,
            previous: None,
            findings: diagnostics.iter().filter(concerns).map(Found::of).collect(),
            attributes: token.attributes,
        }
    });
    Ok((tokens.collect(), broken))
}

/// Tells whether a finding concerns a token: it is in the token's section, or in a line that the token includes.
pub(in crate::cli) fn concerned(sources: &SourceSet, token: &Token) -> impl Fn(&Diagnostic) -> bool + use<> {
    let section = section_of(sources, token.span);
    let mut spans: Vec<Span> = token.limits.iter().map(|limit| limit.span).collect();
    spans.push(section);
    move |found| {
        let place = found.primary.span;
        spans.iter().any(|outer| {
            outer.source == place.source && outer.start <= place.start && place.start < outer.end
        })
    }
}

fn place_of(sources: &SourceSet, span: Span) -> (String, usize) {
    let file = sources.get(span.source).map(|source| source.path.clone());
    (file.unwrap_or_default(), sources.line_number(span))
}

/// The section around a token's name.
fn section_of(sources: &SourceSet, name: Span) -> Span {
    let text = sources.get(name.source).map(|source| &*source.text);
    let sections = sections(text.unwrap_or_default()).unwrap_or_default();
    let around = sections
        .iter()
        .find(|section| section.range.contains(&name.start));
    around.map_or(name, |section| Span {
        start: section.range.start,
        end: section.range.end,
        ..name
    })
}

impl Found {
    fn of(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code.to_string(),
            severity: diagnostic.severity.as_str(),
            text: diagnostic.headline.clone(),
        }
    }

    fn warning(code: &str, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            severity: "warning",
            text: text.into(),
        }
    }
}

impl Known {
    /// `active`, `expired` or `revoked`.
    pub(super) fn state(&self) -> &'static str {
        let revoked = |found: &Found| found.code == "revoked-beside-file";
        let expired = |found: &Found| found.code == "expired";
        if self.attributes.revoked || self.findings.iter().any(revoked) {
            "revoked"
        } else if self.findings.iter().any(expired) {
            "expired"
        } else {
            "active"
        }
    }

    /// Finds problems that depend on the time, which the compiler does not know.
    fn look(&mut self, now: i64, revoked_by_command: bool, config: &Config) {
        let mut found = Vec::new();
        // A revocation must be in the file and in git; otherwise a checkout could undo it.
        if self.attributes.revoked {
            if self.is_uncommitted(config) {
                found.push(Found::warning(
                    "revoked-not-in-git",
                    "revoked in the file, but not in the last git commit; commit it",
                ));
            }
        } else if revoked_by_command {
            found.push(Found::warning(
                "revoked-beside-file",
                "revoked by command, but not in the policy file; add `revoked = true`",
            ));
        }
        // Expiry and use matter only while the token works.
        if !self.attributes.revoked {
            match self.attributes.expires {
                Some(expires) if expires <= now => {
                    found.push(Found::warning("expired", format!("expired {}", time(expires))));
                }
                Some(expires) if expires - now < SOON_MS => {
                    let days = (expires - now) / 86_400_000;
                    found.push(Found::warning("expires-soon", format!("expires in {days} days")));
                }
                _ => {}
            }
            if self.used.as_ref().is_some_and(|used| used.calls == 0) {
                found.push(Found::warning("never-used", "the audit has no call with it"));
            }
        }
        // After a rotation, show who still uses the previous secret.
        if let (Some((used, callers)), Some((_, until)), false) =
            (&self.previous, self.attributes.previous, self.attributes.revoked)
        {
            let until = time(until);
            found.push(match used.calls {
                0 => Found {
                    severity: "note",
                    ..Found::warning(
                        "previous-secret",
                        format!("the secret before the rotation is valid until {until}, and has not been used since the rotation"),
                    )
                },
                calls => Found::warning(
                    "previous-secret-in-use",
                    format!(
                        "the secret before the rotation is valid until {until}, and was used for {calls} {}, the last {}, by {}",
                        if calls == 1 { "call" } else { "calls" },
                        used.last.as_deref().unwrap_or("-"),
                        named(callers)
                    ),
                ),
            });
        }
        self.findings.extend(found);
    }

    /// Whether the file's last commit has the token, and not as revoked.
    fn is_uncommitted(&self, config: &Config) -> bool {
        let Some((file, _)) = &self.place else {
            return false;
        };
        let Some(text) = git::committed(&config.policies.join(file)) else {
            return false;
        };
        let sections = sections(&text).unwrap_or_default();
        let committed = sections
            .iter()
            .find(|section| section.name.as_deref() == Some(self.attributes.name.as_str()));
        committed.is_none_or(|section| !section.says(&text, "revoked", "true"))
    }

    /// Describes the token's users for people.
    pub(super) fn users(&self) -> String {
        match &self.attributes.users {
            Users::Named(users) => users.join(", "),
            Users::Any => "(any user)".to_owned(),
        }
    }

    /// Everything except secrets, as JSON.
    pub(super) fn json(&self) -> Value {
        let it = &self.attributes;
        let users = match &it.users {
            Users::Named(users) => json!(users),
            Users::Any => Value::Null,
        };
        let previous = self.previous.as_ref().map(|(used, callers)| {
            let callers: Vec<Value> = callers
                .iter()
                .map(|caller| json!({ "user": caller.user, "client": caller.client }))
                .collect();
            json!({ "calls": used.calls, "last": used.last, "callers": callers })
        });
        json!({
            "token": it.name,
            "state": self.state(),
            "users": users,
            "any_user": it.users == Users::Any,
            "expires": it.expires.map(time),
            "file": self.place.as_ref().map(|(file, _)| file),
            "line": self.place.as_ref().map(|(_, line)| line),
            "revoked_in_file": it.revoked,
            "rate": it.limits.rate.map(|rate| rate.to_string()),
            "burst": it.limits.whole_burst(),
            "concurrent": it.limits.concurrent,
            "max_body": it.limits.max_body.map(units::shown_size),
            "last_used": self.used.as_ref().and_then(|used| used.last.clone()),
            "calls": self.used.as_ref().map(|used| used.calls),
            "previous_until": it.previous.map(|(_, until)| time(until)),
            "previous_use": previous,
            "secret_can_be_shown": it.secret_sealed,
            "sealed_by": it.seal.map(|seal| hex::encode(seal.key)),
            "owner": it.owner,
            "description": it.description,
            "findings": self.findings.iter().map(|found| json!({
                "code": found.code, "severity": found.severity, "text": found.text,
            })).collect::<Vec<_>>(),
        })
    }
}

/// `alice from 10.0.0.7`, at most three of them.
fn named(callers: &BTreeSet<Caller>) -> String {
    let named: Vec<String> = callers
        .iter()
        .take(3)
        .map(|caller| format!("{} from {}", caller.user.as_deref().unwrap_or("-"), caller.client))
        .collect();
    let more = match callers.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    named.join(", ") + &more
}
