//! Requests that the analysis shows as proof, in the form that the evaluators read.

use tokenward_compiler::{
    analysis::{self, RequestBody},
    decide::Media,
};

use crate::reference::{Body, Json, Request};

/// The same request.
#[must_use]
pub fn as_reference(request: &analysis::Request) -> Request {
    Request {
        method: request.method,
        path: request.path.clone(),
        query: request
            .query
            .iter()
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect(),
        body: match &request.body {
            RequestBody::Absent => Body::Absent,
            RequestBody::Json(value) => Body::Json(json(value)),
            RequestBody::Form => Body::Opaque(Media::Form),
            RequestBody::Other => Body::Opaque(Media::Other),
            RequestBody::Broken => Body::Broken,
        },
    }
}

fn json(json: &analysis::Json) -> Json {
    match json {
        analysis::Json::Literal(text) => match text.as_str() {
            "null" => Json::Null,
            "true" => Json::Boolean(true),
            "false" => Json::Boolean(false),
            digits => Json::Number(digits.to_owned()),
        },
        analysis::Json::String(text) => Json::String(text.clone()),
        analysis::Json::Array(elements) => Json::Array(elements.iter().map(self::json).collect()),
        analysis::Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), self::json(value)))
                .collect(),
        ),
    }
}
