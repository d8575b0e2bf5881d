//! Judging a request that is not sent.
//!
//! The form is sent by POST, since a pasted request may contain a secret: addresses are kept by browsers and logs. Links to the page
//! use GET with `token` and `request`.

use super::parts::{Diagnostic, JudgedLine, Verdict};

/// The page on which requests are tried.
#[derive(Clone, Debug, Default)]
pub struct TryIt {
    /// Names of the tokens to choose from.
    pub tokens: Vec<String>,
    /// The form, as it was filled in.
    pub form: TryForm,
    /// Problems of fields: name (`lines`, `request`, `client`, `user`, `token`) and text.
    pub errors: Vec<(String, String)>,
    /// Remarks on fields, such as "4 lines, no errors"; name and text.
    pub hints: Vec<(String, String)>,
    /// Errors and warnings of the lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The decision, if the form was sent and understood.
    pub judged: Option<Judged>,
}

/// The form.
#[derive(Clone, Debug, Default)]
pub struct TryForm {
    /// Token whose lines are used.
    pub token: String,
    /// User.
    pub user: String,
    /// Policy lines to use instead of the token's; one a line.
    pub lines: String,
    /// Whether `lines` differ from those of the token.
    pub is_edited: bool,
    /// A curl command, or a request line with headers and body.
    pub request: String,
    /// Address.
    pub client: String,
}

/// The decision on a tried request.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Decision.
    pub verdict: Verdict,
    /// Code of the reason.
    pub reason: String,
    /// Status of the proxy's response; `None` if the request would be sent upstream.
    pub status: Option<u16>,
    /// Method.
    pub method: String,
    /// Canonical URL.
    pub url: String,
    /// The reason in one sentence.
    pub why: String,
    /// Remarks on the request.
    pub notes: Vec<String>,
    /// Comparison with each line.
    pub lines: Vec<JudgedLine>,
    /// Lines that would let the request pass.
    pub advice: Option<Advice>,
    /// A test for the policy that expects this decision.
    pub test: Option<String>,
    /// The same question in a terminal; may be empty.
    pub command: String,
}

/// A line that would let a request pass.
#[derive(Clone, Debug, Default)]
pub struct Advice {
    /// The line to add, or the setting to change.
    pub line: String,
    /// What else it allows, one sentence each.
    pub also: Vec<String>,
    /// Operations that it newly reaches.
    pub operations: Vec<String>,
}
