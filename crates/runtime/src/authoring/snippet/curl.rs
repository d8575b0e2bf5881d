//! curl, quoted for a POSIX shell.

use super::parts::{Scheme, Secret, Snippet, VARIABLE};

pub(super) fn text(snippet: &Snippet<'_>) -> String {
    let call = snippet.call;
    let mut options = vec!["curl -sS --fail-with-body".to_owned()];
    options.push(match &snippet.scheme {
        Scheme::Basic(user) => format!("-u {}", joined(&format!("{user}:"), &snippet.secret)),
        Scheme::Bearer => format!("-H {}", joined("Authorization: Bearer ", &snippet.secret)),
    });
    match call.method.as_str() {
        "GET" => {}
        "HEAD" => options.push("-I".to_owned()),
        method => options.push(format!("-X {method}")),
    }
    if let Some(body) = &call.body {
        options.push("-H 'Content-Type: application/json'".to_owned());
        options.push(format!("--data-raw {}", quoted(body)));
    }
    options.push(quoted(&call.url));
    options.join(" \\\n  ") + "\n"
}

/// Quotes one word of the shell: a text, then the secret.
fn joined(before: &str, secret: &Secret) -> String {
    match secret {
        Secret::Shown(secret) => quoted(&format!("{before}{secret}")),
        Secret::Environment => format!("{}\"${VARIABLE}\"", quoted(before)),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
