//! Numbers and dates, by the form of SEMANTICS 1, in order.

use std::cmp::Ordering;

use super::line::Side;

/// A value that a bound can be compared with: as whole units, so that no rounding comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// In units of ten to the power of minus [`PLACES`].
    Number(i128),
    /// Year, month and day, as digits.
    Date(u32),
}

/// More digits than a number may have.
const PLACES: u32 = 15;

/// Whether a text is on a side of a bound; `None` if it is no value of the bound's form.
pub(super) fn is_on_side(text: &str, side: Side, bound: &str) -> Option<bool> {
    let order = match (point(text)?, point(bound)?) {
        (Point::Number(value), Point::Number(bound)) => value.cmp(&bound),
        (Point::Date(value), Point::Date(bound)) => value.cmp(&bound),
        (Point::Number(_), Point::Date(_)) | (Point::Date(_), Point::Number(_)) => return None,
    };
    let strictly = match side.below {
        true => Ordering::Less,
        false => Ordering::Greater,
    };
    Some(order == strictly || (side.inclusive && order == Ordering::Equal))
}

fn point(text: &str) -> Option<Point> {
    date(text)
        .map(Point::Date)
        .or_else(|| number(text).map(Point::Number))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, of at most 15 digits, and no `-0`.
fn number(text: &str) -> Option<i128> {
    let (negative, size) = match text.strip_prefix('-') {
        Some(size) => (true, size),
        None => (false, text),
    };
    let (whole, fraction) = match size.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (size, None),
    };
    let leads = whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || leads || !fraction.is_none_or(digits) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    if whole.len() + fraction.len() > 15 {
        return None;
    }
    let places = u32::try_from(fraction.len()).ok()?;
    let units = format!("{whole}{fraction}").parse::<i128>().ok()? * 10_i128.pow(PLACES - places);
    match (negative, units) {
        (true, 0) => None,
        (true, units) => Some(-units),
        (false, units) => Some(units),
    }
}

/// `YYYY-MM-DD`, a day that exists.
fn date(text: &str) -> Option<u32> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    if (year.len(), month.len(), day.len()) != (4, 2, 2)
        || ![year, month, day].into_iter().all(|part| digits(part))
    {
        return None;
    }
    let (year, month, day): (u32, u32, u32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    (1..=days)
        .contains(&day)
        .then_some(year * 10_000 + month * 100 + day)
}
