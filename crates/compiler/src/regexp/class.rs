//! Sets of characters, as a regexp's classes denote them.

use regex_syntax::{
    ast,
    hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind},
};

use crate::language::Language;

/// Why a class cannot be had.
#[derive(Debug)]
pub(super) struct UnknownClass(pub(super) ast::Span);

/// How classes include the other cases of their letters.
pub(super) struct Folding<'f> {
    /// Adds the other cases.
    pub(super) fold: &'f dyn Fn(&mut ClassUnicode),
    pub(super) language: Language,
}

impl Folding<'_> {
    /// A class that has a name. Language 1 negated such classes before it folded them.
    fn of_name(&self, mut set: ClassUnicode, negated: bool) -> ClassUnicode {
        let negate = |set: &mut ClassUnicode| {
            if negated {
                set.negate();
            }
        };
        match self.language {
            Language::One => {
                negate(&mut set);
                (self.fold)(&mut set);
            }
            Language::Two => {
                (self.fold)(&mut set);
                negate(&mut set);
            }
        }
        set
    }
}

pub(super) fn of(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(
        ranges
            .iter()
            .map(|&(start, end)| ClassUnicodeRange::new(start, end)),
    )
}

pub(super) fn every() -> ClassUnicode {
    of(&[('\0', char::MAX)])
}

/// `\d`, `\s`, `\w` and their complements: ASCII, as in Java. `\s` there includes the vertical tab.
pub(super) fn perl(class: &ast::ClassPerl, folding: &Folding<'_>) -> ClassUnicode {
    let mut set = match class.kind {
        ast::ClassPerlKind::Digit => of(&[('0', '9')]),
        ast::ClassPerlKind::Space => of(&[('\t', '\r'), (' ', ' ')]),
        ast::ClassPerlKind::Word => of(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
    };
    (folding.fold)(&mut set);
    if class.negated {
        set.negate();
    }
    set
}

/// `\p{…}` by regex-syntax's tables, before any negation.
fn unicode(class: &ast::ClassUnicode) -> Result<ClassUnicode, UnknownClass> {
    let mut class = class.clone();
    class.negated = false;
    if let ast::ClassUnicodeKind::NamedValue { op, .. } = &mut class.kind {
        *op = ast::ClassUnicodeOpKind::Equal;
    }
    let tree = ast::Ast::class_unicode(class.clone());
    let hir = regex_syntax::hir::translate::Translator::new()
        .translate("", &tree)
        .map_err(|_| UnknownClass(class.span))?;
    Ok(match hir.into_kind() {
        HirKind::Class(Class::Unicode(set)) => set,
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0)
            .ok()
            .and_then(|text| text.chars().next())
            .map_or_else(ClassUnicode::empty, |character| of(&[(character, character)])),
        _ => ClassUnicode::empty(),
    })
}

fn posix(class: &ast::ClassAscii, folding: &Folding<'_>) -> ClassUnicode {
    use ast::ClassAsciiKind as Kind;
    let set = match class.kind {
        Kind::Alnum => of(&[('0', '9'), ('A', 'Z'), ('a', 'z')]),
        Kind::Alpha => of(&[('A', 'Z'), ('a', 'z')]),
        Kind::Ascii => of(&[('\0', '\x7F')]),
        Kind::Blank => of(&[('\t', '\t'), (' ', ' ')]),
        Kind::Cntrl => of(&[('\0', '\x1F'), ('\x7F', '\x7F')]),
        Kind::Digit => of(&[('0', '9')]),
        Kind::Graph => of(&[('!', '~')]),
        Kind::Lower => of(&[('a', 'z')]),
        Kind::Print => of(&[(' ', '~')]),
        Kind::Punct => of(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        Kind::Space => of(&[('\t', '\r'), (' ', ' ')]),
        Kind::Upper => of(&[('A', 'Z')]),
        Kind::Word => of(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        Kind::Xdigit => of(&[('0', '9'), ('A', 'F'), ('a', 'f')]),
    };
    folding.of_name(set, class.negated)
}

/// A single class: `\d`, `\p{L}`, `[…]`. Folded where the regex crate folds case: before a negation.
pub(super) fn bracketed(
    class: &ast::ClassBracketed,
    folding: &Folding<'_>,
) -> Result<ClassUnicode, UnknownClass> {
    let mut set = set_of(&class.kind, folding)?;
    (folding.fold)(&mut set);
    if class.negated {
        set.negate();
    }
    Ok(set)
}

/// `\p{L}`, `\P{L}`, `\p{sc!=Greek}`: folded, then negated, so that `(?i)\P{Lu}` matches no letter of which one case is upper.
pub(super) fn unicode_class(
    class: &ast::ClassUnicode,
    folding: &Folding<'_>,
) -> Result<ClassUnicode, UnknownClass> {
    Ok(folding.of_name(unicode(class)?, class.is_negated()))
}

fn set_of(set: &ast::ClassSet, folding: &Folding<'_>) -> Result<ClassUnicode, UnknownClass> {
    match set {
        ast::ClassSet::Item(item) => item_of(item, folding),
        ast::ClassSet::BinaryOp(operation) => {
            let (mut left, mut right) = (set_of(&operation.lhs, folding)?, set_of(&operation.rhs, folding)?);
            (folding.fold)(&mut left);
            (folding.fold)(&mut right);
            match operation.kind {
                ast::ClassSetBinaryOpKind::Intersection => left.intersect(&right),
                ast::ClassSetBinaryOpKind::Difference => left.difference(&right),
                ast::ClassSetBinaryOpKind::SymmetricDifference => left.symmetric_difference(&right),
            }
            Ok(left)
        }
    }
}

fn item_of(item: &ast::ClassSetItem, folding: &Folding<'_>) -> Result<ClassUnicode, UnknownClass> {
    Ok(match item {
        ast::ClassSetItem::Empty(_) => ClassUnicode::empty(),
        ast::ClassSetItem::Literal(literal) => of(&[(literal.c, literal.c)]),
        ast::ClassSetItem::Range(range) => of(&[(range.start.c, range.end.c)]),
        ast::ClassSetItem::Ascii(class) => posix(class, folding),
        ast::ClassSetItem::Unicode(class) => unicode_class(class, folding)?,
        ast::ClassSetItem::Perl(class) => perl(class, folding),
        ast::ClassSetItem::Bracketed(class) => bracketed(class, folding)?,
        ast::ClassSetItem::Union(union) => {
            let mut set = ClassUnicode::empty();
            for item in &union.items {
                set.union(&item_of(item, folding)?);
            }
            set
        }
    })
}

/// Adds the other case of each ASCII letter in the set, as Java's `(?i)` does.
pub(super) fn fold_ascii(set: &mut ClassUnicode) {
    let mut other = ClassUnicode::empty();
    for range in set.ranges() {
        for (low, high, offset) in [('a', 'z', -32_i32), ('A', 'Z', 32)] {
            let (start, end) = (range.start().max(low), range.end().min(high));
            if let (true, Some(start), Some(end)) = (start <= end, shift(start, offset), shift(end, offset)) {
                other.push(ClassUnicodeRange::new(start, end));
            }
        }
    }
    set.union(&other);
}

fn shift(letter: char, offset: i32) -> Option<char> {
    char::from_u32(u32::from(letter).checked_add_signed(offset)?)
}

/// Adds every case of every character, by Unicode's simple folding; a forbid line's URL is matched with it.
pub(super) fn fold_unicode(set: &mut ClassUnicode) {
    // The tables are compiled in; without them the ASCII cases are all that can be had.
    if set.try_case_fold_simple().is_err() {
        fold_ascii(set);
    }
}
