//! Schemas as shapes: kinds, patterns and listed values, as far as they can be told without the inner structure.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::context::{Context, Found};
use crate::model::{Kind, Property, Shape};
use crate::text::{below, shortened};

/// Levels of `allOf`, `anyOf`, `oneOf` and `items` that are looked at; below them, any value is assumed.
const DEEPEST: usize = 6;

/// Listed values of one schema at most; a longer list is taken for any value.
const MOST_VALUES: usize = 5_000;

/// Examples of one parameter at most.
const MOST_EXAMPLES: usize = 8;

/// The longest text that is kept from a schema, in bytes.
const LONGEST: usize = 2_000;

/// A scalar as it would stand in a request.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The shape of the values of a schema, or of a Swagger 2 parameter, which has the same keys.
pub(super) fn shape(context: &Context<'_>, schema: Found<'_>) -> Shape {
    shape_at(context, schema, 0)
}

fn shape_at(context: &Context<'_>, schema: Found<'_>, depth: usize) -> Shape {
    if depth > DEEPEST || !context.spend(1) {
        return Shape::default();
    }
    let Some(schema) = context.follow(schema) else {
        return Shape::default();
    };
    let mut out = own(context, &schema);
    if let Some(items) = schema.value.get("items") {
        let items = Found {
            value: items,
            pointer: below(&schema.pointer, "items"),
        };
        out.items = Some(Box::new(shape_at(context, items, depth + 1)));
    }
    for part in members(&schema, "allOf") {
        narrow(&mut out, shape_at(context, part, depth + 1));
    }
    for key in ["oneOf", "anyOf"] {
        let alternatives: Vec<Shape> = members(&schema, key)
            .map(|part| shape_at(context, part, depth + 1))
            .filter(|shape| !is_null(shape))
            .collect();
        if let Some(any) = alternatives.into_iter().reduce(widened) {
            narrow(&mut out, any);
        }
    }
    out.kinds
        .retain(|kind| *kind != Kind::Array || out.values.is_empty());
    out
}

/// `type: null` beside other alternatives: the value may be missing, which says nothing of the others.
fn is_null(shape: &Shape) -> bool {
    shape.format.as_deref() == Some("null")
}

fn members<'a>(schema: &Found<'a>, key: &'static str) -> impl Iterator<Item = Found<'a>> {
    let pointer = below(&schema.pointer, key);
    let listed = schema
        .value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    listed.iter().enumerate().map(move |(at, value)| Found {
        value,
        pointer: format!("{pointer}/{at}"),
    })
}

/// The shape that the schema's own keys describe.
fn own(context: &Context<'_>, schema: &Found<'_>) -> Shape {
    let text = |key: &str| {
        schema
            .value
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| text.len() <= LONGEST)
    };
    let number = |key: &str| schema.value.get(key).and_then(Value::as_u64);
    let whole = |key: &str| schema.value.get(key).and_then(Value::as_i64);
    let exclusive = |key: &str| {
        schema
            .value
            .get(key)
            .is_some_and(|value| value == &Value::Bool(true))
    };
    let mut out = Shape {
        kinds: kinds(context, schema),
        format: text("format").map(str::to_owned),
        pattern: text("pattern").map(str::to_owned),
        values: values(context, schema),
        minimum: whole("minimum").or_else(|| whole("exclusiveMinimum")?.checked_add(1)),
        maximum: whole("maximum").or_else(|| whole("exclusiveMaximum")?.checked_sub(1)),
        min_length: number("minLength"),
        max_length: number("maxLength"),
        items: None,
    };
    if exclusive("exclusiveMinimum") {
        out.minimum = out.minimum.and_then(|least| least.checked_add(1));
    }
    if exclusive("exclusiveMaximum") {
        out.maximum = out.maximum.and_then(|most| most.checked_sub(1));
    }
    if schema.value.get("type").and_then(Value::as_str) == Some("null") {
        out.format = Some("null".to_owned());
    }
    out
}

fn kinds(context: &Context<'_>, schema: &Found<'_>) -> Vec<Kind> {
    let (mut out, mut open) = (Vec::new(), false);
    let listed = match schema.value.get("type") {
        Some(Value::Array(listed)) => listed.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for named in listed {
        match named.as_str() {
            Some("boolean") => out.push(Kind::Boolean),
            Some("integer") => out.push(Kind::Integer),
            Some("number") => out.push(Kind::Number),
            Some("string" | "file") => out.push(Kind::String),
            Some("array") => out.push(Kind::Array),
            Some("object") => out.push(Kind::Object),
            Some("null") => {}
            Some("any") => open = true,
            other => {
                let shown = shortened(other.unwrap_or("a value that is not a text"), 40);
                context.defect(
                    &schema.pointer,
                    format!("unknown type `{shown}`; any value is assumed"),
                );
                open = true;
            }
        }
    }
    if open {
        out.clear();
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn values(context: &Context<'_>, schema: &Found<'_>) -> Vec<String> {
    if let Some(only) = schema.value.get("const").and_then(scalar) {
        return vec![only];
    }
    let listed = match schema.value.get("enum") {
        Some(Value::Array(listed)) => listed,
        Some(_) => {
            context.defect(&schema.pointer, "`enum` is not a list; any value is assumed");
            return Vec::new();
        }
        None => return Vec::new(),
    };
    let scalars: Vec<String> = listed
        .iter()
        .filter(|value| !value.is_null())
        .map_while(scalar)
        .collect();
    let others = listed.iter().filter(|value| !value.is_null()).count() != scalars.len();
    let long = listed.len() > MOST_VALUES || scalars.iter().any(|value| value.len() > LONGEST);
    if others || long || !context.spend(scalars.len()) {
        return Vec::new();
    }
    scalars
}

/// Both shapes at once: what one of them says holds.
fn narrow(out: &mut Shape, other: Shape) {
    if out.kinds.is_empty() {
        out.kinds = other.kinds;
    }
    if out.values.is_empty() {
        out.values = other.values;
    }
    out.format = out.format.take().or(other.format);
    out.pattern = out.pattern.take().or(other.pattern);
    out.minimum = out.minimum.or(other.minimum);
    out.maximum = out.maximum.or(other.maximum);
    out.min_length = out.min_length.or(other.min_length);
    out.max_length = out.max_length.or(other.max_length);
    out.items = out.items.take().or(other.items);
}

/// Either shape: only what both say holds.
fn widened(one: Shape, other: Shape) -> Shape {
    fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
        if one == other { one } else { None }
    }
    let any = one.kinds.is_empty() || other.kinds.is_empty();
    let mut kinds: Vec<Kind> = if any {
        Vec::new()
    } else {
        one.kinds.into_iter().chain(other.kinds).collect()
    };
    kinds.sort_unstable();
    kinds.dedup();
    let listed = !one.values.is_empty() && !other.values.is_empty();
    let mut values: Vec<String> = if listed {
        one.values.into_iter().chain(other.values).collect()
    } else {
        Vec::new()
    };
    values.sort_unstable();
    values.dedup();
    Shape {
        kinds,
        format: same(one.format, other.format),
        pattern: same(one.pattern, other.pattern),
        values,
        minimum: one.minimum.zip(other.minimum).map(|(one, other)| one.min(other)),
        maximum: one.maximum.zip(other.maximum).map(|(one, other)| one.max(other)),
        min_length: one
            .min_length
            .zip(other.min_length)
            .map(|(one, other)| one.min(other)),
        max_length: one
            .max_length
            .zip(other.max_length)
            .map(|(one, other)| one.max(other)),
        items: same(one.items, other.items),
    }
}

/// Example values: of the entry itself, then of its schema.
pub(super) fn examples(context: &Context<'_>, entry: &Found<'_>, schema: Option<&Found<'_>>) -> Vec<String> {
    let mut out = Vec::new();
    let inner = schema.and_then(|schema| context.follow(schema.clone()));
    for value in [Some(entry.value), inner.as_ref().map(|schema| schema.value)]
        .into_iter()
        .flatten()
    {
        for key in ["example", "x-example", "examples", "default"] {
            match value.get(key) {
                Some(Value::Array(listed)) => {
                    out.extend(listed.iter().take(MOST_EXAMPLES).filter_map(scalar))
                }
                Some(Value::Object(named)) if key == "examples" => {
                    let valued = named
                        .values()
                        .take(MOST_EXAMPLES)
                        .filter_map(|example| example.get("value"));
                    out.extend(valued.filter_map(scalar));
                }
                Some(one) => out.extend(scalar(one)),
                None => {}
            }
        }
    }
    let mut seen = HashSet::new();
    out.retain(|text| !text.is_empty() && text.len() <= LONGEST && seen.insert(text.clone()));
    out.truncate(MOST_EXAMPLES);
    context.spend(out.len());
    out
}

/// The properties at the top level of a schema, by name, with those of its `allOf`, `oneOf` and `anyOf`.
pub(super) fn properties(context: &Context<'_>, schema: Found<'_>, out: &mut BTreeMap<String, Property>) {
    gather(context, schema, true, 0, out);
}

fn gather(
    context: &Context<'_>,
    schema: Found<'_>,
    sure: bool,
    depth: usize,
    out: &mut BTreeMap<String, Property>,
) {
    if depth > DEEPEST || !context.spend(1) {
        return;
    }
    let Some(schema) = context.follow(schema) else {
        return;
    };
    let listed = schema
        .value
        .get("required")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let required: HashSet<&str> = listed.iter().filter_map(Value::as_str).filter(|_| sure).collect();
    let pointer = below(&schema.pointer, "properties");
    for (name, value) in schema
        .value
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let found = Found {
            value,
            pointer: below(&pointer, name),
        };
        let property = Property {
            name: name.clone(),
            required: required.contains(name.as_str()),
            shape: shape_at(context, found, 1),
        };
        match out.remove(name) {
            None => out.insert(name.clone(), property),
            Some(before) => {
                let required = before.required || property.required;
                let shape = if before.shape == property.shape {
                    before.shape
                } else {
                    widened(before.shape, property.shape)
                };
                out.insert(
                    name.clone(),
                    Property {
                        name: name.clone(),
                        required,
                        shape,
                    },
                )
            }
        };
    }
    for part in members(&schema, "allOf") {
        gather(context, part, sure, depth + 1, out);
    }
    for key in ["oneOf", "anyOf"] {
        for part in members(&schema, key) {
            gather(context, part, false, depth + 1, out);
        }
    }
    for name in required {
        if let Some(property) = out.get_mut(name) {
            property.required = true;
        }
    }
}
