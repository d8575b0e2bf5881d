//! Sets of characters, as a regexp's classes denote them.

use regex_syntax::{
    ast,
    hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind},
};

/// Why a class cannot be had.
#[derive(Debug)]
pub(super) struct UnknownClass(pub(super) ast::Span);

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
pub(super) fn perl(class: &ast::ClassPerl, fold: &dyn Fn(&mut ClassUnicode)) -> ClassUnicode {
    let mut set = match class.kind {
        ast::ClassPerlKind::Digit => of(&[('0', '9')]),
        ast::ClassPerlKind::Space => of(&[('\t', '\r'), (' ', ' ')]),
        ast::ClassPerlKind::Word => of(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
    };
    fold(&mut set);
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

fn posix(class: &ast::ClassAscii, fold: &dyn Fn(&mut ClassUnicode)) -> ClassUnicode {
    use ast::ClassAsciiKind as Kind;
    let mut set = match class.kind {
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
    fold(&mut set);
    if class.negated {
        set.negate();
    }
    set
}

/// A single class: `\d`, `\p{L}`, `[…]`. `fold` is applied where the regex crate folds case: before a negation.
pub(super) fn bracketed(
    class: &ast::ClassBracketed,
    fold: &dyn Fn(&mut ClassUnicode),
) -> Result<ClassUnicode, UnknownClass> {
    let mut set = set_of(&class.kind, fold)?;
    fold(&mut set);
    if class.negated {
        set.negate();
    }
    Ok(set)
}

/// `\p{L}`, `\P{L}`, `\p{sc!=Greek}`: folded, then negated, so that `(?i)\P{Lu}` matches no letter of which one case is upper.
pub(super) fn unicode_class(
    class: &ast::ClassUnicode,
    fold: &dyn Fn(&mut ClassUnicode),
) -> Result<ClassUnicode, UnknownClass> {
    let mut set = unicode(class)?;
    fold(&mut set);
    if class.is_negated() {
        set.negate();
    }
    Ok(set)
}

fn set_of(set: &ast::ClassSet, fold: &dyn Fn(&mut ClassUnicode)) -> Result<ClassUnicode, UnknownClass> {
    match set {
        ast::ClassSet::Item(item) => item_of(item, fold),
        ast::ClassSet::BinaryOp(operation) => {
            let (mut left, mut right) = (set_of(&operation.lhs, fold)?, set_of(&operation.rhs, fold)?);
            fold(&mut left);
            fold(&mut right);
            match operation.kind {
                ast::ClassSetBinaryOpKind::Intersection => left.intersect(&right),
                ast::ClassSetBinaryOpKind::Difference => left.difference(&right),
                ast::ClassSetBinaryOpKind::SymmetricDifference => left.symmetric_difference(&right),
            }
            Ok(left)
        }
    }
}

fn item_of(item: &ast::ClassSetItem, fold: &dyn Fn(&mut ClassUnicode)) -> Result<ClassUnicode, UnknownClass> {
    Ok(match item {
        ast::ClassSetItem::Empty(_) => ClassUnicode::empty(),
        ast::ClassSetItem::Literal(literal) => of(&[(literal.c, literal.c)]),
        ast::ClassSetItem::Range(range) => of(&[(range.start.c, range.end.c)]),
        ast::ClassSetItem::Ascii(class) => posix(class, fold),
        ast::ClassSetItem::Unicode(class) => unicode_class(class, fold)?,
        ast::ClassSetItem::Perl(class) => perl(class, fold),
        ast::ClassSetItem::Bracketed(class) => bracketed(class, fold)?,
        ast::ClassSetItem::Union(union) => {
            let mut set = ClassUnicode::empty();
            for item in &union.items {
                set.union(&item_of(item, fold)?);
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
