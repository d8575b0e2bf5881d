//! TW0510: an alternative of a permit line's URL that no request can match, while others live: `/rest/a|b`.
//!
//! Of a forbid line it is an error (TW0026, TW0027).

use regex_syntax::hir::Hir;

use super::{
    line::Line,
    proof::{Proofs, Proved},
    suspect::{Claim, Suspect},
};
use crate::{
    analysis::Ruled,
    ast::{self, Effect},
    bind::bind_url,
    diagnostic::Code,
    ir::{Matcher, UrlMatcher, Whole},
    parse::parse_line,
    policy::Limit,
    regexp::{self, Anchor, Case},
    source::Span,
};

/// Stands for the token's user.
const USER: &str = "user";

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    if !line.url_text().contains('|') {
        return;
    }
    for (at, (span, ..)) in branches(&line.syntax, line.url_text()).iter().enumerate() {
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
        });
    }
}

/// The alternatives at the top of a URL, each with what it is compared with; fewer than two: none.
fn branches(syntax: &ast::Limit, url: &str) -> Vec<(Span, Hir, Anchor)> {
    if syntax.effect == Effect::Forbid {
        return Vec::new();
    }
    let Ok(parsed) = regexp::parse(&syntax.url, url) else {
        return Vec::new();
    };
    let branches = regexp::branches(&parsed, Case::AsWritten, Some(USER)).unwrap_or_default();
    let anchored = |(span, hir)| match Limit::below_base(&hir) {
        Some(below) => (span, below, Anchor::Below),
        None => (span, hir, parsed.anchor),
    };
    branches.into_iter().map(anchored).collect()
}

/// Whether no served path matches the alternative, and some path matches another.
pub(super) fn prove(proofs: &mut Proofs<'_>, ruled: Ruled<'_>, number: usize) -> Proved {
    let program = proofs.program;
    let text = program.line(ruled.rule.line).text;
    let nowhere = Span {
        start: 0,
        end: text.len(),
        ..Span::nowhere()
    };
    let Ok(syntax) = parse_line(text, nowhere) else {
        return Proved::No;
    };
    let url = text
        .get(syntax.url.span.start..syntax.url.span.end)
        .unwrap_or_default();
    let branches = branches(&syntax, url);
    let mut lives = |at: usize| is_alive(proofs, branches.get(at)?);
    match lives(number) {
        Some(true) => Proved::No,
        None => Proved::Open,
        // If all are dead, the line is, and that is another finding.
        Some(false) => {
            let mut others = (0..branches.len()).filter(|at| *at != number);
            match others.any(|at| lives(at) == Some(true)) {
                true => Proved::Yes(None),
                false => Proved::No,
            }
        }
    }
}

fn is_alive(proofs: &mut Proofs<'_>, (_, hir, anchor): &(Span, Hir, Anchor)) -> Option<bool> {
    let url = match anchor {
        Anchor::Below => UrlMatcher::Below(Matcher::new(hir).ok()?),
        Anchor::Whole => bind_url(&UrlMatcher::Unbound(Whole::new(hir)), proofs.program.base()?).ok()?,
    };
    let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = &url else {
        return None;
    };
    let both: Vec<&Matcher> = std::iter::once(url).chain(&proofs.endpoints).collect();
    proofs.prover.has_path(&both).ok()
}
