//! Marks responses as readable by pages of the configured origins (CORS; Fetch standard, section 3.3).

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, VARY};
use http::{HeaderName, HeaderValue};
use tokenward_pdp::preflight::ORIGIN;
use tokenward_pdp::wire::raw::is_token;

use crate::call::REQUEST_ID;
use crate::proxy::Answer;

/// Marks a response as readable by the origin, and replaces the upstream's headers about origins. The names of headers
/// that the upstream exposes are kept.
pub(crate) fn mark(answer: &mut Answer, origin: Option<HeaderValue>) {
    let (Some(origin), headers) = (origin, &mut answer.headers) else {
        return;
    };
    let exposed = exposed(headers);
    headers.retain(|(name, _)| !name.as_str().starts_with("access-control-"));
    headers.extend([
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
        (VARY, ORIGIN),
    ]);
}

/// Joins the names of headers that pages may read: the upstream's, and the proxy's own request id.
fn exposed(headers: &[(HeaderName, HeaderValue)]) -> HeaderValue {
    let mut names = vec![REQUEST_ID.as_str().to_owned()];
    let lists = headers
        .iter()
        .filter(|(name, _)| name == ACCESS_CONTROL_EXPOSE_HEADERS);
    for name in lists
        .filter_map(|(_, list)| list.to_str().ok())
        .flat_map(|list| list.split(','))
    {
        let name = name.trim().to_ascii_lowercase();
        if is_token(name.as_bytes()) && !names.contains(&name) {
            names.push(name);
        }
    }
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| REQUEST_ID.into())
}
