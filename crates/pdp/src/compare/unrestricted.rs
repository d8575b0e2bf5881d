//! The place of `unrestricted = true` in a policy's files.

use tokenward_compiler::ir::TokenId;
use tokenward_compiler::source::Span;

use super::lines::Line;
use crate::side::Side;

const KEY: &str = "unrestricted";

/// The line of a token's key `unrestricted`; `None` for a compiled policy, and if the file writes it in an unusual way.
pub(super) fn place(side: &Side, token: TokenId) -> Option<Line> {
    let name = side.source_map.token(token)?;
    let source = side.sources.get(name.source)?;
    // The entry reaches from its header to the next one, and its name is somewhere in between.
    let begin = source
        .text
        .get(..name.start)?
        .rfind("[[token]]")
        .unwrap_or_default();
    let rest = source.text.get(name.end..)?;
    let end = rest.find("\n[[").map_or(source.text.len(), |at| name.end + at);
    let entry = source.text.get(begin..end)?;
    let mut at = begin;
    for line in entry.split_inclusive('\n') {
        let behind = line.trim_start().strip_prefix(KEY);
        if behind.is_some_and(|behind| behind.trim_start().starts_with('=')) {
            let span = Span {
                source: name.source,
                start: at,
                end: at + line.len(),
            };
            return Some(Line {
                file: source.path.clone(),
                number: u32::try_from(side.sources.line_number(span)).ok()?,
                text: line.trim().to_owned(),
                digest: String::new(),
            });
        }
        at += line.len();
    }
    None
}
