//! A request, as far as lines see it.

use crate::{
    analysis::{self, Json, RequestBody},
    decide,
    method::Method,
};

/// A request, as far as lines see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path below the base URL, decoded.
    pub path: String,
    /// The parameters, decoded, in order.
    pub query: Vec<(String, Option<String>)>,
    /// The body.
    pub body: AskedBody,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum AskedBody {
    /// The request has no body.
    Absent,
    /// JSON, by its media type and its text.
    Json(Json),
    /// JSON by its text, and sent under another media type.
    Mislabelled {
        /// The text.
        json: Json,
        /// The media type is a form's.
        is_form: bool,
    },
    /// Any other body of a form or of parts.
    Form,
    /// Any other body.
    Other,
}

impl AskedBody {
    pub(super) fn unread(&self) -> decide::Body<'static> {
        match self {
            Self::Absent => decide::Body::Absent,
            Self::Json(_) => decide::Body::Unread(decide::Media::Json),
            Self::Form | Self::Mislabelled { is_form: true, .. } => decide::Body::Unread(decide::Media::Form),
            Self::Mislabelled { is_form: false, .. } | Self::Other => {
                decide::Body::Unread(decide::Media::Other)
            }
        }
    }

    /// The text of a JSON body.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Json(json) | Self::Mislabelled { json, .. } => json.to_string(),
            Self::Absent | Self::Form | Self::Other => String::new(),
        }
    }
}

impl From<&Asked> for analysis::Request {
    /// The request as the analysis shows it. A body that is not JSON is an example.
    fn from(asked: &Asked) -> Self {
        let pair =
            |(name, value): &(String, Option<String>)| (name.clone(), value.clone().unwrap_or_default());
        Self {
            method: asked.method,
            path: asked.path.clone(),
            query: asked.query.iter().map(pair).collect(),
            body: match &asked.body {
                AskedBody::Absent => RequestBody::Absent,
                AskedBody::Json(json) => RequestBody::Json(json.clone()),
                AskedBody::Form => RequestBody::Form,
                AskedBody::Mislabelled { .. } | AskedBody::Other => RequestBody::Other,
            },
        }
    }
}
