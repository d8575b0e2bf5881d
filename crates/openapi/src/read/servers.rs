//! The bases of paths: `servers` of OpenAPI 3, `host`, `basePath` and `schemes` of Swagger 2.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use crate::text::{below, shortened};

/// Bases of one list of servers at most; the variables of a server may multiply them.
const MOST_BASES: usize = 64;

/// URLs of one server at most, with the values of its variables.
const MOST_URLS: usize = 4_096;

/// The longest URL of a server, in bytes.
const LONGEST_URL: usize = 2_000;

/// The bases and hosts of a list of servers.
#[derive(Clone)]
pub(super) struct Servers {
    pub(super) bases: Arc<[String]>,
    pub(super) hosts: Vec<String>,
}

impl Servers {
    fn new(mut bases: Vec<String>, mut hosts: Vec<String>) -> Self {
        dedup(&mut bases);
        dedup(&mut hosts);
        if bases.is_empty() {
            bases.push(String::new());
        }
        Self {
            bases: bases.into(),
            hosts,
        }
    }
}

fn dedup(texts: &mut Vec<String>) {
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
}

/// The servers of Swagger 2.
pub(super) fn of_swagger(context: &Context<'_>) -> Servers {
    let text = |key: &str| context.root.get(key).and_then(Value::as_str);
    let base = match text("basePath") {
        Some(base) if base.contains(['{', '}', '?', '#']) => {
            context.loss("/basePath", "`basePath` is not a plain path; it is left out");
            ""
        }
        Some(base) => base,
        None => "",
    };
    let host = text("host").filter(|host| !host.is_empty() && !host.contains('{'));
    Servers::new(
        vec![path_base(base)],
        host.map(str::to_ascii_lowercase).into_iter().collect(),
    )
}

/// The servers of a value that has a list `servers`; None if it has none.
pub(super) fn of(context: &Context<'_>, value: &Value, pointer: &str) -> Option<Servers> {
    let listed = value.get("servers")?;
    let pointer = below(pointer, "servers");
    let Some(listed) = listed.as_array() else {
        context.loss(&pointer, "`servers` is not a list; it is not read");
        return None;
    };
    if listed.is_empty() {
        return None;
    }
    let (mut bases, mut hosts) = (HashSet::new(), HashSet::new());
    let (mut in_order, mut hosts_in_order, mut is_cut) = (Vec::new(), Vec::new(), false);
    for (at, server) in listed.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        for (host, base) in of_server(context, server, &pointer) {
            if bases.len() < MOST_BASES && bases.insert(base.clone()) {
                in_order.push(base);
            } else if !bases.contains(&base) {
                is_cut = true;
            }
            if let Some(host) = host.filter(|host| hosts.len() < MOST_BASES && hosts.insert(host.clone())) {
                hosts_in_order.push(host);
            }
        }
    }
    if is_cut {
        let message = format!("the servers have more than {MOST_BASES} paths; the others are not read");
        context.loss(&pointer, message);
    }
    Some(Servers::new(in_order, hosts_in_order))
}

/// The hosts and bases of one server, one for each value of its variables.
fn of_server(context: &Context<'_>, server: &Value, pointer: &str) -> Vec<(Option<String>, String)> {
    let Some(url) = server.get("url").and_then(Value::as_str) else {
        context.loss(pointer, "the server has no `url`; it is not read");
        return Vec::new();
    };
    if url.len() > LONGEST_URL || !context.spend(1) {
        context.loss(pointer, "the `url` is too long; the server is not read");
        return Vec::new();
    }
    let mut out = Vec::new();
    for url in expanded(context, url, server.get("variables"), pointer) {
        let (host, path) = split(&url);
        if path.contains(['{', '}']) {
            let shown = shortened(&path, 80);
            let message =
                format!("the path `{shown}` has a variable without a value; the server is not read");
            context.loss(pointer, message);
            continue;
        }
        out.push((host.filter(|host| !host.contains('{')), path_base(&path)));
    }
    out
}

/// The URL with each variable replaced: by its values if they are listed, and by its default otherwise. A variable that is not
/// described stays.
fn expanded(context: &Context<'_>, url: &str, variables: Option<&Value>, pointer: &str) -> Vec<String> {
    let mut out = vec![url.to_owned()];
    let Some(variables) = variables.and_then(Value::as_object) else {
        return out;
    };
    for (name, variable) in variables {
        let written = format!("{{{name}}}");
        if !url.contains(&written) {
            continue;
        }
        let (values, mut is_cut) = values_of(variable);
        if values.is_empty() {
            let shown = shortened(name, 80);
            context.defect(
                &below(&below(pointer, "variables"), name),
                format!("the variable `{shown}` has no `default`"),
            );
            continue;
        }
        let mut replaced = Vec::new();
        for value in out
            .iter()
            .flat_map(|url| values.iter().map(|value| url.replace(&written, value)))
        {
            if value.len() > LONGEST_URL || replaced.len() >= MOST_URLS || !context.spend(1) {
                is_cut = true;
                break;
            }
            replaced.push(value);
        }
        out = replaced;
        if is_cut {
            let shown = shortened(name, 80);
            context.loss(
                &below(&below(pointer, "variables"), name),
                format!(
                    "the variable `{shown}` has too many values, or too long ones; the others are not read"
                ),
            );
        }
    }
    out
}

/// The values of a variable, the default first, and whether some could not be read.
fn values_of(variable: &Value) -> (Vec<String>, bool) {
    let text = |value: &Value| super::schema::scalar(value).filter(|text| text.len() <= LONGEST_URL);
    let listed = variable
        .get("enum")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let given = variable.get("default").into_iter().chain(listed);
    let (mut values, mut is_cut) = (Vec::new(), false);
    for value in given {
        match text(value) {
            Some(text) if values.len() < MOST_URLS => values.push(text),
            _ => is_cut = true,
        }
    }
    dedup(&mut values);
    (values, is_cut)
}

/// The host, with its port, and the path of a URL. A URL without a scheme is relative to the place of the document, which is
/// taken for the root of the server.
fn split(url: &str) -> (Option<String>, String) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((_, rest)) = url.split_once("://") else {
        return match url.strip_prefix("//") {
            Some(rest) => authority(rest),
            None => (None, url.to_owned()),
        };
    };
    authority(rest)
}

fn authority(rest: &str) -> (Option<String>, String) {
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    (Some(host).filter(|host| !host.is_empty()), path.to_owned())
}

/// A path as a base: with a slash at its start, without one at its end, `.` and `..` resolved.
fn path_base(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments
        .iter()
        .fold(String::new(), |path, segment| format!("{path}/{segment}"))
}

/// The servers of an OpenAPI 3 document. Without a list, there is one at the root.
pub(super) fn of_root(context: &Context<'_>) -> Servers {
    of(context, context.root, "").unwrap_or_else(|| Servers::new(Vec::new(), Vec::new()))
}
