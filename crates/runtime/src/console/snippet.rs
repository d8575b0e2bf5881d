//! Ready calls with a token, for its page.

use std::sync::Arc;

use tokenward_compiler::ir::Users;
use tokenward_compiler::resolve_policy;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_console::views::parts::Snippet as Shown;

use super::heavy::Console;
use crate::admin::{AdminError, AdminState};
use crate::authoring::snippet::{Asked, Language, Scheme, Secret, Snippet, VARIABLE, witness};

/// Languages of the calls, with their names.
const LANGUAGES: [(Language, &str); 4] = [
    (Language::Curl, "curl"),
    (Language::Python, "Python"),
    (Language::Javascript, "JavaScript"),
    (Language::Powershell, "PowerShell"),
];

/// Calls with a token, and a remark on them. The proxy has no secrets of tokens, so the calls read it from the environment.
pub(super) async fn snippets(state: &Arc<AdminState>, console: &Console, name: &str) -> (Vec<Shown>, String) {
    let (state, name) = (Arc::clone(state), name.to_owned());
    let made = console.heavy(move || Ok(made(&state, &name))).await;
    match made {
        Ok(Ok(snippets)) => (
            snippets,
            format!(
                "The calls read the secret from the environment variable {VARIABLE}: the proxy has only its hash. \
                 In standard mode `tokenward token show --secret` may have it."
            ),
        ),
        Ok(Err(why)) => (Vec::new(), why),
        Err(AdminError::Busy) => (
            Vec::new(),
            "The console is busy; load the page again for a call.".to_owned(),
        ),
        Err(error) => (Vec::new(), error.to_string()),
    }
}

fn made(state: &AdminState, name: &str) -> Result<Vec<Shown>, String> {
    let config = &state.config;
    if config.policies.is_file() {
        return Err(
            "A call cannot be written from a compiled policy, which has no lines to read.".to_owned(),
        );
    }
    let unread = |error: String| format!("The policy files cannot be read for a call: {error}.");
    let sources = SourceSet::read_dir(&config.policies, Links::WithinDirectory)
        .map_err(|error| unread(error.to_string()))?;
    let live = state.policies.current();
    let program = live.program();
    let found = program.tokens().find(|(_, token)| token.name == name);
    let policy = resolve_policy(&sources);
    let written = policy
        .tokens
        .into_iter()
        .find(|token| token.attributes.name == name);
    let (Some((id, token)), Some(written)) = (found, written) else {
        return Err("The policy files have no such token any more.".to_owned());
    };
    let endpoints = match config.upstream.endpoints.as_slice() {
        [] => config
            .upstream
            .product
            .endpoints()
            .iter()
            .map(|one| (*one).to_owned())
            .collect(),
        given => given.to_vec(),
    };
    let asked = Asked {
        program,
        rules: &state.gate.rules,
        id,
    };
    let call = witness(&asked, &written, &endpoints)
        .ok_or("No call was found that the proxy would allow with its lines.")?;
    let scheme = match &token.users {
        _ if !config.auth.methods.basic() => Scheme::Bearer,
        Users::Named(users) => Scheme::Basic(users.first().cloned().unwrap_or_default()),
        Users::Any => Scheme::Basic("USER".to_owned()),
    };
    let snippet = Snippet {
        token: name,
        call: &call,
        scheme,
        secret: Secret::Environment,
    };
    let shown = LANGUAGES.map(|(language, name)| Shown {
        name: name.to_owned(),
        text: snippet.text(language),
    });
    Ok(shown.to_vec())
}
