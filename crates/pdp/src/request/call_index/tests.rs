use super::*;
use crate::request::{Class, Product};

fn needs(product: Product, method: Method, path: &str) -> Needs {
    product.giving_calls().needs(method, path)
}

#[track_caller]
fn check(product: Product, class: Class, calls: &[(Method, &str)]) {
    let index = product.giving_calls();
    for (method, path) in calls {
        let found = index.needs(*method, path);
        let expected = class.needs();
        // A call may belong to both classes.
        assert_eq!(found.and(expected), found, "{product:?} {method:?} {path}");
        if class == Class::Plain {
            assert_eq!(found, expected, "{product:?} {method:?} {path}");
        }
    }
}

use Method::{Delete, Get, Head, Options, Other, Patch, Post, Put};

#[test]
fn calls_that_show_or_make_credentials_are_known() {
    check(
        Product::Jira,
        Class::Mint,
        &[
            (Get, "/rest/auth/1/session"),
            (Get, "/rest/auth/latest/session/"),
            (Post, "/rest/api/2/user"),
            (Put, "/rest/api/2/user/password"),
            (Get, "/rest/pat/latest/tokens"),
            (Delete, "/rest/pat/latest/tokens/7"),
            (
                Get,
                "/rest/applinks-oauth/1.0/applicationlink/7/authentication/consumer",
            ),
            (Get, "/rest/usermanagement/1/session"),
            (Post, "/login.jsp"),
        ],
    );
    check(
        Product::Confluence,
        Class::Mint,
        &[
            (Get, "/rest/pat/1.0/tokens"),
            (Post, "/rest/api/admin/user"),
            (Post, "/rest/api/admin/user/x/password"),
            (Post, "/rest/api/user/current/password"),
            (Get, "/rest/api/webhooks/1"),
            (Post, "/dologin.action"),
        ],
    );
    check(
        Product::Redmine,
        Class::Mint,
        &[
            (Get, "/users/current.json"),
            (Get, "/users/7.xml"),
            (Get, "/my/account.json"),
            (Get, "/my/api_key"),
            (Post, "/users.json"),
            (Get, "/projects/x/repository/revisions/1/show/a.json"),
        ],
    );
    check(
        Product::Gitlab,
        Class::Mint,
        &[
            (Get, "/api/v4/personal_access_tokens"),
            (Get, "/api/v4/users/7/impersonation_tokens/1"),
            (Get, "/api/v4/projects/a%2Fb/access_tokens"),
            (Get, "/api/v4/groups/a/deploy_tokens"),
            (Get, "/api/v4/projects/7/variables/KEY"),
            (Get, "/api/v4/projects/7/pipeline_schedules/3/variables"),
            (Get, "/api/v4/projects/7/cluster_agents/3/tokens/1"),
            (
                Post,
                "/api/v4/groups/a%2Fb/service_accounts/3/personal_access_tokens/1/rotate",
            ),
            (Get, "/api/v4/projects/7/secure_files/1/download"),
            (Get, "/api/v4/projects/7/packages/conan/v1/users/authenticate"),
            (Get, "/api/v4/user/keys"),
            (Post, "/api/v4/runners"),
            (Post, "/api/v4/runners/7/reset_authentication_token"),
            (Post, "/api/v4/jobs/request"),
            (Post, "/api/v4/users"),
        ],
    );
    check(
        Product::Generic,
        Class::Mint,
        &[(Post, "/oauth/token"), (Get, "/login")],
    );
}

#[test]
fn calls_that_give_rights_are_known() {
    check(
        Product::Jira,
        Class::Escalate,
        &[
            (Put, "/rest/api/2/user"),
            (Delete, "/rest/api/2/user"),
            (Post, "/rest/api/2/user/application"),
            (Put, "/rest/api/2/myself"),
            (Post, "/rest/api/2/group"),
            (Post, "/rest/api/2/group/user"),
            (Delete, "/rest/api/2/group/user"),
            (Post, "/rest/api/2/project/X/role/10002"),
            (Put, "/rest/api/2/project/X/role/10002"),
            (Post, "/rest/api/2/role/1/actors"),
            (Put, "/rest/api/2/applicationrole"),
            (Post, "/rest/api/2/permissionscheme"),
            (Put, "/rest/api/2/permissionscheme/1"),
            (Post, "/rest/api/2/permissionscheme/1/permission"),
            (Put, "/rest/api/2/project/X/permissionscheme"),
            (Put, "/rest/api/2/project/X"),
            (Post, "/rest/api/2/project"),
            (Put, "/rest/api/2/settings/baseUrl"),
            (Put, "/rest/api/2/application-properties/jira.baseurl"),
            (Post, "/rest/api/2/email-templates"),
            (Put, "/rest/api/2/workflowscheme/1"),
            (Put, "/rest/api/3/issuesecurityschemes/1/level/2/member"),
            (Post, "/rest/plugins/1.0/"),
            (Put, "/rest/plugins/1.0/some-key/modules/x"),
            (Post, "/rest/webhooks/1.0/webhook"),
            (Post, "/rest/servicedeskapi/organization/1/user"),
            (Get, "/secure/admin/EditBasicConfig!default.jspa"),
        ],
    );
    check(
        Product::Confluence,
        Class::Escalate,
        &[
            (Post, "/rest/api/admin/user"),
            (Put, "/rest/api/admin/user/x"),
            (Put, "/rest/api/admin/user/x/enable"),
            (Post, "/rest/api/admin/group"),
            (Put, "/rest/api/user/x/group/confluence-administrators"),
            (Put, "/rest/api/user/current"),
            (Put, "/rest/api/permissions"),
            (Put, "/rest/api/permissions/user/x/grant"),
            (Post, "/rest/api/space/X/permissions"),
            (Put, "/rest/api/space/X/permissions/anonymous/grant"),
            (Put, "/rest/api/content/1/restriction"),
            (
                Put,
                "/rest/experimental/content/1/restriction/byOperation/read/group/x",
            ),
            (Post, "/rest/api/backup-restore/backup/site"),
            (Get, "/rest/api/backup-restore/jobs/1/download"),
            (Post, "/rest/api/backup-restore/restore/site/upload"),
            (Post, "/rest/api/webhooks"),
            (Post, "/rest/plugins/1.0/"),
        ],
    );
    check(
        Product::Gitlab,
        Class::Escalate,
        &[
            (Post, "/api/v4/projects/7/members"),
            (Put, "/api/v4/groups/a%2Fb/members/5"),
            (Post, "/api/v4/projects/7/invitations"),
            (Put, "/api/v4/projects/7/access_requests/5/approve"),
            (Post, "/api/v4/projects/7/share"),
            (Put, "/api/v4/projects/7/integrations/jira"),
            (Put, "/api/v4/projects/7/services/jira"),
            (Post, "/api/v4/projects/7/hooks"),
            (Post, "/api/v4/user/emails"),
            (Post, "/api/v4/users/7/emails"),
            (Patch, "/api/v4/projects/7/job_token_scope"),
            (Post, "/api/v4/projects/7/job_token_scope/allowlist"),
            (Post, "/api/v4/projects/7/protected_branches"),
            (Post, "/api/v4/projects/7/approval_rules"),
            (Put, "/api/v4/projects/7"),
            (Put, "/api/v4/groups/7"),
            (Put, "/api/v4/application/settings"),
            (Put, "/api/v4/users/7"),
            (Post, "/api/v4/users/7/unblock"),
            (Post, "/api/v4/runners/7"),
            (Post, "/api/v4/projects/7/runners"),
            (Post, "/api/v4/import/github"),
            (Post, "/api/v4/admin/clusters/add"),
            (Post, "/api/scim/v2/groups/x/Users"),
        ],
    );
    check(
        Product::Redmine,
        Class::Escalate,
        &[
            (Post, "/projects/x/memberships.json"),
            (Put, "/memberships/4.json"),
            (Put, "/memberships/04.json"),
            (Delete, "/memberships/4-x.json"),
            (Post, "/groups.json"),
            (Post, "/groups/4/users.json"),
            (Put, "/users/4.xml"),
            (Post, "/users.json"),
            (Put, "/projects/x.json"),
            (Post, "/roles"),
            (Get, "/auth_sources/1/edit"),
            (Post, "/settings/edit"),
        ],
    );
    check(
        Product::Generic,
        Class::Escalate,
        &[
            (Post, "/api/groups/7/members"),
            (Put, "/orgs/x/memberships/y"),
            (Put, "/repos/a/b/collaborators/c"),
            (Post, "/admin/users"),
            (Post, "/v1/webhooks"),
        ],
    );
}

#[test]
fn calls_that_carry_others_are_known() {
    check(
        Product::Jira,
        Class::Carries,
        &[
            (Get, "/plugins/servlet/applinks/proxy"),
            (Get, "/plugins/servlet/gadgets/makeRequest"),
            (Post, "/rest/gadgets/1.0/makeRequest"),
            (Post, "/rest/scriptrunner/latest/user/exec"),
            (Post, "/rpc/soap/jirasoapservice-v2"),
        ],
    );
    check(
        Product::Confluence,
        Class::Carries,
        &[(Post, "/rpc/xmlrpc"), (Get, "/plugins/servlet/applinks/proxy")],
    );
    check(
        Product::Gitlab,
        Class::Carries,
        &[
            (Post, "/api/graphql"),
            (Get, "/api/graphql"),
            (Post, "/api/v4/internal/allowed"),
            (Get, "/api/v4/internal/discover"),
            (Post, "/api/v4/mcp"),
        ],
    );
    check(Product::Redmine, Class::Carries, &[(Post, "/mail_handler")]);
    check(
        Product::Generic,
        Class::Carries,
        &[(Post, "/x/graphql"), (Post, "/v1/$batch"), (Post, "/jsonrpc")],
    );
}

#[test]
fn other_calls_need_nothing() {
    check(
        Product::Jira,
        Class::Plain,
        &[
            (Get, "/rest/api/2/issue/JRA-1"),
            (Post, "/rest/api/2/issue"),
            (Put, "/rest/api/2/issue/JRA-1/assignee"),
            (Post, "/rest/api/2/filter"),
            (Post, "/rest/api/2/search"),
            (Get, "/rest/api/2/user"),
            (Head, "/rest/api/2/user"),
            (Options, "/rest/api/2/user"),
            (Get, "/rest/api/2/permissionscheme"),
            (Get, "/rest/api/2/myself"),
            (Get, "/rest/api/2/session"),
            (Get, "/rest/auth/1"),
            (Put, "/rest/api/2/issue/JRA-1/properties/role"),
            (Post, "/rest/tempo-timesheets/4/worklogs"),
            (Get, "/rest/plugins/1.0/"),
            (Delete, "/rest/api/2/project/X"),
            (Get, "/secure/attachment/1/a.png"),
            (Put, "/rest/api/2/issue/s/_/rest/api/2/user"),
            (Put, "/rest/s/_/rest/api/2/user"),
        ],
    );
    check(
        Product::Confluence,
        Class::Plain,
        &[
            (Get, "/rest/api/content/1"),
            (Put, "/rest/api/content/1"),
            (Get, "/rest/api/content/1/restriction"),
            (Get, "/rest/api/admin/user"),
            (Put, "/rest/api/content/1/property/password"),
            (Get, "/rest/api/content/1/label/password"),
            (Put, "/rest/api/space/X"),
            (Get, "/rest/api/user/current"),
        ],
    );
    check(
        Product::Redmine,
        Class::Plain,
        &[
            (Get, "/users.json"),
            (Get, "/users/7/memberships.json"),
            (Post, "/issues.json"),
            (Get, "/projects/x/memberships.json"),
            (Get, "/projects/x.json"),
        ],
    );
    check(
        Product::Gitlab,
        Class::Plain,
        &[
            (Get, "/api/v4/projects/7"),
            (Get, "/api/v4/projects/variables"),
            (Post, "/api/v4/projects/acme%2Fmembers/issues"),
            (Post, "/api/v4/projects/acme%2Fhooks/merge_requests"),
            (Get, "/api/v4/runners"),
            (Get, "/api/v4/users"),
            (Get, "/api/v4/projects/7/members"),
            (Post, "/api/v4/projects/7/issues"),
            (Post, "/api/v4/projects/7/merge_requests/1/approve"),
            // Files, pages, branches and packages may have any name.
            (Get, "/api/v4/projects/7/repository/files/variables.tf/raw"),
            (Put, "/api/v4/projects/7/repository/files/members"),
            (Get, "/api/v4/projects/7/repository/branches/keys"),
            (Put, "/api/v4/projects/7/wikis/tokens"),
            (Put, "/api/v4/projects/7/packages/generic/tokens/1.0/tokens.css"),
        ],
    );
    check(
        Product::Generic,
        Class::Plain,
        &[
            (Get, "/token"),
            (Get, "/api/groups/7/members"),
            (Post, "/api/members/7/posts"),
            (Post, "/api/orders"),
        ],
    );
}

/// Spellings of `PUT /rest/api/2/user` that some server, or a server behind another, treats as that call.
#[test]
fn no_spelling_escapes_its_class() {
    for path in [
        "/rest/api/2/user/",
        "/REST/Api/2/USER",
        "/rest/api/latest/user",
        "/rest/api/2.0.alpha1/user",
        "/rest/api/2/user.json",
        "/rest/api/2/user.xml",
        "/rest/api/2/user.",
        "/rest/api/2/user..",
        "/rest/api/2/user ",
        "/rest/api/2/ user",
        "/rest/api/2/user\u{a0}",
        "/rest/api/2/user .json",
        "/rest/api/2/user;x=y",
        "/rest/api/2/user;x=y.json",
        "/rest;a/api;b/2;c/user;d",
        "/rest/api/2/user::$DATA",
        "/rest/api/2/user.json::$DATA",
        "/rest/api/2/user!default.jspa",
        "/rest/api/2/ｕｓｅｒ",
        "/ｒｅｓｔ/api/2/user",
        "/rest／api／2／user",
        "/rest/api/2/u\u{17f}er",
        "/rest/api/2/us\u{ad}er",
        "/rest/api/2/us\u{200b}er",
        "/rest/api/2/u\u{301}ser",
        "/rest/ap\u{131}/2/user",
        "/rest/ap\u{130}/2/user",
        "//rest//api//2//user",
        "/rest/api/2/./user",
        "/rest/api/2/x/../user",
        "/rest/api/2/x/．．/user",
        "/rest\\api\\2\\user",
        "/rest/api%2F2%2Fuser",
        "/rest/api/2/%75ser",
        "/rest/api/2/%2575ser",
        "/rest/api/2/user\0.png",
        "/rest/api/2/user?x",
        "/rest/api/2/user#x",
        "/rest/api/2/user%3Fx",
        "/rest/api/2/user\t",
        "/s/x/_/rest/api/2/user",
        "/S/x/1/2/3/_/rest/api/2/user.json",
        "/s/x/_/s/y/_/rest/api/2/user",
        "/s;a/x/_;b/rest/api/2/user",
        "/s/_/_/_/_/_/_/_/_/_/_/rest/api/2/user",
    ] {
        for method in [Put, Patch, Delete, Post, Other] {
            assert!(needs(Product::Jira, method, path).escalate, "{method:?} {path:?}");
        }
        for method in [Get, Head, Options] {
            let many_prefixes = path.contains("/_/_/");
            assert_eq!(
                needs(Product::Jira, method, path).escalate,
                many_prefixes,
                "{method:?} {path:?}"
            );
        }
    }
    for path in [
        "/rest/api/admin/user/x",
        "/rest/api/1.0/admin/user/x",
        "/rest/api/latest/admin/user/x",
    ] {
        assert!(needs(Product::Confluence, Put, path).escalate, "{path}");
    }
    for path in [
        "/memberships/4.html",
        "/memberships/4.atom",
        "/memberships/04.json",
        "/memberships/4-x.json",
        "/memberships/4.api",
        "/Memberships/4.pdf",
    ] {
        assert!(needs(Product::Redmine, Put, path).escalate, "{path}");
    }
}

/// Patterns keep the form on which the cost of a walk and the comparison of folded paths depend.
#[test]
fn patterns_are_well_formed() {
    for product in Product::ALL {
        for call in product.calls().flat_map(|group| group.calls) {
            let path = call.path();
            assert!(
                path.starts_with('/') && path.is_ascii() && !path.ends_with('/'),
                "{path}"
            );
            let parts: Vec<&str> = path.split('/').skip(1).collect();
            let (last, before) = parts.split_last().unwrap();
            assert!(before.iter().filter(|part| **part == "**").count() <= 1, "{path}");
            for part in parts.iter().filter(|part| !matches!(**part, "*" | "**" | "{v?}")) {
                assert!(
                    !part.is_empty() && !part.contains(['*', '{', '%', ';', ':', '!', ' ']),
                    "{path}"
                );
                assert!(!part.ends_with('.'), "{path}");
            }
            assert_ne!(*last, "{v?}", "{path}");
        }
    }
}

#[test]
fn no_call_is_listed_twice() {
    for product in Product::ALL {
        let mut seen = std::collections::HashSet::new();
        for group in product.calls() {
            for call in group.calls {
                assert!(
                    seen.insert((group.class, call.path(), call.methods())),
                    "{} {}",
                    product.name(),
                    call.path()
                );
            }
        }
    }
}

#[test]
fn long_paths_cost_little() {
    for path in [
        "/a".repeat(30_000),
        "/_".repeat(30_000),
        "/-/a".repeat(15_000),
        format!("/s{}", "/_".repeat(30_000)),
    ] {
        for product in Product::ALL {
            let index = product.giving_calls();
            let watch = tokenward_testbed::Stopwatch::start();
            let _ = index.needs(Post, &path);
            let took = watch.took();
            assert!(
                took < std::time::Duration::from_millis(500),
                "{product:?}: {took:?}"
            );
        }
    }
}
