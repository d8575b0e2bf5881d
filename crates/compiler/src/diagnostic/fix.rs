//! Corrections of findings: texts to write in the place of others, with the proof of their effect on the policy.

use std::fmt;

use super::witness::Witness;
use crate::source::{SourceSet, Span};

/// A correction of a finding. A finding that a check made has its fixes without a proof; [`crate::fix`] adds the proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The changes of texts, which do not overlap. Together they are the correction.
    pub edits: Vec<Edit>,
    /// The effect of the edits.
    pub proof: Proof,
}

/// A text to write in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The text to replace; an empty span inserts.
    pub span: Span,
    /// The text to write; empty removes.
    pub text: String,
}

/// The effect of a fix, over all requests and for every token that has or includes the changed lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The policy allows exactly the same requests.
    Equivalent,
    /// The policy allows less, and nothing new.
    Narrower {
        /// A request that the fix denies.
        lost: Lost,
    },
    /// Neither is proved. Such a fix is a suggestion for a person, and is never applied.
    Unproved(Unproved),
}

/// A request that a token allows before a fix, and not after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The token.
    pub token: String,
    /// The request.
    pub request: Witness,
    /// Whether the proxy forwards such a request as it is configured. If not, the fix denies nothing under this configuration.
    pub is_forwarded: bool,
}

/// Reason why a fix has no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproved {
    /// Nobody asked for a proof, or there were too many fixes to prove all.
    Untried,
    /// The fix gives access.
    GivesAccess {
        /// The token that would allow more.
        token: String,
        /// A request that only the corrected policy allows.
        request: Box<Witness>,
    },
    /// The comparison exceeds the budget.
    Inconclusive,
    /// The corrected text has an error of its own: its headline.
    Faulty(String),
    /// The fix changes something else of a token than its lines.
    OtherKeys(String),
    /// No token has or includes the line, so there is no access to compare.
    NoToken,
    /// The token has an error outside of its lines, so that it allows nothing that could be compared.
    NoAccess(String),
    /// A seal signs the text that would change: the token's name.
    Sealed(String),
    /// A file cannot be read, and may have a seal.
    Unread,
    /// A review names the line that would change.
    Reviewed,
    /// A comment excepts the line from a warning, so a person has judged it.
    Excepted,
}

impl Fix {
    /// A fix without a proof, of one change.
    #[must_use]
    pub fn of(span: Span, text: impl Into<String>) -> Self {
        Self::of_edits(vec![Edit {
            span,
            text: text.into(),
        }])
    }

    /// A fix without a proof.
    #[must_use]
    pub fn of_edits(mut edits: Vec<Edit>) -> Self {
        edits.sort_by_key(|edit| edit.span);
        Self {
            edits,
            proof: Proof::Unproved(Unproved::Untried),
        }
    }

    /// What the fix writes, for people: ``write `…` ``, ``remove `…` ``, or the number of places.
    #[must_use]
    pub fn described(&self, sources: &SourceSet) -> String {
        match self.edits.as_slice() {
            [edit] if edit.text.is_empty() => format!("remove `{}`", sources.text(edit.span).trim()),
            [edit] => {
                let lines: Vec<String> = edit
                    .text
                    .lines()
                    .map(|line| format!("`{}`", line.trim()))
                    .collect();
                format!("write {}", lines.join(" and "))
            }
            edits => {
                let removed = edits.iter().filter(|edit| edit.text.is_empty());
                let removed = removed.map(|edit| format!("remove `{}`", sources.text(edit.span).trim()));
                let written = edits.iter().filter(|edit| !edit.text.is_empty());
                let written = written.map(|edit| format!("write `{}`", edit.text.trim()));
                removed.chain(written).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Whether it is proved that the fix gives no access.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        !matches!(self.proof, Proof::Unproved(_))
    }
}

impl Proof {
    /// The name of the result for programs: `equivalent`, `narrower` or `unproved`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Narrower { .. } => "narrower",
            Self::Unproved(_) => "unproved",
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equivalent => f.write_str("proved equivalent"),
            Self::Narrower { lost } if lost.is_forwarded => write!(
                f,
                "proved to allow less; loses `{}` of `{}`",
                lost.request.request, lost.token
            ),
            Self::Narrower { lost } => write!(
                f,
                "proved to allow less; loses only requests that the proxy does not forward, such as `{}` of `{}`",
                lost.request.request, lost.token
            ),
            Self::Unproved(why) => write!(f, "not proved: {why}"),
        }
    }
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untried => f.write_str("no proof was tried"),
            Self::GivesAccess { token, request } => {
                write!(f, "it gives access; `{token}` would allow `{}`", request.request)
            }
            Self::Inconclusive => f.write_str("the comparison exceeds the budget; use a larger --budget"),
            Self::Faulty(headline) => write!(f, "the corrected text has an error: {headline}"),
            Self::OtherKeys(token) => write!(f, "it changes more than the lines of `{token}`"),
            Self::NoToken => f.write_str("no token has this line, so there is no access to compare"),
            Self::NoAccess(token) => write!(
                f,
                "`{token}` has an error outside of its lines, so there is no access to compare"
            ),
            Self::Sealed(token) => write!(f, "the seal of `{token}` signs the text"),
            Self::Unread => f.write_str("a file that may have a seal cannot be read"),
            Self::Reviewed => f.write_str("a review names the text of the line"),
            Self::Excepted => f.write_str("a comment excepts the line from a warning"),
        }
    }
}
