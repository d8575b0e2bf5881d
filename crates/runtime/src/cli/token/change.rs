//! What every change of a token goes through: its seal or its encrypted secret, the compiler's judgement, the file.

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{Diagnostic, Severity, render_text};
use tokenward_compiler::findings::find;
use tokenward_compiler::ir::Program;
use tokenward_compiler::seal::{self, Mode, Version, statement};
use tokenward_compiler::{SourceMap, compile_within, resolve_policy};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::{served, universe};
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::secret::{Secret, parse_hash};

use super::{Failure, output};
use crate::authoring::edit::{Change, Key, Prepared};
use crate::authoring::keys::{SealingKey, SigningKey};
use crate::cli::time::now_ms;

/// The states that the questions about lines may visit. The person waits, and `compile --check` asks again with more.
const BUDGET: u64 = 100_000;

/// Refuses a change that secure mode does not allow.
pub(super) fn refuse_in_secure(config: &Config, verb: &str) -> Result<(), Failure> {
    match config.mode {
        Mode::Standard => Ok(()),
        Mode::Secure(_) => Err(Failure::Usage(format!(
            "`{verb}` changes a token, but with mode = \"secure\" a token can only be revoked; revoke it and create another"
        ))),
    }
}

/// Adds the parts that depend on the mode: in standard mode the encrypted secret, if there is one and a key for it; in
/// secure mode the seal.
pub(super) fn finished(
    prepared: Prepared,
    name: &str,
    secret: Option<&Secret>,
    config: &Config,
) -> Result<Prepared, Failure> {
    match (&config.mode, secret, config.keys.sealing.first()) {
        (Mode::Secure(_), ..) => sealed(prepared, &[name], config),
        (Mode::Standard, Some(secret), Some(file)) => {
            let key = SealingKey::read(file).map_err(Failure::trouble)?;
            let hash = tokenward_pdp::secret::hash(secret.expose());
            let text = key.seal(secret.expose(), &hash).map_err(Failure::trouble)?;
            Ok(prepared.with(name, &[Change::Text(Key::SecretSealed, text)])?)
        }
        (Mode::Standard, ..) => Ok(prepared),
    }
}

/// Adds the tokens' seals, and removes encrypted secrets.
pub(super) fn sealed(mut prepared: Prepared, names: &[&str], config: &Config) -> Result<Prepared, Failure> {
    let Some(file) = &config.keys.signing else {
        return Err(Failure::Usage(
            "in secure mode new tokens are sealed, but [keys] signing_key is not set; create a key with `tokenward keys new signing`, or create tokens on the machine that has it"
                .to_owned(),
        ));
    };
    let key = SigningKey::read(file).map_err(Failure::trouble)?;
    if let Mode::Secure(public) = &config.mode
        && !public.contains(&key.public())
    {
        return Err(Failure::Usage(format!(
            "[keys] public_keys does not contain the public key of `{}`, so its seals would not be accepted; add \"{}\"",
            file.display(),
            key.public()
        )));
    }
    for name in names {
        prepared = prepared.with(name, &[Change::Without(Key::SecretSealed)])?;
    }
    let sources = prepared.sources();
    // The compiler reports the lines that cannot be resolved.
    for token in resolve_policy(&sources).tokens {
        let name = token.attributes.name.as_str();
        if names.contains(&name) {
            let lines = seal::lines(&token, &sources);
            let signed = statement(Version::CURRENT, &token.attributes, lines).map_err(Failure::trouble)?;
            let seal = key.sign(&signed);
            prepared = prepared.with(name, &[Change::Text(Key::Seal, seal.to_string())])?;
        }
    }
    Ok(prepared)
}

/// Writes the change if the policy with it compiles; shows the warnings about the token.
pub(super) fn committed(prepared: Prepared, name: &str, config: &Config) -> Result<(), Failure> {
    judge(&prepared, &[name], config, &config.mode)?;
    Ok(prepared.commit()?)
}

/// Works like [`committed`], for several new tokens whose secrets are unknown.
pub(in crate::cli) fn committed_all(
    prepared: Prepared,
    names: &[&str],
    config: &Config,
) -> Result<(), Failure> {
    let prepared = match config.mode {
        Mode::Secure(_) => sealed(prepared, names, config)?,
        Mode::Standard => prepared,
    };
    judge(&prepared, names, config, &config.mode)?;
    Ok(prepared.commit()?)
}

/// Refuses what `tokenward compile --check` would refuse of these tokens, and shows its warnings about them.
pub(super) fn judge(
    prepared: &Prepared,
    names: &[&str],
    config: &Config,
    mode: &Mode,
) -> Result<(), Failure> {
    let sources = prepared.sources();
    let ceiling = config.tokens.ceiling();
    let mut compilation = compile_within(&sources, mode, &ceiling, now_ms());
    let checked = compilation.program.as_ref().map(|program| {
        let known = &compilation.diagnostics;
        lines_checked(program, &compilation.source_map, known, config)
    });
    if let Some(found) = checked.transpose()? {
        compilation.diagnostics.extend(found);
    }
    let is_inside = prepared.sections_of(names);
    let is_ours = |found: &Diagnostic| is_inside(&sources, found.primary.span);
    let (ours, others): (Vec<Diagnostic>, Vec<Diagnostic>) =
        compilation.diagnostics.into_iter().partition(is_ours);
    output::note_raw(&render_text(&sources, &ours, output::colours()));
    let wrong = |found: &[Diagnostic]| found.iter().any(|one| one.severity == Severity::Error);
    if wrong(&ours) {
        return Err(Failure::Findings(
            "the change has errors; nothing was written".to_owned(),
        ));
    }
    if compilation.program.is_none() {
        output::note_raw(&render_text(&sources, &others, output::colours()));
        return Err(Failure::Findings(
            "the policy has errors elsewhere, so the change would not take effect; fix them first; nothing was written"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Findings about lines under this configuration, such as a forbid line that no request can match.
fn lines_checked(
    program: &Program,
    source_map: &SourceMap,
    known: &[Diagnostic],
    config: &Config,
) -> Result<Vec<Diagnostic>, Failure> {
    let bound = program
        .bind(&config.upstream.public_url)
        .map_err(|error| Failure::Findings(format!("{error}; nothing was written")))?
        .merging_body(config.upstream.product.merges());
    let budget = Budget::new(BUDGET);
    let served = served(config).behind(proxied(config)?);
    let asked = (universe(config), &served, &budget);
    let found = find(&bound, source_map, known, asked, |_, _| ()).map_err(Failure::trouble)?;
    Ok(found.diagnostics)
}

/// Explains whether the shown secret can be shown again.
pub(super) fn reshow_note(config: &Config) -> &'static str {
    match (&config.mode, config.keys.sealing.is_empty()) {
        (Mode::Standard, false) => "This is its secret. `tokenward token show --secret` shows it again:",
        _ => "This is its secret. It is shown only now and stored nowhere:",
    }
}

/// The hash that a key of a section has.
pub(super) fn hash_of(section: &crate::authoring::edit::Section, key: &str) -> Option<[u8; 32]> {
    section.text(key).and_then(parse_hash)
}
