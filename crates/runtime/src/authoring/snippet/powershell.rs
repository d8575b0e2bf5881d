//! PowerShell: `Invoke-WebRequest`.

use super::parts::{Scheme, Secret, Snippet, VARIABLE};

pub(super) fn text(snippet: &Snippet<'_>) -> String {
    let call = snippet.call;
    let secret = match &snippet.secret {
        Secret::Shown(secret) => quoted(secret),
        Secret::Environment => format!("$env:{VARIABLE}"),
    };
    let authorization = match &snippet.scheme {
        Scheme::Basic(user) => format!(
            "'Basic ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes({} + $secret))",
            quoted(&format!("{user}:"))
        ),
        Scheme::Bearer => "'Bearer ' + $secret".to_owned(),
    };
    let body = match &call.body {
        Some(body) => format!(
            " `\n  -ContentType 'application/json' -Body ([Text.Encoding]::UTF8.GetBytes({}))",
            quoted(body)
        ),
        None => String::new(),
    };
    format!(
        "$secret = {secret}\n\
         $authorization = {authorization}\n\
         $response = Invoke-WebRequest -UseBasicParsing -Method {method} -Uri {url} `\n  -Headers @{{ Authorization = $authorization }}{body}\n\
         \"$($response.StatusCode) $($response.Content)\"\n",
        method = call.method.as_str(),
        url = quoted(&call.url),
    )
}

/// Puts the text in single quotes. PowerShell accepts the typographic quotes too, so they are doubled as well.
fn quoted(text: &str) -> String {
    let mut out = "'".to_owned();
    for character in text.chars() {
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(character);
        }
        out.push(character);
    }
    out.push('\'');
    out
}
