//! `[lint]`: which lints `compile` runs, and exceptions from warnings for whole directories.

use std::time::Duration;

use tokenward_compiler::diagnostic::Code;
use tokenward_compiler::lint::{LintSet, can_be_excepted};
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Wrong};
use super::value;

/// Lints of `compile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The lints that run.
    pub set: LintSet,
    /// Time before the end of a token from which on it is a finding of the set `pedantic`.
    pub expires_within: Duration,
    /// Exceptions from warnings.
    pub allow: Vec<LintException>,
}

/// An exception from a warning for all files of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintException {
    /// The warning.
    pub code: Code,
    /// The directory below that of the policy, with `/` between its parts; empty for all.
    pub directory: String,
    /// The entry as written, with its reason.
    pub text: String,
}

impl Default for Lint {
    fn default() -> Self {
        Self {
            set: LintSet::Regular,
            expires_within: Duration::from_secs(30 * 86_400),
            allow: Vec::new(),
        }
    }
}

pub(super) fn lint(it: &mut Fields<'_>) -> Lint {
    let default = Lint::default();
    Lint {
        set: it.or("set", default.set, |value| value::choice(value, &LintSet::NAMED)),
        expires_within: it.or("expires_within", default.expires_within, value::duration),
        allow: it.or("allow", default.allow, |value| value::any_of(value, exception)),
    }
}

/// Reads `TW0504 in legacy: why`.
fn exception(value: &Spanned<DeValue<'_>>) -> Result<LintException, Wrong> {
    let text = value::text(value)?;
    let wrong = |what: &str| {
        Wrong::at(
            value,
            format!(
                "has `{text}`, which {what}; write \"TW0504 in DIRECTORY: why\", with `.` for the whole policy"
            ),
        )
    };
    let (subject, why) = text.split_once(':').ok_or_else(|| wrong("has no reason"))?;
    if why.trim().is_empty() {
        return Err(wrong("has no reason"));
    }
    let (code, directory) = subject
        .split_once(" in ")
        .ok_or_else(|| wrong("names no directory"))?;
    let code: Code = code.trim().parse().map_err(|_| wrong("names no code"))?;
    if !can_be_excepted(code) {
        return Err(wrong("names a code that cannot be excepted"));
    }
    let directory = directory.trim().trim_end_matches('/');
    let directory = directory.strip_prefix("./").unwrap_or(directory);
    let is_below = !directory.is_empty()
        && !directory.starts_with('/')
        && !directory.split('/').any(|part| part == "..");
    if !is_below {
        return Err(wrong("names no directory below that of the policy"));
    }
    Ok(LintException {
        code,
        directory: if directory == "." {
            String::new()
        } else {
            directory.to_owned()
        },
        text: text.clone(),
    })
}
