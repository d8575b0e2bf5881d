//! JavaScript: `fetch`, as a module of Node.

use super::parts::{Scheme, Secret, Snippet, VARIABLE, quoted};

pub(super) fn text(snippet: &Snippet<'_>) -> String {
    let call = snippet.call;
    let secret = match &snippet.secret {
        Secret::Shown(secret) => quoted(secret),
        Secret::Environment => format!("process.env.{VARIABLE}"),
    };
    let authorization = match &snippet.scheme {
        Scheme::Basic(user) => format!(
            "\"Basic \" + Buffer.from({} + secret).toString(\"base64\")",
            quoted(&format!("{user}:"))
        ),
        Scheme::Bearer => "\"Bearer \" + secret".to_owned(),
    };
    let (media, body) = match &call.body {
        Some(body) => (
            "\n    \"Content-Type\": \"application/json\",",
            format!("\n  body: {},", quoted(body)),
        ),
        None => ("", String::new()),
    };
    format!(
        "const secret = {secret};\n\
         const response = await fetch({url}, {{\n  method: {method},\n  headers: {{\n    Authorization: {authorization},{media}\n  }},{body}\n}});\n\
         console.log(response.status, await response.text());\n\
         if (!response.ok) process.exitCode = 1;\n",
        url = quoted(&call.url),
        method = quoted(call.method.as_str()),
    )
}
