//! Drafts of policy entries: TOML for people to commit, checked by the compiler as the proxy would. Nothing is written.

use std::path::Path;

use jiff::Timestamp;
use tokenward_compiler::call_limits::CallLimits;
use tokenward_compiler::compile_within;
use tokenward_compiler::diagnostic::{self, Severity};
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_console::views::effect::Effect;
use tokenward_console::views::parts::Diagnostic;
use tokenward_pdp::config::Mode;

use super::alone::{lines_of, try_cost};
use super::effect;
use super::found::{place, shown};
use super::heavy::Means;
use crate::admin::{AdminError, AdminState};
use crate::authoring::edit::{Change, Edit, NewToken, Users, entry};
use crate::authoring::time::{expiry, now_ms};
use crate::new_secret;

/// Longest name of a new token, which is also that of its file.
const LONGEST_NAME: usize = 200;

/// What a new token is to be, as texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) purpose: String,
    pub(super) owner: String,
    pub(super) users: Vec<String>,
    pub(super) expires: String,
    pub(super) allowed_from: Vec<String>,
    pub(super) lines: Vec<String>,
}

/// A draft, or the reasons why there is none.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The text to commit; absent if there are errors.
    pub(super) toml: Option<String>,
    /// The secret of a new token. It is shown once and kept nowhere.
    pub(super) secret: Option<String>,
    /// Problems of fields: name and text.
    pub(super) errors: Vec<(String, String)>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What the draft newly allows and newly denies; absent if there are errors.
    pub(super) effect: Option<Effect>,
    /// The file to change.
    pub(super) file: String,
}

/// Why entries are not drafted here, if so.
pub(super) fn impossible(state: &AdminState) -> Option<String> {
    match state.config.mode {
        Mode::Standard if state.config.policies.is_file() => Some(
            "The proxy has a compiled policy, so tokens are made where its sources are: `tokenward token new`."
                .to_owned(),
        ),
        Mode::Standard => None,
        Mode::Secure(_) => Some(
            "In secure mode tokens are signed on the machine that has the signing key: `tokenward token new`."
                .to_owned(),
        ),
    }
}

/// The policy files that have tokens.
pub(super) fn files(state: &AdminState) -> Vec<String> {
    let live = state.policies.current();
    let tokens = live.program().tokens();
    let lines = tokens.flat_map(|(id, _)| live.program().lines_of(id));
    let mut files: Vec<String> = lines.map(|(_, line)| line.file.to_owned()).collect();
    files.sort();
    files.dedup();
    files.retain(|file| Path::new(file).extension().is_some_and(|end| end == "toml"));
    files
}

/// Drafts a new token. The proofs of its effect end when `means` say so.
pub(super) fn new_token(state: &AdminState, wanted: Wanted, means: &Means) -> Result<Draft, AdminError> {
    let mut draft = Draft {
        file: format!("{}.toml", wanted.name),
        ..Draft::default()
    };
    let mut wrong = |field: &str, text: &str| draft.errors.push((field.to_owned(), text.to_owned()));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if wanted.name.is_empty() || !wanted.name.bytes().all(is_name) || wanted.name.starts_with('.') {
        wrong("name", "Give a name of letters, digits, `-`, `_` and `.`.");
    }
    let live = state.policies.current();
    if live
        .program()
        .tokens()
        .any(|(_, token)| token.name == wanted.name)
    {
        wrong("name", "The policy has a token of this name.");
    }
    if wanted.name.len() > LONGEST_NAME {
        wrong("name", "Give a shorter name; 200 characters are the most.");
    }
    if wanted.users.is_empty() {
        wrong("users", "Name the users that the token works for.");
    }
    if wanted.lines.is_empty() {
        wrong(
            "lines",
            "Write at least one line; without lines the token may do nothing.",
        );
    }
    let expires = match wanted.expires.as_str() {
        "" => None,
        text => match expiry(text, Timestamp::now()) {
            Ok(time) => Some(time),
            Err(why) => {
                wrong("expires", &format!("{}.", tokenward_pdp::text::capital(&why)));
                None
            }
        },
    };
    if !draft.errors.is_empty() {
        return Ok(draft);
    }
    if let Err(why) = try_cost(wanted.lines.iter().map(String::as_str), &means.stop) {
        draft.errors.push(("lines".to_owned(), sentence(&why)));
        return Ok(draft);
    }
    let name = wanted.name.clone();
    let secret = new_secret::generate().map_err(|_| AdminError::Internal)?;
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let token = NewToken {
        name: wanted.name,
        users: Users::Named(wanted.users),
        secret_hash: secret.hash_text(),
        expires,
        owner: some(wanted.owner),
        description: some(wanted.purpose),
        allowed_ips: wanted.allowed_from,
        limits: CallLimits::NONE,
        include: Vec::new(),
        lines: wanted.lines,
        unrestricted: false,
    };
    let toml = match entry(&token) {
        Ok(toml) => toml,
        Err(error) => {
            draft.errors.push(("lines".to_owned(), error.to_string()));
            return Ok(draft);
        }
    };
    let sources = with_file(state, &draft.file, &toml)?;
    if let Some(program) = check(state, &sources, &draft.file, &mut draft.diagnostics) {
        draft.effect = effect_of(state, &program, &name, means);
        draft.toml = Some(toml);
        draft.secret = Some(secret.expose().to_owned());
    }
    Ok(draft)
}

/// The files of the policy, with a text added to one of them.
fn with_file(state: &AdminState, file: &str, added: &str) -> Result<SourceSet, AdminError> {
    let sources = SourceSet::read_dir(&state.config.policies, Links::WithinDirectory)
        .map_err(|error| AdminError::Question(error.to_string()))?;
    let mut files: Vec<(String, String)> = Vec::new();
    for (_, source) in sources.iter() {
        files.push((source.path.clone(), source.text.to_string()));
    }
    match files.iter_mut().find(|(path, _)| path == file) {
        Some((_, text)) => text.push_str(&format!("\n{added}")),
        None => files.push((file.to_owned(), added.to_owned())),
    }
    Ok(SourceSet::from_files(files))
}

fn sentence(why: &str) -> String {
    format!("{}.", tokenward_pdp::text::capital(why).trim_end_matches('.'))
}

/// What a token of a compiled draft newly allows and newly denies, against the policy in force.
fn effect_of(state: &AdminState, draft: &Program, name: &str, means: &Means) -> Option<Effect> {
    let (id, token) = draft.tokens().find(|(_, token)| token.name == name)?;
    let live = state.policies.current();
    let live = live.program();
    let old = live.tokens().find(|(_, token)| token.name == name);
    let old = old.map(|(id, token)| (&token.attributes, lines_of(live, id)));
    let new = (&token.attributes, lines_of(draft, id));
    Some(effect::of_lines((old, new), &state.config, means))
}

/// Compiles a policy, and gives its findings in `file`. The program, unless there are errors.
fn check(
    state: &AdminState,
    sources: &SourceSet,
    file: &str,
    found: &mut Vec<Diagnostic>,
) -> Option<Program> {
    let config = &state.config;
    let compilation = compile_within(sources, &config.mode, &config.tokens.ceiling(), now_ms());
    let errors = compilation
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error);
    let concerns =
        |one: &&diagnostic::Diagnostic| one.severity == Severity::Error || place(sources, one).file == file;
    found.extend(shown(sources, compilation.diagnostics.iter().filter(concerns)));
    let is_right = errors.count() == 0;
    compilation.program.filter(|_| is_right)
}

/// A file as pages name it: from the policy directory, as places of lines are.
fn shown_path(state: &AdminState, path: &Path) -> String {
    let directory = state.config.policies.canonicalize().ok();
    let below = directory.and_then(|directory| path.strip_prefix(directory).ok().map(Path::to_owned));
    below.as_deref().unwrap_or(path).display().to_string()
}

/// The token's own lines, and the file that has them.
pub(super) fn own_lines(state: &AdminState, name: &str) -> Result<(String, String), AdminError> {
    let prepared = Edit::of_token(&state.config.policies, name)
        .map_err(|error| AdminError::Question(error.to_string()))?
        .unchanged();
    let section = prepared
        .section(name)
        .map_err(|error| AdminError::Question(error.to_string()))?;
    let lines = section.text("limit_to").unwrap_or_default().to_owned();
    Ok((lines, shown_path(state, prepared.path())))
}

/// Drafts new lines of a token: the whole section to commit. The proofs of its effect end when `means` say so.
pub(super) fn limits(
    state: &AdminState,
    name: &str,
    lines: Vec<String>,
    means: &Means,
) -> Result<Draft, AdminError> {
    let mut draft = Draft::default();
    if let Err(why) = try_cost(lines.iter().map(String::as_str), &means.stop) {
        draft.errors.push(("lines".to_owned(), sentence(&why)));
        return Ok(draft);
    }
    let prepared = Edit::of_token(&state.config.policies, name)
        .map_err(|error| AdminError::Question(error.to_string()))?
        .unchanged();
    draft.file = shown_path(state, prepared.path());
    let changed = match prepared.with(name, &[Change::Lines(lines)]) {
        Ok(changed) => changed,
        Err(error) => {
            draft.errors.push(("lines".to_owned(), error.to_string()));
            return Ok(draft);
        }
    };
    let sources = changed.sources();
    let section = changed
        .section(name)
        .map_err(|error| AdminError::Question(error.to_string()))?;
    let text = changed
        .text()
        .get(section.range.clone())
        .unwrap_or_default()
        .to_owned();
    let file = sources
        .iter()
        .find(|(_, source)| &*source.text == changed.text())
        .map(|(_, source)| source.path.clone());
    let program = check(state, &sources, &file.unwrap_or_default(), &mut draft.diagnostics);
    if let Some(program) = program {
        draft.effect = effect_of(state, &program, name, means);
        draft.toml = Some(text);
    }
    Ok(draft)
}
