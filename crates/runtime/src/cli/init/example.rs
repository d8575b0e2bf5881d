//! The example of each product: a token, invariants, calls, and the upstream's credentials.

use tokenward_pdp::request::Product;

/// Content of the files that differs between the products.
pub(super) struct Example {
    /// Name of the product, for people.
    pub(super) title: &'static str,
    /// Purpose of the example token.
    pub(super) description: &'static str,
    /// Lines of the example token.
    pub(super) lines: &'static [&'static str],
    /// Lines of the invariant `no-administration`.
    pub(super) administration: &'static [&'static str],
    /// A path that the example's lines allow to GET.
    pub(super) path: &'static str,
    /// Accounts that usually administer the product.
    pub(super) administrators: &'static [&'static str],
    /// The upstream's credentials of a user, as the credentials file has them.
    pub(super) credentials: &'static str,
    /// Place in the product where these credentials are created.
    pub(super) credentials_from: &'static str,
}

/// The example of a product.
pub(super) fn example(product: Product) -> &'static Example {
    match product {
        Product::Jira => &JIRA,
        Product::Confluence => &CONFLUENCE,
        Product::Gitlab => &GITLAB,
        Product::Redmine => &REDMINE,
        Product::Generic => &GENERIC,
    }
}

const PERSONAL_ACCESS_TOKEN: &str = r#"{ token = "PERSONAL ACCESS TOKEN" }"#;

const JIRA: Example = Example {
    title: "Jira",
    description: "Reads the issues of the project DEMO and comments on them.",
    lines: &[
        r"[get]/rest/api/2/issue/DEMO-\d+",
        r"[get,post]/rest/api/2/issue/DEMO-\d+/comment",
    ],
    administration: &["/rest/api/2/(user|group|permissionscheme|application-properties).*"],
    path: "/rest/api/2/issue/DEMO-1",
    administrators: &["admin"],
    credentials: PERSONAL_ACCESS_TOKEN,
    credentials_from: "Log in to Jira as svc-ci, and create a personal access token in the user profile",
};

const CONFLUENCE: Example = Example {
    title: "Confluence",
    description: "Reads pages with their comments and attachments.",
    lines: &[
        r"[get]/rest/api/content/\d+",
        r"[get]/rest/api/content/\d+/child/(comment|attachment)",
    ],
    administration: &["[post,put,delete]/rest/api/(user|group|space|audit).*"],
    path: "/rest/api/content/42",
    administrators: &["admin"],
    credentials: PERSONAL_ACCESS_TOKEN,
    credentials_from: "Log in to Confluence as svc-ci, and create a personal access token in the user settings",
};

const GITLAB: Example = Example {
    title: "GitLab",
    description: "Reads the issues of project 42 and comments on them.",
    lines: &[
        r"[get]/api/v4/projects/42/issues(/\d+)?",
        r"[post]/api/v4/projects/42/issues/\d+/notes",
    ],
    administration: &["[post,put,patch,delete]/api/v4/(admin|application|groups|users).*"],
    path: "/api/v4/projects/42/issues/1",
    administrators: &["root"],
    credentials: PERSONAL_ACCESS_TOKEN,
    credentials_from: "Log in to GitLab as svc-ci, and create a personal access token with the scope `api` in the user settings",
};

const REDMINE: Example = Example {
    title: "Redmine",
    description: "Reads the issues of the project demo.",
    lines: &[
        r"[get]/issues/\d+\.json",
        r"[get]/issues\.json[QueryParam::project_id==demo][QueryParam::only]",
    ],
    administration: &["/(users|groups|roles|custom_fields).*"],
    path: "/issues/1.json",
    administrators: &["admin"],
    // Redmine takes an API key as the user name of Basic, with any password.
    credentials: r#"{ basic = "API KEY:x" }"#,
    credentials_from: "Enable the REST web service (Administration, Settings, API), log in to Redmine as svc-ci, and open \"My account\" for the API access key",
};

const GENERIC: Example = Example {
    title: "a REST API",
    description: "Reads items.",
    lines: &[r"[get]/api/items(/\d+)?"],
    administration: &["/admin.*"],
    path: "/api/items/1",
    administrators: &["admin", "administrator", "root"],
    credentials: r#"{ token = "BEARER TOKEN" }"#,
    credentials_from: "Create credentials for the user svc-ci of the API",
};
