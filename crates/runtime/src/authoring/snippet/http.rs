//! A .http file, as VS Code's REST Client, `JetBrains`' editors and httpyac read it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::parts::{Scheme, Secret, Snippet, VARIABLE, without_variables};

pub(super) fn text(snippet: &Snippet<'_>) -> String {
    let call = snippet.call;
    let (variable, authorization) = match (&snippet.secret, &snippet.scheme) {
        (Secret::Shown(secret), Scheme::Basic(user)) => (
            String::new(),
            format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
        ),
        (Secret::Shown(secret), Scheme::Bearer) => (String::new(), format!("Bearer {secret}")),
        (Secret::Environment, Scheme::Basic(user)) => (read(), format!("Basic {user}:{{{{token}}}}")),
        (Secret::Environment, Scheme::Bearer) => (read(), "Bearer {{token}}".to_owned()),
    };
    let body = match &call.body {
        Some(body) => format!("Content-Type: application/json\n\n{}\n", without_variables(body)),
        None => String::new(),
    };
    format!(
        "{variable}### {}\n{} {}\nAuthorization: {authorization}\n{body}",
        snippet.token,
        call.method.as_str(),
        call.url
    )
}

/// The syntax of the REST Client and httpyac; JetBrains' editors write `{{$env.TOKENWARD_TOKEN}}`.
fn read() -> String {
    format!("@token = {{{{$processEnv {VARIABLE}}}}}\n\n")
}
