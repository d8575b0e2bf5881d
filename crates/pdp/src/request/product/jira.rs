//! Preset of Jira. Servlets merge form fields with the query; JSON and multipart stay separate.

use super::{Preset, calls};
use crate::request::Relax;
use crate::request::alias::Routes;

pub(super) static PRESET: Preset = Preset {
    name: "jira",
    endpoints: &["/rest/*"],
    identity_header: "X-Remote-User",
    token_header: None,
    // Seraph reads `os_*`; Connect and OAuth 1.0a read their parameters from the query and forms. `token` is not a
    // credential here.
    parameters: &[
        "access_token",
        "jwt",
        "oauth_consumer_key",
        "oauth_signature",
        "oauth_token",
        "os_cookie",
        "os_password",
        "os_username",
        "xoauth_requestor_id",
    ],
    // The headers of Connect, and of trusted applications, which make calls for any user.
    headers: &[
        "x-acpt",
        "x-seraph-trusted-app-cert",
        "x-seraph-trusted-app-id",
        "x-seraph-trusted-app-magic",
        "x-seraph-trusted-app-signature",
        "x-seraph-trusted-app-version",
    ],
    members: &[],
    calls: &[calls::JIRA, calls::ATLASSIAN],
    routes: Routes {
        resource_prefix: true,
        slash_in_names: false,
    },
    formats: &[],
    merges: false,
    wraps: false,
    merges_xml: false,
    relax: Relax::NONE,
};
