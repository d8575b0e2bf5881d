//! The policy that a question is asked of.

use std::collections::HashSet;
use std::path::Path;

use tokenward_compiler::ask::{QuestionError, token_named};
use tokenward_compiler::compile_within;
use tokenward_compiler::diagnostic::{Diagnostic, Severity, render_text};
use tokenward_compiler::ir::{Program, Token, TokenId};
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::config::Config;
use tokenward_pdp::plural::plural;
use tokenward_pdp::request::TOKEN_PREFIX;
use tokenward_pdp::servable::{bind, errors_of_program, errors_of_sources};

use super::super::audit::shown;
use super::super::failure::Failure;
use super::super::output;
use super::super::time::now_ms;
use crate::live::{Revocations, beside, unbound_artifact};

/// A bound program with at least one token, and the revocations beside it.
pub(in super::super) struct Policy {
    pub(in super::super) program: Program,
    revocations: Revocations,
    now_ms: i64,
}

impl Policy {
    /// Reads the directory or the compiled policy at `place`, or that of the configuration. A policy that cannot be used leaves the
    /// question open.
    pub(in super::super) fn read(place: Option<&Path>, config: &Config) -> Result<Self, Failure> {
        Self::read_at(place, config, now_ms())
    }

    /// The same at a time, in milliseconds since 1970 UTC.
    pub(in super::super) fn read_at(
        place: Option<&Path>,
        config: &Config,
        now_ms: i64,
    ) -> Result<Self, Failure> {
        let place = place.unwrap_or(&config.policies);
        let unbound = if place.is_file() {
            let program = unbound_artifact(place, &config.artifact_signers()).map_err(Failure::trouble)?;
            if let Some(errors) = errors_of_program(&program, config, now_ms)? {
                return Err(Failure::Trouble(shown(&format!(
                    "`{}` {errors}",
                    place.display()
                ))));
            }
            program
        } else {
            compiled(place, config, now_ms)?.map_err(|errors| errors.shown(place))?
        };
        if unbound.tokens().next().is_none() {
            return Err(Failure::Usage(format!(
                "`{}` has no tokens, so nobody may make any request; name the policy that is meant with --policies",
                place.display()
            )));
        }
        Self::of(&unbound, config, now_ms)
    }

    /// The same of a directory or a compiled policy, or a policy without tokens if the directory's has errors, which are not shown.
    pub(in super::super) fn read_or_none(
        place: &Path,
        config: &Config,
        now_ms: i64,
    ) -> Result<(Self, bool), Failure> {
        let is_broken = !place.is_file() && compiled(place, config, now_ms)?.is_err();
        if !is_broken {
            return Ok((Self::read_at(Some(place), config, now_ms)?, false));
        }
        let none = SourceSet::from_files([("none.toml".to_owned(), String::new())]);
        let none = compile_within(&none, &config.mode, &config.tokens.ceiling(), now_ms);
        let none = none
            .program
            .ok_or_else(|| Failure::trouble("an empty policy does not compile"))?;
        Ok((Self::of(&none, config, now_ms)?, true))
    }

    fn of(unbound: &Program, config: &Config, now_ms: i64) -> Result<Self, Failure> {
        let program = bind(unbound, config)?;
        let revocations = Revocations::open(&beside(&config.audit.path)).map_err(Failure::trouble)?;
        Ok(Self {
            program,
            revocations,
            now_ms,
        })
    }

    /// All tokens, in their order.
    pub(in super::super) fn tokens(&self) -> Vec<TokenId> {
        self.program.tokens().map(|(id, _)| id).collect()
    }

    /// The token of a name that the command line gives.
    pub(in super::super) fn token(&self, name: &str) -> Result<TokenId, Failure> {
        if name.starts_with(TOKEN_PREFIX) {
            return Err(Failure::Usage(
                "specify the token's name, not its secret; `tokenward token list` shows the names".to_owned(),
            ));
        }
        token_named(&self.program, name).map_err(|error| wrong(&error))
    }

    /// `active`, `revoked` or `expired`.
    pub(in super::super) fn state(&self, token: &Token) -> &'static str {
        if token.revoked || self.revocations.has(&token.secret_hash) {
            "revoked"
        } else if token.expires.is_some_and(|expires| expires <= self.now_ms) {
            "expired"
        } else {
            "active"
        }
    }
}

/// The errors of a policy's files.
struct Errors {
    sources: SourceSet,
    found: Vec<Diagnostic>,
}

impl Errors {
    /// Shows the errors, and fails.
    fn shown(&self, directory: &Path) -> Failure {
        output::note_raw(&render_text(&self.sources, &self.found, output::colours()));
        let count = self.found.len();
        Failure::Trouble(format!(
            "the policy in `{0}` has {count} {1}, so it does not answer the question; fix what `tokenward compile --check {0}` shows",
            directory.display(),
            plural(count, "error"),
        ))
    }
}

/// Compiles a directory under the configuration.
fn compiled(directory: &Path, config: &Config, now_ms: i64) -> Result<Result<Program, Errors>, Failure> {
    let sources = SourceSet::read_dir(directory, Links::WithinDirectory).map_err(Failure::trouble)?;
    let sources = sources.below(&directory.to_string_lossy());
    let compilation = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms);
    let mut errors = compilation.diagnostics;
    errors.retain(|found| found.severity == Severity::Error);
    if let Some(program) = compilation.program {
        errors = errors_of_sources(
            (&sources, &program, &compilation.source_map),
            config,
            &HashSet::new(),
            now_ms,
        )?;
        if errors.is_empty() {
            return Ok(Ok(program));
        }
    }
    Ok(Err(Errors {
        sources,
        found: errors,
    }))
}

/// The failure of a question that has no answer.
pub(in super::super) fn wrong(error: &QuestionError) -> Failure {
    Failure::Usage(shown(&error.to_string()))
}
