//! What every page shows around its content.

/// What every page shows around its content.
#[derive(Clone, Debug, Default)]
pub struct Chrome {
    /// Host of the upstream, such as `jira.example.com`.
    pub upstream: String,
    /// The live policy; `None` on pages for people who are not logged in.
    pub policy: Option<LivePolicy>,
    /// When the last reload failed, if the policy before it is still live because of that.
    pub failed_reload_ms: Option<i64>,
    /// The person who is logged in.
    pub login: Option<Login>,
    /// The time at which the page was made.
    pub now_ms: i64,
    /// How long it took to gather the page's data, in milliseconds.
    pub took_ms: Option<u64>,
    /// The result of an action that led to this page.
    pub notice: Option<Notice>,
}

/// The policy that decides calls now.
#[derive(Clone, Debug, Default)]
pub struct LivePolicy {
    /// Digest of the policy, hexadecimal. Pages show its first 8 digits.
    pub digest: String,
    /// When it became live.
    pub since_ms: i64,
    /// Whether the policy is edited in files only, so that the console writes lines to commit rather than changing it.
    pub is_owned_by_files: bool,
}

/// A person who is logged in.
#[derive(Clone, Debug)]
pub struct Login {
    /// Name that the audit shows for what they do.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Token of the session, sent with each form that acts, as the field `csrf`.
    pub csrf: String,
    /// Whether there is a session to end. A certificate, and the header of a proxy, come with each request again.
    pub has_session: bool,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads all pages.
    Viewer,
    /// Also revokes tokens.
    Revoker,
    /// Also makes tokens, exports, and starts verification.
    Operator,
}

impl Role {
    /// Name of the role, as in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Revoker => "revoker",
            Self::Operator => "operator",
        }
    }
}

/// The result of an action.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Whether the action failed.
    pub is_failure: bool,
    /// The result in a sentence: "`ci-notes` is revoked."
    pub text: String,
    /// Details: what was and what was not done.
    pub details: Vec<String>,
}

impl Chrome {
    /// Whether the person may do what this role may.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.login.as_ref().is_some_and(|login| login.role >= role)
    }

    /// Token of the session for forms; empty if nobody is logged in.
    #[must_use]
    pub fn csrf(&self) -> &str {
        self.login.as_ref().map_or("", |login| &login.csrf)
    }
}

impl LivePolicy {
    /// The first digits of the digest.
    #[must_use]
    pub fn short(&self) -> &str {
        self.digest.get(..8).unwrap_or(&self.digest)
    }
}
