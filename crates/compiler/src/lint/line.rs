//! A line as lints read it: its text, its syntax, and its regexps in pieces.

use super::suspect::{Claim, Mend};
use crate::{
    ast::{self, Effect},
    check::pieces::{Kind, Piece, pieces},
    diagnostic::Fix,
    ir::Token,
    parse::parse_line,
    policy::Users,
    source::Span,
};

/// A line that parses.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
    pub(super) syntax: ast::Limit,
    /// The pieces of the URL regexp, as ranges of it.
    pub(super) url: Vec<Piece>,
    /// The token's user, as a regexp, if the line names the user.
    user: Option<String>,
}

impl<'a> Line<'a> {
    pub(super) fn parse(text: &'a str, span: Span, token: &Token) -> Option<Self> {
        let syntax = parse_line(text, span).ok()?;
        let user = match &token.users {
            Users::Named(users) if text.contains("{USER}") => Some(regex_syntax::escape(users.first()?)),
            _ => None,
        };
        let mut line = Self {
            text,
            span,
            syntax,
            url: Vec::new(),
            user,
        };
        line.url = line.pieces(&line.syntax.url);
        Some(line)
    }

    pub(super) fn effect(&self) -> Effect {
        self.syntax.effect
    }

    /// The pieces of a regexp of the line.
    pub(super) fn pieces(&self, pattern: &ast::Pattern) -> Vec<Piece> {
        let placeholders: Vec<_> = pattern
            .placeholders
            .iter()
            .map(|(_, span)| span.start - pattern.span.start..span.end - pattern.span.start)
            .collect();
        pieces(self.slice(pattern.span), &placeholders)
    }

    /// The text of a part of the line.
    pub(super) fn slice(&self, span: Span) -> &'a str {
        let start = span.start.saturating_sub(self.span.start);
        self.text
            .get(start..start + (span.end - span.start))
            .unwrap_or_default()
    }

    pub(super) fn url_text(&self) -> &'a str {
        self.slice(self.syntax.url.span)
    }

    /// The line with another text in a place.
    pub(super) fn with(&self, span: Span, text: &str) -> String {
        let start = span.start.saturating_sub(self.span.start);
        let mut line = self.text.to_owned();
        if line.get(start..start + (span.end - span.start)).is_some() {
            line.replace_range(start..start + (span.end - span.start), text);
        }
        line
    }

    /// The line with another URL.
    pub(super) fn with_url(&self, url: &str) -> String {
        self.with(self.syntax.url.span, url)
    }

    /// The line for other methods: `get,post`.
    pub(super) fn for_methods(&self, methods: &str) -> String {
        let start = self.syntax.url.span.start.saturating_sub(self.span.start);
        let sign = match self.effect() {
            Effect::Permit => "",
            Effect::Forbid => "!",
        };
        format!("{sign}[{methods}]{}", self.text.get(start..).unwrap_or_default())
    }

    /// A line as the compiler can read it by itself: with the token's user in the place of `{USER}`.
    pub(super) fn compilable(&self, line: String) -> String {
        match &self.user {
            Some(user) => line.replace("{USER}", user),
            None => line,
        }
    }

    /// The claim that the line allows more than a narrower one; `example` shows the difference best.
    pub(super) fn beyond(&self, narrower: &str, example: String) -> Claim {
        Claim::Beyond {
            narrower: self.compilable(narrower.to_owned()),
            example: self.compilable(example),
        }
    }

    /// The lines that the help tells the author to write instead of the line.
    pub(super) fn mend<const N: usize>(&self, lines: [String; N]) -> Option<Mend> {
        Some(Mend {
            effect: self.effect(),
            before: self.compilable(self.text.to_owned()),
            after: lines.map(|line| self.compilable(line)).into(),
        })
    }

    /// Corrections: texts of the whole line, the most probable one first.
    pub(super) fn fixes<const N: usize>(&self, lines: [&str; N]) -> Vec<Fix> {
        lines.map(|line| Fix::of(self.span, line)).into()
    }

    /// The correction that removes an alternative, with the `|` next to it.
    pub(super) fn without_alternative(&self, span: Span) -> Vec<Fix> {
        let (start, end) = (span.start - self.span.start, span.end - self.span.start);
        let (before, behind) = (self.text.get(..start), self.text.get(end..));
        let is_bar = |text: Option<&str>, at: fn(&str) -> bool| text.is_some_and(at);
        let removed = if is_bar(before, |text| text.ends_with('|')) {
            Span {
                start: span.start - 1,
                ..span
            }
        } else if is_bar(behind, |text| text.starts_with('|')) {
            Span {
                end: span.end + 1,
                ..span
            }
        } else {
            return Vec::new();
        };
        vec![Fix::of(self.span, self.with(removed, ""))]
    }

    /// The ranges of the URL's alternatives: at the top of it, outside of groups.
    pub(super) fn alternatives(&self) -> Vec<std::ops::Range<usize>> {
        let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0);
        for piece in &self.url {
            match piece.kind {
                Kind::Character('(') => depth += 1,
                Kind::Group
                    if !self
                        .url_text()
                        .get(piece.range.clone())
                        .is_some_and(|text| text.ends_with(')')) =>
                {
                    depth += 1;
                }
                Kind::Character(')') => depth = depth.saturating_sub(1),
                Kind::Character('|') if depth == 0 => {
                    found.push(start..piece.range.start);
                    start = piece.range.end;
                }
                _ => {}
            }
        }
        found.push(start..self.url_text().len());
        found
    }
}

/// Whether a piece is a letter, a digit or `_`.
pub(super) fn word_character(piece: &Piece) -> Option<char> {
    match piece.kind {
        Kind::Character(one) if one.is_ascii_alphanumeric() || one == '_' => Some(one),
        _ => None,
    }
}
