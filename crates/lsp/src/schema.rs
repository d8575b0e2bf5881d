//! JSON Schemas of the TOML files, for editors and checkers that know nothing of Tokenward.
//!
//! They come from the tables of keys ([`crate::keys`]) and from the commented configuration of the distribution. Tests compare them with
//! the keys that the readers accept. A schema says less than the readers: `tokenward compile --check` decides.

mod configuration;

use serde_json::{Map, Value, json};

use crate::keys::{BASELINE, Form, INVARIANTS, Key, REVIEWS, Section, TESTS, TOKENS};

/// The dialect: the newest one that all common editors read.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// A schema.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The name: `tokens`.
    pub name: &'static str,
    /// The files that it describes.
    pub files: &'static str,
    /// The schema.
    pub value: Value,
}

impl Schema {
    /// The name of its file: `tokens.schema.json`.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.schema.json", self.name)
    }

    /// Its text, as the file has it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", self.value)
    }
}

/// All schemas.
#[must_use]
pub fn all() -> Vec<Schema> {
    let of_sections = |name, files, title: &str, sections| Schema {
        name,
        files,
        value: document(title, sections),
    };
    vec![
        of_sections("tokens", "policy files with tokens", "Tokenward: tokens", TOKENS),
        of_sections(
            "invariants",
            "invariants.toml",
            "Tokenward: invariants",
            INVARIANTS,
        ),
        of_sections("reviewed", "reviewed.toml", "Tokenward: reviewed access", REVIEWS),
        of_sections(
            "baseline",
            "files for --baseline",
            "Tokenward: accepted findings",
            BASELINE,
        ),
        of_sections(
            "tests",
            "files with tests of a policy",
            "Tokenward: tests of a policy",
            TESTS,
        ),
        Schema {
            name: "credentials",
            files: "the file that [upstream.identity] credentials names",
            value: credentials(),
        },
        Schema {
            name: "tokenward",
            files: "tokenward.toml",
            value: configuration::schema(DRAFT),
        },
    ]
}

fn document(title: &str, sections: &[Section]) -> Value {
    let arrays = sections.iter().map(|section| {
        let entries = json!({
            "description": section.meaning,
            "type": "array",
            "items": entry(section),
        });
        (section.name.to_owned(), entries)
    });
    json!({
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": Value::Object(arrays.collect()),
        "additionalProperties": false,
    })
}

fn entry(section: &Section) -> Value {
    let properties: Map<String, Value> = section
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let mut entry = json!({
        "type": "object",
        "properties": properties,
        "required": section.required,
        "additionalProperties": false,
    });
    if !section.one_of.is_empty()
        && let Some(members) = entry.as_object_mut()
    {
        let each = section.one_of.iter().map(|key| json!({ "required": [key] }));
        members.insert("oneOf".to_owned(), Value::Array(each.collect()));
    }
    entry
}

fn property(key: &Key) -> Value {
    let mut form = form(key.form);
    if let Some(members) = form.as_object_mut() {
        members.insert("description".to_owned(), key.meaning.into());
    }
    form
}

fn form(form: Form) -> Value {
    // A text that is not only blanks.
    let text = json!({ "type": "string", "pattern": r"\S" });
    match form {
        Form::Text | Form::Line | Form::Lines => text,
        Form::AnyText => json!({ "type": "string" }),
        Form::Texts => json!({ "type": "array", "items": text }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::OnlyTrue => json!({ "const": true }),
        // Readers of TOML give a date and time as one of JSON's texts.
        Form::Time => json!({ "type": "string", "format": "date-time" }),
        Form::Count => json!({ "type": "integer", "minimum": 1 }),
        Form::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        Form::Choice(values) => json!({ "enum": values }),
        Form::Any => json!({}),
        Form::Patterns(pattern) => {
            json!({ "type": "array", "items": { "type": "string", "pattern": pattern } })
        }
    }
}

fn credentials() -> Value {
    let of = |key: &str, meaning: &str| {
        json!({
            "type": "object",
            "properties": { key: { "type": "string", "minLength": 1, "description": meaning } },
            "required": [key],
            "additionalProperties": false,
        })
    };
    json!({
        "$schema": DRAFT,
        "title": "Tokenward: users' credentials at the upstream",
        "description": "For each user name: the user's own credentials at the upstream.",
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                of("basic", "User name and password, with a colon between them."),
                of("token", "A token, sent as `Authorization: Bearer`."),
            ],
        },
    })
}

#[cfg(test)]
mod tests;
