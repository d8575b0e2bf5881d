//! Postman collections, version 2.0 and 2.1.

use std::collections::HashMap;

use serde_json::Value;
use tokenward_compiler::{BaseUrl, visible};

use super::call::{Calls, Written, push};

/// Passes in which variables are replaced, since their values may have variables.
const PASSES: usize = 8;

/// The longest text after variables are replaced, in bytes.
const LONGEST: usize = 1 << 20;

/// A value for variables that Postman makes up for each call.
const MADE_UP: &str = "1";

type Variables = HashMap<String, String>;

pub(super) fn read(text: &str, base: &BaseUrl) -> Result<Calls, String> {
    let collection: Value = serde_json::from_str(text).map_err(|error| {
        format!(
            "line {}: cannot read the collection; export it again",
            error.line().max(1)
        )
    })?;
    let mut out = Calls::default();
    items(
        &collection,
        "",
        &variables(&collection, &Variables::new()),
        base,
        &mut out,
    )?;
    Ok(out)
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
        if let Some(request) = item.get("request") {
            push(out, written(request, format!("\"{path}\""), &known)?.call(base)?)?;
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
    let raw = given.get("raw").unwrap_or(given);
    let raw = raw
        .as_str()
        .ok_or("the request has no URL; save it in Postman with one")?;
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
    let url = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let url = filled(&url, known)?;
    // Postman completes a URL without a scheme.
    Ok(url.trim().to_owned())
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
                None if name.starts_with('$') => out.push_str(MADE_UP),
                None => {
                    let shown = visible(name);
                    return Err(format!(
                        "the variable `{{{{{shown}}}}}` has no value; add it to the variables of the collection, and export again"
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
        "graphql" => Ok(Some((
            "application/json",
            body.get("graphql").unwrap_or(&Value::Null).to_string(),
        ))),
        "urlencoded" => Ok(Some(("application/x-www-form-urlencoded", "x".to_owned()))),
        "formdata" => Ok(Some(("multipart/form-data; boundary=x", "x".to_owned()))),
        "file" => Ok(Some(("application/octet-stream", "x".to_owned()))),
        _ => Ok(None),
    }
}
