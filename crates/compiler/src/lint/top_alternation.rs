//! TW0511: `/a|/b` is two URLs, each complete: the text before the `|` is no beginning of the second.

use super::{
    line::Line,
    suspect::{Claim, Suspect},
};
use crate::diagnostic::Code;

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    let (url, alternatives) = (line.url_text(), line.alternatives());
    let (Some(last), true) = (alternatives.last(), alternatives.len() > 1) else {
        return;
    };
    let Some(text) = url
        .get(last.clone())
        .filter(|text| text.starts_with('/') || text.starts_with(".*"))
    else {
        return;
    };
    let first = alternatives
        .first()
        .and_then(|first| url.get(first.clone()))
        .unwrap_or_default();
    let lines = [line.with_url(first), line.with_url(text)];
    let each = alternatives.iter().filter_map(|range| url.get(range.clone()));
    let each: Vec<String> = each.map(|one| line.with_url(one)).collect();
    let [first, last_line] = &lines;
    found.push(Suspect {
        code: Code::TopAlternation,
        span: line.syntax.url.span.part(last.clone()),
        headline: format!(
            "`|` separates whole URLs: `{text}` is one of {}",
            alternatives.len()
        ),
        help: format!(
            "write a line for each: `{first}` and `{last_line}`; for a common beginning, write a group, as in `/a/(?:b|c)`"
        ),
        claim: Claim::Allows(line.compilable(last_line.clone())),
        mend: line.mend(lines),
        fixes: line.fixes([&each.join("\n")]),
    });
}
