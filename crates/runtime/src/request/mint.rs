//! Calls that mint or show credentials: forbidden unless the token says `mint`.

use tokenward_compiler::method::Method;

/// Calls that are recognised by method and path.
#[derive(Debug)]
pub(super) struct Call {
    /// Segments below the base URL: `*` is one, `**` any number of them, none included.
    path: &'static str,
    methods: Methods,
}

/// By which methods the path mints or shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Methods {
    Any,
    /// GET, HEAD and OPTIONS are harmless.
    Writes,
    /// What is made there can be changed and removed without its credentials showing.
    Post,
}

impl Call {
    /// Every method of the path.
    pub(super) const fn any(path: &'static str) -> Self {
        Self {
            path,
            methods: Methods::Any,
        }
    }

    /// All but GET, HEAD and OPTIONS.
    pub(super) const fn write(path: &'static str) -> Self {
        Self {
            path,
            methods: Methods::Writes,
        }
    }

    /// POST alone.
    pub(super) const fn post(path: &'static str) -> Self {
        Self {
            path,
            methods: Methods::Post,
        }
    }

    /// Whether this is the call. As in forbid lines, the path is taken without regard to case, to a final `/` and to
    /// what follows a dot or semicolon in a segment (`/users/current.json`), since upstreams take it so.
    pub(super) fn covers(&self, method: Method, path: &str) -> bool {
        let by_method = match self.methods {
            Methods::Any => true,
            Methods::Writes => !matches!(method, Method::Get | Method::Head | Method::Options),
            Methods::Post => method == Method::Post,
        };
        by_method && matches(segments(self.path), segments(path))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn matches<'a>(
    mut wanted: impl Iterator<Item = &'a str> + Clone,
    mut segments: impl Iterator<Item = &'a str> + Clone,
) -> bool {
    loop {
        match wanted.next() {
            None => return segments.next().is_none(),
            Some("**") if wanted.clone().next().is_none() => return true,
            Some("**") => loop {
                if matches(wanted.clone(), segments.clone()) {
                    return true;
                }
                if segments.next().is_none() {
                    return false;
                }
            },
            Some(pattern) => {
                if !segments
                    .next()
                    .is_some_and(|segment| pattern == "*" || same(pattern, segment))
                {
                    return false;
                }
            }
        }
    }
}

fn same(wanted: &str, segment: &str) -> bool {
    let stem = segment.split(['.', ';']).next().unwrap_or_default();
    wanted.eq_ignore_ascii_case(segment) || wanted.eq_ignore_ascii_case(stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Product;

    fn mints(product: Product, method: Method, path: &str) -> bool {
        product.preset().mint.iter().any(|call| call.covers(method, path))
    }

    #[test]
    fn calls_that_show_credentials_are_known() {
        for (product, path) in [
            (Product::Jira, "/rest/auth/1/session"),
            (Product::Jira, "/rest/auth/latest/session/"),
            (Product::Jira, "/REST/Auth/1/Session"),
            (Product::Jira, "/rest/pat/latest/tokens"),
            (Product::Jira, "/rest/auth/1/session;x=y"),
            (Product::Jira, "/rest/pat/latest/tokens/7"),
            (Product::Jira, "/rest/pat/latest/tokens.json"),
            (Product::Confluence, "/rest/pat/1.0/tokens"),
            (
                Product::Jira,
                "/rest/applinks-oauth/1.0/applicationlink/7/authentication/consumer",
            ),
            (Product::Jira, "/rest/usermanagement/1/session"),
            (Product::Jira, "/plugins/servlet/applinks/proxy"),
            (Product::Jira, "/plugins/servlet/gadgets/makeRequest"),
            (Product::Jira, "/rest/gadgets/1.0/makeRequest"),
            (Product::Confluence, "/plugins/servlet/applinks/proxy"),
            (Product::Confluence, "/rest/api/admin/user/x/password"),
            (Product::Confluence, "/rest/api/user/current/password"),
            (Product::Redmine, "/users/current"),
            (Product::Redmine, "/users/current.json"),
            (Product::Redmine, "/users/7.xml"),
            (Product::Redmine, "/my/account.json"),
            (Product::Redmine, "/my/api_key"),
            (Product::Gitlab, "/api/v4/personal_access_tokens"),
            (Product::Gitlab, "/api/v4/users/7/impersonation_tokens/1"),
            (Product::Gitlab, "/api/v4/projects/a%2Fb/access_tokens"),
            (Product::Gitlab, "/api/v4/groups/a/deploy_tokens"),
            (Product::Gitlab, "/api/v4/projects/7/variables/KEY"),
            (
                Product::Gitlab,
                "/api/v4/projects/7/pipeline_schedules/3/variables",
            ),
            (Product::Gitlab, "/api/v4/projects/7/cluster_agents/3/tokens/1"),
            (
                Product::Gitlab,
                "/api/v4/groups/a%2Fb/service_accounts/3/personal_access_tokens/1/rotate",
            ),
            (Product::Gitlab, "/api/v4/projects/7/secure_files/1/download"),
            (
                Product::Gitlab,
                "/api/v4/projects/7/packages/conan/v1/users/authenticate",
            ),
            (Product::Gitlab, "/api/v4/user/keys"),
            (Product::Gitlab, "/api/graphql"),
            (Product::Generic, "/oauth/token"),
        ] {
            assert!(mints(product, Method::Get, path), "{product:?} {path}");
        }
        for (product, path) in [
            (Product::Gitlab, "/api/v4/runners"),
            (Product::Gitlab, "/api/v4/users"),
            (Product::Jira, "/rest/api/2/user"),
            (Product::Confluence, "/rest/api/admin/user"),
            (Product::Redmine, "/users.json"),
        ] {
            assert!(mints(product, Method::Post, path), "{product:?} {path}");
            assert!(!mints(product, Method::Get, path), "{product:?} {path}");
        }
    }

    #[test]
    fn other_calls_are_not() {
        for (product, path) in [
            (Product::Jira, "/rest/api/2/issue/JRA-1"),
            (Product::Jira, "/rest/api/2/session"),
            (Product::Jira, "/rest/auth/1"),
            (Product::Confluence, "/rest/api/content/1"),
            (Product::Redmine, "/users"),
            (Product::Redmine, "/users/7/memberships"),
            (Product::Redmine, "/issues.json"),
            (Product::Gitlab, "/api/v4/projects/7"),
            (Product::Gitlab, "/api/v4/projects/variables"),
            (Product::Gitlab, "/api/v4/runners"),
            // Files, pages, branches and packages may have any name.
            (
                Product::Gitlab,
                "/api/v4/projects/7/repository/files/variables.tf/raw",
            ),
            (Product::Gitlab, "/api/v4/projects/7/repository/branches/keys"),
            (Product::Gitlab, "/api/v4/projects/7/wikis/tokens"),
            (
                Product::Gitlab,
                "/api/v4/projects/7/packages/generic/tokens/1.0/tokens.css",
            ),
            (Product::Confluence, "/rest/api/content/1/property/password"),
            (Product::Confluence, "/rest/api/content/1/label/password"),
            (Product::Generic, "/token"),
        ] {
            assert!(!mints(product, Method::Get, path), "{product:?} {path}");
        }
    }
}
