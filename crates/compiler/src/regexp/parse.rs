//! From the text of a pattern to its syntax tree, errors placed in the user's line.

use regex_syntax::ast::{self, Ast, ErrorKind};

use super::{
    MAX_NESTING,
    anchors::{self, Misplaced, What},
    marks::{BASE_URL_CHARACTER, USER_CHARACTER},
};
use crate::{
    ast::{Pattern, Placeholder},
    diagnostic::{Code, Diagnostic},
    language::Language,
    source::Span,
};

/// A pattern's syntax tree.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree; placeholders are single characters. It has no `^` and `$`: they repeat what a whole match says, or are
    /// errors.
    pub tree: Ast,
    /// The part of the URL that a URL pattern is compared with.
    pub anchor: Anchor,
    /// The same, as releases of language 1 read the pattern.
    pub anchor_before: Anchor,
    /// Whether `{USER}` occurs.
    pub names_user: bool,
    marked: Marked,
}

impl Parsed {
    /// The place in the source of byte `at` of the text with marks.
    pub(crate) fn place(&self, at: usize) -> Span {
        let position = ast::Position::new(at, 1, 1);
        let mut place = self.marked.place(&ast::Span::splat(position));
        place.end = self.marked.pattern.end;
        place
    }

    /// The place in the source of a range of the text with marks.
    pub(super) fn range(&self, span: &ast::Span) -> Span {
        self.marked.place(span)
    }
}

/// The part of the URL at which a URL pattern begins to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anchor {
    /// The pattern begins with `/`: the path below the base URL.
    Below,
    /// The whole URL, scheme and host included.
    Whole,
}

/// Parses the regexp at `pattern`, whose text is `text`.
///
/// # Errors
/// One diagnostic, placed in the line.
pub fn parse(pattern: &Pattern, text: &str) -> Result<Parsed, Box<Diagnostic>> {
    parse_as(pattern, text, Language::Two)
}

/// Parses a regexp as a version of the language reads it. In the first, `^` and `$` are assertions like any other.
///
/// # Errors
/// As of [`parse`].
pub(crate) fn parse_as(pattern: &Pattern, text: &str, language: Language) -> Result<Parsed, Box<Diagnostic>> {
    let marked = Marked::new(pattern, text)?;
    let parser = ast::parse::ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(&marked.text);
    let tree = parser.map_err(|error| Box::new(syntax_error(&error, &marked)))?;
    refuse_what_means_two_things(&tree, &marked)?;
    let tree = match language {
        Language::One => tree,
        Language::Two => {
            anchors::without_edges(&tree).map_err(|error| Box::new(misplaced(&error, &marked)))?
        }
    };
    Ok(Parsed {
        tree,
        anchor: anchor(&marked.text, language == Language::Two),
        anchor_before: anchor(&marked.text, false),
        names_user: pattern
            .placeholders
            .iter()
            .any(|(placeholder, _)| *placeholder == Placeholder::User),
        marked,
    })
}

/// A pattern's text with each placeholder replaced by its mark.
#[derive(Clone, Debug)]
struct Marked {
    text: String,
    pattern: Span,
    /// For each replaced placeholder: its end in `text`, and how many bytes shorter than the source that is by now.
    shifts: Vec<(usize, usize)>,
}

impl Marked {
    fn new(pattern: &Pattern, source: &str) -> Result<Self, Box<Diagnostic>> {
        if let Some(at) = source.find([BASE_URL_CHARACTER, USER_CHARACTER]) {
            let place = pattern.span.part(at..at + 4);
            return Err(Box::new(Diagnostic::new(
                Code::Regexp,
                place,
                "a noncharacter of Unicode in a regexp",
            )));
        }
        let (mut text, mut shifts, mut done, mut shift) =
            (String::with_capacity(source.len()), Vec::new(), 0, 0);
        for (placeholder, span) in &pattern.placeholders {
            let (start, end) = (span.start - pattern.span.start, span.end - pattern.span.start);
            let mark = match placeholder {
                Placeholder::BaseUrl => BASE_URL_CHARACTER,
                Placeholder::User => USER_CHARACTER,
            };
            text.push_str(source.get(done..start).unwrap_or_default());
            text.push(mark);
            shift += (end - start) - mark.len_utf8();
            shifts.push((text.len(), shift));
            done = end;
        }
        text.push_str(source.get(done..).unwrap_or_default());
        Ok(Self {
            text,
            pattern: pattern.span,
            shifts,
        })
    }

    /// The place in the source of a range of the marked text.
    fn place(&self, span: &ast::Span) -> Span {
        let map = |at: usize| {
            let shift = self
                .shifts
                .iter()
                .rev()
                .find(|(end, _)| *end <= at)
                .map_or(0, |(_, shift)| *shift);
            (at + shift).min(self.pattern.end - self.pattern.start)
        };
        let (start, end) = (map(span.start.offset), map(span.end.offset));
        self.pattern.part(start..end.max(start))
    }
}

fn misplaced(error: &Misplaced, marked: &Marked) -> Diagnostic {
    let (headline, help) = match error.what {
        What::Begin => (
            "`^` within a regexp: nothing that begins here can match",
            "a line always matches the whole text: remove the `^`, or write `\\^` for the character",
        ),
        What::End => (
            "`$` within a regexp: nothing can follow it",
            "a line always matches the whole text: remove the `$`, or write `\\$` for the character",
        ),
        What::MultiLine => (
            "a text is always a single line: `m` has no effect",
            "remove the flag `m`; a line always matches the whole text",
        ),
    };
    let place = marked.place(&error.span);
    let found = Diagnostic::new(Code::Anchor, place, headline).help(help);
    match error.what {
        What::Begin | What::End => found.fix(place, ""),
        // The flag may be alone in its brackets.
        What::MultiLine => found,
    }
}

/// Inline flags and, if `caret` is set, `^` may come before the `/` that anchors.
fn anchor(text: &str, caret: bool) -> Anchor {
    let mut rest = text;
    loop {
        if caret && let Some(behind) = rest.strip_prefix('^').or_else(|| rest.strip_prefix("\\A")) {
            rest = behind;
            continue;
        }
        let Some(flags) = rest.strip_prefix("(?") else {
            break;
        };
        match flags.split_once(')') {
            Some((flags, behind))
                if flags
                    .bytes()
                    .all(|byte| byte.is_ascii_alphabetic() || byte == b'-') =>
            {
                rest = behind
            }
            _ => break,
        }
    }
    if rest.starts_with('/') || rest.starts_with("\\/") {
        Anchor::Below
    } else {
        Anchor::Whole
    }
}

fn syntax_error(error: &ast::Error, marked: &Marked) -> Diagnostic {
    let place = marked.place(error.span());
    let escape = marked
        .text
        .get(error.span().start.offset..error.span().end.offset)
        .unwrap_or_default();
    let (code, help) = match error.kind() {
        ErrorKind::UnsupportedLookAround => (
            Code::RegexpFeature,
            Some(
                "look-around is not supported; permit more and exclude the exception with a forbid line such as `![delete].*`, or use `!=` in a constraint",
            ),
        ),
        ErrorKind::UnsupportedBackreference => (
            Code::RegexpFeature,
            Some("back-references are not supported; write all alternatives"),
        ),
        ErrorKind::NestLimitExceeded(_) => {
            (Code::TooLarge, Some("write the regexp with fewer nested groups"))
        }
        ErrorKind::EscapeUnrecognized if escape == "\\Q" || escape == "\\E" => (
            Code::RegexpFeature,
            Some("`\\Q…\\E` is not supported; put a backslash before each special character"),
        ),
        ErrorKind::EscapeUnrecognized if escape == "\\Z" || escape == "\\G" => (
            Code::RegexpFeature,
            Some("a line always matches the whole text; remove the anchor"),
        ),
        ErrorKind::RepetitionMissing => (
            Code::Regexp,
            Some("put a backslash before a literal `*`, `+`, `?` or `{`"),
        ),
        ErrorKind::RepetitionCountInvalid => (Code::Regexp, Some("write the smaller count first: `{2,5}`")),
        ErrorKind::ClassUnclosed => (
            Code::Regexp,
            Some("close the class with `]`, or write `\\[` for a literal bracket"),
        ),
        ErrorKind::GroupUnclosed | ErrorKind::GroupUnopened => (
            Code::Regexp,
            Some("write `\\(` or `\\)` for a literal parenthesis"),
        ),
        _ => (Code::Regexp, None),
    };
    let diagnostic = Diagnostic::new(
        code,
        place,
        format!("the regexp does not parse: {}", error.kind()),
    );
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// `a*+` is possessive in Java, and `(a*)+` to the `regex` crate; the author's intention is unknown. Escapes of the characters that
/// represent placeholders are refused too.
fn refuse_what_means_two_things(tree: &Ast, marked: &Marked) -> Result<(), Box<Diagnostic>> {
    struct Visitor<'m>(&'m Marked);
    impl ast::Visitor for Visitor<'_> {
        type Output = ();
        type Err = Box<Diagnostic>;

        fn finish(self) -> Result<(), Self::Err> {
            Ok(())
        }

        fn visit_pre(&mut self, tree: &Ast) -> Result<(), Self::Err> {
            match tree {
                // An escape would stand for a placeholder.
                Ast::Literal(literal)
                    if matches!(literal.c, BASE_URL_CHARACTER | USER_CHARACTER)
                        && literal.kind != ast::LiteralKind::Verbatim =>
                {
                    Err(Box::new(Diagnostic::new(
                        Code::Regexp,
                        self.0.place(&literal.span),
                        "a noncharacter of Unicode in a regexp",
                    )))
                }
                Ast::Repetition(outer) if matches!(*outer.ast, Ast::Repetition(_)) => {
                    let place = self.0.place(&outer.op.span);
                    let possessive = matches!(outer.op.kind, ast::RepetitionKind::OneOrMore);
                    Err(Box::new(if possessive {
                        Diagnostic::new(
                            Code::RegexpFeature,
                            place,
                            "possessive quantifiers are not supported",
                        )
                        .help("remove the second `+`: matching takes linear time without it")
                    } else {
                        Diagnostic::new(Code::Regexp, place, "a quantifier follows another quantifier")
                            .help("put the first one in a group, `(…)`, if both are intended")
                    }))
                }
                _ => Ok(()),
            }
        }
    }
    ast::visit(tree, Visitor(marked))
}
