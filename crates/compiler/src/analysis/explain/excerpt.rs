//! The parts in which two regexps differ, cut where a reader would cut them: "`\d+` to `\d+.*`" rather than "`` to `.*`".

/// The parts of two regexps that differ, without the beginning and the end that they have in common. Neither is empty, unless a
/// regexp is.
pub(super) fn excerpts(old: &str, new: &str) -> (String, String) {
    let (olds, news) = (pieces(old), pieces(new));
    let shorter = olds.len().min(news.len());
    let mut before = olds.iter().zip(&news).take_while(|(old, new)| old == new).count();
    let mut after = olds.iter().rev().zip(news.iter().rev());
    let mut behind = after.by_ref().take_while(|(old, new)| old == new).count();
    behind = behind.min(shorter - before.min(shorter));
    // With nothing left of one of them, the reader needs the piece before, or the one behind.
    if olds.len().min(news.len()) == before + behind {
        match before.checked_sub(1) {
            Some(less) => before = less,
            None => behind = behind.saturating_sub(1),
        }
    }
    let cut = |pieces: &[&str]| -> String {
        let end = pieces.len().saturating_sub(behind);
        pieces.get(before..end).unwrap_or_default().concat()
    };
    (cut(&olds), cut(&news))
}

/// The pieces of a regexp: literal texts up to the next `/`, classes, groups and escapes with their quantifiers. A regexp that
/// is written in an unusual way is cut in unusual places, which only a reader notices.
fn pieces(regexp: &str) -> Vec<&str> {
    let mut cuts = vec![0];
    let mut rest = regexp;
    let mut was_plain = false;
    while !rest.is_empty() {
        let atom = atom(rest);
        let quantified = atom + quantifier(rest.get(atom..).unwrap_or_default());
        let first = rest.chars().next().unwrap_or_default();
        let is_plain = quantified == first.len_utf8() && !"\\[](){}|.*+?".contains(first);
        let start = regexp.len() - rest.len();
        // A piece of plain text goes on until the next `/`.
        if start > 0 && !(is_plain && was_plain && first != '/') {
            cuts.push(start);
        }
        was_plain = is_plain;
        rest = rest.get(quantified..).unwrap_or_default();
    }
    let ends = cuts.iter().skip(1).copied().chain([regexp.len()]);
    let pieces = cuts.iter().zip(ends);
    pieces
        .filter_map(|(start, end)| regexp.get(*start..end))
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// The length of the first atom: a group, a class, an escape or a character.
fn atom(rest: &str) -> usize {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, character) in rest.char_indices() {
        let end = at + character.len_utf8();
        match character {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return end;
        }
    }
    rest.len()
}

/// The length of the quantifier that a text begins with; 0 if it begins with none.
fn quantifier(rest: &str) -> usize {
    let length = match rest.bytes().next() {
        Some(b'*' | b'+' | b'?') => 1,
        Some(b'{') => rest.find('}').map_or(0, |at| at + 1),
        _ => return 0,
    };
    length + usize::from(rest.get(length..).is_some_and(|lazy| lazy.starts_with('?')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_cut_where_a_reader_would() {
        for (old, new, expected) in [
            (r"/rest/i/K-\d+", r"/rest/i/K-\d+.*", (r"\d+", r"\d+.*")),
            (r"/i/KANBAN-\d+", r"/i/[A-Z]+-\d+", ("/KANBAN-", "/[A-Z]+-")),
            (r"/i/KANBAN-\d+/comment", "/i/.*", (r"/KANBAN-\d+/comment", "/.*")),
            ("/rest/x", ".*/rest/x", ("/rest", ".*/rest")),
            ("/a/b", "/a/b/c", ("/b", "/b/c")),
            ("/a/(b|c)", "/a/(b|c|d)", ("(b|c)", "(b|c|d)")),
            ("/a/x[0-9]{2}/b", "/a/x[0-9]{2,}/b", ("[0-9]{2}", "[0-9]{2,}")),
            ("/aa", "/aaa", ("/aa", "/aaa")),
            ("/a/a", "/a/a/a", ("/a", "/a/a")),
            ("", "/a", ("", "/a")),
            ("/é[", "/é[b", ("[", "[b")),
            (
                "project = KANBAN",
                "project = KANBAN.*",
                ("project = KANBAN", "project = KANBAN.*"),
            ),
        ] {
            let (from, to) = excerpts(old, new);
            assert_eq!((from.as_str(), to.as_str()), expected, "{old} {new}");
        }
    }
}
