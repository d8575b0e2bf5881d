//! A server of which nothing is known: taken to merge all parameters, and to read credentials in the usual places.

use super::Preset;
use crate::request::Relax;
use crate::request::mint::Call;

pub(super) static PRESET: Preset = Preset {
    name: "generic",
    endpoints: &["/*"],
    identity_header: "X-Remote-User",
    token_header: None,
    // `token` is left out: it pages through results as often as it authenticates.
    // Sessions in a parameter are PHP's and servlets'; `doas` is Hadoop's, `_switch_user` Symfony's.
    parameters: &[
        "_switch_user",
        "access_token",
        "api-key",
        "api_key",
        "api_token",
        "apikey",
        "auth_token",
        "authorization",
        "authtoken",
        "bearer_token",
        "doas",
        "id_token",
        "impersonate",
        "job_token",
        "jsessionid",
        "jwt",
        "key",
        "oauth_consumer_key",
        "oauth_signature",
        "oauth_token",
        "os_password",
        "os_username",
        "phpsessid",
        "private_token",
        "run_as",
        "session_token",
        "sudo",
        "x-api-key",
    ],
    headers: &[
        "deploy-token",
        "job-token",
        "private-token",
        "sudo",
        "x-consul-token",
        "x-gitlab-token",
        "x-vault-token",
        "x-redmine-api-key",
    ],
    // Without `key`: as a member it is data nearly always (etcd, settings).
    members: &[
        "access_token",
        "api-key",
        "api_key",
        "api_token",
        "apikey",
        "auth_token",
        "authtoken",
        "bearer_token",
        "jwt",
        "os_password",
        "os_username",
        "private_token",
        "sudo",
    ],
    mint: &[
        Call::any("/oauth/token"),
        Call::any("/oauth2/token"),
        Call::any("/oauth/authorize"),
        Call::any("/login"),
    ],
    merges: true,
    merges_xml: false,
    relax: Relax::NONE,
};
