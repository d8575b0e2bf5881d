//! A Postman collection of one request (format 2.1). Postman has no environment of the process: a secret that is not in it
//! is the variable of that name, which `newman run --env-var` sets.

use serde_json::{Value, json};

use super::parts::{Scheme, Secret, Snippet, VARIABLE, without_variables};

pub(super) fn text(snippet: &Snippet<'_>) -> String {
    let call = snippet.call;
    let secret = match &snippet.secret {
        Secret::Shown(secret) => secret.clone(),
        Secret::Environment => format!("{{{{{VARIABLE}}}}}"),
    };
    let field = |key: &str, value: &str| json!({ "key": key, "value": value, "type": "string" });
    let auth = match &snippet.scheme {
        Scheme::Basic(user) => json!({
            "type": "basic",
            "basic": [field("username", user), field("password", &secret)],
        }),
        Scheme::Bearer => json!({ "type": "bearer", "bearer": [field("token", &secret)] }),
    };
    let mut request = json!({
        "method": call.method.as_str(),
        "auth": auth,
        "header": [],
        "url": call.url,
    });
    if let (Some(body), Some(fields)) = (&call.body, request.as_object_mut()) {
        let header = json!([{ "key": "Content-Type", "value": "application/json" }]);
        fields.insert("header".to_owned(), header);
        let raw = json!({ "mode": "raw", "raw": without_variables(body), "options": { "raw": { "language": "json" } } });
        fields.insert("body".to_owned(), raw);
    }
    let collection: Value = json!({
        "info": {
            "name": snippet.token,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "item": [{ "name": snippet.token, "request": request }],
    });
    // A value of strings always serialises.
    serde_json::to_string_pretty(&collection).unwrap_or_default() + "\n"
}
