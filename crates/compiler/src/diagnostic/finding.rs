//! A finding as data.

use super::{
    code::Code,
    fix::{Edit, Fix, Proof},
    severity::Severity,
    witness::Witness,
};
use crate::source::Span;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding; stable.
    pub code: Code,
    /// Whether it keeps the policy from compiling.
    pub severity: Severity,
    /// One line, in the words of policies, user text in backticks, no full stop.
    pub headline: String,
    /// The main span, and a remark on it.
    pub primary: Label,
    /// The main place, if it is in no file of the policy.
    pub elsewhere: Option<Elsewhere>,
    /// Other places that matter.
    pub related: Vec<Label>,
    /// Advice.
    pub help: Option<String>,
    /// Corrections, the most probable one first.
    pub fixes: Vec<Fix>,
    /// In what a line or a token allows more than before, in words.
    pub widened: Option<String>,
    /// The operations of the API that are newly allowed, if a description is known.
    pub newly_allowed: Vec<String>,
    /// A request that proves the finding.
    pub witness: Option<Witness>,
}

/// A line of a file that is no part of the policy, such as the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The file as the command knows it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// A place and a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// A finding of the severity that its code has.
    #[must_use]
    pub fn new(code: Code, span: Span, headline: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            headline: headline.into(),
            primary: Label {
                span,
                text: String::new(),
            },
            elsewhere: None,
            related: Vec::new(),
            help: None,
            fixes: Vec::new(),
            widened: None,
            newly_allowed: Vec::new(),
            witness: None,
        }
    }

    /// Adds a remark at the primary span.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Names a place outside the policy.
    #[must_use]
    pub fn elsewhere(mut self, place: Option<Elsewhere>) -> Self {
        self.elsewhere = place;
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds a correction: a text to write in the place of `span`.
    #[must_use]
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fixes.push(Fix::of(span, text));
        self
    }

    /// Adds a correction of several edits.
    #[must_use]
    pub fn fix_with(mut self, edits: Vec<Edit>) -> Self {
        self.fixes.push(Fix::of_edits(edits));
        self
    }

    /// The correction to choose among those that were proved: the first that is equivalent, otherwise the first that allows less,
    /// otherwise the first.
    #[must_use]
    pub fn best_fix(&self) -> Option<&Fix> {
        self.fixes.iter().min_by_key(|fix| match fix.proof {
            Proof::Equivalent => 0,
            Proof::Narrower { .. } => 1,
            Proof::Unproved(_) => 2,
        })
    }

    /// Adds a request as proof.
    #[must_use]
    pub fn witness(mut self, witness: Witness) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Adds a second span.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label {
            span,
            text: text.into(),
        });
        self
    }
}

/// Puts findings in source order: by file, place, then code.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.primary.span, diagnostic.code));
}
