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
    /// Why no line would let it pass; empty if there is advice, or if it passes.
    pub no_advice: String,
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
    /// The line in words, if it can be said.
    pub words: Option<String>,
    /// The parts in which it allows more than the request, in a few words each; empty if it allows nothing else.
    pub also: Vec<String>,
    /// Other requests that it newly allows.
    pub examples: Vec<Also>,
    /// Operations that it newly reaches.
    pub operations: Vec<String>,
    /// Why it may allow more than is said; empty if that was settled.
    pub open: String,
    /// Where the line can be added, if not to the token's entry; may be empty.
    pub remark: String,
    /// The page on which the limits of the token are edited with this line; empty if they cannot be.
    pub edit: String,
}

/// A request that a line also allows.
#[derive(Clone, Debug, Default)]
pub struct Also {
    /// Method.
    pub method: String,
    /// Path and query.
    pub url: String,
    /// Body; may be empty.
    pub body: String,
    /// What keeps the proxy from forwarding it; may be empty.
    pub note: String,
}
