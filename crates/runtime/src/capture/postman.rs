//! Postman collections, version 2.0 and 2.1.

use std::collections::HashMap;

use serde_json::Value;
use tokenward_compiler::{BaseUrl, visible};

use super::call::{Calls, Written, push};
use super::credential::is_secret_name;
use super::secrets::Secrets;

/// Passes in which variables are replaced, since their values may have variables.
const PASSES: usize = 8;

/// The longest text after variables are replaced, in bytes.
const LONGEST: usize = 1 << 20;

/// The text in the place of a variable that holds a credential and has no value here.
const UNKNOWN_SECRET: &str = "unknown-secret-of-the-collection";

type Variables = HashMap<String, String>;

pub(super) fn read(text: &str, base: &BaseUrl) -> Result<Calls, String> {
    let collection: Value = serde_json::from_str(text).map_err(|error| {
        format!(
            "line {}: cannot read the collection; export it again",
            error.line().max(1)
        )
    })?;
    let mut out = Calls::default();
    let known = variables(&collection, &Variables::new());
    out.secrets.add(UNKNOWN_SECRET);
    secret_variables(&collection, &known, &mut out.secrets);
    credentials(&collection, &known, &mut out.secrets);
    items(&collection, "", &known, base, &mut out)?;
    Ok(out)
}

/// Remembers the variables that hold credentials.
fn secret_variables(of: &Value, known: &Variables, secrets: &mut Secrets) {
    for one in list(of, "variable") {
        let key = one.get("key").or_else(|| one.get("id")).and_then(Value::as_str);
        let is_secret = one.get("type").and_then(Value::as_str) == Some("secret");
        if let Some((key, value)) = key.and_then(|key| Some((key, known.get(key)?))) {
            match is_secret {
                true => secrets.add(value),
                false => secrets.add_named(key, value),
            }
        }
    }
}

/// Remembers the credentials of `auth`.
fn credentials(of: &Value, known: &Variables, secrets: &mut Secrets) {
    let Some(Value::Object(auth)) = of.get("auth") else {
        return;
    };
    for (kind, values) in auth {
        let pairs: Vec<(String, &Value)> = match values {
            Value::Array(list) => list
                .iter()
                .filter_map(|one| Some((one.get("key")?.as_str()?.to_owned(), one.get("value")?)))
                .collect(),
            Value::Object(values) => values.iter().map(|(key, value)| (key.clone(), value)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in pairs {
            let value = scalar(value).and_then(|value| filled(&value, known).ok());
            if let Some(value) = value {
                match kind == "apikey" && key == "value" {
                    true => secrets.add(&value),
                    false => secrets.add_named(&key, &value),
                }
            }
        }
    }
}

fn variables(of: &Value, outer: &Variables) -> Variables {
    let mut out = outer.clone();
    for one in list(of, "variable") {
        let key = one.get("key").or_else(|| one.get("id")).and_then(Value::as_str);
        if let (Some(key), Some(value)) = (key, one.get("value").and_then(scalar)) {
            out.insert(key.to_owned(), value);
        }
    }
    out
}

fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of.get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn items(of: &Value, folder: &str, known: &Variables, base: &BaseUrl, out: &mut Calls) -> Result<(), String> {
    for (at, item) in list(of, "item").iter().enumerate() {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let name = if name.is_empty() {
            format!("item {}", at + 1)
        } else {
            visible(name).to_string()
        };
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder} / {name}")
        };
        let known = variables(item, known);
        secret_variables(item, &known, &mut out.secrets);
        credentials(item, &known, &mut out.secrets);
        if let Some(request) = item.get("request") {
            credentials(request, &known, &mut out.secrets);
            let call = written(request, format!("\"{path}\""), &known)?.call(base, out)?;
            push(out, call)?;
        }
        items(item, &path, &known, base, out)?;
    }
    Ok(())
}

fn written(request: &Value, place: String, known: &Variables) -> Result<Written, String> {
    let at = |message: String| format!("{place}: {message}");
    let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default();
    let url = url(request, known).map_err(at)?;
    let mut headers = Vec::new();
    for header in list(request, "header")
        .iter()
        .filter(|header| header.get("disabled") != Some(&Value::Bool(true)))
    {
        let part = |key: &str| header.get(key).and_then(scalar).unwrap_or_default();
        let (name, value) = (part("key"), part("value"));
        // A header with a variable of an environment is mostly a credential, and dropped in any case.
        let value = filled(&value, known).unwrap_or_default();
        headers.push((name, value));
    }
    let has_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let body = match body(request.get("body"), known).map_err(at)? {
        Some((media, body)) => {
            if !has_type {
                headers.push(("Content-Type".to_owned(), media.to_owned()));
            }
            Some(body)
        }
        None => None,
    };
    let method = filled(text("method"), known).map_err(at)?;
    Ok(Written {
        place,
        method,
        url,
        headers,
        body,
    })
}

fn url(request: &Value, known: &Variables) -> Result<String, String> {
    let given = request.get("url").unwrap_or(request);
    let text = given
        .as_str()
        .or_else(|| given.get("raw").and_then(Value::as_str));
    let built = text
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .or_else(|| in_parts(given));
    let raw = built.ok_or("the request has no URL; save it in Postman with one")?;
    let raw = raw.as_str();
    // An environment that is not part of the collection names the server.
    let raw = match raw.strip_prefix("{{").and_then(|rest| rest.split_once("}}")) {
        Some((name, rest))
            if !known.contains_key(name.trim()) && (rest.is_empty() || rest.starts_with(['/', '?'])) =>
        {
            if rest.starts_with('/') {
                rest.to_owned()
            } else {
                format!("/{rest}")
            }
        }
        _ => raw.to_owned(),
    };
    let local = variables(given, &Variables::new());
    let (path, query) = raw
        .split_once('?')
        .map_or((raw.as_str(), None), |(path, query)| (path, Some(query)));
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment.strip_prefix(':').filter(|name| !name.is_empty()) {
            None => segments.push(segment.to_owned()),
            Some(name) => {
                let value = local.get(name).filter(|value| !value.is_empty());
                let missing = || {
                    format!("the path variable `:{name}` has no value; set it in Postman and export again")
                };
                segments.push(value.ok_or_else(missing)?.clone());
            }
        }
    }
    let path = segments.join("/");
    let mut url = filled(&path, known)?;
    if let Some(query) = query {
        // A credential without a value in the collection is not part of the call.
        let has_value = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            !is_secret_name(name) || filled(pair, known).is_ok()
        };
        let pairs: Vec<&str> = query.split('&').filter(has_value).collect();
        if !pairs.is_empty() {
            url = format!("{url}?{}", filled(&pairs.join("&"), known)?);
        }
    }
    // Postman completes a URL without a scheme.
    Ok(url.trim().to_owned())
}

/// A URL that is written in parts: its host, its path and its query.
fn in_parts(given: &Value) -> Option<String> {
    let joined = |key: &str, joint: &str| match given.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let text = |part: &Value| scalar(part).or_else(|| part.get("value").and_then(scalar));
            Some(parts.iter().filter_map(text).collect::<Vec<_>>().join(joint))
        }
        _ => None,
    };
    let mut url = String::new();
    if let Some(protocol) = joined("protocol", "") {
        url.push_str(&format!("{protocol}://"));
    }
    url.push_str(&joined("host", ".")?);
    if let Some(port) = joined("port", "") {
        url.push_str(&format!(":{port}"));
    }
    if let Some(path) = joined("path", "/") {
        url.push_str(&format!("/{}", path.trim_start_matches('/')));
    }
    let enabled = list(given, "query")
        .iter()
        .filter(|pair| pair.get("disabled") != Some(&Value::Bool(true)));
    let pairs = enabled.filter_map(|pair| {
        let key = pair.get("key").and_then(scalar)?;
        Some(match pair.get("value").and_then(scalar) {
            Some(value) => format!("{key}={value}"),
            None => key,
        })
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        url.push_str(&format!("?{query}"));
    }
    Some(url)
}

/// The text with variables replaced.
fn filled(text: &str, known: &Variables) -> Result<String, String> {
    let mut text = text.to_owned();
    for _ in 0..PASSES {
        if !text.contains("{{") {
            break;
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                out.push_str("{{");
                rest = after;
                continue;
            };
            let name = name.trim();
            match known.get(name) {
                Some(value) => out.push_str(value),
                // Postman makes up a value for each call, so a line with any one of them would not allow the next call.
                None if name.starts_with('$') => {
                    let shown = visible(name);
                    return Err(format!(
                        "Postman makes up a value for `{{{{{shown}}}}}` in each call; write a value of the same kind in its place"
                    ));
                }
                None if is_secret_name(name)
                    || name.rsplit(['_', '-']).next().is_some_and(is_secret_name) =>
                {
                    out.push_str(UNKNOWN_SECRET);
                }
                None => {
                    let shown = visible(name);
                    return Err(format!(
                        "the variable `{{{{{shown}}}}}` has no value; add it to the variables of the collection and export again, or write its value in its place"
                    ));
                }
            }
            if out.len() > LONGEST {
                return Err(
                    "the text is too long after its variables are replaced; shorten their values".to_owned(),
                );
            }
            rest = after;
        }
        out.push_str(rest);
        text = out;
    }
    Ok(text)
}

/// The media type that Postman sends, and the body. Forms are not part of a line, so their content is not read.
fn body(body: Option<&Value>, known: &Variables) -> Result<Option<(&'static str, String)>, String> {
    let Some(body) = body.filter(|body| body.get("disabled") != Some(&Value::Bool(true))) else {
        return Ok(None);
    };
    let mode = body.get("mode").and_then(Value::as_str).unwrap_or_default();
    match mode {
        "raw" => {
            let raw = body.get("raw").and_then(Value::as_str).unwrap_or_default();
            let language = body.pointer("/options/raw/language").and_then(Value::as_str);
            let media = match language {
                Some("json") => "application/json",
                Some("xml") => "application/xml",
                _ if raw.trim_start().starts_with(['{', '[']) => "application/json",
                _ => "text/plain",
            };
            let raw = filled(raw, known)?;
            Ok(Some((media, raw)).filter(|(_, raw)| !raw.trim().is_empty()))
        }
        "graphql" => {
            let mut query = body.get("graphql").cloned().unwrap_or(Value::Null);
            // Postman keeps the variables as a text, and sends them as the object that the text is.
            if let Some(Value::String(text)) = query.get("variables") {
                let text = filled(text, known)?;
                let variables = match text.trim().is_empty() {
                    true => Value::Object(serde_json::Map::new()),
                    false => serde_json::from_str(&text).map_err(|_| {
                        "the GraphQL variables are not valid JSON; correct them in Postman".to_owned()
                    })?,
                };
                if let Some(query) = query.as_object_mut() {
                    query.insert("variables".to_owned(), variables);
                }
            }
            Ok(Some(("application/json", filled(&query.to_string(), known)?)))
        }
        "urlencoded" => Ok(Some(("application/x-www-form-urlencoded", "x".to_owned()))),
        "formdata" => Ok(Some(("multipart/form-data; boundary=x", "x".to_owned()))),
        "file" => Ok(Some(("application/octet-stream", "x".to_owned()))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(body: &Value) -> Result<Calls, String> {
        let request = serde_json::json!({"method": "POST", "url": "https://api.example/a", "body": body});
        let collection =
            serde_json::json!({"variable": [{"key": "n", "value": "5"}], "item": [{"request": request}]});
        read(
            &collection.to_string(),
            &BaseUrl::parse("https://api.example").unwrap(),
        )
    }

    #[test]
    fn values_that_differ_in_each_call_are_not_taken_as_fixed() {
        for name in ["$guid", "$randomInt"] {
            let body = serde_json::json!({"mode": "raw", "raw": format!("{{\"id\": \"{{{{{name}}}}}\"}}")});
            let error = read_body(&body).unwrap_err();
            assert!(error.contains("makes up a value"), "{error}");
        }
    }

    #[test]
    fn graphql_variables_are_sent_as_an_object() {
        let body =
            serde_json::json!({"mode": "graphql", "graphql": {"query": "q", "variables": "{\"a\": {{n}}}"}});
        let read = read_body(&body).unwrap();
        let sent: Value = serde_json::from_slice(&read.calls.first().unwrap().body).unwrap();
        assert_eq!(sent, serde_json::json!({"query": "q", "variables": {"a": 5}}));
    }
}
