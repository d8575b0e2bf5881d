//! Texts that a regexp matches, the plainest first. The list is not complete, but long enough that one of them
//! satisfies the other parts of a line. The caller asks the decision whether it does.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Texts longer than this are nothing that anyone would call.
const LONGEST: usize = 2000;
/// Preferred characters of a class: what identifiers are made of.
const PLAIN: &str = "1a2Ab0xZ-_. ";

/// Gives at most `most` texts that the regexp matches.
pub(super) fn samples(hir: &Hir, most: usize) -> Vec<String> {
    let mut texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0)
            .map(str::to_owned)
            .into_iter()
            .collect(),
        HirKind::Class(class) => characters(class).iter().map(char::to_string).collect(),
        HirKind::Capture(capture) => samples(&capture.sub, most),
        HirKind::Repetition(repetition) => {
            let sub = samples(&repetition.sub, most);
            let least = repetition.min;
            let more = repetition.max.is_none_or(|max| max > least).then_some(least + 1);
            std::iter::once(least)
                .chain(more)
                .flat_map(|count| {
                    let count = usize::try_from(count).unwrap_or(usize::MAX);
                    let fits = |text: &&String| text.len().saturating_mul(count) <= LONGEST;
                    match count {
                        0 => vec![String::new()],
                        count => sub.iter().filter(fits).map(|text| text.repeat(count)).collect(),
                    }
                })
                .collect()
        }
        HirKind::Concat(parts) => parts.iter().fold(vec![String::new()], |texts, part| {
            joined(&texts, &samples(part, most), most)
        }),
        HirKind::Alternation(branches) => {
            let branches: Vec<Vec<String>> = branches.iter().map(|branch| samples(branch, most)).collect();
            let longest = branches.iter().map(Vec::len).max().unwrap_or_default();
            // The first of each, then the second of each.
            (0..longest)
                .flat_map(|at| branches.iter().filter_map(move |branch| branch.get(at).cloned()))
                .collect()
        }
    };
    texts.truncate(most);
    texts
}

/// Joins every text of one list with every text of the other, beginning with those near the start of both.
fn joined(texts: &[String], more: &[String], most: usize) -> Vec<String> {
    let mut pairs: Vec<(usize, usize)> = (0..texts.len())
        .flat_map(|one| (0..more.len()).map(move |other| (one, other)))
        .collect();
    pairs.sort_by_key(|(one, other)| one + other);
    let text = |(one, other): (usize, usize)| Some(format!("{}{}", texts.get(one)?, more.get(other)?));
    pairs
        .into_iter()
        .filter_map(text)
        .filter(|text| text.len() <= LONGEST)
        .take(most)
        .collect()
}

/// Some characters of a class.
fn characters(class: &Class) -> Vec<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect(),
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .filter(|range| range.end().is_ascii())
            .map(|range| (char::from(range.start()), char::from(range.end())))
            .collect(),
    };
    let has = |character: char| ranges.iter().any(|(from, to)| (*from..=*to).contains(&character));
    let plain = PLAIN.chars().filter(|character| has(*character));
    let first = ranges
        .iter()
        .flat_map(|(from, to)| [*from, *to])
        .filter(|character| !character.is_control());
    let mut all: Vec<char> = plain.chain(first).collect();
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|character| seen.insert(*character));
    all.truncate(4);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_match_their_regexp() {
        for pattern in [
            "/rest/api/2/issue/KANBAN-[0-9]+/comment",
            "2018-(0[1-9]|1[0-2])-[0-3][0-9]",
            "(?s:.)*/x",
            "[^a-z0-9]{3,5}(a|bc)*",
            "(true|false)",
            r"\p{Greek}+",
        ] {
            let hir = regex_syntax::Parser::new().parse(pattern).unwrap();
            let whole = whole_match(&hir);
            let found = samples(&hir, 8);
            assert!(!found.is_empty(), "{pattern}");
            for text in &found {
                assert!(whole(text), "{pattern} gave {text:?}");
            }
        }
    }

    /// Whether a text is matched as a whole, by the compiler's own matcher.
    fn whole_match(hir: &Hir) -> impl Fn(&str) -> bool {
        let matcher = tokenward_compiler::ir::Matcher::new(hir).unwrap();
        move |text| matcher.matches(text)
    }
}
