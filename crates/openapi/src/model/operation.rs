//! Operations, and the values that their calls carry.

use std::sync::Arc;

use super::{Shape, Template};

/// One operation: a method at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The `operationId`.
    pub id: Option<String>,
    /// The method in capital letters.
    pub method: String,
    /// The paths of the servers, without a slash at the end: `""` for a server at the root, or `/rest`. Never empty. Several
    /// bases are alternatives; the first one is used in the operation's name.
    pub bases: Arc<[String]>,
    /// The host that the operation's own servers name, if the document's servers do not name it.
    pub other_host: Option<String>,
    /// The path below a base.
    pub template: Template,
    /// The parameters, those of the path first and in its order. Each parameter in the template is listed, also one that the
    /// document does not describe.
    pub parameters: Vec<Parameter>,
    /// The body of the request, if the operation has one.
    pub body: Option<Body>,
    /// The tags.
    pub tags: Vec<String>,
    /// The summary: one line, at most 200 characters.
    pub summary: Option<String>,
    /// The operation is marked as deprecated.
    pub deprecated: bool,
    /// The place in the document as a JSON pointer.
    pub pointer: String,
}

impl Operation {
    /// The name by which people call the operation: `DELETE /rest/api/2/issue/{issueIdOrKey}`, with its first base.
    pub fn name(&self) -> String {
        let base = self.bases.first().map_or("", String::as_str);
        format!("{} {base}{}", self.method, self.template)
    }

    /// Whether calls should change nothing, by the method (RFC 9110 section 9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// The whole paths, one for each base.
    pub fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.bases.iter().map(|base| format!("{base}{}", self.template))
    }

    /// The parameter of this name in the path.
    pub fn path_parameter(&self, name: &str) -> Option<&Parameter> {
        let found = |parameter: &&Parameter| parameter.location == Location::Path && parameter.name == name;
        self.parameters.iter().find(found)
    }
}

/// The part of a request that carries a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// The path, in the place of `{name}`.
    Path,
    /// The query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name, as the request carries it or as the template has it.
    pub name: String,
    /// The part of the request that carries it.
    pub location: Location,
    /// A request without it is incomplete. Always true in the path.
    pub required: bool,
    /// The values that it takes.
    pub shape: Shape,
    /// Example values as they would stand in a request, not percent-encoded.
    pub examples: Vec<String>,
    /// A value in the path may contain slashes: `{+path}`, `{path*}`, `x-multi-segment` and similar.
    pub multi_segment: bool,
    /// The document describes it. False for a name that only the template has.
    pub described: bool,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Body {
    /// A request without it is incomplete.
    pub required: bool,
    /// The media types, as the document names them.
    pub media_types: Vec<String>,
    /// The properties at the top level, of all media types together, sorted by name.
    pub properties: Vec<Property>,
}

/// A property at the top level of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// The name.
    pub name: String,
    /// Every body has it.
    pub required: bool,
    /// The values that it takes.
    pub shape: Shape,
}
