//! The whole document: its kind, its servers and its paths.

use std::collections::HashMap;

use serde_json::Value;

use super::context::{Context, Found};
use super::operations::{self, Document};
use super::{parameters, servers};
use crate::error::Error;
use crate::model::{Defect, Description, Dialect, Operation};
use crate::text::{below, shortened};

pub(super) fn describe(root: &Value, defects: Vec<Defect>) -> Result<Description, Error> {
    let dialect = dialect(root)?;
    let context = Context::new(root, dialect == Dialect::Swagger, defects);
    let info = |key: &str| {
        let value = root
            .get("info")
            .and_then(|info| info.get(key))
            .and_then(super::schema::scalar);
        value.map(|text| shortened(text.trim(), 200)).unwrap_or_default()
    };
    let servers = match dialect {
        Dialect::Swagger => servers::of_swagger(&context),
        Dialect::OpenApi(_) => servers::of_root(&context),
    };
    let consumes = parameters::media_types(root.get("consumes")).unwrap_or_default();
    let document = Document { servers, consumes };
    let mut operations = paths(&context, &document);
    operations.sort_by(|one, other| (&one.template, &one.method).cmp(&(&other.template, &other.method)));
    report_repeated(&context, &operations);
    let hosts = document.servers.hosts;
    match context.finish() {
        Ok(defects) => Ok(Description {
            title: info("title"),
            version: info("version"),
            dialect,
            hosts,
            operations,
            defects,
        }),
        Err(limit) => Err(Error::TooLarge {
            limit,
            unit: "values after its references are replaced",
        }),
    }
}

/// The dialect, or the nature of a document that is not a description.
fn dialect(root: &Value) -> Result<Dialect, Error> {
    let wrong = |found: &str| Error::NotDescription {
        found: found.to_owned(),
    };
    let Some(object) = root.as_object() else {
        return Err(wrong(
            "it is not an object with the key `openapi` or `swagger`; give another document",
        ));
    };
    let text = |key: &str| object.get(key).and_then(super::schema::scalar);
    if let Some(version) = text("openapi") {
        if !version.starts_with("3.") && version != "3" {
            let shown = shortened(&version, 20);
            return Err(wrong(&format!(
                "it is OpenAPI `{shown}`, and versions 3.0 to 3.2 are read; convert it"
            )));
        }
        return Ok(Dialect::OpenApi(shortened(&version, 20)));
    }
    if let Some(version) = text("swagger").or_else(|| text("swaggerVersion")) {
        if version != "2" && !version.starts_with("2.") {
            let shown = shortened(&version, 20);
            return Err(wrong(&format!(
                "it is Swagger `{shown}`, and version 2.0 is read; convert it"
            )));
        }
        return Ok(Dialect::Swagger);
    }
    Err(wrong(known_other(root)))
}

/// Documents that are easily taken for a description.
fn known_other(root: &Value) -> &'static str {
    let has = |key: &str| root.get(key).is_some();
    if root.pointer("/log/entries").is_some() {
        "it is a HAR archive of calls; `tokenward token new --from` reads those"
    } else if root.pointer("/info/_postman_id").is_some() || (has("info") && has("item")) {
        "it is a Postman collection; `tokenward token new --from` reads those"
    } else if has("asyncapi") {
        "it is an AsyncAPI document, which describes messages and not calls; give an OpenAPI document"
    } else if has("discoveryVersion") {
        "it is a Google discovery document; give an OpenAPI document"
    } else if has("raml") || has("$schema") {
        "it is a schema without operations; give an OpenAPI document"
    } else {
        "it has neither the key `openapi` nor `swagger`; give another document"
    }
}

fn paths(context: &Context<'_>, document: &Document) -> Vec<Operation> {
    let mut out = Vec::new();
    match context.root.get("paths") {
        Some(Value::Object(paths)) => {
            for (path, value) in paths {
                // Keys with `x-` are extensions, not paths.
                if path.starts_with("x-") || !context.spend(1) {
                    continue;
                }
                let item = Found {
                    value,
                    pointer: below("/paths", path),
                };
                out.extend(operations::of_path(context, document, path, item));
            }
        }
        Some(_) => context.loss(
            "/paths",
            "`paths` is not an object; the document has no operations",
        ),
        None => {}
    }
    if out.is_empty() {
        context.defect("/paths", "the document has no operations");
    }
    out
}

/// Reports operations that have the id or the calls of an earlier one.
fn report_repeated(context: &Context<'_>, operations: &[Operation]) {
    let mut ids: HashMap<&str, &Operation> = HashMap::new();
    let mut calls: HashMap<(&str, String), &Operation> = HashMap::new();
    for operation in operations {
        if let Some(id) = &operation.id
            && let Some(first) = ids.insert(id, operation)
        {
            let (shown, other) = (shortened(id, 80), shortened(&first.name(), 120));
            context.defect(
                &operation.pointer,
                format!("the `operationId` `{shown}` is also that of `{other}`"),
            );
        }
        if let Some(first) = calls.insert((&operation.method, operation.template.form()), operation) {
            let other = shortened(&first.name(), 120);
            context.defect(
                &operation.pointer,
                format!("the operation has the same calls as `{other}`"),
            );
        }
    }
}
