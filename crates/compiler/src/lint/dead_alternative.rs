//! TW0510: an alternative of a permit line's URL or value that no request can match, while others live: `/rest/a|b`, `:number==1|high`.
//!
//! Of a forbid line it is an error (TW0026, TW0027).

use super::{
    branches::{branches, of_value},
    line::Line,
    suspect::{Claim, Suspect},
};
use crate::{
    ast::{Operator, Test},
    diagnostic::Code,
};

/// So many alternatives of a line are looked at.
const MOST: usize = 64;

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    in_values(line, found);
    if !line.url_text().contains('|') {
        return;
    }
    let branches = branches(&line.syntax, line.url_text());
    for (at, (span, ..)) in branches.iter().enumerate().take(MOST) {
        let text = line.slice(*span);
        let help = if text.starts_with('/') || text.starts_with(".*") {
            "correct the alternative, or remove it: the proxy serves no path that it matches".to_owned()
        } else {
            "each alternative is a whole URL: begin it with `/`, or write a group for a common beginning, as in `/a/(?:b|c)`"
                .to_owned()
        };
        found.push(Suspect {
            code: Code::DeadAlternative,
            span: *span,
            headline: format!("no request can match the alternative `{text}`"),
            help,
            claim: Claim::DeadAlternative(at),
            mend: None,
            fixes: line.without_alternative(*span),
        });
    }
}

/// Alternatives that no value of the condition's JSON type matches.
fn in_values(line: &Line<'_>, found: &mut Vec<Suspect>) {
    for constraint in &line.syntax.constraints {
        let Test::Values {
            operator: Operator::All,
            kinds: Some(kinds),
            pattern,
        } = &constraint.test
        else {
            continue;
        };
        // A `null` that the condition names needs no match.
        if kinds.accepts_null() {
            continue;
        }
        for span in of_value(pattern, line.slice(pattern.span)).into_iter().take(MOST) {
            let text = line.slice(span);
            let alone = line.with(pattern.span, text);
            found.push(Suspect {
                code: Code::DeadAlternative,
                span,
                headline: format!("no value of this type matches the alternative `{text}`"),
                help: "correct the alternative, or the type".to_owned(),
                claim: Claim::Nothing(line.compilable(alone)),
                mend: None,
                fixes: line.without_alternative(span),
            });
        }
    }
}
