//! Suggestions for the URL of a line: the paths of the API's description.

use std::collections::HashMap;

use gen_lsp_types::CompletionItemKind;

use super::suggestion::Suggestion;
use crate::host::{DescribedPath, DescribedSegment};

/// Paths that are suggested at most.
const MOST: usize = 1_500;
/// Operations of a path that are named.
const OPERATIONS: usize = 8;

/// Suggestions for the URL before the cursor, and how many bytes of it they replace; `None` if the cursor is not in a URL, or if
/// nothing is known about it.
pub(super) fn suggest(paths: &[DescribedPath], before: &str) -> Option<(usize, Vec<Suggestion>)> {
    let (methods, url) = url(before)?;
    let typed = segments(url);
    let (part, whole) = typed.split_last()?;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<(Suggestion, Vec<&str>)> = Vec::new();
    for path in paths {
        let operations = path.operations.iter();
        let named = operations.filter(|(method, _)| methods.is_empty() || methods.contains(method));
        let names: Vec<&str> = named.map(|(_, name)| name.as_str()).collect();
        let Some(rest) = rest(&path.segments, whole, part) else {
            continue;
        };
        if names.is_empty() {
            continue;
        }
        let label = joined(rest, |segment| segment.shown.clone());
        if let Some((_, known)) = places.get(&label).and_then(|at| found.get_mut(*at)) {
            known.extend(names);
            continue;
        }
        if found.len() == MOST {
            break;
        }
        places.insert(label.clone(), found.len());
        let mut number = 0;
        let suggestion = Suggestion::new(label, CompletionItemKind::Reference, "")
            .inserting(joined(rest, |segment| segment.pattern.clone()))
            .snippet(joined(rest, |segment| snippet(segment, &mut number)));
        found.push((suggestion, names));
    }
    let found: Vec<Suggestion> = found
        .into_iter()
        .map(|(suggestion, names)| Suggestion {
            meaning: meaning(&names),
            ..suggestion
        })
        .collect();
    (!found.is_empty()).then_some((part.len(), found))
}

/// The methods of a line, in lower case, and what is typed of its URL.
fn url(before: &str) -> Option<(Vec<String>, &str)> {
    let line = before.trim_start_matches(['!', ' ']);
    let (methods, url) = match line.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", line),
    };
    let is_url = url.starts_with('/') && !url.contains("[QueryParam::") && !url.contains("[JsonData::");
    let methods = methods.split([',', '|']).map(str::trim);
    let methods = methods.filter(|method| !method.is_empty());
    is_url.then(|| (methods.map(str::to_ascii_lowercase).collect(), url))
}

/// The segments of a URL; a slash within brackets or parentheses ends none.
fn segments(url: &str) -> Vec<&str> {
    let (mut depth, mut start, mut is_escaped) = (0_usize, 1, false);
    let mut found = Vec::new();
    for (at, byte) in url.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => {
                is_escaped = false;
                continue;
            }
            b'\\' => is_escaped = true,
            b'[' | b'(' => depth += 1,
            b']' | b')' => depth = depth.saturating_sub(1),
            b'/' if depth == 0 => {
                found.extend(url.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(url.get(start..));
    found
}

/// What a path has after the typed segments, from the one that is typed in part.
fn rest<'p>(path: &'p [DescribedSegment], whole: &[&str], part: &str) -> Option<&'p [DescribedSegment]> {
    let (before, rest) = path.split_at_checked(whole.len())?;
    let fits = |(segment, typed): (&DescribedSegment, &&str)| {
        segment.pattern == **typed || segment.is_open && !typed.is_empty()
    };
    let next = rest.first()?;
    let is_done = rest.len() == 1 && next.pattern == part;
    (before.iter().zip(whole).all(fits) && next.pattern.starts_with(part) && !is_done).then_some(rest)
}

fn joined(segments: &[DescribedSegment], text: impl FnMut(&DescribedSegment) -> String) -> String {
    segments.iter().map(text).collect::<Vec<_>>().join("/")
}

/// A segment as a part of a snippet, in which parameters are places to fill in.
fn snippet(segment: &DescribedSegment, number: &mut usize) -> String {
    let text = segment
        .pattern
        .replace('\\', "\\\\")
        .replace('$', "\\$")
        .replace('}', "\\}");
    if !segment.is_open {
        return text;
    }
    *number += 1;
    format!("${{{number}:{text}}}")
}

fn meaning(names: &[&str]) -> String {
    let mut out: Vec<String> = names
        .iter()
        .take(OPERATIONS)
        .map(|name| format!("- `{}`", name.replace('`', "'")))
        .collect();
    if let Some(more @ 1..) = names.len().checked_sub(OPERATIONS) {
        out.push(format!("- and {more} more"));
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(shown: &str) -> DescribedSegment {
        let is_open = shown.starts_with('{');
        DescribedSegment {
            shown: shown.to_owned(),
            pattern: if is_open {
                "[^/]+".to_owned()
            } else {
                shown.replace('.', "\\.")
            },
            is_open,
        }
    }

    fn path(text: &str, methods: &[&str]) -> DescribedPath {
        DescribedPath {
            segments: text.split('/').skip(1).map(segment).collect(),
            operations: methods
                .iter()
                .map(|method| ((*method).to_owned(), format!("{method} {text}")))
                .collect(),
        }
    }

    fn labels(before: &str) -> Option<(usize, Vec<String>)> {
        let paths = [
            path("/api/issue/{key}", &["get", "delete"]),
            path("/api/issue/{key}/comment", &["post"]),
            path("/api/export.csv", &["get"]),
            path("/api/issue/all", &["get"]),
        ];
        let (replaced, found) = suggest(&paths, before)?;
        Some((replaced, found.into_iter().map(|one| one.label).collect()))
    }

    #[test]
    fn the_rest_of_each_path_is_suggested() {
        let all = [
            "api/issue/{key}",
            "api/issue/{key}/comment",
            "api/export.csv",
            "api/issue/all",
        ];
        assert_eq!(labels("/").unwrap(), (0, all.map(str::to_owned).to_vec()));
        let rest = |before: &str| labels(before).unwrap_or_default();
        assert_eq!(rest("[delete]/a"), (1, vec![all[0].to_owned()]));
        assert_eq!(
            rest("![ post ]/api/iss"),
            (3, vec!["issue/{key}/comment".to_owned()])
        );
        // A parameter may be any pattern, also one with a slash in a class.
        for typed in ["KANBAN-\\d+", "[^/]+", "(a|b)"] {
            assert_eq!(
                rest(&format!("/api/issue/{typed}/")),
                (0, vec!["comment".to_owned()]),
                "{typed}"
            );
        }
        // Texts are escaped as lines write them, and a whole path needs nothing.
        assert_eq!(rest("/api/export\\.c"), (9, vec!["export.csv".to_owned()]));
        assert_eq!(rest("/api/issue/all"), (0, Vec::new()));
        assert_eq!(rest("/api/export\\.csv"), (0, Vec::new()));
    }

    #[test]
    fn conditions_and_other_texts_have_no_paths() {
        for before in [
            "",
            "[get]",
            "[get",
            "@include",
            "/api/issue[QueryParam::a==b]/",
            "/other/",
        ] {
            assert_eq!(labels(before), None, "{before}");
        }
    }

    #[test]
    fn parameters_are_places_of_a_snippet() {
        let paths = [path("/api/{a}/x.y/{b}", &["get"])];
        let (_, found) = suggest(&paths, "/").unwrap();
        let only = &found[0];
        assert_eq!(only.text, "api/[^/]+/x\\.y/[^/]+");
        assert_eq!(only.snippet.as_deref(), Some("api/${1:[^/]+}/x\\\\.y/${2:[^/]+}"));
        assert_eq!(only.meaning, "- `get /api/{a}/x.y/{b}`");
    }
}
