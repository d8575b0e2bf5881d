//! Login and errors.

/// The login page.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// Page to go to after the login: a path below `/console/`.
    pub next: String,
    /// What was wrong with the last attempt.
    pub error: Option<String>,
    /// Whether the admin secret can be used here; otherwise `other_ways` says what can.
    pub by_secret: bool,
    /// Other ways in, one sentence each.
    pub other_ways: Vec<String>,
    /// Name of the file with the secret, in words, such as `secrets/admin`; may be empty.
    pub hint: String,
    /// Token against login CSRF, sent as the field `csrf`; may be empty.
    pub csrf: String,
}

/// The page after the logout.
#[derive(Clone, Debug, Default)]
pub struct LoggedOut {
    /// Why the session ended, such as "You signed out."
    pub why: String,
}

/// A page that reports an error.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// Status of the response.
    pub status: u16,
    /// What happened: "There is no token `x`".
    pub title: String,
    /// What was and was not done, and what to do, one sentence each.
    pub details: Vec<String>,
    /// A page to go to: path and name.
    pub links: Vec<(String, String)>,
}
