//! Splits lines with many alternatives into shorter ones.

use std::collections::BTreeSet;

use super::draft::{Draft, Part, Texts};

/// The drafts of lines that are not longer than this, as far as splitting their alternatives helps. Each keeps the calls of the whole,
/// since its calls are not known by their alternatives.
pub(super) fn short(draft: Draft, longest: usize) -> Vec<Draft> {
    let mut out = Vec::new();
    let mut rest = vec![draft];
    while let Some(draft) = rest.pop() {
        let sizes = draft.parts.iter().map(|(part, texts)| (size(texts), part));
        let largest = sizes.max().map(|(_, part)| part.clone());
        let is_short = draft.length() <= longest;
        match largest.filter(|part| !is_short && draft.parts.get(part).is_some_and(|texts| texts.len() > 1)) {
            None => out.push(draft),
            Some(part) => {
                let (first, second) = halves(&draft, &part);
                rest.extend([second, first]);
            }
        }
    }
    out
}

fn size(texts: &Texts) -> usize {
    if texts.len() < 2 {
        return 0;
    }
    texts
        .iter()
        .map(|text| text.as_ref().map_or(1, String::len))
        .sum()
}

fn halves(draft: &Draft, part: &Part) -> (Draft, Draft) {
    let all: Vec<Option<String>> = draft.parts.get(part).into_iter().flatten().cloned().collect();
    let (first, second) = all.split_at(all.len() / 2);
    let with = |texts: &[Option<String>]| {
        let mut half = draft.clone();
        half.parts
            .insert(part.clone(), texts.iter().cloned().collect::<BTreeSet<_>>());
        half
    };
    (with(first), with(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_divided_and_none_is_lost() {
        let texts: Texts = (0..2_000)
            .map(|number| Some(format!("KEY-{number:05}")))
            .collect();
        let mut draft = Draft::empty();
        draft.parts.insert(Part::Segment(0), texts.clone());
        let parts = short(draft, 4_096);
        assert!(parts.len() > 4 && parts.iter().all(|part| part.length() <= 4_096));
        let all: Texts = parts
            .iter()
            .flat_map(|part| part.parts.values().flatten().cloned())
            .collect();
        assert_eq!(all, texts);
    }
}
