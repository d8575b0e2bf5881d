//! Regular expressions of JSON Schema (the dialect of ECMA-262) as languages of one segment of a path.
//!
//! The parser is that of lines, whose dialect differs. A construct that the two dialects read differently, or that only one of them
//! has, is refused by its place in the tree, so that the parameter counts as any text. The set of texts is never too small.

use regex_syntax::{
    ast::{
        self, AssertionKind, Ast, ClassPerlKind, ClassSet, ClassSetItem, GroupKind, HexLiteralKind,
        LiteralKind, RepetitionKind, RepetitionRange, SpecialLiteralKind,
    },
    hir::{Class, ClassUnicode, ClassUnicodeRange, Hir},
};

use crate::{
    ir::Matcher,
    regexp::{MAX_NESTING, repeated},
};

/// A longer pattern is not read.
const PATTERN_BYTES: usize = 2_000;

/// A slash within a parameter, as a decoded path has it: the upstream's setting decides whether the proxy accepts it.
pub(super) const KEPT_SLASH: &str = "%2F";

/// The white space of ECMA-262, line ends included.
const SPACE: [(char, char); 10] = [
    ('\t', '\r'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{feff}', '\u{feff}'),
];

const UNSUPPORTED: &str = "its pattern is not a regular expression that is supported";
const DIALECT: &str =
    "programs read its pattern differently (flags, `\\p`, `\\A`, classes within classes and similar)";
const ASSERTION: &str = "its pattern has assertions within";

/// The texts that fit into a segment and that a pattern matches.
pub(super) fn read(text: &str) -> Result<Hir, &'static str> {
    if text.len() > PATTERN_BYTES {
        return Err("its pattern is too long");
    }
    let parser = ast::parse::ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(text);
    let tree = parser.map_err(|_| UNSUPPORTED)?;
    let whole = Reader { text }.anywhere(&tree)?;
    // An automaton past its limit would leave the whole operation out.
    match Matcher::new(&whole) {
        Ok(Matcher::Nothing) => Err("no text that fits into a segment matches its pattern"),
        Ok(_) => Ok(whole),
        Err(_) => Err("its pattern is too large"),
    }
}

/// Whether a part of a pattern begins or ends the value, so that an anchor there says nothing new.
#[derive(Clone, Copy)]
struct Edges {
    start: bool,
    end: bool,
}

impl Edges {
    const NONE: Self = Self {
        start: false,
        end: false,
    };
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    /// A pattern with any text before and after each alternative, unless `^` and `$` say otherwise.
    fn anywhere(&self, tree: &Ast) -> Result<Hir, &'static str> {
        match tree {
            Ast::Alternation(all) => {
                let all: Result<Vec<Hir>, _> = all.asts.iter().map(|tree| self.anywhere(tree)).collect();
                Ok(Hir::alternation(all?))
            }
            Ast::Group(group) => {
                check_group(&group.kind)?;
                self.anywhere(&group.ast)
            }
            Ast::Concat(concat) => self.alternative(&concat.asts),
            other => self.alternative(std::slice::from_ref(other)),
        }
    }

    fn alternative(&self, mut parts: &[Ast]) -> Result<Hir, &'static str> {
        let mut edges = Edges::NONE;
        if let [first, rest @ ..] = parts
            && is_anchor(first, &AssertionKind::StartLine)
        {
            (edges.start, parts) = (true, rest);
        }
        if let [rest @ .., last] = parts
            && is_anchor(last, &AssertionKind::EndLine)
        {
            (edges.end, parts) = (true, rest);
        }
        let around = |is_anchored| {
            if is_anchored {
                Hir::empty()
            } else {
                repeated(segment_class(), 0, None)
            }
        };
        Ok(Hir::concat(vec![
            around(edges.start),
            self.concat(parts, edges)?,
            around(edges.end),
        ]))
    }

    fn concat(&self, parts: &[Ast], edges: Edges) -> Result<Hir, &'static str> {
        let last = parts.len().saturating_sub(1);
        let part = |(at, tree): (usize, &Ast)| {
            let edges = Edges {
                start: edges.start && at == 0,
                end: edges.end && at == last,
            };
            self.hir(tree, edges)
        };
        let parts: Result<Vec<Hir>, _> = parts.iter().enumerate().map(part).collect();
        Ok(Hir::concat(parts?))
    }

    fn hir(&self, tree: &Ast, edges: Edges) -> Result<Hir, &'static str> {
        match tree {
            Ast::Empty(_) => Ok(Hir::empty()),
            Ast::Literal(literal) => Ok(within(&single(character(literal)?))),
            // ECMA-262 leaves line ends out, other dialects some of them: the widest reading counts.
            Ast::Dot(_) => Ok(within(&ranges(&[('\0', char::MAX)]))),
            Ast::ClassPerl(class) => Ok(within(&perl(class))),
            Ast::ClassBracketed(class) => Ok(within(&self.bracketed(class)?)),
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => {
                check_group(&group.kind)?;
                self.hir(&group.ast, edges)
            }
            Ast::Alternation(all) => {
                let all: Result<Vec<Hir>, _> = all.asts.iter().map(|tree| self.hir(tree, edges)).collect();
                Ok(Hir::alternation(all?))
            }
            Ast::Concat(concat) => self.concat(&concat.asts, edges),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine if edges.start => Ok(Hir::empty()),
                AssertionKind::EndLine if edges.end => Ok(Hir::empty()),
                // `\A` and `\<` are the letter and the character to some programs.
                AssertionKind::StartText
                | AssertionKind::EndText
                | AssertionKind::WordBoundaryStartAngle
                | AssertionKind::WordBoundaryEndAngle => Err(DIALECT),
                _ => Err(ASSERTION),
            },
            Ast::Flags(_) | Ast::ClassUnicode(_) => Err(DIALECT),
        }
    }

    fn repetition(&self, repetition: &ast::Repetition) -> Result<Hir, &'static str> {
        let operator = repetition.op.span;
        let operator = self.text.get(operator.start.offset..operator.end.offset);
        // `{1 ,2}` is text to some programs, and `a++` or `a{1}{2}` an error or another repetition.
        if matches!(*repetition.ast, Ast::Repetition(_))
            || operator.is_none_or(|text| text.contains(char::is_whitespace))
        {
            return Err(DIALECT);
        }
        let sub = self.hir(&repetition.ast, Edges::NONE)?;
        let (min, max) = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne => (0, Some(1)),
            RepetitionKind::ZeroOrMore => (0, None),
            RepetitionKind::OneOrMore => (1, None),
            RepetitionKind::Range(RepetitionRange::Exactly(count)) => (*count, Some(*count)),
            RepetitionKind::Range(RepetitionRange::AtLeast(count)) => (*count, None),
            RepetitionKind::Range(RepetitionRange::Bounded(min, max)) => (*min, Some(*max)),
        };
        Ok(repeated(sub, min, max))
    }

    fn bracketed(&self, class: &ast::ClassBracketed) -> Result<ClassUnicode, &'static str> {
        let inner = self.text.get(class.span.start.offset + 1..).unwrap_or_default();
        let inner = inner.strip_prefix('^').unwrap_or(inner);
        // `[]` is empty in ECMA-262, and `[--/]` a range.
        if inner.starts_with(']') || inner.starts_with("--") {
            return Err(DIALECT);
        }
        let ClassSet::Item(item) = &class.kind else {
            return Err(DIALECT);
        };
        let mut set = ClassUnicode::empty();
        add(item, &mut set)?;
        if class.negated {
            set.negate();
        }
        Ok(set)
    }
}

fn add(item: &ClassSetItem, set: &mut ClassUnicode) -> Result<(), &'static str> {
    match item {
        ClassSetItem::Empty(_) => {}
        ClassSetItem::Literal(literal) => set.union(&single(character(literal)?)),
        ClassSetItem::Range(range) => {
            set.union(&ranges(&[(character(&range.start)?, character(&range.end)?)]));
        }
        ClassSetItem::Perl(class) => set.union(&perl(class)),
        ClassSetItem::Union(union) => {
            for item in &union.items {
                add(item, set)?;
            }
        }
        ClassSetItem::Ascii(_) | ClassSetItem::Unicode(_) | ClassSetItem::Bracketed(_) => {
            return Err(DIALECT);
        }
    }
    Ok(())
}

/// The character of a literal whose spelling both dialects read in the same way.
fn character(literal: &ast::Literal) -> Result<char, &'static str> {
    match &literal.kind {
        LiteralKind::Verbatim
        | LiteralKind::Meta
        | LiteralKind::Superfluous
        | LiteralKind::HexFixed(HexLiteralKind::X | HexLiteralKind::UnicodeShort) => Ok(literal.c),
        LiteralKind::Special(SpecialLiteralKind::Bell | SpecialLiteralKind::Space) => Err(DIALECT),
        LiteralKind::Special(_) => Ok(literal.c),
        LiteralKind::Octal
        | LiteralKind::HexFixed(HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(_) => Err(DIALECT),
    }
}

fn perl(class: &ast::ClassPerl) -> ClassUnicode {
    let mut set = match class.kind {
        ClassPerlKind::Digit => ranges(&[('0', '9')]),
        ClassPerlKind::Space => ranges(&SPACE),
        ClassPerlKind::Word => ranges(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
    };
    if class.negated {
        set.negate();
    }
    set
}

/// Only groups with flags differ: `(?i:…)`.
fn check_group(kind: &GroupKind) -> Result<(), &'static str> {
    match kind {
        GroupKind::NonCapturing(flags) if !flags.items.is_empty() => Err(DIALECT),
        _ => Ok(()),
    }
}

fn is_anchor(tree: &Ast, kind: &AssertionKind) -> bool {
    matches!(tree, Ast::Assertion(assertion) if assertion.kind == *kind)
}

/// One of these characters, as a path has it: a slash is encoded.
fn within(set: &ClassUnicode) -> Hir {
    let mut others = set.clone();
    others.difference(&slash());
    let has_slash = others != *set;
    let others = Hir::class(Class::Unicode(others));
    if has_slash {
        Hir::alternation(vec![others, Hir::literal(KEPT_SLASH.as_bytes().to_vec())])
    } else {
        others
    }
}

fn single(character: char) -> ClassUnicode {
    ranges(&[(character, character)])
}

fn ranges(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(
        ranges
            .iter()
            .map(|(start, end)| ClassUnicodeRange::new(*start, *end)),
    )
}

/// Every character but the slash.
pub(super) fn segment_class() -> Hir {
    let mut class = slash();
    class.negate();
    Hir::class(Class::Unicode(class))
}

fn slash() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('/', '/')])
}

#[cfg(test)]
mod tests;
