//! The schema of the configuration, from the commented file of the distribution, which has every key.

use serde_json::{Map, Value, json};

/// The configuration with every key: those with a default have it as their value, the others are commented out with an example.
const EVERY_KEY: &str = include_str!("../../../../tokenward.toml");

const DURATION: &str = "^[0-9]+(ms|s|m|h|d)$";
const SIZE: &str = "^[0-9]+(B|KiB|MiB|GiB)$";
const RATE: &str = "^[0-9]+/[0-9]+(ms|s|m|h|d)$";

/// The values of keys that have a few.
const CHOICES: [(&str, &[&str]); 17] = [
    ("warnings", &["allow", "deny"]),
    ("mode", &["standard", "secure"]),
    ("fleet.on_expired", &["refuse", "serve"]),
    ("fleet.on_stale", &["refuse", "serve"]),
    ("lint.set", &["none", "regular", "pedantic", "auditor"]),
    (
        "server.client_address",
        &["peer", "x-forwarded-for", "forwarded", "proxy-protocol"],
    ),
    ("server.hardening", &["best-effort", "required", "off"]),
    (
        "upstream.product",
        &["jira", "confluence", "gitlab", "redmine", "generic"],
    ),
    (
        "upstream.identity.mode",
        &["trusted-header", "per-user", "service-account"],
    ),
    ("auth.methods", &["basic", "bearer", "both"]),
    ("audit.durability", &["durable", "buffered"]),
    ("audit.on_failure", &["refuse", "allow"]),
    ("audit.values.query", &["keep", "hash", "drop"]),
    ("audit.values.body", &["keep", "hash", "drop"]),
    ("log.format", &["text", "json"]),
    ("log.calls", &["off", "info", "debug"]),
    ("auth.schemes[]", &["token"]),
];

/// A key of the configuration.
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    /// The section, such as `server.tls`; empty for the root.
    section: String,
    key: String,
    value: Value,
    /// Whether the value is the default; otherwise an example.
    is_default: bool,
    meaning: String,
}

/// The schema, in a dialect.
pub(super) fn schema(dialect: &str) -> Value {
    let mut properties = Map::new();
    for setting in settings(EVERY_KEY) {
        let path = setting.path();
        let parts: Vec<&str> = path.split('.').collect();
        insert(&mut properties, &parts, property(&setting));
    }
    json!({
        "$schema": dialect,
        "title": "Tokenward: configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Puts a property in its section, which is made if need be.
fn insert(properties: &mut Map<String, Value>, path: &[&str], property: Value) {
    match path {
        [] => {}
        [key] => {
            properties.insert((*key).to_owned(), property);
        }
        [first, rest @ ..] => {
            let section = properties.entry(*first).or_insert_with(
                || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
            );
            if let Some(inner) = section.get_mut("properties").and_then(Value::as_object_mut) {
                insert(inner, rest, property);
            }
        }
    }
}

/// Each key with its section: `server.listen`.
#[cfg(test)]
pub(super) fn keys() -> Vec<String> {
    settings(EVERY_KEY).iter().map(Setting::path).collect()
}

impl Setting {
    fn path(&self) -> String {
        if self.section.is_empty() {
            self.key.clone()
        } else {
            format!("{}.{}", self.section, self.key)
        }
    }
}

fn property(setting: &Setting) -> Value {
    let path = setting.path();
    let choice = |path: &str| {
        CHOICES
            .iter()
            .find(|(known, _)| *known == path)
            .map(|(_, values)| *values)
    };
    let mut property = match (&setting.value, choice(&path)) {
        (Value::String(_), Some(values)) => json!({ "enum": values }),
        // One URL, or several.
        (Value::String(_), None) if path == "upstream.url" => {
            let url = json!({ "type": "string", "pattern": "^https?://" });
            json!({ "anyOf": [url, { "type": "array", "items": url, "minItems": 1 }] })
        }
        (Value::String(text), None) => match pattern(text) {
            Some(pattern) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "type": "string" }),
        },
        (Value::Array(_), _) => match choice(&format!("{path}[]")) {
            Some(values) => json!({ "type": "array", "items": { "enum": values } }),
            None => json!({ "type": "array", "items": { "type": "string" } }),
        },
        (Value::Bool(_), _) => json!({ "type": "boolean" }),
        _ => json!({ "type": "integer", "minimum": 0 }),
    };
    if let Some(members) = property.as_object_mut() {
        if !setting.meaning.is_empty() {
            members.insert("description".to_owned(), setting.meaning.clone().into());
        }
        let word = if setting.is_default { "default" } else { "examples" };
        let shown = if setting.is_default {
            setting.value.clone()
        } else {
            json!([setting.value])
        };
        members.insert(word.to_owned(), shown);
    }
    property
}

/// The form of a text with a unit.
fn pattern(text: &str) -> Option<&'static str> {
    let digits = text.trim_start_matches(|character: char| character.is_ascii_digit());
    if digits.len() == text.len() {
        return None;
    }
    match digits {
        "ms" | "s" | "m" | "h" | "d" => Some(DURATION),
        "B" | "KiB" | "MiB" | "GiB" => Some(SIZE),
        _ if digits.starts_with('/') => Some(RATE),
        _ => None,
    }
}

/// Reads the keys of the commented file.
fn settings(text: &str) -> Vec<Setting> {
    let mut found: Vec<Setting> = Vec::new();
    let (mut section, mut meaning) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            meaning.clear();
        } else if line.is_empty() || line.starts_with("#:") {
            meaning.clear();
        } else if let Some(setting) = setting(line, &section) {
            // A comment is about all keys below it, up to the next comment.
            let own: Vec<&str> = std::mem::take(&mut meaning);
            let before = found.last().filter(|last| last.section == section);
            let meaning = match (own.is_empty(), before) {
                (true, Some(before)) => before.meaning.clone(),
                _ => own.join(" "),
            };
            found.push(Setting { meaning, ..setting });
        } else if let Some(comment) = line.strip_prefix("# ") {
            meaning.push(comment);
        }
    }
    found
}

/// A line `key = value`, commented out or not.
fn setting(line: &str, section: &str) -> Option<Setting> {
    let (line, is_default) = match line.strip_prefix("# ") {
        Some(rest) => (rest, false),
        None => (line, true),
    };
    let (key, value) = line.split_once(" = ")?;
    let is_key =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    if !key.chars().all(is_key) {
        return None;
    }
    // These texts, lists, numbers and flags are spelt alike in TOML and in JSON.
    let value = serde_json::from_str(value).ok()?;
    Some(Setting {
        section: section.to_owned(),
        key: key.to_owned(),
        value,
        is_default,
        meaning: String::new(),
    })
}
