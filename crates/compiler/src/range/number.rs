//! Numbers in plain decimals: `-?(0|[1-9][0-9]*)(\.[0-9]+)?` of at most 15 digits, without negative zeros.

use regex_syntax::hir::{Hir, Repetition};

use super::{digits, side::Side};

/// Maximum number of digits, before and after the point together. IEEE 754 doubles keep all numbers of so many digits apart
/// (C's `DBL_DIG`), so servers read no two of them as one.
pub const MAX_DIGITS: usize = 15;

/// A number in plain decimals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    /// The digits before the point, as values.
    integer: Vec<u8>,
    /// The digits after the point, without final zeros.
    fraction: Vec<u8>,
}

impl Number {
    /// Reads a number; `None` for texts in another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (integer, fraction) = match unsigned.split_once('.') {
            Some((integer, fraction)) => (values(integer)?, values(fraction)?),
            None => (values(unsigned)?, Vec::new()),
        };
        let has_leading_zero = integer.len() > 1 && integer.first() == Some(&0);
        if has_leading_zero || integer.len() + fraction.len() > MAX_DIGITS {
            return None;
        }
        let shortest = fraction
            .iter()
            .rposition(|digit| *digit != 0)
            .map_or(0, |last| last + 1);
        let number = Self {
            negative: unsigned.len() < text.len(),
            integer,
            fraction: fraction.into_iter().take(shortest).collect(),
        };
        (!(number.negative && number.is_zero())).then_some(number)
    }

    /// The number of digits before the point, and the number of those that may follow it.
    fn lengths(&self) -> (usize, usize) {
        let length = self.integer.len();
        (length, MAX_DIGITS.saturating_sub(length))
    }

    fn is_zero(&self) -> bool {
        self.integer == [0] && self.fraction.is_empty()
    }

    /// The value in units of 10^-15.
    fn scaled(&self) -> i128 {
        let padded = self.fraction.iter().copied().chain(std::iter::repeat(0));
        let digits = self.integer.iter().copied().chain(padded.take(MAX_DIGITS));
        let value = digits.fold(0, |value: i128, digit| value * 10 + i128::from(digit));
        if self.negative { -value } else { value }
    }

    /// Some numbers on a side of this one: the number itself, the next integer, and others at growing distances.
    pub(super) fn near(&self, side: Side) -> Vec<String> {
        let unit = 10_i128.pow(15);
        let value = self.scaled();
        let next_integer = match side.is_less() {
            true => (value - 1).div_euclid(unit),
            false => value.div_euclid(unit) + 1,
        };
        let bound = side.has_bound().then_some(value);
        let distances = [
            unit,
            unit / 10,
            unit / 100,
            unit / 1_000_000,
            unit * 10,
            unit * 1000,
        ];
        let further = distances.map(|distance| value + if side.is_less() { -distance } else { distance });
        let near = bound.into_iter().chain([next_integer * unit]).chain(further);
        near.map(plain)
            .filter(|text| Self::parse(text).is_some())
            .collect()
    }
}

/// The shortest text of a value in units of 10^-15.
fn plain(scaled: i128) -> String {
    let unit = 10_u128.pow(15);
    let (value, sign) = (scaled.unsigned_abs(), if scaled < 0 { "-" } else { "" });
    let text = format!("{sign}{}.{:015}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The values of ASCII digits, of which there must be one at least.
fn values(text: &str) -> Option<Vec<u8>> {
    let value = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    let values: Option<Vec<u8>> = text.bytes().map(value).collect();
    values.filter(|values| !values.is_empty())
}

/// The texts of all numbers on a side of a bound.
pub(super) fn texts(bound: &Number, side: Side) -> Hir {
    let zero = Number {
        negative: false,
        integer: vec![0],
        fraction: Vec::new(),
    };
    let negatives = |mut digits: Vec<Hir>, itself: bool| {
        digits.extend(itself.then(|| equal(bound)));
        Hir::concat(vec![Hir::literal(*b"-"), Hir::alternation(digits)])
    };
    let mut branches = Vec::new();
    // A negative number is less than another if its digits are more; and zeros have no sign.
    match (bound.negative, side.is_less()) {
        (false, true) => {
            branches.push(negatives(greater(&zero), false));
            branches.extend(less(bound, true));
        }
        (false, false) => branches.extend(greater(bound)),
        (true, true) => branches.push(negatives(greater(bound), side.has_bound())),
        (true, false) => {
            branches.extend([equal(&zero)].into_iter().chain(greater(&zero)));
            branches.push(negatives(less(bound, false), side.has_bound()));
        }
    }
    if !bound.negative && side.has_bound() {
        branches.push(equal(bound));
    }
    Hir::alternation(branches)
}

fn literal(digits: &[u8]) -> Hir {
    let text: Vec<u8> = digits.iter().map(|digit| b'0' + digit).collect();
    Hir::literal(text)
}

fn point() -> Hir {
    Hir::literal(*b".")
}

fn optional(hir: Hir) -> Hir {
    Hir::alternation(vec![Hir::empty(), hir])
}

fn zeros(min: usize, max: usize) -> Hir {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Hir::repetition(Repetition {
        min: count(min),
        max: Some(count(max)),
        greedy: true,
        sub: Box::new(Hir::literal(*b"0")),
    })
}

/// No point, or one and up to `room` digits.
fn any_fraction(room: usize) -> Hir {
    if room == 0 {
        return Hir::empty();
    }
    optional(Hir::concat(vec![point(), digits::any(1, room)]))
}

/// Up to `room` digits, not all of them zero.
fn not_zero(room: usize) -> Hir {
    let first_at = |zeros_before: usize| {
        Hir::concat(vec![
            zeros(zeros_before, zeros_before),
            digits::class(1, 9),
            digits::any(0, room - zeros_before - 1),
        ])
    };
    Hir::alternation((0..room).map(first_at).collect())
}

/// All numbers whose integers have so many digits and do not begin with 0.
fn of_length(length: usize) -> Hir {
    Hir::concat(vec![
        digits::class(1, 9),
        digits::any(length - 1, length - 1),
        any_fraction(MAX_DIGITS - length),
    ])
}

/// The numbers below one: with zero, or without.
fn of_zero(with_zero: bool) -> Hir {
    let fraction = match with_zero {
        true => any_fraction(MAX_DIGITS - 1),
        false => Hir::concat(vec![point(), not_zero(MAX_DIGITS - 1)]),
    };
    Hir::concat(vec![literal(&[0]), fraction])
}

/// The digits of numbers that are less than those of the bound.
fn less(bound: &Number, with_zero: bool) -> Vec<Hir> {
    let (length, room) = bound.lengths();
    let is_zero = bound.integer == [0];
    let mut branches: Vec<Hir> = (1..length).map(of_length).collect();
    branches.extend((!is_zero).then(|| of_zero(with_zero)));
    // Integers of as many digits: the first digit that differs decides.
    for (at, digit) in bound.integer.iter().enumerate() {
        let lowest = u8::from(at == 0);
        let Some(highest) = digit.checked_sub(1).filter(|highest| *highest >= lowest) else {
            continue;
        };
        branches.push(Hir::concat(vec![
            literal(bound.integer.get(..at).unwrap_or_default()),
            digits::class(lowest, highest),
            digits::any(length - at - 1, length - at - 1),
            any_fraction(room),
        ]));
    }
    let may_be_zero = with_zero || !is_zero;
    if !bound.fraction.is_empty() {
        let mut fractions = less_fractions(&bound.fraction, room, may_be_zero);
        if may_be_zero {
            fractions.push(Hir::empty());
        }
        branches.push(Hir::concat(vec![
            literal(&bound.integer),
            Hir::alternation(fractions),
        ]));
    }
    branches
}

/// The fractions, each with its point, that are less than this one.
fn less_fractions(bound: &[u8], room: usize, with_zero: bool) -> Vec<Hir> {
    let mut branches = Vec::new();
    for (at, digit) in bound.iter().enumerate() {
        let before = bound.get(..at).unwrap_or_default();
        let is_zero_so_far = before.iter().all(|digit| *digit == 0);
        // What ends here is less, since the bound has another digit than 0 after it.
        if at > 0 && (with_zero || !is_zero_so_far) {
            branches.push(Hir::concat(vec![point(), literal(before)]));
        }
        if *digit == 0 {
            continue;
        }
        let rest = room - at - 1;
        let lowest = u8::from(!with_zero && is_zero_so_far);
        branches.push(Hir::concat(vec![
            point(),
            literal(before),
            digits::class(lowest, digit - 1),
            digits::any(0, rest),
        ]));
        if lowest == 1 {
            branches.push(Hir::concat(vec![
                point(),
                literal(before),
                literal(&[0]),
                not_zero(rest),
            ]));
        }
    }
    branches
}

/// The digits of numbers that are more than those of the bound.
fn greater(bound: &Number) -> Vec<Hir> {
    let (length, room) = bound.lengths();
    let mut branches: Vec<Hir> = (length + 1..=MAX_DIGITS).map(of_length).collect();
    for (at, digit) in bound.integer.iter().enumerate() {
        branches.push(Hir::concat(vec![
            literal(bound.integer.get(..at).unwrap_or_default()),
            digits::class(digit + 1, 9),
            digits::any(length - at - 1, length - at - 1),
            any_fraction(room),
        ]));
    }
    for (at, digit) in bound.fraction.iter().enumerate() {
        branches.push(Hir::concat(vec![
            literal(&bound.integer),
            point(),
            literal(bound.fraction.get(..at).unwrap_or_default()),
            digits::class(digit + 1, 9),
            digits::any(0, room - at - 1),
        ]));
    }
    branches.push(Hir::concat(vec![
        literal(&bound.integer),
        point(),
        literal(&bound.fraction),
        not_zero(room - bound.fraction.len()),
    ]));
    branches
}

/// The digits of the bound, with or without zeros after them.
fn equal(bound: &Number) -> Hir {
    let (_, room) = bound.lengths();
    let left = room - bound.fraction.len();
    let fraction = if !bound.fraction.is_empty() {
        Hir::concat(vec![point(), literal(&bound.fraction), zeros(0, left)])
    } else if left == 0 {
        Hir::empty()
    } else {
        optional(Hir::concat(vec![point(), zeros(1, left)]))
    };
    Hir::concat(vec![literal(&bound.integer), fraction])
}
