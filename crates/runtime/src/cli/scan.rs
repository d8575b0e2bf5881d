//! `tokenward scan`: searches for leaked secrets.

mod find;
mod place;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokenward_compiler::ir::Program;
use tokenward_compiler::{
    compile,
    source::{Links, SourceSet},
};
use tokenward_pdp::config::Config;
use tokenward_pdp::text::escaped;

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::git::{GitError, Past, Repository};
use find::{Form, Found};

/// Find secrets of tokens in files and in the git history
///
/// Searches for text with the prefix and the checksum of Tokenward's secrets: in plain text, in UTF-16, and in base64
/// as in an `Authorization` header. Shows the token of each secret and whether it still works, but never the secret.
///
/// The exit code is 1 if any secret was found, even if it no longer works. It is 3 if a file or a history could not
/// be searched.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward scan .                    the files here, and their whole git history
  tokenward scan --no-history logs    only files
  tokenward scan --json . || notify   for programs")]
pub(super) struct Args {
    /// Files and directories to search
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Do not search the git history
    #[arg(long)]
    no_history: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

/// A secret and its location.
struct Finding {
    /// A path; in history with the commit that brought it in.
    place: String,
    commit: Option<String>,
    /// Line and column, from 1, in bytes; in text files.
    position: Option<(usize, usize)>,
    found: Found,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let known = Known::read(&config);
    let (mut findings, mut unsearched) = (Vec::new(), Vec::new());
    for path in &args.paths {
        // The first question to an absent path is the user's mistake; below it, files come and go.
        std::fs::metadata(path)
            .map_err(|error| Failure::Trouble(format!("cannot search `{}`: {error}", path.display())))?;
        search(path, !args.no_history, &mut findings, &mut unsearched);
    }
    for finding in &findings {
        let state = known.state(&finding.found.hash);
        if args.json {
            output::print_document(&as_json(finding, &state))?;
        } else {
            output::print(&as_text(finding, &state))?;
        }
    }
    for (place, why) in &unsearched {
        output::note(&format!("tokenward: not searched: {place}: {why}"));
    }
    conclude(findings.len(), unsearched.len())
}

/// Chooses the result from the number of secrets found, and of paths that were not searched.
fn conclude(found: usize, unsearched: usize) -> Result<(), Failure> {
    let secrets = match found {
        0 => "no secret was found".to_owned(),
        1 => "1 secret was found".to_owned(),
        _ => format!("{found} secrets were found"),
    };
    match (found, unsearched) {
        (0, 0) => Ok(()),
        (_, 0) => Err(Failure::Findings(format!(
            "{secrets}; revoke those that still work (`tokenward token revoke`), then remove them"
        ))),
        // A path that was not searched may contain a secret, even if the others do not.
        (_, 1) => Err(Failure::Trouble(format!(
            "{secrets}, but 1 place was not searched"
        ))),
        _ => Err(Failure::Trouble(format!(
            "{secrets}, but {unsearched} places were not searched"
        ))),
    }
}

/// Searches the files at or below a path and, if wanted, the history of each repository around it or below it.
fn search(path: &Path, history: bool, findings: &mut Vec<Finding>, unsearched: &mut Vec<(String, String)>) {
    let from = findings.len();
    let mut rest = place::Rest::default();
    place::files(path, &mut rest, &mut |file, bytes| {
        findings.extend(in_bytes(&file.display().to_string(), bytes));
    });
    unsearched.append(&mut rest.skipped);
    if !history {
        return;
    }
    let mut here: Vec<[u8; 32]> = findings
        .iter()
        .skip(from)
        .map(|finding| finding.found.hash)
        .collect();

    let mut seen = Vec::new();
    let below = rest.repositories.iter().map(PathBuf::as_path);
    let below = below.filter(|directory| *directory != path);
    for directory in std::iter::once(path).chain(below) {
        let done = Repository::discover(directory).and_then(|repository| match repository {
            Some(repository) if !seen.contains(&repository.top().to_owned()) => {
                seen.push(repository.top().to_owned());
                look_back(&repository, directory, &mut here, findings, unsearched)
            }
            _ => Ok(()),
        });
        if let Err(error) = done {
            unsearched.push((
                format!("the git history of {}", directory.display()),
                error.to_string(),
            ));
        }
    }
}

/// Searches a history. A secret that is in a current file, or was found in another blob, is reported only once.
fn look_back(
    repository: &Repository,
    path: &Path,
    known: &mut Vec<[u8; 32]>,
    findings: &mut Vec<Finding>,
    unsearched: &mut Vec<(String, String)>,
) -> Result<(), GitError> {
    let mut past: Vec<(Past, Finding)> = Vec::new();
    let done = repository.history(path, place::MAX_BYTES, |blob, bytes| {
        let Some(bytes) = bytes else {
            let why = format!("it has more than {} bytes in the git history", place::MAX_BYTES);
            unsearched.push((blob.path.clone(), why));
            return;
        };
        for finding in in_bytes(&blob.path, bytes) {
            if !known.contains(&finding.found.hash) {
                known.push(finding.found.hash);
                past.push((blob.clone(), finding));
            }
        }
    });
    for (blob, finding) in past {
        let commit = repository.first_commit_of(&blob.id).ok().flatten();
        findings.push(Finding {
            commit: commit.or_else(|| Some(blob.id.to_string())),
            ..finding
        });
    }
    // Findings from before an error are shown too.
    done
}

fn in_bytes(place: &str, bytes: &[u8]) -> Vec<Finding> {
    let findings = find::secrets(bytes).into_iter().map(|found| Finding {
        place: place.to_owned(),
        commit: None,
        position: position(bytes, found.offset),
        found,
    });
    findings.collect()
}

/// Gives line and column; `None` if the content is not text.
fn position(bytes: &[u8], offset: usize) -> Option<(usize, usize)> {
    let before = bytes.get(..offset)?;
    if bytes.contains(&0) {
        return None;
    }
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    Some((line, offset - start + 1))
}

/// The policy, as far as it can be read.
struct Known(Option<Program>);

impl Known {
    fn read(config: &Config) -> Self {
        let sources = SourceSet::read_dir(&config.policies, Links::WithinDirectory).ok();
        Self(sources.and_then(|sources| compile(&sources).program))
    }

    /// Describes the secret's token and whether it works, in a few words.
    fn state(&self, hash: &[u8; 32]) -> State {
        let Some(program) = &self.0 else {
            return State {
                token: None,
                state: "unknown, since there is no policy here that compiles",
            };
        };
        let Some(id) = program.token_by_secret_hash(hash) else {
            return State {
                token: None,
                state: "of no token in the policy",
            };
        };
        let token = program.token(id);
        let now = Timestamp::now().as_millisecond();
        let past = |end: Option<i64>| end.is_some_and(|end| end <= now);
        let previous = token.previous.filter(|(previous, _)| previous == hash);
        let state = if token.revoked {
            "revoked"
        } else if past(token.expires) || past(previous.map(|(_, until)| until)) {
            "expired"
        } else if previous.is_some() {
            "live until its rotation ends"
        } else {
            "live"
        };
        State {
            token: Some(token.name.clone()),
            state,
        }
    }
}

struct State {
    token: Option<String>,
    state: &'static str,
}

fn as_text(finding: &Finding, state: &State) -> String {
    let mut line = finding.place.clone();
    if let Some((row, column)) = finding.position {
        line.push_str(&format!(":{row}:{column}"));
    }
    if let Some(commit) = &finding.commit {
        line.push_str(&format!(" in {commit}"));
    }
    line.push_str(match finding.found.form {
        Form::Plain => ": a secret",
        Form::Utf16 => ": a secret in UTF-16",
        Form::Base64 => ": a secret in base64",
    });
    if let Some(token) = &state.token {
        line.push_str(&format!(" of `{token}`"));
    }
    line.push_str(&format!(", {}", state.state));
    let shown: String = line
        .chars()
        .map(|c| {
            if c.is_control() || tokenward_pdp::text::is_deceptive(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    shown + "\n"
}

fn as_json(finding: &Finding, state: &State) -> String {
    let form = match finding.found.form {
        Form::Plain => "plain",
        Form::Utf16 => "utf-16",
        Form::Base64 => "base64",
    };
    let row: Value = json!({
        "path": finding.place,
        "commit": finding.commit,
        "line": finding.position.map(|(line, _)| line),
        "column": finding.position.map(|(_, column)| column),
        "offset": finding.found.offset,
        "form": form,
        "secret_hash": format!("sha256:{}", hex::encode(finding.found.hash)),
        "token": state.token,
        "state": state.state,
    });
    format!("{}\n", escaped(&row.to_string()))
}
