//! A line that a lint suspects, and the claim that a proof is to confirm.

use super::{shown::witness, variants::Variants};
use crate::{
    analysis::{Request, Served},
    ast::Effect,
    diagnostic::{Code, Diagnostic, Fix},
    ir::{Program, Token},
    source::Span,
};

/// A suspicion.
#[derive(Clone)]
pub(super) struct Suspect {
    pub(super) code: Code,
    pub(super) span: Span,
    pub(super) headline: String,
    pub(super) help: String,
    pub(super) claim: Claim,
    /// The lines that the help shows, if it does. It is shown only if they are proved to give no access.
    pub(super) mend: Option<Mend>,
    /// Corrections, which are proved later.
    pub(super) fixes: Vec<Fix>,
}

/// Lines to write instead of a line. They are compiled, and have no `{USER}`.
#[derive(Clone)]
pub(super) struct Mend {
    pub(super) effect: Effect,
    pub(super) before: String,
    pub(super) after: Vec<String>,
}

impl Mend {
    /// Asks for the lines that the proof needs.
    pub(super) fn need(&self, variants: &mut Variants) {
        variants.need(&self.before);
        for line in &self.after {
            variants.need(line);
        }
    }
}

/// What a suspicion claims. The lines are compiled, and have no `{USER}`.
#[derive(Clone)]
pub(super) enum Claim {
    /// The token allows a request that the line matches, and that a narrower line does not.
    Beyond {
        /// The line as it was probably meant.
        narrower: String,
        /// A line whose requests show the difference best.
        example: String,
    },
    /// The token allows a request of this line, which is a part of the suspected one.
    Allows(String),
    /// No request matches this line, which is a part of the suspected one.
    Nothing(String),
    /// The line matches every request of this line, which matches all that is served.
    Everything(String),
    /// No served URL is one of the URL's alternative with this number, and one is of another.
    DeadAlternative(usize),
}

impl Claim {
    /// Asks for the lines that the proof needs.
    pub(super) fn need(&self, variants: &mut Variants) {
        match self {
            Self::Beyond { narrower, example } => {
                variants.need(narrower);
                variants.need(example);
            }
            Self::Allows(line) | Self::Nothing(line) | Self::Everything(line) => variants.need(line),
            Self::DeadAlternative(_) => {}
        }
    }
}

impl Suspect {
    /// Asks for the lines that the proofs need.
    pub(super) fn need(&self, variants: &mut Variants) {
        self.claim.need(variants);
        if let Some(mend) = &self.mend {
            mend.need(variants);
        }
    }

    /// The finding; with its help only if that is right.
    pub(super) fn diagnostic(
        &self,
        (program, token): (&Program, &Token),
        request: Option<&Request>,
        is_help_right: bool,
    ) -> Diagnostic {
        let mut found = Diagnostic::new(self.code, self.span, self.headline.clone());
        if is_help_right {
            found = found.help(self.help.clone());
        }
        found.fixes.clone_from(&self.fixes);
        match request {
            Some(request) => found.witness(witness(program, token, request)),
            None => found,
        }
    }
}

/// The URL of all that is served, as a line has it; `None`: everything is.
pub(super) fn served_url(served: &Served) -> String {
    served_with(served, ".*")
}

/// The URL of all that is served, without what the endpoints with a `*` begin with: without `/rest/` itself.
pub(super) fn served_below_url(served: &Served) -> String {
    served_with(served, ".+")
}

fn served_with(served: &Served, any: &str) -> String {
    if served.endpoints().is_empty() {
        return format!("/{any}");
    }
    let below = |endpoint: &String| {
        let path = endpoint.strip_prefix('/').unwrap_or(endpoint);
        match path.strip_suffix('*') {
            Some(start) => format!("{}{any}", regex_syntax::escape(start)),
            None => regex_syntax::escape(path),
        }
    };
    let paths: Vec<String> = served.endpoints().iter().map(below).collect();
    match paths.as_slice() {
        [path] => format!("/{path}"),
        _ => format!("/(?:{})", paths.join("|")),
    }
}

/// The line of all that is served.
pub(super) fn served_line(served: &Served, variants: &mut Variants) -> String {
    let line = served_url(served);
    variants.need(&line);
    line
}
