//! Parts of a line of Extender: its method list, the names in its constraints, and its quotations.

use std::ops::Range;

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

/// The line with quotes around names that need them here: Extender took everything up to `==` for the name.
pub(super) fn quoted(line: &str) -> Option<String> {
    let (mut out, mut done) = (String::new(), 0);
    for (is_json, range) in names(line) {
        let name = line.get(range.clone())?;
        if !needs_quotes(name, is_json) {
            continue;
        }
        out.push_str(line.get(done..range.start)?);
        out.push_str(&format!(
            "\"{}\"",
            name.replace('\\', "\\\\").replace('"', "\\\"")
        ));
        done = range.end;
    }
    out.push_str(line.get(done..)?);
    (out != line).then_some(out)
}

/// Whether a name of `line` has quotes in `text` only.
pub(super) fn any_quoted(line: &str, text: &str) -> bool {
    line.matches("::\"").count() < text.matches("::\"").count()
}

fn needs_quotes(name: &str, is_json: bool) -> bool {
    let is_quoted = name.len() > 1 && name.starts_with('"') && name.ends_with('"');
    let is_each = |name: &str| is_json && name.ends_with("[*]");
    let odd = |character: char| character.is_whitespace() || "=<>!?~\"".contains(character);
    let colon = match name.split_once(':') {
        // A type is read as one, and reported.
        Some((_, kind)) => !is_json || !["string", "number", "boolean", "null"].contains(&kind),
        None => false,
    };
    !is_quoted
        && (name.is_empty()
            || colon
            || name.contains(odd)
            || !name.is_ascii()
            || name.contains(['[', ']']) && !is_each(name))
}

/// The names of the constraints, and whether they are of nodes.
fn names(line: &str) -> Vec<(bool, Range<usize>)> {
    let mut found = Vec::new();
    for open in OPENS {
        for (at, _) in line.match_indices(open) {
            let start = at + open.len();
            let Some(rest) = line.get(start..) else { continue };
            if let Some(length) = rest.find("==") {
                found.push((open.contains("Json"), start..start + length));
            }
        }
    }
    found.sort_by_key(|(_, range)| range.start);
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
