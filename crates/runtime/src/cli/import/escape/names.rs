//! Parts of a line of Extender: its method list, the names in its constraints, and its quotations.

use std::ops::Range;

use tokenward_compiler::parse::quoted_name;

const OPERATOR: &str = "==";
const OPENS: [&str; 2] = ["[QueryParam::", "[JsonData::"];

/// Where the method list of a line ends; `None`: it has none.
pub(super) fn methods_end(line: &str) -> Option<usize> {
    let (list, _) = line.strip_prefix('[')?.split_once(']')?;
    let is_method = |word: &str| {
        let method = tokenward_compiler::method::Method::from_name(word.trim());
        method.is_some()
    };
    list.split([',', '|']).all(is_method).then_some(list.len() + 2)
}

/// The name of the constraint in which a place is, with quotes; `None`: there is no such name, or it has quotes already.
pub(super) fn quoted(line: &str, place: usize) -> Option<String> {
    let Constraint { name, .. } = at(line, place)?;
    let bare = line.get(name.clone())?;
    if bare.len() > 1 && bare.starts_with('"') && bare.ends_with('"') {
        return None;
    }
    let mut text = line.to_owned();
    text.replace_range(name, &quoted_name(bare));
    Some(text)
}

/// Whether a place is in a constraint, up to the end of Extender's operator.
pub(super) fn is_in_name(line: &str, place: usize) -> bool {
    at(line, place).is_some()
}

/// The line with the names of another one, which differ from its own by their quotes.
pub(super) fn with_names_of(line: &str, other: &str) -> String {
    let mut text = line.to_owned();
    for (constraint, its) in constraints(line).into_iter().zip(constraints(other)).rev() {
        if let Some(name) = other.get(its.name) {
            text.replace_range(constraint.name, name);
        }
    }
    text
}

/// Where a constraint begins, and its name: Extender took everything up to `==` for it.
struct Constraint {
    start: usize,
    name: Range<usize>,
}

fn at(line: &str, place: usize) -> Option<Constraint> {
    let mut all = constraints(line).into_iter();
    // `a?==b` is `a`, `?=` and `=b` here, so that the place is in Extender's operator.
    all.find(|constraint| (constraint.start..constraint.name.end + OPERATOR.len()).contains(&place))
}

fn constraints(line: &str) -> Vec<Constraint> {
    let mut found = Vec::new();
    for open in OPENS {
        for (start, _) in line.match_indices(open) {
            let name = start + open.len();
            let Some(rest) = line.get(name..) else { continue };
            let Some(length) = rest.find(OPERATOR) else {
                continue;
            };
            // A constraint without an operator of its own ends before that of the next one.
            if rest
                .get(..length)
                .is_some_and(|name| OPENS.iter().any(|open| name.contains(open)))
            {
                continue;
            }
            found.push(Constraint {
                start,
                name: name..name + length,
            });
        }
    }
    found.sort_by_key(|constraint| constraint.start);
    found
}

/// Whether the line may have anchors other than at its ends, or flags for them.
pub(super) fn has_anchors(line: &str) -> bool {
    line.contains(['^', '$']) || line.contains("(?") || line.contains("\\A") || line.contains("\\z")
}

/// The line with `[%]2F` for `%2F` in its URL.
pub(super) fn without_encoded_slash(line: &str) -> String {
    let end = OPENS.iter().filter_map(|open| line.find(open)).min();
    let (url, rest) = line.split_at(end.unwrap_or(line.len()));
    let mut url = url.to_owned();
    for encoded in ["%2F", "%2f"] {
        let escaped = encoded.replace('%', "[%]");
        url = url.replace(encoded, &escaped);
    }
    url + rest
}

/// The line with escapes in place of Java's `\Q…\E`.
pub(super) fn without_quotation(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("\\Q")?;
    let (quoted, behind) = rest.split_once("\\E").unwrap_or((rest, ""));
    let escaped: String = quoted
        .chars()
        .map(|character| match character {
            letter if letter.is_ascii_alphanumeric() || "/_-".contains(letter) || !letter.is_ascii() => {
                letter.to_string()
            }
            character => format!("\\x{:02X}", u32::from(character)),
        })
        .collect();
    Some(format!("{before}{escaped}{behind}"))
}
