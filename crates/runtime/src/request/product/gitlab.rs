//! GitLab. Grape merges query, forms, JSON and multipart into one set of parameters; names of projects and files
//! need `%2F`.

use super::Preset;
use crate::request::Relax;
use crate::request::mint::Call;

pub(super) static PRESET: Preset = Preset {
    name: "gitlab",
    endpoints: &["/api/*"],
    identity_header: "X-Remote-User",
    token_header: Some("private-token"),
    // `token` is left out: runners and triggers have theirs there, but so have the settings of integrations.
    parameters: &[
        "access_token",
        "bearer_token",
        "deploy_token",
        "feed_token",
        "job_token",
        "private_token",
        "rss_token",
        "static_object_token",
        "sudo",
    ],
    headers: &[
        "deploy-token",
        "gitlab-kas-api-request",
        "gitlab-shared-secret",
        "gitlab-shell-api-request",
        "gitlab-workhorse",
        "gitlab-workhorse-api-request",
        "job-token",
        "private-token",
        "sudo",
        "x-gitlab-feed-token",
        "x-gitlab-static-object-token",
        "x-gitlab-token",
    ],
    members: &[
        "access_token",
        "bearer_token",
        "deploy_token",
        "feed_token",
        "job_token",
        "private_token",
        "rss_token",
        "static_object_token",
        "sudo",
    ],
    mint: &[
        // Tokens of users, groups, projects, deployments, agents and triggers.
        Call::any("/api/*/**/personal_access_tokens/**"),
        Call::any("/api/*/**/impersonation_tokens/**"),
        Call::any("/api/*/**/access_tokens/**"),
        Call::any("/api/*/**/deploy_tokens/**"),
        Call::any("/api/*/**/tokens/**"),
        Call::any("/api/*/**/triggers/**"),
        Call::any("/api/*/**/support_pin"),
        Call::any("/api/*/session"),
        // Keys by which others get in.
        Call::any("/api/*/**/keys/**"),
        Call::any("/api/*/**/gpg_keys/**"),
        Call::any("/api/*/**/deploy_keys/**"),
        // Runners' tokens: registering one shows it, resetting too.
        Call::write("/api/*/runners"),
        Call::write("/api/*/user/runners"),
        Call::any("/api/*/**/reset_registration_token"),
        Call::any("/api/*/**/reset_authentication_token"),
        // Secrets of pipelines and of OAuth applications.
        Call::any("/api/*/**/variables/**"),
        Call::any("/api/*/applications/**"),
        Call::any("/oauth/**"),
    ],
    merges: true,
    merges_xml: false,
    relax: Relax {
        encoded_slash: true,
        ..Relax::NONE
    },
};
