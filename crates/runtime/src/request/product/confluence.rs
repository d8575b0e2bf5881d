//! Confluence. Servlets merge form fields with the query; JSON and multipart stay apart.

use super::Preset;
use crate::request::Relax;
use crate::request::mint::Call;

pub(super) static PRESET: Preset = Preset {
    name: "confluence",
    endpoints: &["/rest/*"],
    identity_header: "X-Remote-User",
    token_header: None,
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
    // Connect's, and those of trusted applications, which call for any user.
    headers: &[
        "x-acpt",
        "x-seraph-trusted-app-cert",
        "x-seraph-trusted-app-id",
        "x-seraph-trusted-app-magic",
        "x-seraph-trusted-app-signature",
        "x-seraph-trusted-app-version",
    ],
    members: &[],
    mint: &[
        Call::any("/rest/auth/*/session"),
        Call::any("/rest/pat/**"),
        Call::any("/rest/oauth2/**"),
        Call::any("/rest/oauth-provider/**"),
        Call::any("/rest/applinks/**"),
        Call::any("/rest/applinks-oauth/**"),
        Call::any("/rest/de.resolution.apitokenauth/**"),
        Call::post("/rest/api/admin/user"),
        Call::any("/rest/api/admin/user/*/password"),
        Call::any("/rest/api/user/**/password"),
        Call::any("/plugins/servlet/oauth/**"),
        // Calls that carry another call, with credentials that the server adds.
        Call::any("/plugins/servlet/applinks/**"),
        Call::any("/plugins/servlet/gadgets/makeRequest"),
        Call::any("/rest/gadgets/*/makeRequest"),
        // SOAP and XML-RPC hand out session tokens.
        Call::any("/rpc/**"),
    ],
    merges: false,
    wraps: false,
    merges_xml: false,
    relax: Relax::NONE,
};
