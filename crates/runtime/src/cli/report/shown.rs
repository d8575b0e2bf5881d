//! Texts of the page: times, numbers, anchors.

use jiff::Timestamp;
use tokenward_compiler::visible;
use tokenward_pdp::plural::plural;
use tokenward_pdp::text::{bounded, time};

use super::page::Moment;

/// Longer texts of others are cut, with their length.
const LONGEST: usize = 2_000;
const DAY_MS: i64 = 86_400_000;

/// A text of others: hidden characters escaped, and not longer than a page bears.
pub(super) fn text(text: &str) -> String {
    visible(&bounded(text, LONGEST))
}

fn formatted(ms: i64, format: &str) -> String {
    let time = Timestamp::from_millisecond(ms);
    time.map_or_else(|_| ms.to_string(), |time| time.strftime(format).to_string())
}

/// `2 Apr 2027`
pub(super) fn day(ms: i64) -> String {
    formatted(ms, "%-d %b %Y")
}

/// `2 Apr 2027 14:31`
pub(super) fn minute(ms: i64) -> String {
    formatted(ms, "%-d %b %Y %H:%M")
}

pub(super) fn moment(ms: i64) -> Moment {
    Moment {
        shown: minute(ms),
        exact: time(ms),
    }
}

/// A time of the audit, as a day; the text itself if it is none.
pub(super) fn day_of(rfc3339: &str) -> String {
    let parsed: Result<Timestamp, _> = rfc3339.parse();
    parsed.map_or_else(|_| text(rfc3339), |time| day(time.as_millisecond()))
}

/// "in 29 days", "12 days ago"
pub(super) fn distance(ms: i64, now_ms: i64) -> String {
    let days = ms.saturating_sub(now_ms).div_euclid(DAY_MS);
    let past = now_ms.saturating_sub(ms).div_euclid(DAY_MS);
    match (ms >= now_ms, days, past) {
        (true, 0, _) => "in less than a day".to_owned(),
        (true, 1, _) => "in 1 day".to_owned(),
        (true, days, _) => format!("in {} days", grouped(days.unsigned_abs())),
        (false, _, 0) => "less than a day ago".to_owned(),
        (false, _, 1) => "1 day ago".to_owned(),
        (false, _, days) => format!("{} days ago", grouped(days.unsigned_abs())),
    }
}

/// `4,211`
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The anchor of a token: its number, since names may have any characters.
pub(super) fn anchor(at: usize) -> String {
    format!("token-{}", at + 1)
}

/// "1 operation", "2 operations"
pub(super) fn counted(count: usize, noun: &str) -> String {
    let count_text = grouped(u64::try_from(count).unwrap_or(u64::MAX));
    format!("{count_text} {}", plural(count, noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers() {
        let noon = 1_800_000_000_000;
        assert_eq!(
            (day(noon), minute(noon)),
            ("15 Jan 2027".to_owned(), "15 Jan 2027 08:00".to_owned())
        );
        assert_eq!(day(i64::MAX), i64::MAX.to_string());
        assert_eq!(day_of("2027-04-02T00:00:00Z"), "2 Apr 2027");
        assert_eq!(day_of("<b>\u{202e}"), "<b>\\u{202e}");
        let days = |days: i64| distance(noon + days * DAY_MS, noon);
        assert_eq!(days(29), "in 29 days");
        assert_eq!(days(1), "in 1 day");
        assert_eq!(days(0), "in less than a day");
        assert_eq!(days(-3), "3 days ago");
        assert!(!distance(i64::MIN, i64::MAX).is_empty());
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "operation"), "1 operation");
    }
}
