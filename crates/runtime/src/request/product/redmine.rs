//! Redmine. Rails merges query, forms, JSON, XML and multipart into one set of parameters, and shows API keys to
//! whoever reads his own account.

use super::Preset;
use crate::request::Relax;
use crate::request::mint::Call;

pub(super) static PRESET: Preset = Preset {
    name: "redmine",
    // The API has no prefix of its own: `/issues.json` is the API, `/issues` the page.
    endpoints: &["/*"],
    identity_header: "X-Remote-User",
    token_header: Some("x-redmine-api-key"),
    parameters: &["access_token", "bearer_token", "key"],
    headers: &["x-redmine-api-key", "x-redmine-switch-user"],
    members: &["access_token", "bearer_token", "key"],
    mint: &[
        // An account shows its API key to its user and to administrators.
        Call::any("/users/*"),
        // A new account comes with a password.
        Call::post("/users"),
        Call::any("/my/account"),
        Call::any("/my/api_key/**"),
        Call::any("/my/password"),
        Call::any("/my/show_api_key"),
        Call::any("/my/reset_api_key"),
        Call::any("/my/reset_atom_key"),
        Call::any("/my/reset_rss_key"),
        Call::any("/my/twofa/**"),
        Call::any("/users/*/twofa/**"),
        Call::any("/login"),
        Call::any("/account/**"),
        Call::any("/oauth/**"),
    ],
    merges: true,
    wraps: true,
    merges_xml: true,
    relax: Relax::NONE,
};
