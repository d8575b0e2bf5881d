//! The operations of one path.

use serde_json::{Map, Value};

use super::context::{Context, Found};
use super::parameters::{self, Described};
use super::servers::{self, Servers};
use super::template::{self, Parsed};
use crate::model::{Location, Operation, Parameter, Shape};
use crate::text::{below, shortened};

/// The methods that a path item has keys for.
const METHODS: [&str; 9] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
];

/// The other keys of a path item.
const OTHER_KEYS: [&str; 6] = [
    "$ref",
    "summary",
    "description",
    "servers",
    "parameters",
    "additionalOperations",
];

/// The longest path, in bytes.
const LONGEST: usize = 4_000;

/// The values of the document that hold for each path.
pub(super) struct Document {
    pub(super) servers: Servers,
    pub(super) consumes: Vec<String>,
}

/// Reads one entry of `paths`.
pub(super) fn of_path<'a>(
    context: &Context<'a>,
    document: &Document,
    path: &str,
    item: Found<'a>,
) -> Vec<Operation> {
    let at = item.pointer.clone();
    if path.len() > LONGEST {
        context.loss(&shortened(&at, 120), "the path is too long; it is not read");
        return Vec::new();
    }
    let parsed = template::parse(path);
    for mistake in &parsed.mistakes {
        context.defect(&at, *mistake);
    }
    // Keys next to `$ref` are the path's own; in the document they override those of the entry that it refers to.
    let own = item.value.as_object();
    let Some(followed) = context.follow_calls(item.clone()) else {
        return Vec::new();
    };
    let (Some(own), Some(shared)) = (own, followed.value.as_object()) else {
        context.loss(&at, "the path's entry is not an object; it is not read");
        return Vec::new();
    };
    let mut out = of_item(context, document, &parsed, shared, &followed);
    if own.contains_key("$ref") {
        let more = of_item(context, document, &parsed, own, &item);
        out.retain(|operation| more.iter().all(|other| other.method != operation.method));
        out.extend(more);
    }
    out
}

fn of_item<'a>(
    context: &Context<'a>,
    document: &Document,
    parsed: &Parsed,
    item: &'a Map<String, Value>,
    found: &Found<'a>,
) -> Vec<Operation> {
    let path = Path {
        parsed,
        described: parameters::of(context, found.value, &found.pointer),
        servers: servers::of(context, found.value, &found.pointer),
    };
    let mut out = Vec::new();
    let mut add = |method: &str, value: &'a Value, pointer: String| {
        out.extend(of_method(
            context,
            document,
            &path,
            method,
            Found { value, pointer },
        ));
    };
    for (key, value) in item {
        let pointer = below(&found.pointer, key);
        if METHODS.contains(&key.as_str()) {
            add(key, value, pointer);
        } else if METHODS.contains(&key.to_ascii_lowercase().as_str()) {
            context.defect(
                &pointer,
                "the method is not in lower case; it is read as if it were",
            );
            add(key, value, pointer);
        } else if key == "additionalOperations" {
            let Some(more) = value.as_object() else {
                context.loss(
                    &pointer,
                    "`additionalOperations` is not an object; it is not read",
                );
                continue;
            };
            for (method, value) in more {
                add(method, value, below(&pointer, method));
            }
        } else if !OTHER_KEYS.contains(&key.as_str()) && !key.starts_with("x-") {
            let shown = shortened(key, 80);
            let message = format!("`{shown}` is not a method or another key of a path; it is not read");
            // A misspelt method has an object; a key of another tool mostly has a text.
            if value.is_object() {
                context.loss(&found.pointer, message);
            } else {
                context.defect(&found.pointer, message);
            }
        }
    }
    out
}

struct Path<'p> {
    parsed: &'p Parsed,
    described: Described,
    servers: Option<Servers>,
}

fn of_method<'a>(
    context: &Context<'a>,
    document: &Document,
    path: &Path<'_>,
    method: &str,
    found: Found<'a>,
) -> Option<Operation> {
    let Found { value, pointer } = found;
    if !value.is_object() {
        context.loss(&pointer, "the operation is not an object; it is not read");
        return None;
    }
    let valid = !method.is_empty()
        && method.len() <= 40
        && method
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !valid {
        context.loss(&pointer, "the method is not a method of HTTP; it is not read");
        return None;
    }
    let own_servers = servers::of(context, value, &pointer).or_else(|| path.servers.clone());
    let other_host = own_servers
        .as_ref()
        .and_then(|servers| servers.hosts.first())
        .cloned();
    let servers = own_servers.unwrap_or_else(|| document.servers.clone());
    let described = parameters::of(context, value, &pointer).over(&path.described);
    if !context.spend(described.parameters.len() + path.parsed.template.segments.len()) {
        return None;
    }
    let body = if context.swagger {
        let own = parameters::media_types(value.get("consumes"));
        described.body(own.as_deref().unwrap_or(&document.consumes))
    } else {
        parameters::request_body(context, value, &pointer)
    };
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let first_line = |text: &str| shortened(text.trim().lines().next().unwrap_or_default(), 200);
    let tags = value
        .get("tags")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    Some(Operation {
        id: text("operationId").map(|id| shortened(id, 300)),
        method: method.to_ascii_uppercase(),
        bases: servers.bases,
        other_host: other_host.filter(|host| !document.servers.hosts.contains(host)),
        template: path.parsed.template.clone(),
        parameters: in_order(context, path.parsed, described.parameters, &pointer),
        body,
        tags: tags
            .iter()
            .take(50)
            .filter_map(Value::as_str)
            .map(|tag| shortened(tag, 200))
            .collect(),
        summary: text("summary").or_else(|| text("description")).map(first_line),
        deprecated: value.get("deprecated") == Some(&Value::Bool(true)),
        pointer,
    })
}

/// The parameters, those of the path first and in its order. Names of the template that are not described are added, and described
/// ones that it does not have are left out; both are reported.
fn in_order(
    context: &Context<'_>,
    parsed: &Parsed,
    described: Vec<Parameter>,
    pointer: &str,
) -> Vec<Parameter> {
    let (mut in_path, others): (Vec<Parameter>, Vec<Parameter>) = described
        .into_iter()
        .partition(|parameter| parameter.location == Location::Path);
    let mut out: Vec<Parameter> = Vec::new();
    for name in parsed.template.parameters() {
        if out.iter().any(|parameter| parameter.name == name) {
            continue;
        }
        let found = in_path
            .iter()
            .position(|parameter| parameter.name == name)
            .map(|at| in_path.remove(at));
        let mut parameter = found.unwrap_or_else(|| {
            let shown = shortened(name, 80);
            context.defect(
                pointer,
                format!("the parameter `{shown}` of the path is not described; any text is assumed"),
            );
            parameters::undescribed(name)
        });
        parameter.multi_segment |= parsed.multi_segment.iter().any(|other| other == name);
        let pattern = parsed.patterns.iter().find(|(other, _)| other == name);
        if let (None, Some((_, pattern))) = (&parameter.shape.pattern, pattern) {
            parameter.shape.pattern = Some(format!("^(?:{pattern})$"));
        }
        out.push(parameter);
    }
    for unused in in_path {
        let shown = shortened(&unused.name, 80);
        let message = if out.iter().any(|parameter| parameter.name == unused.name) {
            out.retain_mut(|parameter| {
                if parameter.name == unused.name {
                    parameter.shape = Shape::default();
                }
                true
            });
            format!("the parameter `{shown}` of the path is described twice; any text is assumed")
        } else {
            format!("the parameter `{shown}` is in the path, which does not have it; it is not read")
        };
        context.defect(pointer, message);
    }
    out.extend(others);
    out
}
