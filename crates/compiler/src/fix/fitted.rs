//! Edits in the form that their file needs: a line goes with its end, and new lines are indented and end as the one before.

use crate::{
    diagnostic::Edit,
    source::{SourceSet, Span},
};

/// The edit as it is made. Fitting twice changes nothing more.
pub(super) fn fitted(sources: &SourceSet, edit: &Edit) -> Edit {
    let Some(source) = sources.get(edit.span.source) else {
        return edit.clone();
    };
    let (text, span) = (&*source.text, edit.span);
    if edit.text.is_empty() {
        return Edit {
            span: whole_line(text, whole_element(text, span)),
            text: String::new(),
        };
    }
    if !edit.text.contains('\n') {
        return edit.clone();
    }
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_blank = line.chars().all(|one| one == ' ' || one == '\t');
    let indent = if is_blank { line } else { "" };
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = edit.text.split('\n').map(str::trim).collect();
    Edit {
        span,
        text: lines.join(&format!("{end}{indent}")),
    }
}

/// A removed element of a list with its comma, or with its key if it is the only one; a removed name of a set with its `@include`.
fn whole_element(text: &str, span: Span) -> Span {
    let (Some(before), Some(inner), Some(behind)) = (
        text.get(..span.start),
        text.get(span.start..span.end),
        text.get(span.end..),
    ) else {
        return span;
    };
    let is_blank = |one: char| one.is_ascii_whitespace();
    let (left, right) = (
        before.trim_end_matches(is_blank),
        behind.trim_start_matches(is_blank),
    );
    if let Some(rest) = left
        .strip_suffix("@include")
        .filter(|_| left.len() < before.len())
    {
        return Span {
            start: rest.len(),
            ..span
        };
    }
    let is_quoted = |quote: char| inner.len() > 1 && inner.starts_with(quote) && inner.ends_with(quote);
    if !is_quoted('"') && !is_quoted('\'') {
        return span;
    }
    let gap = behind.len() - right.len();
    if let Some(rest) = right.strip_prefix(',') {
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        return Span {
            end: span.end + gap + 1 + blanks,
            ..span
        };
    }
    if left.ends_with(',') {
        return Span {
            start: left.len() - 1,
            ..span
        };
    }
    if !left.ends_with('[') || !right.starts_with(']') {
        return span;
    }
    let line = left.rfind('\n').map_or(0, |at| at + 1);
    Span {
        start: line,
        end: span.end + gap + 1,
        ..span
    }
}

/// A span that has a whole line but for blanks, with the blanks and the line's end.
fn whole_line(text: &str, span: Span) -> Span {
    let is_blank = |one: char| matches!(one, ' ' | '\t' | '\r');
    let (Some(before), Some(behind)) = (text.get(..span.start), text.get(span.end..)) else {
        return span;
    };
    if span.start == span.end
        || text
            .get(span.start..span.end)
            .is_some_and(|text| text.ends_with('\n'))
    {
        return span;
    }
    let blanks = before.len() - before.trim_end_matches(is_blank).len();
    let start = span.start - blanks;
    let begins = start == 0 || before.get(..start).is_some_and(|before| before.ends_with('\n'));
    let rest = behind.trim_start_matches(is_blank);
    if !begins || !(rest.is_empty() || rest.starts_with('\n')) {
        return span;
    }
    let end = span.end + (behind.len() - rest.len());
    Span {
        start,
        end: end + usize::from(!rest.is_empty()),
        ..span
    }
}

#[cfg(test)]
mod tests {
    use super::{fitted, whole_line};
    use crate::{
        diagnostic::Edit,
        source::{SourceSet, Span},
    };

    fn check(text: &str, part: &str, new: &str, expected: &str) {
        let sources = SourceSet::from_files([("a.limits".to_owned(), text.to_owned())]);
        let (id, _) = sources.iter().next().unwrap();
        let start = text.find(part).unwrap();
        let edit = Edit {
            span: Span {
                source: id,
                start,
                end: start + part.len(),
            },
            text: new.to_owned(),
        };
        let once = fitted(&sources, &edit);
        assert_eq!(fitted(&sources, &once), once, "{text:?}");
        let edited = super::super::edited(&sources, &[once]);
        assert_eq!(&*edited.get(id).unwrap().text, expected, "{text:?}");
    }

    #[test]
    fn a_line_goes_with_its_end() {
        check("a\nb\nc\n", "b", "", "a\nc\n");
        check("a\r\n  b \r\nc\r\n", "b", "", "a\r\nc\r\n");
        check("a\nb", "b", "", "a\n");
        check("limit_to = '''b'''\n", "b", "", "limit_to = ''''''\n");
        check("x = '''\na\nb'''\n", "b", "", "x = '''\na\n'''\n");
        check("a, b\n", ", b", "", "a\n");
    }

    #[test]
    fn an_element_goes_with_its_comma() {
        check("x = [\"a\", \"b\"]\n", "\"a\"", "", "x = [\"b\"]\n");
        check("x = [\"a\", \"b\"]\n", "\"b\"", "", "x = [\"a\"]\n");
        check("y = 1\nx = [ \"a\" ]\nz = 2\n", "\"a\"", "", "y = 1\nz = 2\n");
        check("@include a\n@include b\n", "b", "", "@include a\n");
    }

    #[test]
    fn new_lines_are_indented_and_end_as_others() {
        check("  a\n", "a", "b\nc", "  b\n  c\n");
        check("a\r\n", "a", "b\nc", "b\r\nc\r\n");
        check("x = 'a'\n", "a", "b\nc", "x = 'b\nc'\n");
    }

    #[test]
    fn an_empty_span_stays() {
        let span = Span::nowhere();
        assert_eq!(whole_line("", span), span);
    }
}
