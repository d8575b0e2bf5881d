//! Parameters and bodies of operations.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::context::{Context, Found};
use super::schema::{examples, properties, scalar, shape};
use crate::model::{Body, Kind, Location, Parameter, Property, Shape};
use crate::text::{below, shortened};

/// The described parameters of one operation or path, and the parts of a body among them (Swagger 2).
#[derive(Clone, Default)]
pub(super) struct Described {
    pub(super) parameters: Vec<Parameter>,
    body: Option<Body>,
    form: Vec<Property>,
}

/// Reads the list `parameters` of a value.
pub(super) fn of<'a>(context: &Context<'a>, value: &'a Value, pointer: &str) -> Described {
    let mut out = Described::default();
    let Some(listed) = value.get("parameters") else {
        return out;
    };
    let pointer = below(pointer, "parameters");
    let Some(listed) = listed.as_array() else {
        context.defect(&pointer, "`parameters` is not a list; it is not read");
        return out;
    };
    for (at, value) in listed.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        if !context.spend(1) {
            break;
        }
        if let Some(found) = context.follow(Found { value, pointer }) {
            out.add(context, &found);
        }
    }
    out
}

impl Described {
    fn add<'a>(&mut self, context: &Context<'a>, found: &Found<'a>) {
        let Some(name) = found.value.get("name").and_then(Value::as_str) else {
            context.defect(&found.pointer, "the parameter has no `name`; it is not read");
            return;
        };
        let required = found.value.get("required") == Some(&Value::Bool(true));
        let location = match found.value.get("in").and_then(Value::as_str) {
            Some("path") => Location::Path,
            Some("query" | "querystring") => Location::Query,
            Some("header") => Location::Header,
            Some("cookie") => Location::Cookie,
            Some("body") if context.swagger => {
                self.body = Some(body_of(context, found, required));
                return;
            }
            Some("formData") if context.swagger => {
                self.form.push(Property {
                    name: name.to_owned(),
                    required,
                    shape: shape(context, found.clone()),
                });
                return;
            }
            other => {
                let shown = shortened(other.unwrap_or_default(), 40);
                let message = format!(
                    "the parameter's `in` is `{shown}`; expected path, query, header or cookie; it is not read"
                );
                context.defect(&found.pointer, message);
                return;
            }
        };
        let schema = schema_of(found);
        let flag = |key: &str| found.value.get(key) == Some(&Value::Bool(true));
        let mut shape = shape(context, schema.clone().unwrap_or_else(|| found.clone()));
        if location == Location::Path && is_joined(context, found, schema.as_ref()) {
            // The path has the value with other characters than the schema describes.
            shape = Shape::default();
        }
        self.parameters.push(Parameter {
            name: name.to_owned(),
            location,
            required: required || location == Location::Path,
            shape,
            examples: examples(context, found, schema.as_ref()),
            multi_segment: flag("x-multi-segment"),
            described: true,
        });
    }

    /// The parameters and the body of an operation: its own ones, and those of its path that it does not describe again.
    pub(super) fn over(self, path: &Described) -> Self {
        let mut by_key: HashMap<(Location, &str), usize> = HashMap::new();
        for (at, parameter) in self.parameters.iter().enumerate() {
            by_key.insert((parameter.location, &parameter.name), at);
        }
        let inherited =
            |parameter: &&Parameter| !by_key.contains_key(&(parameter.location, parameter.name.as_str()));
        let mut parameters: Vec<Parameter> = path.parameters.iter().filter(inherited).cloned().collect();
        parameters.extend(self.parameters);
        let form = if self.form.is_empty() {
            path.form.clone()
        } else {
            self.form
        };
        Self {
            parameters,
            body: self.body.or_else(|| path.body.clone()),
            form,
        }
    }

    /// The body that Swagger 2 describes among the parameters.
    pub(super) fn body(&self, consumes: &[String]) -> Option<Body> {
        let media_types = consumes.to_vec();
        if let Some(body) = &self.body {
            return Some(Body {
                media_types,
                ..body.clone()
            });
        }
        if self.form.is_empty() {
            return None;
        }
        let mut properties = self.form.clone();
        properties.sort_by(|one, other| one.name.cmp(&other.name));
        properties.dedup_by(|one, other| one.name == other.name);
        let required = properties.iter().any(|property| property.required);
        Some(Body {
            required,
            media_types,
            properties,
        })
    }
}

/// Whether a value in the path has more characters than its schema describes: a list, an object, or a style with a prefix.
fn is_joined<'a>(context: &Context<'a>, found: &Found<'a>, schema: Option<&Found<'a>>) -> bool {
    let style = found.value.get("style").and_then(Value::as_str);
    if let Some(style) = style.filter(|style| *style != "simple") {
        let shown = shortened(style, 40);
        let message = format!("the values of the style `{shown}` are not read; any text is assumed");
        context.defect(&found.pointer, message);
        return true;
    }
    let described = schema.unwrap_or(found).clone();
    let kinds = context
        .follow(described)
        .and_then(|schema| schema.value.get("type"));
    let is_joined = |kind: &Value| matches!(kind.as_str(), Some("array" | "object"));
    match kinds {
        Some(Value::Array(listed)) => listed.iter().any(is_joined),
        kind => kind.is_some_and(is_joined),
    }
}

/// The schema of a parameter: `schema`, or that of the first media type of `content`.
fn schema_of<'a>(found: &Found<'a>) -> Option<Found<'a>> {
    if let Some(value) = found.value.get("schema") {
        return Some(Found {
            value,
            pointer: below(&found.pointer, "schema"),
        });
    }
    let content = found.value.get("content").and_then(Value::as_object)?;
    // A value of a media type is a text; its schema describes the text's content.
    let (media_type, value) = content.iter().next()?;
    let plain = media_type.starts_with("text/");
    let pointer = below(&below(&below(&found.pointer, "content"), media_type), "schema");
    value
        .get("schema")
        .filter(|_| plain)
        .map(|value| Found { value, pointer })
}

/// The body of Swagger 2: a parameter with `in: body`.
fn body_of<'a>(context: &Context<'a>, found: &Found<'a>, required: bool) -> Body {
    let mut named = BTreeMap::new();
    if let Some(value) = found.value.get("schema") {
        properties(
            context,
            Found {
                value,
                pointer: below(&found.pointer, "schema"),
            },
            &mut named,
        );
    }
    Body {
        required,
        media_types: Vec::new(),
        properties: named.into_values().collect(),
    }
}

/// The body of OpenAPI 3: `requestBody` of an operation.
pub(super) fn request_body<'a>(context: &Context<'a>, operation: &'a Value, pointer: &str) -> Option<Body> {
    let value = operation.get("requestBody")?;
    let found = context.follow(Found {
        value,
        pointer: below(pointer, "requestBody"),
    })?;
    let mut out = Body {
        required: found.value.get("required") == Some(&Value::Bool(true)),
        ..Body::default()
    };
    let content = found.value.get("content").and_then(Value::as_object);
    if content.is_none() {
        context.defect(
            &found.pointer,
            "the body has no `content`; its properties are not known",
        );
    }
    let pointer = below(&found.pointer, "content");
    let mut named = BTreeMap::new();
    for (media_type, value) in content.into_iter().flatten() {
        out.media_types.push(shortened(media_type, 120));
        if let Some(schema) = value.get("schema") {
            let pointer = below(&below(&pointer, media_type), "schema");
            properties(
                context,
                Found {
                    value: schema,
                    pointer,
                },
                &mut named,
            );
        }
    }
    out.properties = named.into_values().collect();
    Some(out)
}

/// The media types of a Swagger 2 list such as `consumes`.
pub(super) fn media_types(value: Option<&Value>) -> Option<Vec<String>> {
    let listed = value?.as_array()?;
    Some(
        listed
            .iter()
            .take(50)
            .filter_map(scalar)
            .map(|text| shortened(&text, 120))
            .collect(),
    )
}

/// A parameter that only the template has.
pub(super) fn undescribed(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        location: Location::Path,
        required: true,
        shape: crate::model::Shape {
            kinds: vec![Kind::String],
            ..crate::model::Shape::default()
        },
        examples: Vec::new(),
        multi_segment: false,
        described: false,
    }
}
