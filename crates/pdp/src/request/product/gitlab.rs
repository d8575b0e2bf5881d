//! Preset of GitLab. Grape merges query, forms, JSON and multipart into one set of parameters; names of projects and
//! files need `%2F`.

use super::{Preset, calls};
use crate::request::Relax;
use crate::request::alias::Routes;

pub(super) static PRESET: Preset = Preset {
    name: "gitlab",
    endpoints: &["/api/*"],
    identity_header: "X-Remote-User",
    token_header: Some("private-token"),
    // `token` is left out: runners and triggers send their credentials in it, but settings of integrations have it too.
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
    calls: &[calls::GITLAB],
    routes: Routes {
        resource_prefix: false,
        slash_in_names: true,
    },
    formats: &[],
    merges: true,
    wraps: false,
    merges_xml: false,
    relax: Relax {
        encoded_slash: true,
        ..Relax::NONE
    },
};
