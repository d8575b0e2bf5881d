//! From the syntax tree to the HIR.

use regex_syntax::{
    ast::{self, Ast},
    hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, Look, Repetition},
};

use super::{
    BASE_URL_MARK,
    class::{self, Folding},
    marks::{BASE_URL_CHARACTER, USER_CHARACTER},
    parse::Parsed,
};
use crate::{language::Language, source::Span};

/// How letters of a pattern meet letters of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// Case as the pattern's flags say.
    AsWritten,
    /// Every case (Unicode simple folding), independent of the pattern's flags: the URL of a forbid line.
    Ignored,
}

/// Why a tree has no HIR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslateError {
    /// Where, in bytes of the pattern's text with marks.
    pub at: usize,
    /// What, without a full stop.
    pub what: &'static str,
}

/// The HIR of a tree, with `{USER}` standing for `user`; `{BASE_URL}` stays a mark.
///
/// # Errors
/// An unknown `\p{…}` or a flag that would give up Unicode.
pub fn translate(tree: &Ast, case: Case, user: Option<&str>) -> Result<Hir, TranslateError> {
    translate_as(tree, (case, user), Place::Url, Language::Two)
}

/// Where a regexp stands. Language 1 never bound `{BASE_URL}` in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Url,
    Value,
}

/// The HIR of a tree as a version of the language reads it.
///
/// # Errors
/// See [`translate`].
pub(crate) fn translate_as(
    tree: &Ast,
    (case, user): (Case, Option<&str>),
    place: Place,
    language: Language,
) -> Result<Hir, TranslateError> {
    let translator = Translator {
        case,
        user,
        place,
        language,
    };
    translator.hir(tree, &mut Flags::default())
}

/// The alternatives at the top of a regexp, or of a group that is all of it, each with its place; fewer than two: none.
///
/// # Errors
/// See [`translate`].
pub(crate) fn branches(
    parsed: &Parsed,
    case: Case,
    user: Option<&str>,
) -> Result<Vec<(Span, Hir)>, TranslateError> {
    let translator = Translator {
        case,
        user,
        place: Place::Url,
        language: Language::Two,
    };
    // Flags apply to the alternatives behind them, too.
    let mut flags = Flags::default();
    let mut tree = &parsed.tree;
    while let Ast::Group(group) = tree {
        if let ast::GroupKind::NonCapturing(set) = &group.kind {
            apply(set, &mut flags)?;
        }
        tree = &group.ast;
    }
    let Ast::Alternation(alternation) = tree else {
        return Ok(Vec::new());
    };
    let branch = |tree: &Ast| Ok((parsed.range(tree.span()), translator.hir(tree, &mut flags)?));
    alternation.asts.iter().map(branch).collect()
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    crlf: bool,
}

struct Translator<'a> {
    case: Case,
    user: Option<&'a str>,
    place: Place,
    language: Language,
}

impl Translator<'_> {
    /// Flags apply to the end of their group, so a group works on a copy.
    fn hir(&self, tree: &Ast, flags: &mut Flags) -> Result<Hir, TranslateError> {
        Ok(match tree {
            Ast::Empty(_) => Hir::empty(),
            Ast::Flags(set) => {
                apply(&set.flags, flags)?;
                Hir::empty()
            }
            Ast::Literal(literal) => self.literal(literal.c, *flags),
            Ast::Dot(_) => class_hir(class::every()),
            Ast::Assertion(assertion) => Hir::look(look(&assertion.kind, *flags)),
            Ast::ClassUnicode(tree) => {
                class_hir(class::unicode_class(tree, &self.folding(&self.fold(*flags))).map_err(unknown)?)
            }
            Ast::ClassPerl(tree) => class_hir(class::perl(tree, &self.folding(&self.fold(*flags)))),
            Ast::ClassBracketed(tree) => {
                class_hir(class::bracketed(tree, &self.folding(&self.fold(*flags))).map_err(unknown)?)
            }
            Ast::Repetition(repetition) => self.repetition(repetition, flags)?,
            Ast::Group(group) => self.group(group, *flags)?,
            Ast::Alternation(alternation) => {
                let branches: Result<_, _> = alternation
                    .asts
                    .iter()
                    .map(|tree| self.hir(tree, flags))
                    .collect();
                Hir::alternation(branches?)
            }
            Ast::Concat(concat) => {
                // Literal characters side by side as one: most of a line is text.
                let (mut parts, mut text) = (Vec::new(), String::new());
                for tree in &concat.asts {
                    match tree {
                        Ast::Literal(literal) if self.is_as_written(literal.c, *flags) => {
                            text.push(literal.c)
                        }
                        _ => {
                            if !text.is_empty() {
                                parts.push(Hir::literal(std::mem::take(&mut text).into_bytes()));
                            }
                            parts.push(self.hir(tree, flags)?);
                        }
                    }
                }
                if !text.is_empty() {
                    parts.push(Hir::literal(text.into_bytes()));
                }
                Hir::concat(parts)
            }
        })
    }

    /// Whether the character matches only itself.
    fn is_as_written(&self, character: char, flags: Flags) -> bool {
        !is_placeholder(character) && !flags.ignore_case && self.case == Case::AsWritten
    }

    fn literal(&self, character: char, flags: Flags) -> Hir {
        let is_base = character == BASE_URL_CHARACTER;
        if is_base && self.place == Place::Value && self.language == Language::One {
            return class_hir(ClassUnicode::empty());
        }
        let text: String = match (character, self.user) {
            (USER_CHARACTER, Some(user)) => user.to_owned(),
            (BASE_URL_CHARACTER, _) => BASE_URL_MARK.to_owned(),
            _ => character.to_string(),
        };
        // A placeholder's character is not folded, even if the pattern's flags ignore case: a user `Bob` must not become `bob` in
        // a permit line. Only a forbid line's URL ignores case completely.
        let from_placeholder = is_placeholder(character);
        let flags = Flags {
            ignore_case: flags.ignore_case && !from_placeholder,
            ..flags
        };
        if !flags.ignore_case && self.case == Case::AsWritten {
            return Hir::literal(text.into_bytes());
        }
        let fold = self.fold(flags);
        let cases = text.chars().map(|character| {
            let mut set = class::of(&[(character, character)]);
            fold(&mut set);
            class_hir(set)
        });
        Hir::concat(cases.collect())
    }

    fn folding<'f>(&self, fold: &'f dyn Fn(&mut ClassUnicode)) -> Folding<'f> {
        Folding {
            fold,
            language: self.language,
        }
    }

    /// The folded set of a class. As in the `regex` crate, folding comes before a negation: `[^a]` without regard to
    /// case is neither `a` nor `A`. Otherwise a forbid line of all but `a` would forbid `a` too.
    fn fold(&self, flags: Flags) -> impl Fn(&mut ClassUnicode) + use<> {
        let case = self.case;
        move |set| match case {
            Case::Ignored => class::fold_unicode(set),
            Case::AsWritten if flags.ignore_case => class::fold_ascii(set),
            Case::AsWritten => {}
        }
    }

    /// `.*` becomes any bytes: on valid UTF-8 the same, and a fraction of the automaton.
    fn repetition(&self, tree: &ast::Repetition, flags: &mut Flags) -> Result<Hir, TranslateError> {
        let (min, max) = match tree.op.kind {
            ast::RepetitionKind::ZeroOrOne => (0, Some(1)),
            ast::RepetitionKind::ZeroOrMore => (0, None),
            ast::RepetitionKind::OneOrMore => (1, None),
            ast::RepetitionKind::Range(ast::RepetitionRange::Exactly(count)) => (count, Some(count)),
            ast::RepetitionKind::Range(ast::RepetitionRange::AtLeast(count)) => (count, None),
            ast::RepetitionKind::Range(ast::RepetitionRange::Bounded(min, max)) => (min, Some(max)),
        };
        let sub = self.hir(&tree.ast, flags)?;
        if matches!(*tree.ast, Ast::Dot(_)) && max.is_none() {
            return Ok(Hir::concat(vec![repeated(sub, min, Some(min)), any_bytes()]));
        }
        Ok(repeated(sub, min, max))
    }

    fn group(&self, group: &ast::Group, mut flags: Flags) -> Result<Hir, TranslateError> {
        if let ast::GroupKind::NonCapturing(set) = &group.kind {
            apply(set, &mut flags)?;
        }
        self.hir(&group.ast, &mut flags)
    }
}

fn is_placeholder(character: char) -> bool {
    matches!(character, USER_CHARACTER | BASE_URL_CHARACTER)
}

/// Any number of any bytes: the HIR of `.*`.
#[must_use]
pub(crate) fn any_bytes() -> Hir {
    let every = ClassBytes::new([ClassBytesRange::new(0, 255)]);
    repeated(Hir::class(Class::Bytes(every)), 0, None)
}

/// A pattern from `min` to `max` times, or more often without `max`.
pub(crate) fn repeated(sub: Hir, min: u32, max: Option<u32>) -> Hir {
    Hir::repetition(Repetition {
        min,
        max,
        greedy: true,
        sub: Box::new(sub),
    })
}

fn class_hir(set: ClassUnicode) -> Hir {
    Hir::class(Class::Unicode(set))
}

fn unknown(error: class::UnknownClass) -> TranslateError {
    TranslateError {
        at: error.0.start.offset,
        what: "this Unicode class does not exist",
    }
}

fn apply(set: &ast::Flags, flags: &mut Flags) -> Result<(), TranslateError> {
    let mut on = true;
    for item in &set.items {
        match item.kind {
            ast::FlagsItemKind::Negation => on = false,
            ast::FlagsItemKind::Flag(ast::Flag::CaseInsensitive) => flags.ignore_case = on,
            ast::FlagsItemKind::Flag(ast::Flag::MultiLine) => flags.multi_line = on,
            ast::FlagsItemKind::Flag(ast::Flag::CRLF) => flags.crlf = on,
            ast::FlagsItemKind::Flag(ast::Flag::Unicode) if !on => {
                return Err(TranslateError {
                    at: item.span.start.offset,
                    what: "`(?-u)` would match bytes that are not characters",
                });
            }
            // `.` matches everything, greed cannot change a whole match, and the parser has seen to `x`.
            ast::FlagsItemKind::Flag(
                ast::Flag::Unicode
                | ast::Flag::DotMatchesNewLine
                | ast::Flag::SwapGreed
                | ast::Flag::IgnoreWhitespace,
            ) => {}
        }
    }
    Ok(())
}

fn look(kind: &ast::AssertionKind, flags: Flags) -> Look {
    use ast::AssertionKind as Kind;
    match kind {
        Kind::StartLine if flags.multi_line && flags.crlf => Look::StartCRLF,
        Kind::StartLine if flags.multi_line => Look::StartLF,
        Kind::EndLine if flags.multi_line && flags.crlf => Look::EndCRLF,
        Kind::EndLine if flags.multi_line => Look::EndLF,
        Kind::StartLine | Kind::StartText => Look::Start,
        Kind::EndLine | Kind::EndText => Look::End,
        Kind::WordBoundary => Look::WordAscii,
        Kind::NotWordBoundary => Look::WordAsciiNegate,
        Kind::WordBoundaryStart | Kind::WordBoundaryStartAngle => Look::WordStartAscii,
        Kind::WordBoundaryEnd | Kind::WordBoundaryEndAngle => Look::WordEndAscii,
        Kind::WordBoundaryStartHalf => Look::WordStartHalfAscii,
        Kind::WordBoundaryEndHalf => Look::WordEndHalfAscii,
    }
}
