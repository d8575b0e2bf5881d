//! Paths with parameters in braces, as documents write them.

use crate::model::{Piece, Segment, Template};

/// A read path, and the things that it says of its parameters beyond their names.
pub(crate) struct Parsed {
    pub(crate) template: Template,
    /// Names of parameters whose values may contain slashes.
    pub(crate) multi_segment: Vec<String>,
    /// Patterns of parameters, by name: `{id:[0-9]+}`.
    pub(crate) patterns: Vec<(String, String)>,
    /// Mistakes in the path.
    pub(crate) mistakes: Vec<&'static str>,
}

impl Template {
    /// Reads a path with parameters in braces, as documents write it. Text after `#` is dropped.
    pub fn parse(path: &str) -> Self {
        parse(path).template
    }
}

/// Reads a path. A missing slash at the start is added, text after `#` is dropped, and a brace without its partner is literal text.
pub(crate) fn parse(path: &str) -> Parsed {
    let mut out = Parsed {
        template: Template::default(),
        multi_segment: Vec::new(),
        patterns: Vec::new(),
        mistakes: Vec::new(),
    };
    let path = match path.strip_prefix('/') {
        Some(rest) => rest,
        None => {
            out.mistakes
                .push("the path does not start with `/`; it is read as if it did");
            path
        }
    };
    let mut segment = Segment::default();
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '/' => out.template.segments.push(std::mem::take(&mut segment)),
            '{' => {
                if let Some((inner, after)) = braced(after) {
                    out.parameter(&mut segment, inner);
                    rest = after;
                    continue;
                }
                out.mistakes
                    .push("the path has `{` without `}`; it is read as text");
                literal(&mut segment, c);
            }
            '?' => {
                out.mistakes
                    .push("the path has a query; only requests with this query are its calls");
                let query = after.split('#').next().unwrap_or_default();
                out.template.query = Some(query.to_owned());
                break;
            }
            '#' => {
                out.mistakes
                    .push("the path has a fragment, which no request carries; it is left out");
                break;
            }
            _ => literal(&mut segment, c),
        }
        rest = after;
    }
    out.template.segments.push(segment);
    out
}

/// The text up to the brace that closes, and the rest behind it. Braces in between come in pairs, as in `{id:\d{2}}`.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some((text.get(..at)?, text.get(at + 1..)?)),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn literal(segment: &mut Segment, c: char) {
    match segment.pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(c),
        _ => segment.pieces.push(Piece::Literal(c.to_string())),
    }
}

impl Parsed {
    /// A parameter: `name`, `name:pattern`, `+name`, `name*`, `name+`, `*name`, `name...`, `name=pattern/*`, or `?query`, which is
    /// not part of the path.
    fn parameter(&mut self, segment: &mut Segment, inner: &str) {
        let inner = inner.trim();
        if inner.starts_with(['?', '&']) {
            return;
        }
        let (name, pattern) = match inner.split_once(':') {
            Some((name, pattern)) => (name.trim(), Some(pattern.trim())),
            None => (inner, None),
        };
        let (name, form) = match name.split_once('=') {
            Some((name, form)) => (name, Some(form)),
            None => (name, None),
        };
        let bare = name
            .trim_start_matches(['+', '*'])
            .trim_end_matches("...")
            .trim_end_matches(['+', '*']);
        let spans = form.is_some_and(|form| form.contains(['/', '*']))
            || bare != name
            || pattern.is_some_and(|pattern| {
                pattern.contains('/') || pattern.starts_with(".*") || pattern.starts_with(".+")
            });
        if spans {
            self.multi_segment.push(bare.to_owned());
        }
        if let Some(pattern) = pattern.filter(|pattern| !pattern.is_empty()) {
            self.patterns.push((bare.to_owned(), pattern.to_owned()));
        }
        if bare.is_empty() {
            self.mistakes.push("the path has a parameter without a name");
        }
        segment.pieces.push(Piece::Parameter(bare.to_owned()));
    }
}
