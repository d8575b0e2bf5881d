//! Regexps of fixed-length digit strings, from the set of numbers that they are to match.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, Repetition};

/// The digits from `first` to `last`; nothing if there are none.
pub(super) fn class(first: u8, last: u8) -> Hir {
    if first > last {
        return Hir::fail();
    }
    let digit = |digit: u8| char::from(b'0' + digit.min(9));
    let range = ClassUnicodeRange::new(digit(first), digit(last));
    Hir::class(Class::Unicode(ClassUnicode::new([range])))
}

/// From `min` to `max` digits.
pub(super) fn any(min: usize, max: usize) -> Hir {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Hir::repetition(Repetition {
        min: count(min),
        max: Some(count(max)),
        greedy: true,
        sub: Box::new(class(0, 9)),
    })
}

/// Decimal strings of `length` digits: those of the numbers for which the set has `true`. `separator` is placed after as many
/// digits. The set has 10^`length` entries.
pub(super) fn of_set(set: &[bool], separator: Option<(usize, &str)>) -> Hir {
    if !set.contains(&true) {
        return Hir::fail();
    }
    let size = set.len() / 10;
    if size == 0 {
        return Hir::empty();
    }
    // Digits after which the same continuations are possible form one class.
    let mut groups: Vec<(&[bool], Vec<ClassUnicodeRange>)> = Vec::new();
    for (digit, rest) in ('0'..='9').zip(set.chunks(size)) {
        let range = ClassUnicodeRange::new(digit, digit);
        match groups.iter_mut().find(|(known, _)| *known == rest) {
            Some((_, digits)) => digits.push(range),
            None if rest.contains(&true) => groups.push((rest, vec![range])),
            None => {}
        }
    }
    let separated = |rest: &[bool]| match separator {
        Some((1, text)) => Hir::concat(vec![Hir::literal(text.as_bytes()), of_set(rest, None)]),
        other => of_set(rest, other.map(|(after, text)| (after - 1, text))),
    };
    let branches = groups.into_iter().map(|(rest, digits)| {
        let first = Hir::class(Class::Unicode(ClassUnicode::new(digits)));
        Hir::concat(vec![first, separated(rest)])
    });
    Hir::alternation(branches.collect())
}
