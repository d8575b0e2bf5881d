//! Python 3: `urllib.request`, which every installation has.

use super::parts::{Scheme, Secret, Snippet, VARIABLE, quoted};

pub(super) fn text(snippet: &Snippet<'_>) -> String {
    let call = snippet.call;
    let (import, secret) = match &snippet.secret {
        Secret::Shown(secret) => ("", quoted(secret)),
        Secret::Environment => ("import os\n", format!("os.environ[\"{VARIABLE}\"]")),
    };
    let (base64, authorization) = match &snippet.scheme {
        Scheme::Basic(user) => (
            "import base64\n",
            format!(
                "\"Basic \" + base64.b64encode(({} + secret).encode()).decode()",
                quoted(&format!("{user}:"))
            ),
        ),
        Scheme::Bearer => ("", "\"Bearer \" + secret".to_owned()),
    };
    let (media, data) = match &call.body {
        Some(body) => (
            "\nrequest.add_header(\"Content-Type\", \"application/json\")",
            format!(", data={}.encode()", quoted(body)),
        ),
        None => ("", String::new()),
    };
    format!(
        "{base64}{import}import urllib.request\n\n\
         secret = {secret}\n\
         request = urllib.request.Request({url}, method={method}{data})\n\
         request.add_header(\"Authorization\", {authorization}){media}\n\
         with urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())\n",
        url = quoted(&call.url),
        method = quoted(call.method.as_str()),
    )
}
