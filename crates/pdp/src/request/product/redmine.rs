//! Preset of Redmine. Rails merges query, forms, JSON, XML and multipart into one set of parameters, and shows API keys
//! to users who read their own account.

use super::{Preset, calls};
use crate::request::Relax;
use crate::request::alias::Routes;

pub(super) static PRESET: Preset = Preset {
    name: "redmine",
    // The API has no prefix of its own: `/issues.json` is the API, `/issues` the page (see `formats`).
    endpoints: &["/*"],
    identity_header: "X-Remote-User",
    token_header: Some("x-redmine-api-key"),
    parameters: &["access_token", "bearer_token", "key"],
    headers: &["x-redmine-api-key", "x-redmine-switch-user"],
    members: &["access_token", "bearer_token", "key"],
    calls: &[calls::REDMINE],
    routes: Routes {
        resource_prefix: false,
        slash_in_names: false,
    },
    // Other formats are pages and feeds, which show their reader's Atom key.
    formats: &["json", "xml"],
    merges: true,
    wraps: true,
    merges_xml: true,
    relax: Relax::NONE,
};
