//! TW0121: a line that means more than the release before understood it to.

use crate::{
    ast::{self, Effect, Placeholder},
    diagnostic::{Code, Diagnostic},
    policy::Limit,
    regexp::Anchor,
    source::SourceSet,
};

/// `before`: what releases of language 1 compared the URL regexp with.
pub(super) fn check(
    line: &ast::Limit,
    meaning: &Limit,
    before: Anchor,
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let has_blanks = line.url_with_blanks != line.url.span;
    let is_anchored = meaning.anchor != before && meaning.anchor == Anchor::Below;
    let mut placeholders = line.url.placeholders.iter();
    let says_base = placeholders.any(|(placeholder, _)| *placeholder == Placeholder::BaseUrl);
    // A forbid line that means more forbids more.
    if line.effect == Effect::Forbid || !(has_blanks || (is_anchored && !says_base)) {
        return;
    }
    let written = sources.text(line.url.span);
    let (why, url) = if is_anchored && !says_base {
        (
            "version 1 of the language did not anchor a URL after `^`",
            written.trim_start_matches('^').trim_end_matches('$'),
        )
    } else {
        (
            "version 1 of the language read the spaces as part of the URL",
            written,
        )
    };
    let before_url = sources.text(crate::source::Span {
        end: line.url_with_blanks.start,
        ..line.span
    });
    let constraints: String = line
        .constraints
        .iter()
        .map(|constraint| sources.text(constraint.span))
        .collect();
    diagnostics.push(
        Diagnostic::new(
            Code::MeansMore,
            line.span,
            format!("this line allows more than in earlier releases: {why}"),
        )
        .help(format!(
            "review it as new access, and write `{}{url}{constraints}`",
            before_url.trim_end()
        )),
    );
}
