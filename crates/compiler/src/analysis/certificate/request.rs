//! A request as a certificate has it.

use serde_json::{Value, json};

use crate::analysis::witness::{Request, RequestBody};

/// The request as JSON: method, path, query, the kind of body and its text.
pub(super) fn value(request: &Request) -> Value {
    let kind = match &request.body {
        RequestBody::Absent => "absent",
        RequestBody::Json(_) | RequestBody::Broken => "json",
        RequestBody::Form => "form",
        RequestBody::Other => "other",
    };
    let text = request.body.content().map(|(_, text)| text).unwrap_or_default();
    json!([request.method.as_str(), request.path, request.query, kind, text])
}
