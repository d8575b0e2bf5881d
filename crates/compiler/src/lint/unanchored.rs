//! TW0504: `.*/rest/…` also matches a path that only ends like that: `/rest/x/rest/…`.

use super::{line::Line, suspect::Suspect};
use crate::diagnostic::Code;

/// A path below which the rest of the URL is found again.
const BELOW: &str = "/rest/x";

/// Flags that may stand before the URL.
const FLAGS: &str = "(?i)";

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    let url = line.url_text();
    let flags = if url.starts_with(FLAGS) { FLAGS } else { "" };
    let alternatives = line.alternatives();
    let anchored = |range: &std::ops::Range<usize>| {
        let text = url.get(range.clone())?;
        let rest = text.strip_prefix(FLAGS).unwrap_or(text).strip_prefix(".*")?;
        rest.starts_with('/').then_some(rest)
    };
    let rests: Vec<&str> = alternatives.iter().filter_map(anchored).collect();
    if rests.len() != alternatives.len() {
        return;
    }
    let narrower = line.with_url(&format!("{flags}{}", rests.join("|")));
    let Some(first) = rests.first() else { return };
    let example = line.with_url(&format!("{flags}{BELOW}{first}"));
    let start = flags.len();
    found.push(Suspect {
        code: Code::Unanchored,
        span: line.syntax.url.span.part(start..start + 2),
        headline: "`.*` before the path also matches paths that only end like this".to_owned(),
        help: format!("write `{narrower}`"),
        claim: line.beyond(&narrower, example),
        mend: line.mend([narrower]),
    });
}
