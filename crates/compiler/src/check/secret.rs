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
                Diagnostic::new(Code::SecretInFile, span, "a token's secret stands in a policy file")
                    .help("revoke the token: whoever has read the file, or its history in git, has the secret; policies hold `secret_hash` alone"),
            );
        }
    }
}
