//! Addresses of the console's pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::views::audit::Search;
use crate::views::overview::Range;
use crate::views::tokens::Sort;

/// First page.
pub const OVERVIEW: &str = "/console/";
/// List of tokens.
pub const TOKENS: &str = "/console/tokens";
/// Form for a new token. It is not below the list, where a token may be called `new`.
pub const NEW_TOKEN: &str = "/console/new-token";
/// Search in the audit.
pub const AUDIT: &str = "/console/audit";
/// Export of a search, as lines of JSON.
pub const EXPORT: &str = "/console/audit/export";
/// Verification of the audit, by POST.
pub const VERIFY: &str = "/console/audit/verify";
/// Judging requests that are not sent.
pub const TRY: &str = "/console/try";
/// Comparison of policies.
pub const REVIEW: &str = "/console/review";
/// Login.
pub const LOGIN: &str = "/console/login";
/// Logout, by POST.
pub const LOGOUT: &str = "/console/logout";

/// Characters that stay as they are in a segment or a value.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// Page of a token.
#[must_use]
pub fn token(name: impl AsRef<str>) -> String {
    format!("{TOKENS}/{}", encoded(name.as_ref()))
}

/// Page that revokes a token.
#[must_use]
pub fn revoke(name: impl AsRef<str>) -> String {
    format!("{}/revoke", token(name))
}

/// Page that writes new limits of a token.
#[must_use]
pub fn limits(name: impl AsRef<str>) -> String {
    format!("{}/limits", token(name))
}

/// Page of a recorded call.
#[must_use]
pub fn call(sequence: &u64) -> String {
    format!("/console/calls/{sequence}")
}

/// Page to try requests with a token.
#[must_use]
pub fn try_token(name: impl AsRef<str>) -> String {
    with(TRY, &[("token", name.as_ref())])
}

/// Page to try a request.
#[must_use]
pub fn try_request(token: impl AsRef<str>, request: impl AsRef<str>) -> String {
    with(TRY, &[("token", token.as_ref()), ("request", request.as_ref())])
}

/// Limits of a token, with a line added to them.
#[must_use]
pub fn limits_with(name: impl AsRef<str>, line: impl AsRef<str>) -> String {
    with(&limits(name), &[("add", line.as_ref())])
}

/// First page for a period.
#[must_use]
pub fn range(range: &Range) -> String {
    with(OVERVIEW, &[("range", range.as_str())])
}

/// List of tokens with a filter.
#[must_use]
pub fn tokens(query: &str, state: &str, sort: &Sort, page: u64) -> String {
    let sort = if *sort == Sort::default() {
        ""
    } else {
        sort.as_str()
    };
    let page = if page > 1 { page.to_string() } else { String::new() };
    with(
        TOKENS,
        &[("q", query), ("state", state), ("sort", sort), ("page", &page)],
    )
}

/// Path with the parameters that are not empty.
fn with(path: &str, parameters: &[(&str, &str)]) -> String {
    let set: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    match set.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", set.join("&")),
    }
}

impl Search {
    /// Names and values of the fields, as in the form.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, &str); 14] {
        [
            ("since", &self.since),
            ("until", &self.until),
            ("token", &self.token),
            ("user", &self.user),
            ("on_behalf_of", &self.on_behalf_of),
            ("client", &self.client),
            ("method", &self.method),
            ("url", &self.url),
            ("decision", &self.decision),
            ("reason", &self.reason),
            ("line", &self.line),
            ("status", &self.status),
            ("end", &self.end),
            ("request_id", &self.request_id),
        ]
    }

    /// Page that shows the search.
    #[must_use]
    pub fn href(&self) -> String {
        with(AUDIT, &self.fields())
    }

    /// Page with the calls before this record.
    #[must_use]
    pub fn href_before(&self, before: &u64) -> String {
        let before = before.to_string();
        let mut fields = self.fields().to_vec();
        fields.push(("before", &before));
        with(AUDIT, &fields)
    }

    /// Export of the search.
    #[must_use]
    pub fn export(&self) -> String {
        with(EXPORT, &self.fields())
    }

    /// Whether no field is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields().iter().all(|(_, value)| value.is_empty())
    }

    /// A search for the calls of this period.
    #[must_use]
    pub fn since(since: &str) -> Self {
        Self {
            since: since.to_owned(),
            ..Self::default()
        }
    }

    /// The search, for a token.
    #[must_use]
    pub fn of_token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// The search, for a decision.
    #[must_use]
    pub fn decided(mut self, decision: &str) -> Self {
        decision.clone_into(&mut self.decision);
        self
    }

    /// The search, for a reason.
    #[must_use]
    pub fn for_reason(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.reason);
        self
    }

    /// The search, for an address.
    #[must_use]
    pub fn from_client(mut self, client: &str) -> Self {
        client.clone_into(&mut self.client);
        self
    }

    /// The search, for calls that this line decided.
    #[must_use]
    pub fn by_line(mut self, line: impl AsRef<str>) -> Self {
        line.as_ref().clone_into(&mut self.line);
        self
    }
}
