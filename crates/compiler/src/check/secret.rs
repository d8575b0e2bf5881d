//! TW0030: a policy file contains a token's secret.

use crate::{
    diagnostic::{Code, Diagnostic},
    secret,
    source::SourceSet,
};

/// Looks at whole files, comments included: git keeps those too.
pub(crate) fn check(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    for (id, source) in sources.iter() {
        for place in secret::places(&source.text) {
            let span = crate::source::Span {
                source: id,
                start: place.start,
                end: place.end,
            };
            diagnostics.push(
                Diagnostic::new(Code::SecretInFile, span, "a policy file contains a token's secret")
                    .help("revoke the token: anyone who can read the file or its git history has the secret; a policy file must contain only `secret_hash`"),
            );
        }
    }
}
