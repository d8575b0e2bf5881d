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
    // By whose they are, never by a name anywhere in the path: files, branches and wiki pages are called `variables.tf`
    // and `keys`, too.
    mint: &[
        // Tokens of users, groups, projects, deployments, agents and triggers.
        Call::any("/api/*/personal_access_tokens/**"),
        Call::any("/api/*/user/personal_access_tokens/**"),
        Call::any("/api/*/users/*/personal_access_tokens/**"),
        Call::any("/api/*/users/*/impersonation_tokens/**"),
        Call::any("/api/*/projects/*/access_tokens/**"),
        Call::any("/api/*/groups/*/access_tokens/**"),
        Call::any("/api/*/projects/*/service_accounts/*/personal_access_tokens/**"),
        Call::any("/api/*/groups/*/service_accounts/*/personal_access_tokens/**"),
        Call::any("/api/*/groups/*/manage/**"),
        Call::any("/api/*/deploy_tokens/**"),
        Call::any("/api/*/projects/*/deploy_tokens/**"),
        Call::any("/api/*/groups/*/deploy_tokens/**"),
        Call::any("/api/*/projects/*/cluster_agents/*/tokens/**"),
        Call::any("/api/*/projects/*/triggers/**"),
        Call::any("/api/*/projects/*/error_tracking/client_keys/**"),
        Call::any("/api/*/user/support_pin"),
        Call::any("/api/*/users/*/support_pin"),
        Call::any("/api/*/session"),
        Call::any("/api/*/packages/conan/*/users/authenticate"),
        Call::any("/api/*/projects/*/packages/conan/*/users/authenticate"),
        Call::any("/api/*/code_suggestions/direct_access"),
        Call::any("/api/*/ai/**/direct_access"),
        // Accounts and keys by which others get in.
        Call::post("/api/*/users"),
        Call::write("/api/*/users/*"),
        Call::any("/api/*/keys/**"),
        Call::any("/api/*/user/keys/**"),
        Call::any("/api/*/users/*/keys/**"),
        Call::any("/api/*/user/gpg_keys/**"),
        Call::any("/api/*/users/*/gpg_keys/**"),
        Call::any("/api/*/deploy_keys/**"),
        Call::any("/api/*/projects/*/deploy_keys/**"),
        Call::any("/api/*/users/*/project_deploy_keys/**"),
        Call::any("/api/*/groups/*/ssh_certificates/**"),
        // Runners' tokens: registering one shows it, resetting too.
        Call::write("/api/*/runners"),
        Call::write("/api/*/user/runners"),
        Call::any("/api/*/**/reset_registration_token"),
        Call::any("/api/*/**/reset_authentication_token"),
        // Secrets of pipelines, of OAuth applications and of the instance.
        Call::any("/api/*/admin/ci/variables/**"),
        Call::any("/api/*/projects/*/variables/**"),
        Call::any("/api/*/groups/*/variables/**"),
        Call::any("/api/*/projects/*/pipelines/*/variables"),
        Call::any("/api/*/projects/*/pipeline_schedules/*/variables/**"),
        Call::any("/api/*/projects/*/secure_files/**"),
        Call::any("/api/*/application/settings"),
        Call::any("/api/*/applications/**"),
        Call::any("/oauth/**"),
        // One path for all that the other calls do, minting included.
        Call::any("/api/graphql"),
    ],
    merges: true,
    wraps: false,
    merges_xml: false,
    relax: Relax {
        encoded_slash: true,
        ..Relax::NONE
    },
};
