//! The parts of a policy that change one by one while somebody types: the sections of a file, or the whole of it.

use std::{collections::HashMap, ops::Range, sync::Arc};

use tokenward_compiler::source::{SourceKind, SourceSet};

/// The line that begins an entry.
const BEGINNING: &str = "[[token]]";

/// A file whose findings are known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) text: Arc<str>,
}

/// A piece of a file, and where the same piece was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    /// Where the piece began in the known text; `None` if it is new or changed.
    pub(crate) before: Option<usize>,
}

/// Splits a file: tokens change one by one, other files as a whole.
fn split(kind: SourceKind, text: &str) -> Vec<Range<usize>> {
    if kind != SourceKind::Tokens {
        return std::iter::once(0..text.len()).collect();
    }
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && line.trim_end() == BEGINNING {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect()
}

/// The pieces of a file, compared with the text whose findings are known. Cost: linear in both texts.
pub(crate) fn pieces(kind: SourceKind, text: &str, known: Option<&Known>) -> Vec<Piece> {
    if let Some(known) = known.filter(|known| *known.text == *text) {
        let same = 0..known.text.len();
        return vec![Piece {
            range: same,
            before: Some(0),
        }];
    }
    let mut before: HashMap<&str, Vec<usize>> = HashMap::new();
    for range in known.iter().flat_map(|known| split(kind, &known.text)).rev() {
        let of_piece = known.and_then(|known| known.text.get(range.clone()));
        before
            .entry(of_piece.unwrap_or_default())
            .or_default()
            .push(range.start);
    }
    let found = split(kind, text).into_iter();
    found
        .map(|range| {
            let of_piece = text.get(range.clone()).unwrap_or_default();
            let before = before.get_mut(of_piece).and_then(Vec::pop);
            Piece { range, before }
        })
        .collect()
}

/// The policy without the pieces that are known: they are blanks, so that all places stay. Sets stay whole, since changed pieces may
/// include them, and so do reviews, since no fix changes a line that they name.
pub(crate) fn reduced(sources: &SourceSet, changed: &HashMap<String, Vec<Range<usize>>>) -> SourceSet {
    let files = sources.iter().filter_map(|(_, source)| {
        let pieces = changed.get(&source.path);
        let text = match (source.kind, pieces) {
            (SourceKind::Limits | SourceKind::Invariants | SourceKind::Reviewed, _) => {
                Arc::clone(&source.text)
            }
            (_, Some(pieces)) => blanked(&source.text, pieces).into(),
            (_, None) => return None,
        };
        Some((source.path.clone(), text))
    });
    SourceSet::sharing(files)
}

/// A text in which only some ranges are left; line ends stay everywhere.
fn blanked(text: &str, left: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in left {
        blank(text.get(at..range.start).unwrap_or_default(), &mut out);
        out.push_str(text.get(range.clone()).unwrap_or_default());
        at = range.end;
    }
    blank(text.get(at..).unwrap_or_default(), &mut out);
    out
}

fn blank(text: &str, out: &mut String) {
    for line in text.split_inclusive('\n') {
        let has_end = line.ends_with('\n');
        out.extend(std::iter::repeat_n(' ', line.len() - usize::from(has_end)));
        if has_end {
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Known {
        Known { text: text.into() }
    }

    #[test]
    fn a_changed_token_is_one_changed_piece() {
        let old = "# head\n[[token]]\nname = \"a\"\n[[token]]\nname = \"b\"\n[[token]]\nname = \"c\"\n";
        let new = old.replace("\"b\"", "\"büh\"");
        let found = pieces(SourceKind::Tokens, &new, Some(&known(old)));
        let before: Vec<Option<usize>> = found.iter().map(|piece| piece.before).collect();
        let third = old.rfind("[[").unwrap();
        assert_eq!(before, [Some(0), Some(7), None, Some(third)]);
        let changed: Vec<_> = found.into_iter().filter(|piece| piece.before.is_none()).collect();
        let blanked = blanked(&new, &[changed[0].range.clone()]);
        assert_eq!(blanked.len(), new.len());
        assert_eq!(blanked.trim(), "[[token]]\nname = \"büh\"");
        assert_eq!(blanked.matches('\n').count(), new.matches('\n').count());
    }

    #[test]
    fn the_same_piece_twice_is_matched_in_order() {
        let old = "[[token]]\n\n[[token]]\n\n";
        let found = pieces(
            SourceKind::Tokens,
            "[[token]]\n\n[[token]]\n\n[[token]]\n\n",
            Some(&known(old)),
        );
        let before: Vec<Option<usize>> = found.iter().map(|piece| piece.before).collect();
        assert_eq!(before, [Some(0), Some(11), None]);
        assert_eq!(pieces(SourceKind::Limits, "a", Some(&known("b")))[0].before, None);
        assert_eq!(
            pieces(SourceKind::Limits, "b", Some(&known("b")))[0].before,
            Some(0)
        );
    }
}
