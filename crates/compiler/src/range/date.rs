//! Dates `YYYY-MM-DD` of the Gregorian calendar, from year 0000 to 9999, extended to the years before its introduction (as in ISO 8601).

use std::ops::Range;

use regex_syntax::hir::Hir;

use super::{digits, side::Side};

/// Entries for numbers of four digits.
const FOUR_DIGITS: usize = 10_000;

/// A date that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Reads `YYYY-MM-DD`; `None` for all other texts, and for days that do not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: Range<usize>| {
            let digits = text.get(range)?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse::<u16>().ok()).flatten()
        };
        if text.len() != "YYYY-MM-DD".len() || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") {
            return None;
        }
        let date = Self {
            year: number(0..4)?,
            month: u8::try_from(number(5..7)?).ok()?,
            day: u8::try_from(number(8..10)?).ok()?,
        };
        date.exists().then_some(date)
    }

    fn exists(self) -> bool {
        self.year <= 9999 && (1..=days_of(self.year, self.month)).contains(&self.day)
    }

    fn is_on(self, side: Side, bound: Self) -> bool {
        match side {
            Side::Below => self < bound,
            Side::UpTo => self <= bound,
            Side::From => self >= bound,
            Side::Above => self > bound,
        }
    }

    /// Some dates on a side of this one: the date itself, the next day, the first or last days of the next months and years.
    pub(super) fn near(self, side: Side) -> Vec<String> {
        let mut dates: Vec<Self> = side.has_bound().then_some(self).into_iter().collect();
        let step = |days: u32| {
            (0..days).try_fold(self, |date, _| {
                if side.is_less() {
                    date.before()
                } else {
                    date.after()
                }
            })
        };
        dates.extend([1, 2, 7, 31, 366].into_iter().filter_map(step));
        dates.iter().map(Self::to_string).collect()
    }

    fn after(self) -> Option<Self> {
        let Self { year, month, day } = self;
        if day < days_of(year, month) {
            return Some(Self { day: day + 1, ..self });
        }
        match month {
            12 => (year < 9999).then_some(Self {
                year: year + 1,
                month: 1,
                day: 1,
            }),
            _ => Some(Self {
                month: month + 1,
                day: 1,
                ..self
            }),
        }
    }

    fn before(self) -> Option<Self> {
        let Self { year, month, day } = self;
        let (year, month) = match (day, month) {
            (2.., _) => return Some(Self { day: day - 1, ..self }),
            (_, 1) => (year.checked_sub(1)?, 12),
            _ => (year, month - 1),
        };
        Some(Self {
            year,
            month,
            day: days_of(year, month),
        })
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The number of days of a month; 0 for a month that does not exist.
fn days_of(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The texts of all dates on a side of a bound: those of other years, by whether these are leap years, and those of its own.
pub(super) fn texts(bound: Date, side: Side) -> Hir {
    let other_years = |leap: bool| {
        let is_there = |year: u16| {
            is_leap(year) == leap
                && if side.is_less() {
                    year < bound.year
                } else {
                    year > bound.year
                }
        };
        // One year stands for all of its kind.
        let days = days(if leap { 2000 } else { 2001 }, |_| true);
        Hir::concat(vec![years(is_there), dash(), days])
    };
    let own_year = Hir::concat(vec![
        years(|year| year == bound.year),
        dash(),
        days(bound.year, |date| date.is_on(side, bound)),
    ]);
    Hir::alternation(vec![other_years(false), other_years(true), own_year])
}

fn dash() -> Hir {
    Hir::literal(*b"-")
}

fn years(is_there: impl Fn(u16) -> bool) -> Hir {
    let set: Vec<bool> = (0..9999_u16).chain([9999]).map(is_there).collect();
    digits::of_set(&set, None)
}

/// `MM-DD` of some days of a year.
fn days(year: u16, is_there: impl Fn(Date) -> bool) -> Hir {
    let mut set = vec![false; FOUR_DIGITS];
    for month in 1..=12 {
        for day in 1..=days_of(year, month) {
            let at = usize::from(month) * 100 + usize::from(day);
            if let Some(place) = set.get_mut(at) {
                *place = is_there(Date { year, month, day });
            }
        }
    }
    digits::of_set(&set, Some((2, "-")))
}
