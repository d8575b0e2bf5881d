//! Which lines earlier releases may have read otherwise, by their form.

use crate::{
    ast::{self, Placeholder, Subject, Test},
    parse::{begins_with_root, parse_line},
    regexp,
    source::Span,
};

/// Why an earlier release read a line otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// `^` before the `/` that anchors.
    Caret,
    /// Spaces and tabs around the URL.
    Blanks,
    /// `{BASE_URL}` in a value.
    BaseUrl,
    /// An unquoted first step `$`.
    Root,
    /// A negated class with a name, whose letter case is ignored.
    NegatedClass,
    /// A byte-order mark before the line.
    ByteOrderMark,
    /// A byte-order mark before an `@include`, so that the line's set was not included.
    Include,
}

impl Why {
    /// How version 1 of the language read it.
    pub(super) fn explained(self) -> &'static str {
        match self {
            Self::Caret => "version 1 of the language did not anchor a URL after `^`",
            Self::Blanks => "version 1 of the language read the spaces as part of the URL",
            Self::BaseUrl => "version 1 of the language did not replace `{BASE_URL}` in values",
            Self::Root => "version 1 of the language read `$` as the name of a member",
            Self::NegatedClass => "version 1 of the language negated the class before it ignored letter case",
            Self::ByteOrderMark => "earlier releases read the byte-order mark as part of the line",
            Self::Include => "earlier releases did not read an `@include` after a byte-order mark",
        }
    }
}

/// Why the line may have been read otherwise; `None`: it was not.
pub(super) fn why(text: &str, line: Span) -> Option<Why> {
    if !is_worth_parsing(text) {
        return None;
    }
    let syntax = parse_line(text, line).ok()?;
    let slice = |span: Span| {
        let start = span.start.saturating_sub(line.start);
        text.get(start..start + (span.end - span.start))
            .unwrap_or_default()
    };
    let url = slice(syntax.url.span);
    if regexp::parse(&syntax.url, url).is_ok_and(|parsed| parsed.anchor != parsed.anchor_before) {
        return Some(Why::Caret);
    }
    if syntax.url_with_blanks != syntax.url.span {
        return Some(Why::Blanks);
    }
    let of_constraint = |constraint: &ast::Constraint| {
        if let Test::Values { pattern, .. } = &constraint.test
            && pattern
                .placeholders
                .iter()
                .any(|(placeholder, _)| *placeholder == Placeholder::BaseUrl)
        {
            return Some(Why::BaseUrl);
        }
        let is_json = matches!(constraint.subject, Subject::Json(_));
        (is_json && begins_with_root(slice(constraint.span))).then_some(Why::Root)
    };
    let found = syntax.constraints.iter().find_map(of_constraint);
    found.or_else(|| has_negated_name(text).then_some(Why::NegatedClass))
}

/// Whether version 1 of the language read spaces around the line's URL as a part of it.
pub(crate) fn has_blanks(text: &str, line: Span) -> bool {
    parse_line(text, line).is_ok_and(|syntax| syntax.url_with_blanks != syntax.url.span)
}

/// Most lines have none of the characters that matter.
fn is_worth_parsing(text: &str) -> bool {
    text.contains(['^', ' ', '\t', '$', '{', '\\'])
}

/// `\P{Lu}`, `\p{^Lu}`, `\p{gc!=Lu}`, `[[:^upper:]]`.
fn has_negated_name(text: &str) -> bool {
    text.contains("\\P")
        || text.contains("[:^")
        || text.contains("\\p{^")
        || (text.contains("\\p{") && text.contains("!="))
}
