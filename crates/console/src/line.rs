//! Policy lines as HTML: methods, pattern and conditions are told apart, and the part that failed is marked.
//!
//! This reads lines only to show them; a text that is not a line is shown as it is.

use crate::escape::{cut, put, visible};
use crate::views::parts::{Line, Missed};

/// Beginnings of conditions.
const CONDITIONS: [&str; 2] = ["[QueryParam::", "[JsonData::"];
/// Longest line that is shown whole.
const LONGEST: usize = 4_000;

/// A line in its parts; together they are the line.
struct Parts<'l> {
    /// `!` and methods.
    head: &'l str,
    path: &'l str,
    conditions: Vec<&'l str>,
}

/// Renders the inside of `<code class="line">`.
pub(crate) fn html(line: &Line) -> String {
    let text = cut(&visible(&line.text), LONGEST);
    let added = line
        .added
        .as_deref()
        .map(visible)
        .filter(|added| !added.is_empty());
    let parts = parts(&text);
    let mut out = String::with_capacity(text.len() * 2);
    if !parts.head.is_empty() {
        let inside = format!("<b>{}</b>", crate::escape::html(parts.head));
        out.push_str(&marked(inside, line.missed == Some(Missed::Method)));
    }
    let path = match added.as_deref() {
        Some(added) => with_added(parts.path, added),
        None => path(parts.path),
    };
    out.push_str(&marked(path, line.missed == Some(Missed::Path)));
    for condition in parts.conditions {
        let is_missed = match &line.missed {
            Some(Missed::Condition(begin)) => condition
                .get(1..)
                .is_some_and(|inside| inside.starts_with(&visible(begin))),
            _ => false,
        };
        let text = match added.as_deref() {
            Some(added) => inserted(condition, added),
            None => crate::escape::html(condition),
        };
        out.push_str(&format!("<span class=\"if\">{}</span>", marked(text, is_missed)));
    }
    out
}

fn marked(inside: String, is: bool) -> String {
    match is {
        true => format!("<mark>{inside}</mark>"),
        false => inside,
    }
}

/// The path with the part that a change added.
fn with_added(path_text: &str, added: &str) -> String {
    match path_text.split_once(added) {
        Some((before, after)) => {
            format!(
                "{}<ins>{}</ins>{}",
                path(before),
                crate::escape::html(added),
                path(after)
            )
        }
        None => path(path_text),
    }
}

fn inserted(text: &str, added: &str) -> String {
    match text.split_once(added) {
        Some((before, after)) => {
            let [before, added, after] = [before, added, after].map(crate::escape::html);
            format!("{before}<ins>{added}</ins>{after}")
        }
        None => crate::escape::html(text),
    }
}

/// Splits a line into its parts.
fn parts(text: &str) -> Parts<'_> {
    let forbid = usize::from(text.starts_with('!'));
    let rest = text.get(forbid..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    let methods = methods(rest.trim_start());
    let head = if methods > 0 {
        forbid + blanks + methods
    } else {
        forbid
    };
    let (head, rest) = text.split_at_checked(head).unwrap_or((text, ""));
    let mut ends: Vec<usize> = condition_starts(rest);
    let path_end = ends.first().copied().unwrap_or(rest.len());
    ends.push(rest.len());
    let conditions = ends.windows(2).filter_map(|pair| match pair {
        [begin, end] => rest.get(*begin..*end).map(str::trim_end),
        _ => None,
    });
    Parts {
        head,
        path: rest.get(..path_end).unwrap_or_default(),
        conditions: conditions.collect(),
    }
}

/// Length of a list of methods at the beginning, or 0.
fn methods(text: &str) -> usize {
    let Some(inside) = text
        .strip_prefix('[')
        .and_then(|text| text.split_once(']'))
        .map(|(inside, _)| inside)
    else {
        return 0;
    };
    let is_list = inside
        .chars()
        .all(|character| character.is_ascii_alphabetic() || matches!(character, ',' | '|' | ' ' | '\t'));
    if is_list && !inside.trim().is_empty() {
        inside.len() + 2
    } else {
        0
    }
}

/// Where conditions begin: escapes and classes of the regexps before them are skipped.
fn condition_starts(text: &str) -> Vec<usize> {
    let (mut starts, mut depth, mut escaped) = (Vec::new(), 0_usize, false);
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match character {
            '\\' => escaped = true,
            '[' => {
                let rest = text.get(at..).unwrap_or_default();
                if depth == 0 && CONDITIONS.iter().any(|begin| rest.starts_with(begin)) {
                    starts.push(at);
                }
                depth += 1;
            }
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    starts
}

/// A path: its pattern is told from its literal text, and it breaks after each slash.
pub(crate) fn path(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut is_pattern = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = pattern_length(rest);
        let taken = if length > 0 { length } else { first.len_utf8() };
        let (piece, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        if (length > 0) != is_pattern {
            out.push_str(if length > 0 { "<i>" } else { "</i>" });
            is_pattern = length > 0;
        }
        for character in piece.chars() {
            put(character, &mut out);
        }
        if piece == "/" {
            out.push_str("<wbr>");
        }
        rest = after;
    }
    if is_pattern {
        out.push_str("</i>");
    }
    out
}

/// Length of the piece of a pattern at the beginning, or 0: `\d`, `.`, `[^/]`, `{USER}`, and what repeats.
fn pattern_length(text: &str) -> usize {
    let mut characters = text.chars();
    match characters.next() {
        Some('\\') => match characters.next() {
            // An escaped sign is literal; the backslash alone is of the pattern.
            Some(next) if next.is_ascii_alphabetic() => 2,
            _ => 1,
        },
        Some('[') => text.find(']').map_or(1, |end| end + 1),
        Some('{') => text.find('}').map_or(1, |end| end + 1),
        Some('.' | '*' | '+' | '?' | '(' | ')' | '|' | '^' | '$') => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
