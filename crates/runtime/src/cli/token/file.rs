//! Chooses the policy file of a new token if the user names none.

use std::path::PathBuf;

use tokenward_compiler::source::{Links, Source, SourceKind, SourceSet};
use tokenward_pdp::config::Config;

use super::Failure;
use crate::authoring::edit::sections;

/// File and token of the example that `tokenward init` writes. Nobody has its secret, so that other tokens are not added there.
const EXAMPLE: (&str, &str) = ("example.toml", "example");

/// Maximum number of files that an error names.
const SHOWN: usize = 5;

/// Returns the only file with tokens; if there is none, a new one with the name of the token.
///
/// # Errors
/// There are several files, or the name is unsuitable for a file.
pub(super) fn for_token(config: &Config, name: &str) -> Result<PathBuf, Failure> {
    let directory = &config.policies;
    if !directory.is_dir() {
        // The edit reports a missing directory, and a compiled policy.
        return Ok(directory.join(format!("{name}.toml")));
    }
    let sources = SourceSet::read_dir(directory, Links::WithinDirectory).map_err(Failure::trouble)?;
    let files: Vec<&str> = sources
        .iter()
        .map(|(_, source)| source)
        .filter(|source| source.kind == SourceKind::Tokens && !is_example(source))
        .map(|source| source.path.as_str())
        .collect();
    match files.as_slice() {
        [file] => Ok(directory.join(file)),
        [] => match own_file(name) {
            Some(file) => Ok(directory.join(file)),
            None => Err(Failure::Usage(format!(
                "no file can be named after the token `{name}`; give the policy file with `--file`, such as `--file {}`",
                directory.join("tokens.toml").display()
            ))),
        },
        files => Err(Failure::Usage(several(config, files))),
    }
}

fn several(config: &Config, files: &[&str]) -> String {
    let path = |file: &&str| format!("`{}`", config.policies.join(file).display());
    let mut shown: Vec<String> = files.iter().take(SHOWN).map(path).collect();
    let more = files.len().saturating_sub(SHOWN);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    format!(
        "{} files define tokens ({}); choose one of them, or a new one, with `--file`",
        files.len(),
        shown.join(", ")
    )
}

fn is_example(source: &Source) -> bool {
    let (file, token) = EXAMPLE;
    let only = |names: Vec<Option<String>>| names == [Some(token.to_owned())];
    source.path == file
        && sections(&source.text)
            .is_ok_and(|sections| only(sections.into_iter().map(|section| section.name).collect()))
}

/// The file of the token's name, if it is one that tokens are read from.
fn own_file(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return None;
    }
    let file = format!("{name}.toml");
    let sources = SourceSet::from_files([(file.clone(), String::new())]);
    let is_read = sources
        .iter()
        .any(|(_, source)| source.kind == SourceKind::Tokens);
    is_read.then_some(file)
}
